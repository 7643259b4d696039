//! The signing keys rotate without a logout, on every replica (contract §2 "Tokens").

use crate::chat::room;
use crate::chat::talker::Talker;
use crate::harness::{Answer, PASSWORD, TestApp};
use crate::on_each_database;
use crate::people::person;
use portcullis_security::secret::Secret;
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};

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

/// A login whose token a new key has signed.
async fn until_signed_by_another(app: &TestApp, old_kid: &str) -> Answer {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let login = app.login("reader", PASSWORD).await.expect(200);
        if kid(&login.text("access")) != old_kid {
            return login;
        }
        assert!(Instant::now() < end, "the new key never signs");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn until_refused(app: &TestApp, access: &str) {
    let started = std::time::Instant::now();
    while app.get("/api/auth/me/", access).await.status != 401 {
        assert!(started.elapsed() < Duration::from_secs(1), "a revoked key's token is still good");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What a refresh token says, whichever key signed it.
fn claims(answer: &Answer) -> String {
    answer.text("refresh").split('.').nth(1).expect("claims").to_owned()
}

/// Another process's key is read within half a second.
async fn until_known(app: &TestApp, access: &str) {
    let started = std::time::Instant::now();
    while app.get("/api/auth/me/", access).await.status != 200 {
        assert!(started.elapsed() < Duration::from_secs(1), "a new key's token is not known");
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

    async fn a_new_secret_key_beside_the_old_one_logs_nobody_out(app: TestApp) {
        let session = app.user("reader").await;
        let data_dir = &app.app().config.storage.data_dir;
        let old = portcullis::config::development_secret(data_dir, &app.app().random).expect("a secret");
        let new = Secret::from("another secret of thirty-two bytes and more");
        let with = async |current: &Secret, fallback: Option<&Secret>| {
            app.replica_with(|config| {
                config.secret_key = Some(current.clone());
                config.secret_key_fallback = fallback.cloned();
            })
            .await
        };
        let prepared = with(&old, Some(&new)).await;
        let changed = with(&new, Some(&old)).await;
        let next = prepared.post("/api/auth/refresh/", json!({ "refresh": session.text("refresh") })).await.expect(200);
        let same = changed.post("/api/auth/refresh/", json!({ "refresh": session.text("refresh") })).await.expect(200);
        assert_eq!(claims(&same), claims(&next), "spent within the grace, under the other secret");
        let old_kid = kid(&session.text("access"));
        assert_eq!(kid(&same.text("access")), old_kid, "others have not read the new key yet");
        let fresh = until_signed_by_another(&changed, &old_kid).await;
        for (server, access) in [(&changed, &next), (&prepared, &fresh)] {
            until_known(server, &access.text("access")).await;
        }
        prepared.stop().await;
        changed.stop().await;
        let after = with(&new, None).await;
        after.get("/api/auth/me/", &next.text("access")).await.expect(200);
        let last = after.post("/api/auth/refresh/", json!({ "refresh": next.text("refresh") })).await;
        after.get("/api/auth/me/", &last.expect(200).text("access")).await.expect(200);
        after.stop().await;
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

    async fn sockets_end_with_the_key_that_signed_for_them_and_others_stay(app: TestApp) {
        let replica = app.replica().await;
        let reader = person(&app, "reader").await;
        let id = room(&app, &reader, "Cellar", false).await;
        let old = kid(&reader.access);
        let ticket = app.call(Method::POST, "/api/auth/ws-ticket/", &reader.access, json!({})).await.expect(200);
        let by_ticket = format!("/ws/chat/{id}/?ticket={}", ticket.text("ticket"));
        let mut of_old = Vec::new();
        for server in [&app, &replica] {
            of_old.push(Talker::of(server, id, &reader).await);
        }
        of_old.push(Talker::open(&replica, &by_ticket).await);
        let new = rotate(&app).await;
        for talker in &mut of_old {
            talker.assert_open().await;
        }
        revoke(&app, &old).await.expect("revoked");
        let since = Instant::now();
        for talker in &mut of_old {
            assert_eq!(talker.closed().await, 4001);
            assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
        }
        let fresh = app.login("reader", PASSWORD).await.expect(200).text("access");
        assert_eq!(kid(&fresh), new);
        let mut of_new = Talker::join(&replica, id, &fresh, "").await;
        of_new.assert_open().await;
        rotate(&replica).await;
        of_new.assert_open().await;
        replica.stop().await;
    }
}
