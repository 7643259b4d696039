//! Cookies, caches and closed doors, as far as a visitor without an account sees them.

use super::probe;
use crate::answer::{Answer, Verdict};
use crate::cookies::{Cookie, is_session};
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;

pub(crate) const PROBES: &[Probe] = &[
    probe(
        "cookies.secure",
        "Cookies travel without encryption",
        &["v5.0.0-3.3.1"],
        Severity::Medium,
        "Set `Secure` on every cookie, and name it `__Host-…` where no other host needs it.",
        |ctx| Box::pin(secure(ctx)),
    ),
    probe(
        "cookies.http_only",
        "Scripts may read session cookies",
        &["v5.0.0-3.3.4"],
        Severity::Medium,
        "Set `HttpOnly` on every cookie that no script of yours reads.",
        |ctx| Box::pin(cookies(ctx, "HttpOnly", |cookie| cookie.has("httponly"))),
    ),
    probe(
        "cookies.same_site",
        "Cookies go along with calls of other sites",
        &["v5.0.0-3.3.2"],
        Severity::Low,
        "Set `SameSite=Lax` or `Strict` on every cookie.",
        |ctx| Box::pin(cookies(ctx, "SameSite", Cookie::is_same_site)),
    ),
    probe(
        "cache.private",
        "Caches may keep private answers",
        &["v5.0.0-14.3.2", "v5.0.0-14.2.2"],
        Severity::Low,
        "Send `Cache-Control: no-store` with every answer of a closed route.",
        |ctx| Box::pin(private(ctx)),
    ),
    probe(
        "access.closed",
        "Closed routes answer without a token",
        &["v5.0.0-8.2.1", "v5.0.0-8.3.1"],
        Severity::High,
        "Let routes be closed unless they are declared open, and check the token on the server.",
        |ctx| Box::pin(closed(ctx)),
    ),
];

/// What caches may keep without being told so (RFC 9110 §15.1).
const KEPT: &[u16] = &[200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501];

async fn secure(ctx: &Context) -> Result<Outcome, Skip> {
    if !ctx.target.is_https() {
        return Ok(Outcome::skipped("the target is not https"));
    }
    cookies(ctx, "Secure", |cookie| cookie.has("secure")).await
}

async fn cookies(ctx: &Context, what: &str, is_good: fn(&Cookie) -> bool) -> Result<Outcome, Skip> {
    let survey = ctx.survey().await?;
    let of = |answer: &Answer| -> Vec<Cookie> {
        answer.all("set-cookie").map(Cookie::parse).filter(|cookie| is_session(&cookie.name)).collect()
    };
    if survey.answers.iter().all(|answer| of(answer).is_empty()) {
        return Ok(Outcome::skipped("no cookie of a session was set"));
    }
    let bad = survey.answers.iter().filter(|answer| of(answer).iter().any(|cookie| !is_good(cookie)));
    let evidence = bad.map(|answer| answer.evidence(&["set-cookie"])).collect();
    Ok(survey.judge(format!("A session's cookie comes without {what}."), evidence))
}

async fn private(ctx: &Context) -> Result<Outcome, Skip> {
    let answers = closed_answers(ctx).await?;
    let evidence = answers.iter().filter(|answer| may_be_kept(answer));
    let evidence = evidence.map(|answer| answer.evidence(&["cache-control"])).collect();
    Ok(Outcome::judge("A closed route does not say that its answer is nobody else's.", evidence))
}

/// Whether a cache that many share may keep the answer.
pub(crate) fn may_be_kept(answer: &Answer) -> bool {
    let value = answer.all("cache-control").collect::<Vec<_>>().join(",").to_ascii_lowercase();
    let is_kept = !value.is_empty() || KEPT.contains(&answer.status);
    is_kept && !value.contains("no-store") && !value.contains("private")
}

async fn closed(ctx: &Context) -> Result<Outcome, Skip> {
    let mut answers = closed_answers(ctx).await?;
    if let Some(path) = ctx.mapping.private.first() {
        let with = |value: &str| Request::get(path).header("authorization", value);
        answers.push(ctx.client.call(with("Bearer probe")).await?);
        answers.push(ctx.client.call(with("Basic YWRtaW46YWRtaW4=")).await?);
    }
    // A page is what a server shows that leaves every address to scripts.
    let open = answers.iter().filter(|answer| answer.is_success() && !answer.is_html());
    let evidence: Vec<_> = open.map(|answer| answer.evidence_with_body(&[])).collect();
    let unclear = answers.iter().find(|answer| !is_refusal(answer));
    match unclear {
        Some(answer) if evidence.is_empty() => Err(answer.unclear()),
        _ => Ok(Outcome::judge("A closed route answered.", evidence)),
    }
}

/// A refusal by an API, or a redirect to where one logs in.
fn is_refusal(answer: &Answer) -> bool {
    let leads_to_login = answer
        .header("location")
        .is_some_and(|to| ["login", "signin", "sign-in"].iter().any(|word| to.contains(word)));
    answer.verdict() == Verdict::Refused || (300..400).contains(&answer.status) && leads_to_login
}

async fn closed_answers(ctx: &Context) -> Result<Vec<Answer>, Skip> {
    if ctx.mapping.private.is_empty() {
        return Err(Skip::NotMapped("private routes"));
    }
    let mut answers = Vec::new();
    for path in &ctx.mapping.private {
        answers.push(ctx.client.call(Request::get(path)).await?.there()?);
    }
    Ok(answers)
}
