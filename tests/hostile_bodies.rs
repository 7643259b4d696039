//! Wrong types, sizes and shapes for every operation that the server describes (contract §1).

use crate::chat::room;
use crate::harness::openapi::{Operation, operations};
use crate::harness::{Answer, Database, TestApp, unique};
use crate::people::{book, review, staff};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// What no field of any body is, with its name.
fn wrong_values() -> Vec<(&'static str, Value)> {
    let nested = (0..20).fold(json!("deep"), |inner, _| json!({ "a": [inner] }));
    vec![
        ("null", Value::Null),
        ("true", json!(true)),
        ("an integer", json!(7)),
        ("a huge number", serde_json::from_str("1e308").expect("a number")),
        ("a negative number", json!(-0.0)),
        ("an array", json!(["a"])),
        ("an empty array", json!([])),
        ("an object", json!({ "$ne": "" })),
        ("too deep", nested),
        ("empty", json!("")),
        ("spaces", json!("   ")),
        ("long", json!("x".repeat(500_000))),
        ("control characters", json!("a\u{1}\u{7f}\u{85}\u{2028}\r\nBcc: x")),
        ("right to left", json!("\u{202e}\u{200b}\u{feff}\u{1f469}\u{200d}")),
        ("not in the BMP", json!("\u{10ffff}\u{fffe}\u{e000}")),
        ("SQL", json!("' OR 1=1; DROP TABLE users; --")),
        ("a format", json!("%s%n{}{{0}}${jndi:ldap://x}")),
        ("a path", json!("../../../../etc/passwd")),
    ]
}

/// Bodies that are no JSON object at all.
fn broken_bodies() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("open", b"{".to_vec()),
        ("an array", b"[{}]".to_vec()),
        ("a text", b"\"text\"".to_vec()),
        ("null", b"null".to_vec()),
        ("NaN", b"{\"a\":NaN}".to_vec()),
        ("a comment", b"{/**/}".to_vec()),
        ("single quotes", b"{'a':1}".to_vec()),
        ("a comma at the end", b"{\"a\":1,}".to_vec()),
        ("two objects", b"{}{}".to_vec()),
        ("a lone surrogate", b"{\"email\":\"\\ud800\"}".to_vec()),
        ("a surrogate the wrong way round", b"{\"token\":\"\\udc00\\ud800\"}".to_vec()),
        ("NUL", b"{\"username\":\"a\\u0000b\"}".to_vec()),
        ("a raw NUL", b"{\"username\":\"a\0b\"}".to_vec()),
        ("no UTF-8", b"{\"username\":\"\xff\xfe\"}".to_vec()),
        ("an overlong slash", b"{\"username\":\"\xc0\xaf\"}".to_vec()),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec()),
        ("a huge exponent", b"{\"a\":1e999999}".to_vec()),
        ("100,000 arrays", "[".repeat(100_000).into_bytes()),
        ("100,000 objects", "{\"a\":".repeat(100_000).into_bytes()),
        ("ten megabytes", vec![b' '; 10 << 20]),
    ]
}

/// Fails for a 5xx, and for an error that is not in the contract's shape.
#[track_caller]
fn assert_told(answer: &Answer, what: &str) {
    assert!(answer.status < 500, "{what}: {} {}", answer.status, answer.body);
    if answer.status >= 400 {
        for name in ["error", "detail", "code"] {
            assert!(answer.body[name].is_string(), "{what}: {} {}", answer.status, answer.body);
        }
    }
}

async fn app_and_operations() -> (TestApp, Vec<Operation>) {
    let app = TestApp::start(Database::Sqlite).await;
    let document = app.send(app.request(Method::GET, "/api/schema")).await.expect(200).body;
    (app, operations(&document))
}

/// The token of staff who own what has the id 1, so that it is the body that an answer is about.
async fn owner_of_everything(app: &TestApp) -> String {
    let owner = staff(app, "reader").await;
    let book = book(app, &owner, "A book").await;
    review(app, &owner, book, 5, true).await;
    room(app, &owner, "A room", true).await;
    owner.access
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_value_in_any_field_of_any_operation_is_told() {
    let (app, operations) = app_and_operations().await;
    let access = owner_of_everything(&app).await;
    let mut tried = 0;
    for operation in &operations {
        for (field, (shape, value)) in operation
            .fields
            .iter()
            .flat_map(|field| wrong_values().into_iter().map(move |wrong| (field, wrong)))
        {
            // The others are plausible, so that this one is looked at.
            let body = operation.body_with(|name| match name {
                _ if name == field => value.clone(),
                "email" => format!("{}@example.com", unique()).into(),
                _ => format!("Plausible_{}", unique()).into(),
            });
            let path = operation.path_with(|_| "1".to_owned());
            let answer = app.call(operation.method.clone(), &path, &access, body).await;
            assert_told(&answer, &format!("{} {path}: {field} is {shape}", operation.method));
            let is_fine = match field.as_str() {
                "is_public" => value.is_boolean(),
                // Minus nothing is nothing.
                "seq" => value.is_i64() || value == json!(-0.0),
                _ => value.is_string(),
            };
            assert!(
                is_fine || value.is_string() || value.is_null() || answer.status == 400,
                "{path}: {field} is {shape}: {}",
                answer.status
            );
            tried += 1;
        }
    }
    assert!(tried > 400, "{tried}");
    app.mails().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_body_of_any_operation_is_told() {
    let (app, operations) = app_and_operations().await;
    let access = owner_of_everything(&app).await;
    for operation in operations.iter().filter(|operation| !operation.fields.is_empty()) {
        for (shape, body) in broken_bodies() {
            let path = operation.path_with(|_| "1".to_owned());
            let request = app.request(operation.method.clone(), &path).bearer_auth(&access);
            let answer = app.send(request.header("content-type", "application/json").body(body)).await;
            let what = format!("{} {path} with {shape}", operation.method);
            assert_told(&answer, &what);
            assert!(matches!(answer.status, 400 | 413), "{what}: {}", answer.status);
        }
    }
    app.get("/api/auth/me/", &access).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_content_type_of_any_operation_is_told() {
    let (app, operations) = app_and_operations().await;
    let access = owner_of_everything(&app).await;
    for operation in operations.iter().filter(|operation| !operation.fields.is_empty()) {
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "\u{ff}",
            "",
        ] {
            let path = operation.path_with(|_| "1".to_owned());
            let kind = reqwest::header::HeaderValue::from_bytes(kind.as_bytes()).expect("a value");
            let request = app.request(operation.method.clone(), &path).bearer_auth(&access);
            let answer = app.send(request.header("content-type", kind.clone()).body("{}")).await;
            assert_told(&answer, &path);
            assert_eq!(answer.status, 415, "{} {path} as {kind:?}", operation.method);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_parameters_of_a_path_are_told() {
    let (app, operations) = app_and_operations().await;
    let access = owner_of_everything(&app).await;
    let values = [
        "0",
        "-1",
        "9223372036854775808",
        "1e3",
        "1.5",
        "%00",
        "%ff%fe",
        "%2e%2e%2f",
        "null",
        "\u{661}",
        "%F0%9F%93%9A",
    ];
    let mut tried = 0;
    for operation in operations.iter().filter(|operation| !operation.parameters.is_empty()) {
        for value in values {
            let path = operation.path_with(|_| value.to_owned());
            let answer = app.call(operation.method.clone(), &path, &access, json!({})).await;
            assert_told(&answer, &path);
            // What speaks WebSocket alone says so first.
            assert!(matches!(answer.status, 400 | 404 | 426), "{path}: {}", answer.status);
            tried += 1;
        }
    }
    assert!(tried >= values.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_arrives_although_the_body_was_not_wanted() {
    let app = TestApp::start(Database::Sqlite).await;
    let large = || vec![b' '; 10 << 20];
    for (method, path, status) in [
        (Method::POST, "/api/auth/change-password/", 401),
        (Method::POST, "/api/nonsense/", 404),
        (Method::PUT, "/api/auth/login/", 405),
        (Method::GET, "/api/auth/password-policy/", 200),
        (Method::POST, "/api/auth/login/", 413),
    ] {
        // Each on a connection of its own: a broken one would be hidden by a second try.
        let client = reqwest::Client::new();
        let request = client.request(method, app.url(path)).header("content-type", "application/json");
        app.send(request.body(large())).await.expect(status);
    }
}

/// Begins a call with a body of that length, sends all of it but the end, and keeps the connection.
pub async fn half_sent(app: &TestApp, head: &str, start: &[u8], length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(app.address()).await.expect("a connection");
    let head = format!("{head}\r\nhost: x\r\ncontent-length: {}\r\n\r\n", length + 1);
    stream.write_all(head.as_bytes()).await.expect("a head");
    // The server may not want it all.
    let _ = stream.write_all(start).await;
    let _ = stream.write_all(&vec![b'a'; length - start.len()]).await;
    stream
}

/// The server waits for the end of a body a little longer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Begins calls, the first ones at once, until one that ends finds no memory; gives what keeps them, and its answer.
pub async fn until_full(
    first: usize,
    begin: impl AsyncFn() -> TcpStream,
    ask: impl AsyncFn() -> Answer,
) -> (Vec<TcpStream>, Answer) {
    let started = Instant::now();
    let mut streams = futures_util::future::join_all((0..first).map(|_| begin())).await;
    loop {
        let answer = ask().await;
        if answer.status == 503 {
            return (streams, answer);
        }
        assert!(started.elapsed() < PATIENCE, "{}: {}", answer.status, answer.body);
        streams.push(begin().await);
    }
}

/// Asks again until the answer is that.
pub async fn until_status(status: u16, ask: impl AsyncFn() -> Answer) {
    let started = Instant::now();
    loop {
        let answer = ask().await;
        if answer.status == status {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{}: {}", answer.status, answer.body);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_never_end_take_so_much_memory_and_keep_nobody_from_logging_in() {
    let app = TestApp::start(Database::Sqlite).await;
    app.user("reader").await;
    let head = "POST /api/auth/login/ HTTP/1.1\r\ncontent-type: application/json";
    let begin = async || half_sent(&app, head, b"{\"username\": \"", 1_000_000).await;
    let large = json!({ "username": "reader", "password": "x".repeat(900_000) });
    let ask = async || app.post("/api/auth/login/", large.clone()).await;
    let (streams, refused) = until_full(68, begin, ask).await;
    assert_eq!(refused.text("code"), "busy");
    assert!(refused.headers.contains_key("retry-after"));
    let session = app.login("reader", crate::harness::PASSWORD).await.expect(200);
    app.post("/api/auth/refresh/", json!({ "refresh": session.text("refresh") })).await.expect(200);
    drop(streams);
    until_status(401, ask).await;
}
