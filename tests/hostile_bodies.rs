//! Wrong types, sizes and shapes for every operation that the server describes (contract §1).

use crate::chat::room;
use crate::harness::openapi::{Operation, operations};
use crate::harness::{Answer, Database, TestApp, unique};
use crate::people::{book, review, staff};
use reqwest::Method;
use serde_json::{Value, json};

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
                "seq" => value.is_i64(),
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
