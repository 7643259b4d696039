//! What mistakes are answered with: an error for the client, never a trace, never a crash.

use super::{leaks, probe, unknown_path};
use crate::Evidence;
use crate::answer::Answer;
use crate::json::object;
use crate::mapping::Route;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;
use serde_json::json;
use std::collections::BTreeSet;

pub(crate) const PROBES: &[Probe] = &[
    probe(
        "errors.unknown_route",
        "Unknown addresses are answered with an error of the server",
        &["v5.0.0-16.5.1", "v5.0.0-16.5.4"],
        Severity::Medium,
        "Answer unknown and malformed paths with 404 or 400 and a body that says no more.",
        |ctx| Box::pin(unknown_route(ctx)),
    ),
    probe(
        "errors.malformed_json",
        "A malformed body ends in an error of the server",
        &["v5.0.0-16.5.1", "v5.0.0-16.5.3"],
        Severity::Medium,
        "Answer bodies that cannot be read with 400, other types with 415, both without a trace.",
        |ctx| Box::pin(malformed_json(ctx)),
    ),
    probe(
        "errors.wrong_type",
        "JSON of another shape ends in an error of the server",
        &["v5.0.0-16.5.1", "v5.0.0-16.5.3", "v5.0.0-2.2.1"],
        Severity::Medium,
        "Check the type of the body and of every field before using it; answer 400.",
        |ctx| Box::pin(wrong_type(ctx)),
    ),
    probe(
        "errors.wrong_text",
        "Text that is no text ends in an error of the server",
        &["v5.0.0-16.5.1", "v5.0.0-16.5.3"],
        Severity::Medium,
        "Refuse lone surrogates, NUL characters and tokens that are no tokens with 400 or 401.",
        |ctx| Box::pin(wrong_text(ctx)),
    ),
    probe(
        "errors.trace",
        "Errors show code, paths or a debug page",
        &["v5.0.0-16.5.1", "v5.0.0-13.4.2"],
        Severity::High,
        "Switch debug mode off, and log the cause of an error instead of sending it.",
        |ctx| Box::pin(trace(ctx)),
    ),
    probe(
        "errors.shape",
        "Errors of the API have no shape in common",
        &[],
        Severity::Low,
        "Answer every error of the API as JSON with the same field, unknown addresses and unreadable bodies too.",
        |ctx| Box::pin(shape(ctx)),
    ),
];

async fn unknown_route(ctx: &Context) -> Result<Outcome, Skip> {
    let mut evidence = Vec::new();
    for path in
        [unknown_path(ctx), format!("{}%ff%fe", &*ctx.mapping.api), format!("{}%00", &*ctx.mapping.api)]
    {
        let answer = ctx.client.call(Request::get(&path)).await?;
        evidence.extend(crash(&answer));
    }
    Ok(Outcome::judge("A path that does not exist is answered with a 5xx.", evidence))
}

async fn malformed_json(ctx: &Context) -> Result<Outcome, Skip> {
    let route = free_route(ctx)?;
    let mut answers = Vec::new();
    for (kind, body) in [
        ("application/json", &b"{\"refresh\": "[..]),
        ("application/json", b"\xff\xfe{}"),
        ("application/json", b""),
        ("application/json; charset=nonsense", b"{}"),
        ("text/xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/hostname'>]><a>&b;</a>"),
        ("multipart/form-data", b"--\r\n\r\n"),
    ] {
        answers.push(ctx.client.call(Request::to(route).body(kind, body)).await?);
    }
    crashes(&answers, "A body that cannot be read is answered with a 5xx.")
}

async fn wrong_type(ctx: &Context) -> Result<Outcome, Skip> {
    let (names, fields) = (&ctx.mapping.routes, &ctx.mapping.fields);
    let free = free_route(ctx)?;
    let mut answers = Vec::new();
    for body in [json!([]), json!(7), json!(null), object([(&*fields.refresh, json!({"a": []}))])] {
        answers.push(ctx.client.call(Request::to(free).json(&body)).await?);
    }
    // These are few: they count where servers allow few.
    let odd = object([(&*fields.login_name, json!({"$ne": null})), (&*fields.password, json!(["x"]))]);
    // An active run needs its resets itself.
    let reset = names.reset.as_ref().filter(|_| ctx.mailbox.is_none());
    for (route, body) in
        [(names.login.as_ref(), odd), (names.verify_email.as_ref(), json!([])), (reset, json!(["x"]))]
    {
        let Some(route) = route else { continue };
        match ctx.client.call(Request::to(route).json(&body)).await {
            Ok(answer) => answers.push(answer),
            Err(Skip::Throttled(_)) => {}
            Err(other) => return Err(other),
        }
    }
    crashes(&answers, "A body of another shape is answered with a 5xx.")
}

async fn wrong_text(ctx: &Context) -> Result<Outcome, Skip> {
    let route = free_route(ctx)?;
    let field = &ctx.mapping.fields.refresh;
    let mut answers = Vec::new();
    for text in ["\\ud800", "a\\u0000b", "....", "e30.e30.", "\\uFEFF"] {
        // A lone surrogate cannot be written any other way.
        let body = object([(&**field, "?".into())]).to_string().replace('?', text);
        answers.push(ctx.client.call(Request::to(route).body("application/json", body)).await?);
    }
    if let Some(path) = ctx.mapping.private.first() {
        for token in ["e30.e30.e30", "a.b.c", "\u{e9}"] {
            answers.push(ctx.client.call(Request::get(path).bearer(token)).await?);
        }
    }
    crashes(&answers, "A text that is no text is answered with a 5xx.")
}

async fn trace(ctx: &Context) -> Result<Outcome, Skip> {
    let mut answers = ctx.survey().await?.answers.clone();
    answers.push(ctx.client.call(Request::get("/probe-unknown.php")).await?);
    if let Ok(route) = free_route(ctx) {
        answers.push(ctx.client.call(Request::to(route).body("application/json", "{")).await?);
        answers.push(ctx.client.call(Request::to(route).json(&json!([]))).await?);
    }
    let host = Request::get("/").header("host", "%00:port");
    answers.extend(ctx.client.call(host).await.ok());
    let shown = answers.iter().filter(|answer| answer.status >= 400 && leaks::is_trace(&answer.text()));
    Ok(Outcome::judge(
        "An error shows how the server is made.",
        shown.map(|a| a.evidence_with_body(&[])).collect(),
    ))
}

async fn shape(ctx: &Context) -> Result<Outcome, Skip> {
    let mut requests = vec![Request::get(&unknown_path(ctx))];
    requests.extend(ctx.mapping.private.first().map(|path| Request::get(path)));
    requests.extend(free_route(ctx).ok().map(|route| Request::to(route).body("application/json", "{")));
    let mut errors = Vec::new();
    for request in requests {
        errors.push(ctx.client.call(request.header("accept", "application/json")).await?);
    }
    errors.retain(|answer| (400..500).contains(&answer.status) && !answer.body.is_empty());
    if errors.len() < 2 {
        return Ok(Outcome::skipped("the API answers with too few errors to compare"));
    }
    let fields = |answer: &Answer| -> BTreeSet<String> {
        answer.json().as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
    };
    let common = errors.iter().map(fields).reduce(|left, right| &left & &right).unwrap_or_default();
    let evidence = errors.iter().map(|answer| answer.evidence_with_body(&["content-type"])).collect();
    Ok(Outcome::when(common.is_empty(), "A client finds no field in all of these errors.", evidence))
}

/// The route that takes bodies and counts for little.
fn free_route(ctx: &Context) -> Result<&Route, Skip> {
    let names = &ctx.mapping.routes;
    names.refresh.as_ref().or(names.login.as_ref()).ok_or(Skip::NotMapped("refresh or login"))
}

/// Found when one of the answers is an error of the server; nothing follows where no route is.
fn crashes(answers: &[Answer], seen: &str) -> Result<Outcome, Skip> {
    match answers.first() {
        Some(first) if answers.iter().all(|answer| answer.status == 404) => Err(first.unclear()),
        _ => Ok(Outcome::judge(seen, answers.iter().filter_map(crash).collect())),
    }
}

fn crash(answer: &Answer) -> Option<Evidence> {
    (answer.status >= 500 && ![501, 503, 505].contains(&answer.status))
        .then(|| answer.evidence_with_body(&[]))
}
