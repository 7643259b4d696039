//! Which other origins may read answers.

use super::{FOREIGN, probe};
use crate::answer::Answer;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;

const SHOWN: &[&str] = &["access-control-allow-origin", "access-control-allow-credentials", "vary"];

pub(crate) const PROBES: &[Probe] = &[
    probe(
        "cors.reflected",
        "Any site may read answers",
        &["v5.0.0-3.4.2"],
        Severity::High,
        "Compare the Origin with a list of exact origins; never send back what came, never allow all.",
        |ctx| Box::pin(allows(ctx, vec![format!("https://{FOREIGN}")])),
    ),
    probe(
        "cors.null",
        "The origin null may read answers",
        &["v5.0.0-3.4.2"],
        Severity::High,
        "Take `null` out of the allowed origins: every sandboxed frame and every local file has it.",
        |ctx| Box::pin(allows(ctx, vec!["null".to_owned()])),
    ),
    probe(
        "cors.lookalike",
        "Origins that look like an allowed one may read answers",
        &["v5.0.0-3.4.2"],
        Severity::High,
        "Compare whole origins, not beginnings, ends or patterns without anchors.",
        |ctx| Box::pin(lookalike(ctx)),
    ),
    probe(
        "cors.wildcard_credentials",
        "Every origin is allowed, with credentials",
        &["v5.0.0-3.4.2"],
        Severity::Medium,
        "Name exact origins where credentials are allowed. Browsers refuse the pair today; proxies and \
               other clients may not.",
        |ctx| Box::pin(wildcard(ctx)),
    ),
    probe(
        "cors.localhost",
        "Pages of a developer's machine may read answers",
        &["v5.0.0-3.4.2"],
        Severity::Medium,
        "Allow localhost in development only: any program on a user's machine may listen there.",
        |ctx| Box::pin(localhost(ctx)),
    ),
    probe(
        "cors.methods",
        "Preflights allow methods that the API does not have",
        &["v5.0.0-3.5.2", "v5.0.0-4.1.4"],
        Severity::Low,
        "Answer preflights with a fixed list of methods, not with the one that was asked for.",
        |ctx| Box::pin(methods(ctx)),
    ),
    probe(
        "cors.vary",
        "Caches may mix up the answers for different origins",
        &["v5.0.0-3.4.2"],
        Severity::Low,
        "Send `Vary: Origin` with every answer whose Access-Control-Allow-Origin depends on the Origin.",
        |ctx| Box::pin(vary(ctx)),
    ),
];

/// Found when one of the origins is allowed, by the answer or by the preflight.
async fn allows(ctx: &Context, origins: Vec<String>) -> Result<Outcome, Skip> {
    let (mut evidence, mut with_credentials) = (Vec::new(), false);
    for origin in origins {
        for answer in both(ctx, &origin).await? {
            if answer.header(SHOWN[0]) == Some(origin.as_str()) {
                with_credentials |= has_credentials(&answer);
                evidence.push(answer.evidence(SHOWN));
            }
        }
    }
    let with = if with_credentials { ", with credentials" } else { "" };
    Ok(Outcome::judge(format!("A foreign origin is allowed{with}."), evidence))
}

async fn lookalike(ctx: &Context) -> Result<Outcome, Skip> {
    if let Outcome::Found(..) = allows(ctx, vec![format!("https://{FOREIGN}")]).await? {
        return Ok(Outcome::skipped("every origin is allowed"));
    }
    allows(ctx, lookalikes(ctx)).await
}

async fn wildcard(ctx: &Context) -> Result<Outcome, Skip> {
    let answers = both(ctx, &format!("https://{FOREIGN}")).await?;
    let open =
        answers.iter().filter(|answer| answer.header(SHOWN[0]) == Some("*") && has_credentials(answer));
    Ok(Outcome::judge(
        "`*` is allowed together with credentials.",
        open.map(|answer| answer.evidence(SHOWN)).collect(),
    ))
}

async fn localhost(ctx: &Context) -> Result<Outcome, Skip> {
    if ctx.target.is_loopback() {
        return Ok(Outcome::skipped("the target is on this machine itself"));
    }
    allows(ctx, LOCAL.iter().map(|&origin| origin.to_owned()).collect()).await
}

const LOCAL: &[&str] = &["http://localhost:3000", "http://localhost:5173"];

async fn methods(ctx: &Context) -> Result<Outcome, Skip> {
    let mut evidence = Vec::new();
    for (origin, method) in [(ctx.target.origin(), "PROBE"), (format!("https://{FOREIGN}"), "TRACE")] {
        let answer = preflight(ctx, &origin, method).await?;
        let allowed = answer.header("access-control-allow-methods").unwrap_or_default().to_ascii_uppercase();
        let names = ["*", "TRACE", "CONNECT", "PROBE"];
        if allowed.split(',').any(|allowed| names.contains(&allowed.trim())) {
            evidence.push(answer.evidence(&["access-control-allow-methods"]));
        }
    }
    Ok(Outcome::judge("A preflight allows a method that no route has.", evidence))
}

async fn vary(ctx: &Context) -> Result<Outcome, Skip> {
    let mut known = ctx.mapping.allowed_origins.clone();
    known.extend([ctx.target.origin(), format!("https://{FOREIGN}")]);
    known.extend(LOCAL.iter().map(|&origin| origin.to_owned()));
    let mut is_any = false;
    let mut evidence = Vec::new();
    for origin in known {
        let answer = read(ctx, &origin).await?;
        let differs = answer.header(SHOWN[0]) == Some(origin.as_str());
        is_any |= differs;
        let has_vary = answer.all("vary").any(|value| {
            value.split(',').any(|name| name.trim() == "*" || name.trim().eq_ignore_ascii_case("origin"))
        });
        if differs && !has_vary {
            evidence.push(answer.evidence(SHOWN));
        }
    }
    if is_any {
        Ok(Outcome::judge("An answer depends on the Origin and does not say so.", evidence))
    } else {
        Ok(Outcome::skipped("no origin is known that is allowed"))
    }
}

/// Each known origin with something around it.
fn lookalikes(ctx: &Context) -> Vec<String> {
    let mut known = ctx.mapping.allowed_origins.clone();
    known.push(ctx.target.origin());
    known.truncate(4);
    known.iter().flat_map(|origin| around(origin)).collect()
}

fn around(origin: &str) -> Vec<String> {
    let Some((scheme, authority)) = origin.split_once("://") else { return Vec::new() };
    let host = authority.split(':').next().unwrap_or(authority);
    let mut all = vec![
        format!("{scheme}://{authority}.{FOREIGN}"),
        format!("{scheme}://{host}.{FOREIGN}"),
        format!("{scheme}://probe{authority}"),
        format!("{scheme}://{FOREIGN}/{authority}"),
    ];
    if let Some((before, after)) = authority.split_once('.') {
        all.push(format!("{scheme}://{before}x{after}"));
    }
    if scheme == "https" {
        all.push(format!("http://{authority}"));
    }
    all
}

async fn both(ctx: &Context, origin: &str) -> Result<[Answer; 2], Skip> {
    Ok([read(ctx, origin).await?, preflight(ctx, origin, "DELETE").await?])
}

async fn read(ctx: &Context, origin: &str) -> Result<Answer, Skip> {
    ctx.client.call(Request::get(path(ctx)).header("origin", origin)).await?.there()
}

async fn preflight(ctx: &Context, origin: &str, method: &str) -> Result<Answer, Skip> {
    let request = Request::new("OPTIONS", path(ctx)).header("origin", origin);
    let request = request.header("access-control-request-method", method);
    ctx.client.call(request.header("access-control-request-headers", "authorization")).await
}

/// A closed route if there is one: its answers are worth reading.
fn path(ctx: &Context) -> &str {
    let names = &ctx.mapping;
    names.private.first().or(names.open.first()).unwrap_or(&names.api)
}

fn has_credentials(answer: &Answer) -> bool {
    answer.header("access-control-allow-credentials").is_some_and(|value| value.trim() == "true")
}
