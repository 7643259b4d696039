//! The record of security events: what is on it, and what it says of each (docs/logging.md).

use crate::harness::{Answer, Database, PASSWORD, TestApp};
use crate::on_each_database;
use portcullis::admin::users::{Act, act};
use portcullis::audit::{Kind, drop_old};
use portcullis::model::audit_events::Model;
use portcullis_security::clock::Timestamp;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

const NEW_PASSWORD: &str = "Another-Meadow-78!";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// Kinds that other tests bring about: they take many networks, many failures or days.
const ELSEWHERE: [Kind; 6] = [
    Kind::LimitHit,
    Kind::CredentialStuffing,
    Kind::PasswordGuessing,
    Kind::LoginBurst,
    Kind::WebhookLost,
    Kind::DatabaseRestored,
];
/// Kinds that no caller causes.
const BY_OPERATORS: [Kind; 7] = [
    Kind::Promoted,
    Kind::Demoted,
    Kind::Banned,
    Kind::Unbanned,
    Kind::Invited,
    Kind::KeyRotated,
    Kind::KeyRevoked,
];

/// The last event of a kind, which says who, whence, by what device and in which request.
async fn by_a_caller(app: &TestApp, kind: Kind, answer: &Answer) -> Model {
    let event = app.events(kind.slug()).await.pop().unwrap_or_else(|| panic!("no {}", kind.slug()));
    assert_eq!(event.ip_prefix, "127.0.0.0/24", "{event:?}");
    assert_eq!(event.detail, "Firefox on Linux", "{event:?}");
    let request_id = answer.headers["x-request-id"].to_str().expect("text");
    assert_eq!(event.request_id, request_id, "{event:?}");
    assert!(event.user_id.is_some(), "{event:?}");
    event
}

async fn post(app: &TestApp, path: &str, access: &str, body: serde_json::Value) -> Answer {
    let call = app.request(Method::POST, path).header("user-agent", FIREFOX).json(&body);
    app.send(if access.is_empty() { call } else { call.bearer_auth(access) }).await
}

async fn login(app: &TestApp, password: &str) -> Answer {
    post(app, "/api/auth/login/", "", json!({ "username": "reader", "password": password })).await
}

async fn live(app: &TestApp) {
    let body = json!({ "username": "reader", "email": "reader@example.com", "password": PASSWORD });
    let registered = post(app, "/api/auth/register/", "", body).await.expect(201);
    by_a_caller(app, Kind::Registered, &registered).await;
    let token = app.mailed_token("reader@example.com", "verify-email").await;
    let verified = post(app, "/api/auth/verify-email/", "", json!({ "token": token })).await.expect(200);
    by_a_caller(app, Kind::EmailVerified, &verified).await;
    let failed = login(app, "wrong").await.expect(401);
    by_a_caller(app, Kind::LoginFailed, &failed).await;
    let session = login(app, PASSWORD).await.expect(200);
    let succeeded = by_a_caller(app, Kind::LoginSucceeded, &session).await;
    assert!(succeeded.session_id.is_some());
    let access = session.text("access");
    let body = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    let changed = post(app, "/api/auth/change-password/", &access, body).await.expect(200);
    by_a_caller(app, Kind::PasswordChanged, &changed).await;
    let body = json!({ "email": "new@example.com", "password": NEW_PASSWORD });
    post(app, "/api/auth/email-change/", &access, body).await.expect(200);
    let token = app.mailed_token("new@example.com", "confirm-email").await;
    let confirmed =
        post(app, "/api/auth/email-change/confirm/", "", json!({ "token": token })).await.expect(200);
    by_a_caller(app, Kind::EmailChanged, &confirmed).await;
    let asked =
        post(app, "/api/auth/password-reset/", "", json!({ "email": "new@example.com" })).await.expect(200);
    let token = app.mailed_token("new@example.com", "reset-password").await;
    by_a_caller(app, Kind::ResetRequested, &asked).await;
    let body = json!({ "token": token, "password": PASSWORD });
    let reset = post(app, "/api/auth/password-reset/confirm/", "", body).await.expect(200);
    by_a_caller(app, Kind::PasswordReset, &reset).await;
}

async fn leave(app: &TestApp) {
    let new_device = app.login("reader", PASSWORD).await.expect(200);
    let event = app.events(Kind::NewDevice.slug()).await.pop().expect("a new device");
    assert_eq!(event.request_id, new_device.headers["x-request-id"].to_str().expect("text"), "{event:?}");
    assert_eq!(event.detail, "Unknown device", "{event:?}");
    let session = login(app, PASSWORD).await.expect(200);
    let spent = json!({ "refresh": session.text("refresh") });
    post(app, "/api/auth/refresh/", "", spent.clone()).await.expect(200);
    app.advance(Duration::from_secs(60));
    let reused = post(app, "/api/auth/refresh/", "", spent).await.expect(401);
    by_a_caller(app, Kind::TokenReused, &reused).await;
    let session = login(app, PASSWORD).await.expect(200);
    let left =
        post(app, "/api/auth/logout/", "", json!({ "refresh": session.text("refresh") })).await.expect(200);
    let ended = by_a_caller(app, Kind::SessionEnded, &left).await;
    assert!(ended.session_id.is_some());
    let access = login(app, PASSWORD).await.expect(200).text("access");
    let left = post(app, "/api/auth/logout-all/", &access, json!({})).await.expect(200);
    by_a_caller(app, Kind::AllSessionsEnded, &left).await;
    let access = login(app, PASSWORD).await.expect(200).text("access");
    let delete =
        app.request(Method::DELETE, "/api/auth/me/").header("user-agent", FIREFOX).bearer_auth(access);
    let deleted = app.send(delete.json(&json!({ "password": PASSWORD }))).await.expect(200);
    by_a_caller(app, Kind::AccountDeleted, &deleted).await;
    let back = login(app, PASSWORD).await.expect(200);
    by_a_caller(app, Kind::AccountRestored, &back).await;
}

async fn operate(app: &TestApp) {
    for what in [Act::Promote, Act::Demote, Act::Ban, Act::Unban] {
        act(app.app(), "reader", what).await.expect("an act");
    }
    portcullis::accounts::invite::create(app.app(), None, Duration::from_secs(60))
        .await
        .expect("an invitation");
    let server = app.app();
    let old = server.access.keys().list(&server.storage).await.expect("keys").remove(0).kid;
    server.access.keys().rotate(&server.storage, &server.random).await.expect("a key");
    app.advance(Duration::from_secs(60));
    server.access.keys().revoke(&server.storage, &old).await.expect("an end");
    for kind in BY_OPERATORS {
        let event = app.events(kind.slug()).await.pop().unwrap_or_else(|| panic!("no {}", kind.slug()));
        assert_eq!((event.detail.as_str(), event.ip_prefix.as_str()), ("command line", ""), "{event:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_an_account_is_on_record_with_who_whence_and_in_which_request() {
    let app = TestApp::with_manual_clock(Database::Sqlite, |_| {}).await;
    live(&app).await;
    leave(&app).await;
    operate(&app).await;
    for kind in Kind::ALL.into_iter().filter(|kind| !ELSEWHERE.contains(kind)) {
        assert!(!app.events(kind.slug()).await.is_empty(), "no {}", kind.slug());
    }
    app.mails().await;
    app.stop().await;
}

#[test]
fn the_page_of_logs_names_every_kind_and_no_other() {
    let page = include_str!("../docs/logging.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let mut named: Vec<_> = rows.map(|(slug, _)| slug).filter(|slug| slug.contains('.')).collect();
    let mut kinds: Vec<_> = Kind::ALL.into_iter().map(Kind::slug).collect();
    named.sort_unstable();
    kinds.sort_unstable();
    assert_eq!(named, kinds);
}

on_each_database! {
    async fn events_go_when_they_are_old(app: TestApp) {
        app.user("reader").await;
        let times: Vec<i64> = app.events(Kind::Registered.slug()).await.iter().map(|event| event.at).collect();
        drop_old(&app.app().storage, Timestamp::from_micros(times[0])).await.expect("a clean-up");
        assert_eq!(app.events(Kind::Registered.slug()).await.len(), 1, "it is not older than itself");
        drop_old(&app.app().storage, app.app().now()).await.expect("a clean-up");
        for kind in [Kind::Registered, Kind::EmailVerified] {
            assert!(app.events(kind.slug()).await.is_empty(), "{kind:?}");
        }
    }
}
