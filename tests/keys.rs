//! The signing keys rotate without a logout, on every replica (contract §2 "Tokens").

use crate::harness::{Answer, PASSWORD, TestApp};
use crate::on_each_database;
use serde_json::json;
use std::time::Duration;

fn kid(token: &str) -> String {
    use base64::Engine;
    let header = token.split('.').next().expect("a header");
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).expect("base64url");
    serde_json::from_slice::<serde_json::Value>(&header).expect("JSON")["kid"]
        .as_str()
        .expect("a kid")
        .to_owned()
}

/// Logs in until a token carries the key.
async fn login_with(app: &TestApp, wanted: &str) -> Answer {
    for _ in 0..100 {
        let session = app.login("reader", PASSWORD).await.expect(200);
        if kid(&session.text("access")) == wanted {
            return session;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nothing is signed with {wanted}")
}

async fn rotate(server: &TestApp) -> String {
    let app = server.app();
    app.access.keys().rotate(&app.storage, &app.random).await.expect("a new key")
}

async fn revoke(server: &TestApp, kid: &str) -> Result<bool, portcullis::access::RevokeError> {
    server.app().access.keys().revoke(&server.app().storage, kid).await
}

async fn until_refused(app: &TestApp, access: &str) {
    let started = std::time::Instant::now();
    while app.get("/api/auth/me/", access).await.status != 401 {
        assert!(started.elapsed() < Duration::from_secs(1), "a revoked key's token is still good");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

on_each_database! {
    async fn a_rotation_logs_nobody_out_and_every_replica_knows_the_new_key(app: TestApp) {
        let replica = app.replica().await;
        let session = app.user("reader").await;
        let old = kid(&session.text("access"));
        let new = rotate(&app).await;
        assert_ne!(old, new);
        assert_eq!(kid(&app.login("reader", PASSWORD).await.expect(200).text("access")), old, "not at once");
        let fresh = login_with(&app, &new).await;
        replica.get("/api/auth/me/", &fresh.text("access")).await.expect(200);
        for server in [&app, &replica] {
            server.get("/api/auth/me/", &session.text("access")).await.expect(200);
        }
        let next = replica.post("/api/auth/refresh/", json!({ "refresh": session.text("refresh") })).await;
        app.get("/api/auth/me/", &next.expect(200).text("access")).await.expect(200);
        replica.stop().await;
    }

    async fn a_revoked_key_is_refused_on_every_replica_within_a_second(app: TestApp) {
        let replica = app.replica().await;
        let session = app.user("reader").await;
        let old = kid(&session.text("access"));
        revoke(&app, &old).await.expect_err("it signs");
        revoke(&app, "nonsense").await.expect_err("no such key");
        rotate(&app).await;
        assert!(revoke(&app, &old).await.expect("revoked"));
        assert!(!revoke(&app, &old).await.expect("again"));
        for server in [&app, &replica] {
            until_refused(server, &session.text("access")).await;
            server.post("/api/auth/refresh/", json!({ "refresh": session.text("refresh") })).await.expect(401);
            server.post("/api/auth/verify/", json!({ "token": session.text("access") })).await.expect(401);
        }
        let fresh = app.login("reader", PASSWORD).await.expect(200);
        replica.get("/api/auth/me/", &fresh.text("access")).await.expect(200);
        let later = app.replica().await;
        later.get("/api/auth/me/", &session.text("access")).await.expect(401);
        later.stop().await;
        replica.stop().await;
    }
}
