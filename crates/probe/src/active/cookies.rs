//! Cookies that hold tokens.

use super::account::login_request;
use super::{ask, probe};
use crate::answer::Answer;
use crate::cookies::{Cookie, is_session};
use crate::passive::FOREIGN;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;
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
    let lacks = tokens(&answer)?.into_iter().map(Cookie::parse).any(|cookie| {
        !cookie.has("httponly") || !cookie.is_same_site() || ctx.target.is_https() && !cookie.has("secure")
    });
    let evidence = vec![answer.evidence(&["set-cookie"])];
    Ok(Outcome::when(lacks, "A login sets a cookie without all of its flags.", evidence))
}

async fn csrf(ctx: &Context) -> Result<Outcome, Skip> {
    let answer = login(ctx).await?;
    tokens(&answer)?;
    let route = ctx.route(&ctx.mapping.routes.refresh, "route refresh")?;
    let pairs: Vec<&str> = answer.all("set-cookie").filter_map(|cookie| cookie.split(';').next()).collect();
    let with_cookie = |origin: &str| {
        let request = Request::to(route).header("cookie", &pairs.join("; ")).header("origin", origin);
        request.json(&json!({}))
    };
    let forged = ask(ctx, with_cookie(&format!("https://{FOREIGN}"))).await?;
    let seen = "A refresh from a foreign page succeeds with nothing but the cookie.";
    if forged.accepted()? {
        return Ok(Outcome::Found(seen.to_owned(), vec![forged.evidence(&["access-control-allow-origin"])]));
    }
    let form = pairs
        .iter()
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| ["csrf", "xsrf"].iter().any(|word| name.to_ascii_lowercase().contains(word)));
    let (_, proof) = form.unwrap_or(("", "probe"));
    let own = with_cookie(&ctx.target.origin()).header("x-csrftoken", proof).header("x-xsrf-token", proof);
    if ask(ctx, own).await?.accepted()? {
        Ok(Outcome::passed())
    } else {
        Ok(Outcome::skipped("the cookie does not work from the server's own origin either"))
    }
}

/// A login that asks for a cookie, once in a run.
async fn login(ctx: &Context) -> Result<Answer, Skip> {
    let login = async {
        let account = ctx.first().await?;
        let mut request = login_request(ctx, account.which, &account.password())?;
        if let Some((name, value)) = ctx.mapping.cookie_mode.as_ref().and_then(|field| field.split_once(':'))
        {
            request = request.header(name.trim(), value.trim());
        }
        ask(ctx, request).await
    };
    ctx.accounts.cookie.get_or_init(|| login).await.clone()
}

/// The cookies that hold a token or a session: not one that tells a device.
fn tokens(answer: &Answer) -> Result<Vec<&str>, Skip> {
    let cookies = answer.all("set-cookie").filter(|cookie| {
        let (name, rest) = cookie.split_once('=').unwrap_or((cookie, ""));
        is_session(&name.to_ascii_lowercase()) || rest.starts_with("eyJ")
    });
    let cookies: Vec<&str> = cookies.collect();
    if cookies.is_empty() {
        return Err(super::because("logins set no cookie with a token"));
    }
    Ok(cookies)
}
