//! What mistakes are answered with: an error for the client, never a trace, never a crash.

use super::{leaks, unknown_path};
use crate::Evidence;
use crate::client::{Answer, Request};
use crate::mapping::Route;
use crate::probe::{Context, Mode, Outcome, Probe, Severity, Skip};
use serde_json::json;

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        id: "errors.unknown_route",
        title: "Unknown addresses are answered with an error of the server",
        asvs: &["v5.0.0-16.5.1", "v5.0.0-16.5.4"],
        severity: Severity::Medium,
        mode: Mode::Passive,
        mend: "Answer unknown and malformed paths with 404 or 400 and a body that says no more.",
        run: |ctx| Box::pin(unknown_route(ctx)),
    },
    Probe {
        id: "errors.malformed_json",
        title: "A malformed body ends in an error of the server",
        asvs: &["v5.0.0-16.5.1", "v5.0.0-16.5.3"],
        severity: Severity::Medium,
        mode: Mode::Passive,
        mend: "Answer bodies that cannot be read with 400, other types with 415, both without a trace.",
        run: |ctx| Box::pin(malformed_json(ctx)),
    },
    Probe {
        id: "errors.wrong_type",
        title: "JSON of another shape ends in an error of the server",
        asvs: &["v5.0.0-16.5.1", "v5.0.0-16.5.3", "v5.0.0-2.2.1"],
        severity: Severity::Medium,
        mode: Mode::Passive,
        mend: "Check the type of the body and of every field before using it; answer 400.",
        run: |ctx| Box::pin(wrong_type(ctx)),
    },
    Probe {
        id: "errors.wrong_text",
        title: "Text that is no text ends in an error of the server",
        asvs: &["v5.0.0-16.5.1", "v5.0.0-16.5.3"],
        severity: Severity::Medium,
        mode: Mode::Passive,
        mend: "Refuse lone surrogates, NUL characters and tokens that are no tokens with 400 or 401.",
        run: |ctx| Box::pin(wrong_text(ctx)),
    },
    Probe {
        id: "errors.trace",
        title: "Errors show code, paths or a debug page",
        asvs: &["v5.0.0-16.5.1", "v5.0.0-13.4.2"],
        severity: Severity::High,
        mode: Mode::Passive,
        mend: "Switch debug mode off, and log the cause of an error instead of sending it.",
        run: |ctx| Box::pin(trace(ctx)),
    },
];

async fn unknown_route(ctx: &Context) -> Result<Outcome, Skip> {
    let mut evidence = Vec::new();
    for path in [unknown_path(ctx), format!("{}%ff%fe", ctx.mapping.api), format!("{}%00", ctx.mapping.api)] {
        let answer = ctx.client.call(Request::get(&path)).await?;
        evidence.extend(crash(&answer));
    }
    Ok(Outcome::judge("A path that does not exist is answered with a 5xx.", evidence))
}

async fn malformed_json(ctx: &Context) -> Result<Outcome, Skip> {
    let route = free_route(ctx)?;
    let mut evidence = Vec::new();
    for (kind, body) in [
        ("application/json", &b"{\"refresh\": "[..]),
        ("application/json", b"\xff\xfe{}"),
        ("application/json", b""),
        ("application/json; charset=nonsense", b"{}"),
        ("text/xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/hostname'>]><a>&b;</a>"),
        ("multipart/form-data", b"--\r\n\r\n"),
    ] {
        let answer = ctx.client.call(Request::to(route).body(kind, body)).await?;
        evidence.extend(crash(&answer));
    }
    Ok(Outcome::judge("A body that cannot be read is answered with a 5xx.", evidence))
}

async fn wrong_type(ctx: &Context) -> Result<Outcome, Skip> {
    let (names, fields) = (&ctx.mapping.routes, &ctx.mapping.fields);
    let free = free_route(ctx)?;
    let mut evidence = Vec::new();
    for body in [json!([]), json!(7), json!(null), json!({fields.refresh.as_str(): {"a": []}})] {
        evidence.extend(crash(&ctx.client.call(Request::to(free).json(&body)).await?));
    }
    // These are few: they count where servers allow few.
    let odd = json!({fields.login_name.as_str(): {"$ne": null}, fields.password.as_str(): ["x"]});
    for (route, body) in [(&names.login, odd), (&names.verify_email, json!([])), (&names.reset, json!(["x"]))]
    {
        let Some(route) = route else { continue };
        match ctx.client.call(Request::to(route).json(&body)).await {
            Ok(answer) => evidence.extend(crash(&answer)),
            Err(Skip::Throttled(_)) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(Outcome::judge("A body of another shape is answered with a 5xx.", evidence))
}

async fn wrong_text(ctx: &Context) -> Result<Outcome, Skip> {
    let route = free_route(ctx)?;
    let field = &ctx.mapping.fields.refresh;
    let mut evidence = Vec::new();
    for text in ["\\ud800", "a\\u0000b", "....", "e30.e30.", "\\uFEFF"] {
        let body = format!("{{\"{field}\": \"{text}\"}}");
        evidence.extend(crash(&ctx.client.call(Request::to(route).body("application/json", body)).await?));
    }
    if let Some(path) = ctx.mapping.private.first() {
        for token in ["e30.e30.e30", "a.b.c", "\u{e9}"] {
            evidence.extend(crash(&ctx.client.call(Request::get(path).bearer(token)).await?));
        }
    }
    Ok(Outcome::judge("A text that is no text is answered with a 5xx.", evidence))
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

/// The route that takes bodies and counts for little.
fn free_route(ctx: &Context) -> Result<&Route, Skip> {
    let names = &ctx.mapping.routes;
    names.refresh.as_ref().or(names.login.as_ref()).ok_or(Skip::NotMapped("refresh or login"))
}

fn crash(answer: &Answer) -> Option<Evidence> {
    (answer.status >= 500 && ![501, 503, 505].contains(&answer.status))
        .then(|| answer.evidence_with_body(&[]))
}
