//! How often one may try.

use super::account::{email, login_request, password, registration};
use super::{found_if, probe, try_bypass};
use crate::client::{Answer, Request};
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};

/// Calls without a refusal after which a route counts as unlimited.
const ENOUGH: usize = 20;

pub(super) const LOGIN: &[Probe] = &[probe(
    "throttle.login",
    "Passwords may be guessed without limit",
    &["v5.0.0-6.3.1"],
    Severity::High,
    "Limit logins per address and per account, e.g. to five a minute, and answer 429 with Retry-After.",
    |ctx| Box::pin(login(ctx)),
)];

pub(super) const REST: &[Probe] = &[
    probe(
        "throttle.register",
        "Accounts may be made without limit",
        &["v5.0.0-2.4.1"],
        Severity::Medium,
        "Limit registrations per address, e.g. to five a minute.",
        |ctx| Box::pin(register(ctx)),
    ),
    probe(
        "throttle.reset",
        "Reset mails may be asked for without limit",
        &["v5.0.0-2.4.1"],
        Severity::Medium,
        "Limit password resets per caller and per address, e.g. to five an hour.",
        |ctx| Box::pin(reset(ctx)),
    ),
    probe(
        "throttle.forwarded",
        "A header field that anybody may send gets past throttles",
        &["v5.0.0-4.1.3", "v5.0.0-6.3.1"],
        Severity::High,
        "Take the caller's address from X-Forwarded-For only behind a trusted proxy, and then its right-most entry.",
        |ctx| Box::pin(forwarded(ctx)),
    ),
];

async fn login(ctx: &Context) -> Result<Outcome, Skip> {
    let account = ctx.first().await?;
    let request = login_request(ctx, &account.username, &password(ctx, "wrong"))?;
    hammer(ctx, &request, &ctx.accounts.limited.login).await
}

async fn register(ctx: &Context) -> Result<Outcome, Skip> {
    // A username that is taken: no call makes an account.
    let account = ctx.first().await?;
    let route = ctx.route(&ctx.mapping.routes.register, "route register")?;
    let body = registration(ctx, &account.username, &email(ctx, "t"), &password(ctx, "t"));
    hammer(ctx, &Request::to(route).json(&body.into()), &AtomicBool::default()).await
}

async fn reset(ctx: &Context) -> Result<Outcome, Skip> {
    let route = ctx.route(&ctx.mapping.routes.reset, "route reset")?;
    let request = Request::to(route).json(&json!({ &ctx.mapping.fields.email: email(ctx, "nobody") }));
    hammer(ctx, &request, &ctx.accounts.limited.reset).await
}

async fn forwarded(ctx: &Context) -> Result<Outcome, Skip> {
    match ctx.accounts.bypass() {
        Some(bypass) => {
            Ok(Outcome::Found(format!("A throttled call passes with `{}`.", bypass.name), bypass.evidence))
        }
        None if ctx.accounts.limited.any.load(Ordering::Relaxed) => Ok(Outcome::Passed),
        None => Ok(Outcome::skipped("no throttle was met")),
    }
}

/// Calls until the server refuses, and remembers that it does.
async fn hammer(ctx: &Context, request: &Request, limited: &AtomicBool) -> Result<Outcome, Skip> {
    let mut last: Option<Answer> = None;
    for _ in 0..ENOUGH {
        let answer = ctx.client.call_raw(request.clone()).await?;
        if answer.status == 429 {
            ctx.accounts.limited.any.store(true, Ordering::Relaxed);
            limited.store(true, Ordering::Relaxed);
            try_bypass(ctx, request, &answer).await?;
            return Ok(Outcome::Passed);
        }
        last = Some(answer);
    }
    let evidence = last.iter().map(|answer| answer.evidence(&["retry-after"])).collect();
    Ok(found_if(true, format!("{ENOUGH} calls in a row were all answered, none with 429."), evidence))
}
