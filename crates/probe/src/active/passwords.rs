//! Which passwords are taken.

use super::account::{email, register, registration, username};
use super::probe;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};

pub(super) const PROBES: &[Probe] = &[
    probe(
        "passwords.common",
        "Common passwords are taken",
        &["v5.0.0-6.2.4"],
        Severity::Medium,
        "Compare with a list of common passwords, at registration, change and reset.",
        |ctx| Box::pin(attempt(ctx, "c", "P@ssw0rd".to_owned())),
    ),
    probe(
        "passwords.short",
        "Short passwords are taken",
        &["v5.0.0-6.2.1"],
        Severity::Medium,
        "Ask for at least 8 characters, better 15.",
        |ctx| Box::pin(attempt(ctx, "s", "Kv7!qz".to_owned())),
    ),
    probe(
        "passwords.similar",
        "The username is taken as password",
        &["v5.0.0-6.2.11"],
        Severity::Low,
        "Compare the password with username and address at registration and reset too, where no user exists yet.",
        |ctx| Box::pin(attempt(ctx, "u", format!("Probe_{}u!", ctx.tag))),
    ),
];

async fn attempt(ctx: &Context, which: &str, password: String) -> Result<Outcome, Skip> {
    let answer =
        register(ctx, registration(ctx, &username(ctx, which), &email(ctx, which), &password)).await?;
    let seen = "An account was made with such a password.";
    Ok(super::found_if(answer.is_success(), seen, vec![answer.evidence_with_body(&[])]))
}
