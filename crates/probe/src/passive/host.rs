//! Names and addresses that the caller sends and the server must not believe.

use super::{FOREIGN, probe};
use crate::answer::Answer;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;

pub(crate) const PROBES: &[Probe] = &[
    probe(
        "host.reflected",
        "Links are made from the caller's Host",
        &["v5.0.0-4.1.3"],
        Severity::Medium,
        "Make absolute links from a configured public URL, and refuse other hosts.",
        |ctx| Box::pin(reflected(ctx, &["host"])),
    ),
    probe(
        "host.forwarded",
        "Links are made from forwarded headers of anybody",
        &["v5.0.0-4.1.3"],
        Severity::Medium,
        "Ignore Forwarded and X-Forwarded-* unless they come from a proxy that you have named.",
        |ctx| Box::pin(reflected(ctx, &["x-forwarded-host", "x-original-host", "x-host", "forwarded"])),
    ),
    probe(
        "redirects.open",
        "Redirects lead to other sites",
        &["v5.0.0-3.7.2"],
        Severity::Medium,
        "Redirect to paths of your own only; refuse targets that begin with `//`, `\\` or a scheme.",
        |ctx| Box::pin(redirects(ctx)),
    ),
    probe(
        "headers.injected",
        "Header fields can be added by the address",
        &["v5.0.0-4.2.4"],
        Severity::High,
        "Refuse CR and LF in everything that goes into a header field.",
        |ctx| Box::pin(injected(ctx)),
    ),
];

async fn reflected(ctx: &Context, names: &[&str]) -> Result<Outcome, Skip> {
    if !ctx.survey().await?.answers.iter().any(Answer::is_success) {
        return Ok(Outcome::skipped("no page and no list of the mapping answers"));
    }
    let mapping = &ctx.mapping;
    let mut paths: Vec<&str> =
        mapping.open.iter().chain(&mapping.pages).take(2).map(|path| &**path).collect();
    // Servers that add or take away slashes redirect here.
    let bare = mapping.open.first().map(|path| path.trim_end_matches('/')).filter(|path| !path.is_empty());
    paths.extend(bare);
    let mut evidence = Vec::new();
    for path in paths {
        for request in requests(path, names) {
            let answer = ctx.client.call(request).await?;
            if answer.status < 400 && is_in(&answer, FOREIGN) {
                evidence.push(answer.evidence_with_body(&["location", "link"]));
            }
        }
    }
    Ok(Outcome::judge("The name that was sent came back in a link.", evidence))
}

fn requests(path: &str, names: &[&str]) -> Vec<Request> {
    if names == ["host"] {
        return vec![Request::get(path).header("host", FOREIGN)];
    }
    let with = |request: Request, name: &&str| match *name {
        "forwarded" => request.header(name, &format!("for=192.0.2.1;host={FOREIGN};proto=https")),
        name => request.header(name, FOREIGN),
    };
    vec![names.iter().fold(Request::get(path), with)]
}

async fn redirects(ctx: &Context) -> Result<Outcome, Skip> {
    let to = format!("https://{FOREIGN}/");
    let mut paths = vec![
        format!("//{FOREIGN}/probe"),
        format!("//{FOREIGN}/%2f.."),
        format!("/%5c%5c{FOREIGN}/probe"),
        format!("/?next={to}&redirect={to}&url={to}&return_to={to}"),
    ];
    paths
        .extend(["/login", "/logout", "/admin/login/"].map(|path| format!("{path}?next={to}&redirect={to}")));
    let mut evidence = Vec::new();
    for path in paths {
        let answer = ctx.client.call(Request::get(&path)).await?;
        if (300..400).contains(&answer.status) && answer.header("location").is_some_and(leads_away) {
            evidence.push(answer.evidence(&["location"]));
        }
    }
    Ok(Outcome::judge("A redirect goes where the caller wants.", evidence))
}

fn leads_away(location: &str) -> bool {
    let rest = location.trim_start_matches("https:").trim_start_matches("http:").replace('\\', "/");
    rest.strip_prefix("//").is_some_and(|authority| authority.trim_start_matches('/').starts_with(FOREIGN))
}

async fn injected(ctx: &Context) -> Result<Outcome, Skip> {
    let mut evidence = Vec::new();
    let line = format!("%0d%0ax-probe-injected:%20{}", ctx.tag);
    for path in [format!("/{line}"), format!("/?next=/{line}"), format!("{}probe{line}", &*ctx.mapping.api)] {
        let answer = ctx.client.call(Request::get(&path)).await?;
        if answer.header("x-probe-injected").is_some() {
            evidence.push(answer.evidence(&["x-probe-injected", "location"]));
        }
    }
    Ok(Outcome::judge("A header field of the caller's making came back.", evidence))
}

fn is_in(answer: &Answer, name: &str) -> bool {
    let in_fields = ["location", "link", "content-location"]
        .iter()
        .any(|field| answer.all(field).any(|value| value.contains(name)));
    in_fields || answer.text().contains(name)
}
