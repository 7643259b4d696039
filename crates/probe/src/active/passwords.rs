//! Which passwords are taken.

use super::account::{email, register, registration, username};
use super::probe;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};

pub(super) const PROBES: &[Probe] = &[probe(
    "passwords.common",
    "Common passwords are taken",
    &["v5.0.0-6.2.4"],
    Severity::Medium,
    "Compare with a list of common passwords, at registration, change and reset.",
    |ctx| Box::pin(common(ctx)),
)];

pub(super) const REST: &[Probe] = &[
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

/// Passwords of 8 and 16 characters from lists of the most common: a server may ask for a length alone.
const COMMON: [&str; 2] = ["P@ssw0rd", "1qaz2WSX3edc4RFV"];

async fn common(ctx: &Context) -> Result<Outcome, Skip> {
    for (which, password) in ["c", "d"].into_iter().zip(COMMON) {
        let outcome = attempt(ctx, which, password.to_owned()).await?;
        if let Outcome::Found(..) = outcome {
            return Ok(outcome);
        }
    }
    Ok(Outcome::passed())
}

async fn attempt(ctx: &Context, which: &str, password: String) -> Result<Outcome, Skip> {
    // Where no account can be made at all a refusal tells nothing.
    ctx.first().await?;
    let body = registration(ctx, &username(ctx, which), &email(ctx, which), &password);
    let answer = register(ctx, &body).await?;
    let seen = format!("An account was made with a password of {} characters.", password.chars().count());
    Ok(Outcome::when(answer.accepted()?, seen, vec![answer.evidence_with_body(&[])]))
}
