//! A hole each.

use super::fixture::{Call, Hole, Reply, Server, found, socket};
use portcullis_probe::{Mode, Status, probes};
use serde_json::json;
use std::collections::HashSet;

/// Each probe, and the server with its hole.
const HOLES: &[(&str, Hole)] = &[
    ("headers.nosniff", |_, reply| reply.unset("x-content-type-options")),
    ("headers.frame", |_, reply| {
        reply.unset("x-frame-options");
        reply.set("content-security-policy", "default-src 'none'; base-uri 'none'");
    }),
    ("headers.frame", |_, reply| {
        reply.set("content-security-policy", "default-src 'none'; frame-ancestors *; base-uri 'none'");
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
            reply.json(200, &json!({}));
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
            reply.json(404, &json!({"error": "Using the URLconf defined in app.urls, Django tried these"}));
        }
    }),
    ("errors.shape", |_, reply| {
        if reply.status == 404 {
            reply.body = "Not here".to_owned();
        }
    }),
    ("errors.shape", |_, reply| {
        if reply.status == 401 {
            reply.json(401, &json!({"detail": "no token"}));
        }
    }),
    ("disclosure.version", |_, reply| reply.set("server", "nginx/1.24.0")),
    ("disclosure.version", |_, reply| reply.set("x-aspnet-version", "4.0.30319")),
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
    ("cookies.http_only", |_, reply| cookie(reply, "connect.sid=1; Path=/; SameSite=Lax")),
    ("cookies.same_site", |_, reply| cookie(reply, "session=1; Path=/; HttpOnly")),
    ("cache.private", |call, reply| {
        if call.path == "/api/auth/me/" {
            reply.set("cache-control", "max-age=60");
        }
    }),
    ("access.closed", |call, reply| {
        if call.path == "/api/profile/" {
            reply.json(200, &json!({"username": "anybody"}));
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

/// Servers that are odd, and sound.
const ODD: &[(&str, Hole)] = &[
    ("every unknown address is the page of an application", |call, reply| {
        if call.method == "GET" && reply.status == 404 {
            reply.status = 200;
            reply.body = "<title>App</title><input type=\"password\"><script>f({a:$b})</script>".to_owned();
            reply.set("content-type", "text/html; charset=utf-8");
        }
    }),
    ("a network in between names itself and sets cookies of its own", |_, reply| {
        reply.set("via", "1.1 7f2c3a9.cloudfront.net (CloudFront)");
        cookie(reply, "AWSALB=abc; Path=/");
    }),
    ("browsers get errors of the API as pages", |call, reply| {
        if call.header("accept") == "text/html" && reply.status >= 400 {
            reply.set("content-type", "text/html; charset=utf-8");
            reply.body = "<h1>No</h1>".to_owned();
        }
    }),
    ("errors have the status 200", |call, reply| {
        if reply.status == 401 {
            reply.json(200, &json!({"ok": false, "error": "no token"}));
        }
        if call.method == "GET" && call.path.starts_with("/api/auth/") && reply.status == 405 {
            reply.json(200, &json!({"success": false}));
        }
    }),
    ("closed routes lead to the login", |_, reply| {
        if reply.status == 401 {
            reply.status = 302;
            reply.set("location", "/login?next=here");
        }
    }),
    ("sockets want their token in a header field", |call, reply| {
        if call.path.starts_with("/ws/") {
            reply.json(401, &json!({"error": "Authorization"}));
        }
    }),
    ("sockets want something else", |_, reply| {
        if reply.status == 101 {
            reply.json(400, &json!({"error": "no protocol"}));
        }
    }),
    ("a policy in two parts", |_, reply| {
        reply.set("content-security-policy", "default-src 'none'; script-src 'self', frame-ancestors 'none'; base-uri 'none'; object-src 'none'");
    }),
    ("foreign hosts are refused", |call, reply| {
        if call.header("host").contains("portcullis-probe") || !call.header("x-forwarded-host").is_empty() {
            reply.json(400, &json!({"error": "host"}));
        }
    }),
    ("a proxy says that it is too much", |call, reply| {
        if call.path == "/api/books/" {
            reply.status = 503;
            reply.body = "slow down".to_owned();
        }
    }),
];

/// Servers of which nothing can be said, and probes that must not pass.
const BLIND: &[(&str, Hole, &[&str])] = &[
    (
        "nothing is there",
        |_, reply| reply.json(404, &json!({"error": "not found"})),
        &[
            "access.closed",
            "cache.private",
            "errors.malformed_json",
            "errors.wrong_type",
            "errors.wrong_text",
            "cors.reflected",
            "websocket.closed",
            "websocket.code",
            "methods.override",
            "host.reflected",
            "host.forwarded",
            "headers.csp_pages",
        ],
    ),
    (
        "nothing answers behind the proxy",
        |_, reply| {
            reply.json(503, &json!({"error": "upstream"}));
        },
        &[
            "access.closed",
            "errors.unknown_route",
            "errors.wrong_type",
            "headers.nosniff",
            "cors.reflected",
            "websocket.closed",
            "disclosure.files",
        ],
    ),
    (
        "the API is throttled",
        |call, reply| {
            if call.path.starts_with("/api/") {
                reply.json(429, &json!({"error": "too many"}));
            }
        },
        &["access.closed", "cache.private", "cors.reflected", "errors.wrong_type", "headers.csp_api"],
    ),
    (
        "closed routes answer with pages",
        |call, reply| {
            if call.path.starts_with("/api/") && call.method == "GET" {
                reply.status = 200;
                reply.body = "<!doctype html><title>App</title>".to_owned();
                reply.set("content-type", "text/html; charset=utf-8");
            }
        },
        &["access.closed", "disclosure.browsable"],
    ),
];

/// What a plain server on this machine cannot show; `secured.rs` has them.
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
async fn odd_servers_that_are_sound_give_no_finding() {
    for (what, odd) in ODD {
        assert_eq!(found(&Server::start(*odd).await.probe().await), [""; 0], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_passes_of_which_nothing_can_be_said() {
    for (what, blind, ids) in BLIND {
        let report = Server::start(*blind).await.probe().await;
        assert_eq!(found(&report), [""; 0], "{what}");
        for id in *ids {
            let item = report.items.iter().find(|item| item.id == *id).unwrap();
            assert_eq!(item.status, Status::Skipped, "{what}: {id}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_holes_passes_every_probe() {
    let report = Server::start(|_, _| {}).await.probe().await;
    assert_eq!(found(&report), [""; 0]);
    let skipped: Vec<&str> = report.ended(Status::Skipped).map(|item| item.id.as_str()).collect();
    assert!(skipped.iter().all(|id| ELSEWHERE.contains(id)), "{skipped:?}");
    assert!(
        report.ended(Status::Passed).count()
            >= HOLES.iter().map(|(id, _)| id).collect::<HashSet<_>>().len() - 1,
        "{}",
        report.items.len()
    );
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
    let secured = include_str!("secured.rs");
    assert!(ELSEWHERE.iter().all(|id| secured.contains(&format!("\"{id}\""))), "{ELSEWHERE:?}");
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
async fn what_was_not_looked_at_is_named_even_where_the_rest_passed() {
    let report = Server::start(|call, reply| {
        if call.path == "/api/books/" {
            reply.json(429, &json!({"error": "too many"}));
        }
    })
    .await
    .probe()
    .await;
    let item = report.items.iter().find(|item| item.id == "headers.nosniff").unwrap();
    assert_eq!((item.status, item.seen.contains("/api/books/ is throttled")), (Status::Passed, true));
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
