//! Whether answers tell who has an account.

use super::account::{email, login, password, register, registration, username};
use super::likeness::Told;
use super::{ask, object, probe};
use crate::answer::Answer;
use crate::mapping::Route;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;
use std::future::{Future, ready};

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
    // Where nobody gets in a wrong password tells nothing.
    ctx.able().await?;
    let wrong = password(ctx, "wrong");
    let known = login(ctx, ctx.first().await?.which, &wrong).await?;
    let unknown = login(ctx, "nobody", &wrong).await?;
    let seen = "A wrong password and an unknown name are answered differently.";
    compare(ctx, &known, &unknown, login(ctx, "noone", &wrong), seen).await
}

async fn of_register(ctx: &Context) -> Result<Outcome, Skip> {
    let (first, second) = (ctx.first().await?, ctx.second().await?);
    let body = registration(ctx, &username(ctx, "e"), &first.email, &password(ctx, "e"));
    let known = register(ctx, &body).await?;
    let seen = "A known address is answered differently from a new one.";
    compare(ctx, &known, &second.registered, ready(Ok(first.registered.clone())), seen).await
}

async fn of_reset(ctx: &Context) -> Result<Outcome, Skip> {
    let route = ctx.route(&ctx.mapping.routes.reset, "route reset")?;
    of_mail(ctx, route, &ctx.reset().await?.asked).await
}

async fn of_resend(ctx: &Context) -> Result<Outcome, Skip> {
    let route = ctx.route(&ctx.mapping.routes.resend, "route resend")?;
    let known = mailed(ctx, route, &ctx.first().await?.email).await?;
    of_mail(ctx, route, &known).await
}

async fn of_mail(ctx: &Context, route: &Route, known: &Answer) -> Result<Outcome, Skip> {
    let unknown = mailed(ctx, route, &email(ctx, "nobody")).await?;
    if [known, &unknown].iter().all(|answer| matches!(answer.status, 401 | 403 | 404 | 405)) {
        return Ok(Outcome::skipped(format!("{} answers {} to a visitor", known.path(), known.status)));
    }
    let other = email(ctx, "noone");
    let seen = "A known and an unknown address are answered differently.";
    compare(ctx, known, &unknown, mailed(ctx, route, &other), seen).await
}

async fn mailed(ctx: &Context, route: &Route, address: &str) -> Result<Answer, Skip> {
    ask(ctx, Request::to(route).json(&object([(&*ctx.mapping.fields.email, address.into())]))).await
}

/// Where the answers differ, another answer to what is unknown says what differs anyway.
async fn compare(
    ctx: &Context,
    known: &Answer,
    unknown: &Answer,
    other: impl Future<Output = Result<Answer, Skip>>,
    seen: &str,
) -> Result<Outcome, Skip> {
    known.accepted()?;
    unknown.accepted()?;
    let [told, one] = [known, unknown].map(|answer| Told::of(ctx, answer));
    if told == one {
        return Ok(Outcome::passed());
    }
    let other = other.await?;
    other.accepted()?;
    let evidence = vec![known.evidence_with_body(&[]), unknown.evidence_with_body(&[])];
    Ok(Outcome::when(told.differs(&one, &Told::of(ctx, &other)), seen, evidence))
}
