//! A hole each.

use super::fixture::{Call, Hole, Reply, Server, found, socket};
use portcullis_probe::{Mode, Status, probes};
use serde_json::json;

/// Each probe, and the server with its hole.
const HOLES: &[(&str, Hole)] = &[
    ("headers.nosniff", |_, reply| reply.unset("x-content-type-options")),
    ("headers.frame", |_, reply| {
        reply.unset("x-frame-options");
        reply.set("content-security-policy", "default-src 'none'; base-uri 'none'");
    }),
    ("headers.referrer", |_, reply| reply.set("referrer-policy", "unsafe-url")),
    ("headers.permissions", |_, reply| reply.unset("permissions-policy")),
    ("headers.coop", |_, reply| reply.set("cross-origin-opener-policy", "unsafe-none")),
    ("headers.corp", |_, reply| reply.unset("cross-origin-resource-policy")),
    ("headers.content_type", |_, reply| {
        if reply.is_page() {
            reply.set("content-type", "text/html");
        }
    }),
    ("headers.csp_api", |_, reply| {
        if !reply.is_page() {
            reply.unset("content-security-policy");
        }
    }),
    ("headers.csp_pages", |_, reply| {
        if reply.is_page() {
            reply.set(
                "content-security-policy",
                "script-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'",
            );
        }
    }),
    ("headers.injected", |call, reply| {
        if call.path.contains("%0d%0a") {
            reply.set("x-probe-injected", "1");
        }
    }),
    ("cors.reflected", |call, reply| {
        if call.header("origin") == "https://portcullis-probe.example" {
            allow(call, reply);
        }
    }),
    ("cors.null", |call, reply| {
        if call.header("origin") == "null" {
            allow(call, reply);
        }
    }),
    ("cors.lookalike", |call, reply| {
        if call.header("origin").starts_with("https://front.example") {
            allow(call, reply);
        }
    }),
    ("cors.wildcard_credentials", |_, reply| {
        reply.set("access-control-allow-origin", "*");
        reply.set("access-control-allow-credentials", "true");
    }),
    ("cors.methods", |call, reply| {
        let asked = call.header("access-control-request-method").to_owned();
        if !asked.is_empty() {
            reply.set("access-control-allow-methods", &asked);
        }
    }),
    ("cors.vary", |_, reply| reply.unset("vary")),
    ("methods.trace", |call, reply| {
        if call.method == "TRACE" {
            reply.status = 200;
            reply.body = format!("TRACE / HTTP/1.1\r\nx-probe: {}", call.header("x-probe"));
        }
    }),
    ("methods.unknown", |call, reply| {
        if call.method == "PROBE" {
            reply.status = 200;
        }
    }),
    ("methods.override", |call, reply| {
        if call.method == "POST" && call.header("x-http-method-override") == "GET" {
            reply.status = 200;
        }
    }),
    ("methods.get_changes", |call, reply| {
        if call.method == "GET" && call.path == "/api/auth/logout/" {
            reply.json(200, &json!({"message": "bye"}));
        }
    }),
    ("errors.unknown_route", |call, reply| crash(reply, call.path.contains("%ff"))),
    ("errors.malformed_json", |call, reply| crash(reply, call.body.starts_with(b"\xff\xfe"))),
    ("errors.wrong_type", |call, reply| {
        crash(reply, call.path.contains("verify-email") && *call.body == *b"[]")
    }),
    ("errors.wrong_text", |call, reply| crash(reply, call.body.windows(5).any(|part| part == b"ud800"))),
    ("errors.trace", |_, reply| {
        if reply.status == 404 {
            reply.body = "Using the URLconf defined in app.urls, Django tried these patterns".to_owned();
        }
    }),
    ("disclosure.version", |_, reply| reply.set("server", "nginx/1.24.0")),
    ("disclosure.repository", |call, reply| serve(call, reply, "/.git/HEAD", "ref: refs/heads/main\n")),
    ("disclosure.files", |call, reply| serve(call, reply, "/.env", "DEBUG=1\nSECRET_KEY=abc\n")),
    ("disclosure.listing", |call, reply| serve(call, reply, "/media/", "<h1>Index of /media/</h1>")),
    ("disclosure.admin", |call, reply| {
        if call.path == "/admin/" {
            reply.status = 302;
            reply.set("location", "/admin/login/?next=/admin/");
        }
    }),
    ("disclosure.browsable", |call, reply| {
        if call.header("accept") == "text/html" && call.path.starts_with("/api/") {
            reply.set("content-type", "text/html; charset=utf-8");
            reply.body = "<form>".to_owned();
        }
    }),
    ("disclosure.schema", |call, reply| {
        serve(call, reply, "/openapi.json", "{\"openapi\": \"3.1.0\", \"paths\": {}}")
    }),
    ("host.reflected", |call, reply| {
        if call.path == "/api/books/" {
            reply.body = format!("{{\"next\": \"http://{}/api/books/?page=2\"}}", call.header("host"));
        }
    }),
    ("host.forwarded", |call, reply| {
        if call.path == "/api/books/" && !call.header("x-forwarded-host").is_empty() {
            reply.body = format!("{{\"next\": \"http://{}/\"}}", call.header("x-forwarded-host"));
        }
    }),
    ("redirects.open", |call, reply| {
        if let Some(to) = call.query.strip_prefix("next=").and_then(|query| query.split('&').next()) {
            reply.status = 302;
            reply.set("location", to);
        }
    }),
    ("cookies.http_only", |_, reply| cookie(reply, "session=1; Path=/; SameSite=Lax")),
    ("cookies.same_site", |_, reply| cookie(reply, "session=1; Path=/; HttpOnly")),
    ("cache.private", |call, reply| {
        if call.path == "/api/auth/me/" {
            reply.set("cache-control", "max-age=60");
        }
    }),
    ("access.closed", |call, reply| {
        if call.path == "/api/profile/" {
            reply.status = 200;
        }
    }),
    ("websocket.closed", |call, reply| {
        if reply.status == 101 && call.query.is_empty() {
            reply.body.clear();
        }
    }),
    ("websocket.code", |_, reply| {
        if reply.status == 101 {
            reply.json(403, &json!({"error": "no token"}));
        }
    }),
    ("websocket.origin", |call, reply| {
        if call.path.starts_with("/ws/") && reply.status == 403 {
            socket::accept(call, reply, "4001");
        }
    }),
];

/// What a plain server on this machine cannot show; `secured.rs` has them, or nothing can.
const ELSEWHERE: &[&str] = &[
    "transport.encrypted",
    "transport.plain",
    "tls.old",
    "tls.newest",
    "tls.certificate",
    "tls.expiry",
    "headers.hsts",
    "cookies.secure",
    "cors.localhost",
    "disclosure.monitoring",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_holes_passes_every_probe() {
    let report = Server::start(|_, _| {}).await.probe().await;
    assert_eq!(found(&report), [""; 0]);
    let skipped: Vec<&str> = report.ended(Status::Skipped).map(|item| item.id.as_str()).collect();
    assert!(skipped.iter().all(|id| ELSEWHERE.contains(id)), "{skipped:?}");
    assert!(report.ended(Status::Passed).count() >= HOLES.len() - 1, "{}", report.items.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_hole_is_found_by_its_probe_and_by_no_other() {
    for (id, hole) in HOLES {
        let report = Server::start(*hole).await.probe().await;
        assert_eq!(found(&report), [*id]);
        let item = report.ended(Status::Found).next().unwrap();
        assert!(!item.evidence.is_empty() && !item.seen.is_empty() && !item.mend.is_empty(), "{id}");
    }
}

#[test]
fn every_passive_probe_has_a_server_with_its_hole() {
    for probe in probes().filter(|probe| probe.mode == Mode::Passive) {
        let is_here = HOLES.iter().any(|(id, _)| *id == probe.id) || ELSEWHERE.contains(&probe.id);
        assert!(is_here, "{}", probe.id);
        assert!(probe.asvs.iter().all(|id| id.starts_with("v5.0.0-")), "{}", probe.id);
    }
    let mut ids: Vec<&str> = probes().map(|probe| probe.id).collect();
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id is used twice");
}

#[test]
fn the_page_about_checks_names_every_probe_with_its_requirements() {
    let page = include_str!("../../../docs/check.md");
    let conformance = include_str!("../../../docs/guide-conformance.md");
    for probe in probes() {
        assert!(conformance.contains(&format!("`{}`", probe.id)), "no line of the guide has {}", probe.id);
        let asvs: Vec<&str> = probe.asvs.iter().map(|id| id.trim_start_matches("v5.0.0-")).collect();
        let asvs = if asvs.is_empty() { "—".to_owned() } else { asvs.join(", ") };
        let row = format!("| `{}` | {} | {} | {asvs} |", probe.id, probe.title, probe.severity.name());
        assert!(page.contains(&row), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_throttled_call_is_a_skipped_probe() {
    let report = Server::start(|call, reply| {
        if call.path.starts_with("/api/") {
            reply.json(429, &json!({"error": "too many"}));
        }
    })
    .await
    .probe()
    .await;
    let judged = |id: &str| report.items.iter().find(|item| item.id == id).unwrap();
    for id in ["access.closed", "cache.private", "cors.reflected", "errors.wrong_type"] {
        assert_eq!(judged(id).status, Status::Skipped, "{id}");
        assert!(judged(id).seen.contains("throttled"), "{}", judged(id).seen);
    }
}

fn allow(call: &Call, reply: &mut Reply) {
    let origin = call.header("origin").to_owned();
    reply.set("access-control-allow-origin", &origin);
}

fn crash(reply: &mut Reply, is_crash: bool) {
    if is_crash {
        reply.json(500, &json!({"error": "sorry"}));
    }
}

fn serve(call: &Call, reply: &mut Reply, path: &str, body: &str) {
    if call.path == path {
        (reply.status, reply.body) = (200, body.to_owned());
    }
}

fn cookie(reply: &mut Reply, cookie: &str) {
    if reply.is_page() {
        reply.set("set-cookie", cookie);
    }
}
