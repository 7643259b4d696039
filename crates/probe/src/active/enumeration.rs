//! Whether answers tell who has an account.

use super::account::{email, login, password, register, registration, username};
use super::{ask, probe};
use crate::client::{Answer, Request};
use crate::mapping::Route;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use serde_json::{Value, json};

pub(super) const PROBES: &[Probe] = &[
    probe(
        "enumeration.login",
        "Logins tell whether an account exists",
        &["v5.0.0-6.3.8"],
        Severity::Medium,
        "Answer a wrong password and an unknown name with the same status and body.",
        |ctx| Box::pin(of_login(ctx)),
    ),
    probe(
        "enumeration.register",
        "Registrations tell whether an address has an account",
        &["v5.0.0-6.3.8"],
        Severity::Medium,
        "Answer a known address like a new one, and mail its owner that there is an account already.",
        |ctx| Box::pin(of_register(ctx)),
    ),
    probe(
        "enumeration.reset",
        "Password resets tell whether an address has an account",
        &["v5.0.0-6.3.8"],
        Severity::Medium,
        "Answer every well-formed address alike.",
        |ctx| Box::pin(of_reset(ctx)),
    ),
    probe(
        "enumeration.resend",
        "Resending the verification tells whether an address has an account",
        &["v5.0.0-6.3.8"],
        Severity::Medium,
        "Answer every well-formed address alike.",
        |ctx| Box::pin(of_resend(ctx)),
    ),
];

async fn of_login(ctx: &Context) -> Result<Outcome, Skip> {
    let account = ctx.first().await?;
    let wrong = password(ctx, "wrong");
    let known = login(ctx, &account.username, &wrong).await?;
    let unknown = login(ctx, &username(ctx, "nobody"), &wrong).await?;
    Ok(compare(&known, &unknown, "A wrong password and an unknown name are answered differently."))
}

async fn of_register(ctx: &Context) -> Result<Outcome, Skip> {
    let account = ctx.first().await?;
    let body = registration(ctx, &username(ctx, "e"), &account.email, &password(ctx, "e"));
    let known = register(ctx, body).await?;
    let new = &account.registered;
    let same = known.status == new.status && shape(&known.json()) == shape(&new.json());
    let evidence = vec![new.evidence_with_body(&[]), known.evidence_with_body(&[])];
    Ok(super::found_if(!same, "A known address is answered differently from a new one.", evidence))
}

async fn of_reset(ctx: &Context) -> Result<Outcome, Skip> {
    let known = &ctx.reset().await?.asked;
    let route = ctx.route(&ctx.mapping.routes.reset, "route reset")?;
    let unknown = mailed(ctx, route, &email(ctx, "nobody")).await?;
    Ok(compare(known, &unknown, "A known and an unknown address are answered differently."))
}

async fn of_resend(ctx: &Context) -> Result<Outcome, Skip> {
    let account = ctx.first().await?;
    let route = ctx.route(&ctx.mapping.routes.resend, "route resend")?;
    let known = mailed(ctx, route, &account.email).await?;
    let unknown = mailed(ctx, route, &email(ctx, "nobody")).await?;
    Ok(compare(&known, &unknown, "A known and an unknown address are answered differently."))
}

async fn mailed(ctx: &Context, route: &Route, address: &str) -> Result<Answer, Skip> {
    ask(ctx, Request::to(route).json(&json!({ &ctx.mapping.fields.email: address }))).await
}

fn compare(known: &Answer, unknown: &Answer, seen: &str) -> Outcome {
    let same = known.status == unknown.status && known.body == unknown.body;
    let evidence = vec![known.evidence_with_body(&[]), unknown.evidence_with_body(&[])];
    super::found_if(!same, seen, evidence)
}

/// The names in a body, whatever their values.
fn shape(value: &Value) -> Vec<String> {
    let Some(object) = value.as_object() else { return Vec::new() };
    let mut names: Vec<String> = object
        .iter()
        .flat_map(|(name, inner)| {
            [name.clone()]
                .into_iter()
                .chain(shape(inner).into_iter().map(move |deep| format!("{name}.{deep}")))
        })
        .collect();
    names.sort();
    names
}
