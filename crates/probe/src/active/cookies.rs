//! Cookies that hold tokens.

use super::account::login_request;
use super::{ask, found_if, probe};
use crate::client::{Answer, Request};
use crate::passive::FOREIGN;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use serde_json::json;

pub(super) const PROBES: &[Probe] = &[
    probe(
        "cookies.login",
        "A cookie with a token lacks its flags",
        &["v5.0.0-3.3.1", "v5.0.0-3.3.2", "v5.0.0-3.3.4"],
        Severity::Medium,
        "Set HttpOnly, SameSite=Strict and, over https, Secure and the prefix `__Host-`.",
        |ctx| Box::pin(flags(ctx)),
    ),
    probe(
        "cookies.csrf",
        "Foreign pages may use the cookie",
        &["v5.0.0-3.5.1"],
        Severity::High,
        "Refuse calls that use the cookie unless Origin is allowed and a CSRF token comes in a header field.",
        |ctx| Box::pin(csrf(ctx)),
    ),
];

async fn flags(ctx: &Context) -> Result<Outcome, Skip> {
    let answer = login(ctx).await?;
    let lacking = |cookie: &str| {
        let cookie = cookie.to_ascii_lowercase();
        let has = |flag: &str| cookie.split(';').skip(1).any(|part| part.trim().starts_with(flag));
        !has("httponly")
            || !(has("samesite=strict") || has("samesite=lax"))
            || ctx.target.is_https() && !has("secure")
    };
    let cookies: Vec<&str> = tokens(&answer).collect();
    if cookies.is_empty() {
        return Ok(Outcome::skipped("logins set no cookie with a token"));
    }
    let lacks = cookies.into_iter().any(lacking);
    Ok(found_if(
        lacks,
        "A login sets a cookie without all of its flags.",
        vec![answer.evidence(&["set-cookie"])],
    ))
}

async fn csrf(ctx: &Context) -> Result<Outcome, Skip> {
    let answer = login(ctx).await?;
    let pairs: Vec<&str> = tokens(&answer).filter_map(|cookie| cookie.split(';').next()).collect();
    if pairs.is_empty() {
        return Ok(Outcome::skipped("logins set no cookie with a token"));
    }
    let route = ctx.route(&ctx.mapping.routes.refresh, "route refresh")?;
    let request = Request::to(route)
        .header("Cookie", &pairs.join("; "))
        .header("Origin", &format!("https://{FOREIGN}"))
        .json(&json!({}));
    let forged = ask(ctx, request).await?;
    let seen = "A refresh from a foreign page succeeds with nothing but the cookie.";
    Ok(found_if(forged.is_success(), seen, vec![forged.evidence(&["access-control-allow-origin"])]))
}

/// A login that asks for a cookie, once in a run.
async fn login(ctx: &Context) -> Result<Answer, Skip> {
    let login = async {
        let account = ctx.first().await?;
        let mut request = login_request(ctx, &account.username, &account.password())?;
        if let Some((name, value)) = ctx.mapping.cookie_mode.as_ref().and_then(|field| field.split_once(':'))
        {
            request = request.header(name.trim(), value.trim());
        }
        ask(ctx, request).await
    };
    ctx.accounts.cookie.get_or_init(|| login).await.clone()
}

/// The cookies that hold a token: not those whose name says device or CSRF.
fn tokens(answer: &Answer) -> impl Iterator<Item = &str> {
    answer.all("set-cookie").filter(|cookie| {
        let (name, rest) = cookie.split_once('=').unwrap_or((cookie, ""));
        let name = name.to_ascii_lowercase();
        let says = ["refresh", "access", "session", "token", "jwt"].iter().any(|word| name.contains(word));
        (says && !name.contains("csrf")) || rest.starts_with("eyJ")
    })
}
