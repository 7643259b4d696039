//! What neighbours and orchestrators ask.

use crate::harness::{Database, PASSWORD, TestApp};
use portcullis_security::secret::Secret;
use reqwest::Method;
use serde_json::json;

const TOKEN: &str = "a-token-for-the-metrics-of-this-test";

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_calls_and_hashes_and_are_shown_to_neighbours_and_with_the_token() {
    let app =
        TestApp::with(Database::Sqlite, |config| config.metrics.token = Some(Secret::from(TOKEN))).await;
    app.post("/api/auth/login/", json!({ "username": "nobody", "password": PASSWORD })).await.expect(401);
    let text = async |request: reqwest::RequestBuilder| {
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a text"))
    };
    let ask = || app.request(Method::GET, "/metrics");
    let (status, shown) = text(ask()).await;
    assert_eq!(status, 200);
    for line in [
        "http_requests_total{method=\"POST\",status=\"4xx\"} 1",
        "password_hashes_total 1",
        "password_hashes_queued 0",
    ] {
        assert!(shown.contains(line), "no {line} in {shown}");
    }
    let from_outside = || ask().header("X-Forwarded-For", "192.0.2.1");
    assert_eq!(text(from_outside()).await.0, 404);
    assert_eq!(text(from_outside().bearer_auth("another-token")).await.0, 404);
    assert_eq!(text(from_outside().bearer_auth(TOKEN)).await.0, 200);
    let spelled = from_outside().header("authorization", format!("bearer {TOKEN}"));
    assert_eq!(text(spelled).await.0, 200, "the scheme has no case (RFC 9110 §11.1)");
}
