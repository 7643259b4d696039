//! Methods that no route should answer.

use super::{probe, some_path};
use crate::Evidence;
use crate::answer::Answer;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;
use serde_json::json;

pub(crate) const PROBES: &[Probe] = &[
    probe(
        "methods.trace",
        "TRACE sends requests back",
        &["v5.0.0-13.4.4"],
        Severity::Medium,
        "Switch TRACE off in the server and in every proxy before it.",
        |ctx| Box::pin(trace(ctx)),
    ),
    probe(
        "methods.unknown",
        "An unknown method is carried out",
        &["v5.0.0-4.1.4"],
        Severity::Low,
        "Answer methods that a route does not have with 405 and `Allow`.",
        |ctx| Box::pin(unknown(ctx)),
    ),
    probe(
        "methods.override",
        "A header field changes the method",
        &["v5.0.0-4.1.3", "v5.0.0-4.1.4"],
        Severity::Medium,
        "Switch method override off: it turns a form's POST into any other method, past rules that proxies \
               and CORS have for it.",
        |ctx| Box::pin(overridden(ctx)),
    ),
    probe(
        "methods.get_changes",
        "Links can log in, log out or reset",
        &["v5.0.0-3.5.3"],
        Severity::Medium,
        "Let routes that change something answer POST only.",
        |ctx| Box::pin(get_changes(ctx)),
    ),
];

async fn trace(ctx: &Context) -> Result<Outcome, Skip> {
    let mut evidence = Vec::new();
    for path in ["/", some_path(&ctx.mapping)] {
        let answer = ctx.client.call(Request::new("TRACE", path).header("x-probe", &ctx.tag)).await?;
        if answer.is_success() && (answer.text().contains(&ctx.tag) || answer.text().contains("TRACE")) {
            evidence.push(answer.evidence_with_body(&["content-type"]));
        }
    }
    Ok(Outcome::judge("The request came back as the answer.", evidence))
}

async fn unknown(ctx: &Context) -> Result<Outcome, Skip> {
    let mut evidence = Vec::new();
    for path in ["/", some_path(&ctx.mapping)] {
        let answer = ctx.client.call(Request::new("PROBE", path)).await?;
        if answer.is_success() || answer.status >= 500 && answer.status != 501 {
            evidence.push(answer.evidence(&["allow"]));
        }
    }
    Ok(Outcome::judge("The method PROBE was not refused.", evidence))
}

async fn overridden(ctx: &Context) -> Result<Outcome, Skip> {
    let path = some_path(&ctx.mapping);
    let with = |method: &str, instead: &str| {
        let request = Request::new(method, path).header("x-http-method-override", instead);
        let request = request.header("x-http-method", instead).header("x-method-override", instead);
        if method == "POST" { request.json(&json!({})) } else { request }
    };
    let plain = ctx.client.call(Request::get(path)).await?.there()?;
    let as_get = ctx.client.call(with("GET", "PROBE")).await?;
    let posted = ctx.client.call(Request::new("POST", path).json(&json!({}))).await?;
    let as_post = ctx.client.call(with("POST", "GET")).await?;
    let differ = |a: &Answer, b: &Answer| a.status != b.status && b.status < 500;
    let mut evidence: Vec<Evidence> = Vec::new();
    for (one, other) in [(&plain, &as_get), (&posted, &as_post)] {
        if differ(one, other) {
            evidence.extend([one.evidence(&["allow"]), other.evidence(&["allow"])]);
        }
    }
    Ok(Outcome::judge("The same call is answered differently with an override.", evidence))
}

async fn get_changes(ctx: &Context) -> Result<Outcome, Skip> {
    let routes = &ctx.mapping.routes;
    let all = [&routes.logout, &routes.refresh, &routes.reset, &routes.verify_email, &routes.register];
    let mut evidence = Vec::new();
    for route in all.into_iter().flatten().filter(|route| route.method != "GET") {
        let answer = ctx.client.call(Request::get(&route.path)).await?;
        if answer.is_success() && !answer.is_html() {
            evidence.push(answer.evidence_with_body(&["allow"]));
        }
    }
    Ok(Outcome::judge("A route that changes something answers GET.", evidence))
}
