//! Hostile input is refused in JSON, never with a 5xx (contract §1).

use crate::harness::{Database, TestApp};
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_request_is_told_in_json() {
    let app = TestApp::start(Database::Sqlite).await;
    let raw = |body: Vec<u8>, kind: &'static str| {
        app.send(app.request(Method::POST, "/api/auth/login/").header("content-type", kind).body(body))
    };
    let cases: [(Vec<u8>, &'static str, u16); 10] = [
        (b"{".to_vec(), "application/json", 400),
        (b"[]".to_vec(), "application/json", 400),
        (b"{\"username\":\"\\ud800\",\"password\":\"x\"}".to_vec(), "application/json", 400),
        (b"{\"username\":\"a\\u0000\",\"password\":\"x\"}".to_vec(), "application/json", 400),
        (b"{\"username\":1,\"password\":[]}".to_vec(), "application/json", 400),
        ("[".repeat(100_000).into_bytes(), "application/json", 400),
        (b"username=a".to_vec(), "application/x-www-form-urlencoded", 415),
        (vec![b' '; 1024 * 1024 + 1], "application/json", 413),
        (vec![b' '; 10 * 1024 * 1024], "application/json", 413),
        (Vec::new(), "application/json", 400),
    ];
    for (body, kind, status) in cases {
        let answer = raw(body, kind).await.expect(status);
        assert!(answer.body["error"].is_string() && answer.body["code"].is_string(), "{:?}", answer.body);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_routes_and_methods_are_told_in_json_with_every_header() {
    let app = TestApp::start(Database::Sqlite).await;
    let unknown = app.get("/api/nonsense/", "").await.expect(404);
    assert_eq!(unknown.text("code"), "not_found");
    let wrong = app.send(app.request(Method::PUT, "/api/auth/login/")).await.expect(405);
    assert_eq!(wrong.headers["allow"], "POST");
    assert_eq!(wrong.text("code"), "method_not_allowed");
    for name in ["x-content-type-options", "x-frame-options", "content-security-policy", "x-request-id"] {
        assert!(wrong.headers.contains_key(name) && unknown.headers.contains_key(name), "{name}");
    }
    let preflight = app
        .request(Method::OPTIONS, "/api/auth/login/")
        .header("origin", "http://localhost:5173")
        .header("access-control-request-method", "POST");
    let preflight = app.send(preflight).await.expect(204);
    assert_eq!(preflight.headers["access-control-allow-origin"], "http://localhost:5173");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bearers_are_judged_by_the_door() {
    let app = TestApp::start(Database::Sqlite).await;
    let none = app.send(app.request(Method::GET, "/api/auth/me/")).await.expect(401);
    assert_eq!(none.headers["www-authenticate"], r#"Bearer realm="api""#);
    app.get("/api/auth/me/", "a.b.c").await.expect(401);
    app.get("/api/auth/password-policy/", "a.b.c").await.expect(401);
    let body = json!({ "username": "nobody", "password": "wrong" });
    let ignored = app.call(Method::POST, "/api/auth/login/", "a.b.c", body).await.expect(401);
    assert_eq!(ignored.text("code"), "no_active_account");
    let access = app.user("reader").await.text("access");
    let lower = app.request(Method::GET, "/api/auth/me").header("authorization", format!("bEaReR {access}"));
    app.send(lower).await.expect(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_answers_with_and_without_its_slash() {
    let app = TestApp::start(Database::Sqlite).await;
    let access = app.user("reader").await.text("access");
    for path in ["/api/auth/me", "/api/auth/me/"] {
        app.get(path, &access).await.expect(200);
    }
    for path in ["/api/auth/login", "/api/auth/login/"] {
        let body = json!({ "username": "nobody", "password": "wrong" });
        let posted = app.post(path, body).await.expect(401);
        assert_eq!(posted.text("code"), "no_active_account", "a POST is never redirected");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_finishes_its_headers_is_hung_up_on() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let app = TestApp::start(Database::Sqlite).await;
    let address = app.origin().trim_start_matches("http://").to_owned();
    let mut slow = tokio::net::TcpStream::connect(address).await.expect("a connection");
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ").await.expect("a write");
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), slow.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the server still waits");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn production_sends_plain_http_to_https_but_for_health_and_metrics() {
    let app = TestApp::with(Database::Sqlite, |config| {
        config.profile = portcullis::config::Profile::Production;
        config.server.hsts_seconds = 31_536_000;
        config.secret_key =
            Some(portcullis_security::secret::Secret::from("a secret of thirty-two bytes and more"));
        config.server.public_url =
            portcullis::config::WebUrl::parse("https://accounts.example").expect("a URL");
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    })
    .await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        app.send(app.request(Method::GET, path)).await.expect(200);
    }
    let refused = app.post("/api/auth/login/", json!({})).await.expect(403);
    assert_eq!(refused.text("code"), "https_required");
    let sent_on = app.send(app.request(Method::GET, "/api/auth/me/?a=b")).await.expect(308);
    assert_eq!(sent_on.headers["location"], "https://accounts.example/api/auth/me/?a=b");
    let secure = app.request(Method::GET, "/api/auth/csrf/").header("x-forwarded-proto", "https");
    let secure = app.send(secure).await.expect(200);
    assert_eq!(secure.headers["strict-transport-security"], "max-age=31536000; includeSubDomains");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_of_the_document_has_a_name_of_its_own() {
    let app = TestApp::start(Database::Sqlite).await;
    let document = app.get("/api/schema", "").await.expect(200).body;
    let items = document["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    let mut names: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert!(names.contains(&"post_api_auth_password_reset_confirm"), "{names:?}");
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "{names:?}");
    app.stop().await;
}
