//! Signs of attacks: in the audit log, by mail to whom they concern, by webhook to the operator.

use crate::harness::process::Process;
use crate::harness::receiver::{Manner, Receiver, SECRET};
use crate::harness::{Answer, Database, PASSWORD, TestApp, databases};
use portcullis::accounts::cleanup;
use portcullis::config::Config;
use portcullis::mail::Kind;
use portcullis::model::webhooks;
use portcullis_security::clock::Timestamp;
use portcullis_security::secret::Secret;
use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::json;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
/// In microseconds: how long a claimed row is nobody else's.
const LEASE: i64 = 60_000_000;
const WRONG: &str = "Wrong-Harbour-42";

fn told_at(receiver: &Receiver) -> impl FnOnce(&mut Config) {
    let url = Secret::from(receiver.url());
    move |config| {
        config.webhooks.url = Some(url);
        config.webhooks.secret = Some(Secret::from(SECRET));
    }
}

async fn waiting(app: &TestApp) -> Vec<webhooks::Model> {
    webhooks::Entity::find().all(app.app().storage.reader()).await.expect("rows")
}

/// Waits until the rows are as wanted.
async fn wait_for_rows(app: &TestApp, wanted: impl Fn(&[webhooks::Model]) -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let rows = waiting(app).await;
        if wanted(&rows) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{rows:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// One row that waits for its next try, and is not on its way.
fn is_put_back(now: Timestamp, attempts: i64) -> impl Fn(&[webhooks::Model]) -> bool {
    move |rows| {
        let until_next = |row: &webhooks::Model| row.next_try_at - now.micros();
        rows.len() == 1 && rows[0].attempts == attempts && until_next(&rows[0]) < LEASE
    }
}

/// A login from a device that the account has not used: the simplest alert.
async fn log_in_elsewhere(app: &TestApp, username: &str, device: &str) {
    log_in_with(app, username, PASSWORD, device, "").await;
}

async fn log_in_with(app: &TestApp, username: &str, password: &str, device: &str, cookie: &str) -> Answer {
    let body = json!({ "username": username, "password": password });
    let request = app.request(Method::POST, "/api/auth/login/").header("user-agent", device);
    app.send(request.header("cookie", format!("device={cookie}")).json(&body)).await.expect(200)
}

/// The mails so far that tell of a new device.
async fn notices(app: &TestApp) -> usize {
    app.mails().await.iter().filter(|mail| mail.kind == Kind::NewDevice).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_who_was_away_for_long_hears_of_a_login_from_a_new_device() {
    for database in databases() {
        let app = TestApp::with_manual_clock(database, |_| {}).await;
        app.user("ada").await;
        app.advance(9 * 24 * HOUR);
        cleanup::run(app.app()).await.expect("a clean-up");
        log_in_elsewhere(&app, "ada", "Other/1.0").await;
        assert_eq!(notices(&app).await, 1);
        log_in_elsewhere(&app, "ada", "Other/1.0").await;
        assert_eq!(notices(&app).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_from_before_a_reset_is_a_new_one() {
    const NEW_PASSWORD: &str = "Quiet-Meadow-77!";
    for database in databases() {
        let app = TestApp::with_manual_clock(database, |_| {}).await;
        app.user("ada").await;
        let stolen =
            log_in_with(&app, "ada", PASSWORD, "Own/1.0", "").await.cookie("device").expect("a cookie");
        log_in_with(&app, "ada", PASSWORD, "Other/1.0", &stolen).await;
        assert_eq!(notices(&app).await, 1, "the cookie vouches for the third device");
        app.advance(HOUR);
        app.post("/api/auth/password-reset/", json!({ "email": "ada@example.com" })).await.expect(200);
        let token = app.mailed_token("ada@example.com", "reset-password").await;
        let body = json!({ "token": token, "password": NEW_PASSWORD });
        app.post("/api/auth/password-reset/confirm/", body).await.expect(200);
        let kept = log_in_with(&app, "ada", NEW_PASSWORD, "Third/1.0", &stolen).await;
        assert_eq!(notices(&app).await, 2, "a reset ends what the cookie vouches for");
        let kept = kept.cookie("device").expect("a cookie");
        log_in_with(&app, "ada", NEW_PASSWORD, "Fourth/1.0", &kept).await;
        assert_eq!(notices(&app).await, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reused_token_is_told_to_its_owner_and_to_the_operator() {
    for database in databases() {
        let receiver = Receiver::start(Manner::Takes).await;
        let app = TestApp::with_manual_clock(database, told_at(&receiver)).await;
        let first = app.user("ada").await.text("refresh");
        app.mails().await;
        app.post("/api/auth/refresh/", json!({ "refresh": first })).await.expect(200);
        app.advance(Duration::from_secs(11));
        app.post("/api/auth/refresh/", json!({ "refresh": first })).await.expect(401);
        app.post("/api/auth/refresh/", json!({ "refresh": first })).await.expect(401);
        let mails = app.mails().await;
        let warnings = mails.iter().filter(|mail| mail.subject.contains("was ended for safety"));
        assert_eq!(warnings.map(|mail| mail.to.as_str()).collect::<Vec<_>>(), ["ada@example.com"]);
        let call = receiver.call(|call| call.body["type"] == "token.reused").await;
        assert_eq!(call.path, "/hook?team=security");
        let data = &call.body["data"];
        assert!(data["user_id"].is_string() && data["session_id"].is_string(), "{data}");
        assert_eq!(data["network"], "127.0.0.0/24");
        assert_eq!(app.events("token.reused").await.len(), 1);
        wait_for_rows(&app, <[_]>::is_empty).await;
        assert_eq!(receiver.calls().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_hears_of_guessing_once_a_day() {
    for database in databases() {
        let app = TestApp::with_manual_clock(database, |_| {}).await;
        app.user("ada").await;
        app.register("unproved").await.expect(201);
        app.mails().await;
        let guess = async |count: usize| {
            for _ in 0..count {
                app.login("ada", WRONG).await.expect(401);
                app.login("unproved", WRONG).await.expect(401);
            }
        };
        let warnings = async || {
            let mails = app.mails().await;
            assert!(
                mails
                    .iter()
                    .filter(|mail| mail.subject.contains("guessing"))
                    .all(|m| m.to == "ada@example.com")
            );
            mails.iter().filter(|mail| mail.subject.contains("guessing")).count()
        };
        guess(19).await;
        assert_eq!(warnings().await, 0);
        guess(1).await;
        assert_eq!(warnings().await, 1);
        app.advance(2 * HOUR);
        guess(25).await;
        assert_eq!(warnings().await, 1, "the second of a day");
        assert_eq!(
            app.events("attack.password_guessing").await.len(),
            4,
            "what happens is on record all the same"
        );
        app.advance(25 * HOUR);
        guess(25).await;
        assert_eq!(warnings().await, 2);
        // The unproved account's owner is unknown: the log knows of it, nobody is mailed.
        assert_eq!(app.events("attack.password_guessing").await.len(), 6);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_devices_without_end_are_mailed_five_times_a_day() {
    for database in databases() {
        let app = TestApp::with_manual_clock(database, |_| {}).await;
        app.user("ada").await;
        let log_in = async |from: usize| {
            for number in from..from + 8 {
                log_in_elsewhere(&app, "ada", &format!("Other/{number}")).await;
            }
            app.mails().await.iter().filter(|mail| mail.subject.contains("device")).count()
        };
        assert_eq!(log_in(0).await, 5);
        assert_eq!(app.events("login.new_device").await.len(), 8);
        app.advance(25 * HOUR);
        assert_eq!(log_in(100).await, 10);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_accounts_from_one_network_are_told_to_the_operator_once() {
    for database in databases() {
        let receiver = Receiver::start(Manner::Takes).await;
        let app = TestApp::with(database, told_at(&receiver)).await;
        for number in 0..30 {
            app.login(&format!("nobody{number}"), WRONG).await.expect(401);
        }
        let call = receiver.call(|call| call.body["type"] == "attack.credential_stuffing").await;
        assert!(call.body["data"]["user_id"].is_null(), "{}", call.body);
        assert_eq!(app.events("attack.credential_stuffing").await.len(), 1);
        wait_for_rows(&app, <[_]>::is_empty).await;
        assert_eq!(receiver.calls().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_refuses_points_elsewhere_or_dies_is_asked_again() {
    for database in databases() {
        let mut receiver = Receiver::start(Manner::Refuses).await;
        let app = TestApp::with_manual_clock(database, told_at(&receiver)).await;
        app.user("ada").await;
        log_in_elsewhere(&app, "ada", "Other/1.0").await;
        app.mails().await;
        receiver.count(1).await;
        wait_for_rows(&app, is_put_back(app.now(), 1)).await;
        receiver.behave(Manner::PointsElsewhere);
        app.advance(Duration::from_secs(5));
        wait_for_rows(&app, is_put_back(app.now(), 2)).await;
        receiver.die().await;
        app.advance(Duration::from_secs(30));
        wait_for_rows(&app, |rows| rows.len() == 1 && rows[0].attempts == 3).await;
        receiver.behave(Manner::Takes);
        receiver.revive().await;
        app.advance(Duration::from_secs(120));
        wait_for_rows(&app, <[_]>::is_empty).await;
        let calls = receiver.calls();
        assert_eq!(calls.len(), 3, "{calls:?}");
        assert!(calls.iter().all(|call| call.id == calls[0].id && call.path == "/hook?team=security"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_silent_holds_nothing_up_and_is_asked_again() {
    let receiver = Receiver::start(Manner::IsSilent).await;
    let app = TestApp::with_manual_clock(Database::Sqlite, told_at(&receiver)).await;
    app.user("ada").await;
    log_in_elsewhere(&app, "ada", "Other/1.0").await;
    app.mails().await;
    receiver.count(1).await;
    app.login("ada", PASSWORD).await.expect(200);
    receiver.behave(Manner::Takes);
    let now = app.now().micros();
    wait_for_rows(&app, |rows| rows[0].next_try_at - now < 59_000_000).await;
    app.advance(Duration::from_secs(5));
    wait_for_rows(&app, <[_]>::is_empty).await;
    assert_eq!(receiver.calls().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_three_days_a_webhook_is_given_up_and_that_is_recorded() {
    for database in databases() {
        let receiver = Receiver::start(Manner::Refuses).await;
        let app = TestApp::with_manual_clock(database, told_at(&receiver)).await;
        app.user("ada").await;
        log_in_elsewhere(&app, "ada", "Other/1.0").await;
        app.mails().await;
        wait_for_rows(&app, is_put_back(app.now(), 1)).await;
        app.advance(72 * HOUR);
        wait_for_rows(&app, <[_]>::is_empty).await;
        assert_eq!(app.events("webhook.lost").await.len(), 1);
        assert_eq!(receiver.calls().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_outlives_a_server_that_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut receiver = Receiver::start(Manner::Takes).await;
    receiver.die().await;
    let settings = [("WEBHOOKS__URL", receiver.url()), ("WEBHOOKS__SECRET", SECRET.to_owned())];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut process = Process::start(folder.path(), &settings).await;
    process.user("ada").await;
    let body = json!({ "username": "ada", "password": PASSWORD });
    let login =
        process.request(Method::POST, "/api/auth/login/").header("user-agent", "Other/1.0").json(&body);
    process.send(login).await.expect(200);
    process.kill();
    receiver.revive().await;
    process.restart().await;
    let call = receiver.call(|call| call.body["type"] == "login.new_device").await;
    assert_eq!(call.body["data"]["detail"], "Other");
    assert!(!process.log().contains("team=security"), "the address is in the log");
}
