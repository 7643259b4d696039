//! Throttles, exact under parallel fire (contract §2 "Throttles").

use crate::harness::{Database, PASSWORD, TestApp};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_logins_at_once_five_are_tried() {
    let app = TestApp::with(Database::Sqlite, |config| config.throttle.enabled = true).await;
    let body = json!({ "username": "nobody", "password": "wrong" });
    let calls = (0..200).map(|_| app.post("/api/auth/login/", body.clone()));
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 5);
    let refused = answers.iter().find(|answer| answer.status == 429).expect("a refusal");
    assert_eq!(refused.body["error"], "Rate limit exceeded");
    for name in ["retry-after", "ratelimit", "ratelimit-policy"] {
        assert!(refused.headers.contains_key(name), "{name}");
    }
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 195);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn throttles_outlive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    let again = |config: &mut portcullis::config::Config| {
        config.throttle.enabled = true;
        config.storage.database_url =
            portcullis_security::secret::Secret::from(format!("sqlite://{}/db", path.display()));
        config.secret_key =
            Some(portcullis_security::secret::Secret::from("a secret of thirty-two bytes and more"));
    };
    let app = TestApp::with(Database::Sqlite, again).await;
    for _ in 0..5 {
        app.login("nobody", "wrong").await.expect(401);
    }
    app.stop().await;
    let app = TestApp::with(Database::Sqlite, again).await;
    app.login("nobody", "wrong").await.expect(429);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attacker_cannot_lock_a_known_device_out() {
    let app = TestApp::with(Database::Sqlite, |config| config.throttle.enabled = true).await;
    let device = app.user("reader").await.cookie("device").expect("a device cookie");
    for _ in 0..6 {
        app.login("reader", "wrong").await;
    }
    app.login("reader", PASSWORD).await.expect(429);
    let body = json!({ "username": "reader", "password": PASSWORD });
    let owner =
        app.request(reqwest::Method::POST, "/api/auth/login/").header("cookie", format!("device={device}"));
    app.send(owner.json(&body)).await.expect(200);
    let forged =
        app.request(reqwest::Method::POST, "/api/auth/login/").header("cookie", format!("device={device}0"));
    app.send(forged.json(&body)).await.expect(429);
    app.stop().await;
}

async fn limits_on_record(app: &TestApp) -> Vec<portcullis::model::audit_events::Model> {
    use portcullis::model::audit_events::{Column, Entity};
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
    let hits = Entity::find().filter(Column::Kind.eq("limit.hit"));
    hits.all(app.app().storage.reader()).await.expect("events")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_was_hit_is_on_record_once_and_names_nobody() {
    let app = TestApp::with(Database::Sqlite, |config| config.throttle.enabled = true).await;
    for number in 0..9 {
        app.login(&format!("nobody{number}"), "hunter2-secret").await;
    }
    for number in 0..9 {
        let email = format!("owner{number}@example.com");
        app.post("/api/auth/password-reset/", json!({ "email": email })).await;
    }
    let hits = limits_on_record(&app).await;
    let details: Vec<_> = hits.iter().map(|hit| hit.detail.as_str()).collect();
    assert_eq!(details, ["auth by ip", "reset by ip"], "eight calls were refused");
    assert!(hits.iter().all(|hit| hit.ip_prefix == "127.0.0.0/24" && hit.request_id.len() == 16));
    let all = format!("{hits:?}");
    for secret in ["hunter2", "nobody", "owner", "127.0.0.1"] {
        assert!(!all.contains(secret), "{all}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_from_many_networks_are_on_record_for_their_account() {
    let app = TestApp::with(Database::Sqlite, |config| {
        config.throttle.enabled = true;
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    })
    .await;
    let user = app.user("reader").await;
    let body = json!({ "username": "reader", "password": "wrong" });
    for number in 0..9 {
        let from = format!("203.0.{number}.7");
        let call = app.request(reqwest::Method::POST, "/api/auth/login/").header("x-forwarded-for", from);
        app.send(call.json(&body)).await;
    }
    let hits = limits_on_record(&app).await;
    assert_eq!(hits.len(), 1, "{hits:?}");
    assert_eq!(
        (hits[0].detail.as_str(), hits[0].user_id),
        ("auth by account", user.body["user"]["id"].as_i64())
    );
    app.stop().await;
}
