//! What ends by itself, and when (contract §2), with a clock that is moved.

use crate::chat::talker::Talker;
use crate::harness::smtp::{Behaviour, SmtpSink};
use crate::harness::{Answer, Database, PASSWORD, TestApp, databases};
use crate::on_each_database;
use crate::people;
use portcullis::accounts::cleanup;
use portcullis::admin::users::{Act, act};
use portcullis::model::outbox;
use portcullis_security::secret::Secret;
use portcullis_security::token::{Claims, TokenType};
use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

async fn app() -> TestApp {
    TestApp::with_manual_clock(Database::Sqlite, |_| {}).await
}

async fn refresh(app: &TestApp, token: &str) -> Answer {
    app.post("/api/auth/refresh/", json!({ "refresh": token })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_in_use_ends_after_thirty_days_and_not_before() {
    let app = app().await;
    let mut token = app.user("reader").await.text("refresh");
    for _ in 0..4 {
        app.advance(7 * DAY - SECOND);
        token = refresh(&app, &token).await.expect(200).text("refresh");
    }
    app.advance(2 * DAY + 3 * SECOND);
    token = refresh(&app, &token).await.expect(200).text("refresh");
    app.advance(SECOND);
    let over = refresh(&app, &token).await.expect(401);
    assert_eq!(over.text("code"), "token_not_valid");
    app.login("reader", PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_uses_ends_after_seven_days() {
    let app = app().await;
    let (used, unused) =
        (app.user("reader").await.text("refresh"), app.login("reader", PASSWORD).await.text("refresh"));
    app.advance(7 * DAY - SECOND);
    refresh(&app, &used).await.expect(200);
    app.advance(SECOND);
    refresh(&app, &unused).await.expect(401);
}

/// An access token of a session that the right key signs for ten years.
async fn forged_for_ten_years(app: &TestApp) -> String {
    let user_id = app.user("reader").await.body["user"]["id"].as_i64().expect("an id");
    let iat = app.now().seconds();
    let (token_type, exp) = (TokenType::Access, iat + 10 * 365 * 86_400);
    let claims = Claims { token_type, exp, iat, jti: [7; 16], user_id, sid: Some(7) };
    app.app().access.keys().current().sign(&claims)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_of_a_session_lives_no_longer_than_that_whatever_it_says() {
    let app = app().await;
    let access = forged_for_ten_years(&app).await;
    app.get("/api/auth/me/", &access).await.expect(200);
    app.advance(15 * MINUTE);
    app.get("/api/auth/me/", &access).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_lives_no_longer_than_that_either() {
    let app = TestApp::with(Database::Sqlite, |config| config.tokens.access_lifetime = 3 * SECOND).await;
    let access = forged_for_ten_years(&app).await;
    let made = app.call(Method::POST, "/api/rooms/", &access, json!({ "name": "x" })).await.expect(201);
    let path = format!("/ws/chat/{}/?token={access}", made.body["id"]);
    assert_eq!(Talker::open(&app, &path).await.closed().await, 4001);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_lives_for_fifteen_minutes_without_leeway() {
    let app = app().await;
    let session = app.user("reader").await;
    app.advance(15 * MINUTE - SECOND);
    app.get("/api/auth/me/", &session.text("access")).await.expect(200);
    app.advance(SECOND);
    app.get("/api/auth/me/", &session.text("access")).await.expect(401);
    let next = refresh(&app, &session.text("refresh")).await.expect(200);
    app.get("/api/auth/me/", &next.text("access")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_link_lives_for_an_hour() {
    let app = app().await;
    app.user("reader").await;
    for (age, status) in [(HOUR, 400), (HOUR - SECOND, 200)] {
        app.post("/api/auth/password-reset/", json!({ "email": "reader@example.com" })).await.expect(200);
        app.drain_outbox().await;
        let token = app.mailed_token("reader@example.com", "reset-password").await;
        app.advance(age);
        let body = json!({ "token": token, "password": "Quiet-Meadow-77!" });
        let answer = app.post("/api/auth/password-reset/confirm/", body).await.expect(status);
        assert!(status == 200 || answer.text("error") == "Invalid or expired reset token");
    }
    app.mails().await;
}

/// Waits until the one letter was refused and is put back.
async fn wait_for_refusal(app: &TestApp) {
    let begun = std::time::Instant::now();
    let soon = app.now().plus(10 * SECOND).micros();
    loop {
        let rows = outbox::Entity::find().all(app.app().storage.reader()).await.expect("the outbox");
        if rows.iter().any(|row| row.attempts == 1 && row.next_try_at < soon) {
            return;
        }
        assert!(begun.elapsed() < MINUTE, "no letter was refused: {rows:?}");
        tokio::time::sleep(SECOND / 50).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_address_that_waits_for_its_mail_dies_with_the_password() {
    for database in databases() {
        let sink = SmtpSink::start().await;
        let url = sink.url();
        let app = TestApp::with_manual_clock(database, |config| config.mail.url = Secret::from(url)).await;
        let access = people::staff(&app, "owner").await.access;
        sink.behave(Behaviour::RefuseRecipient(450));
        let body = json!({ "email": "thief@example.com", "password": PASSWORD });
        app.call(Method::POST, "/api/auth/email-change/", &access, body).await.expect(200);
        wait_for_refusal(&app).await;
        sink.behave(Behaviour::Accept);
        app.advance(SECOND);
        let body = json!({ "current_password": PASSWORD, "new_password": "Quiet-Meadow-77!" });
        app.call(Method::POST, "/api/auth/change-password/", &access, body).await.expect(200);
        app.advance(10 * SECOND);
        app.drain_outbox().await;
        let recipients: Vec<_> = sink.received().into_iter().flat_map(|mail| mail.to).collect();
        assert_eq!(recipients, ["owner@example.com"], "who hears of the new password");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_link_lives_for_a_day_and_its_code_for_ten_minutes() {
    let app = app().await;
    for name in ["early", "late"] {
        app.register(name).await.expect(201);
        app.drain_outbox().await;
    }
    let code = |text: &str| -> String {
        let mut digits = text.split(|character: char| !character.is_ascii_digit());
        digits.find(|digits| digits.len() == 8).expect("a code").to_owned()
    };
    let (early, late) = (app.mail_to("early@example.com").await, app.mail_to("late@example.com").await);
    let by_code =
        |name: &str, text: &str| json!({ "email": format!("{name}@example.com"), "code": code(text) });
    app.advance(10 * MINUTE - SECOND);
    app.post("/api/auth/verify-email/", by_code("early", &early.text)).await.expect(200);
    app.advance(SECOND);
    app.post("/api/auth/verify-email/", by_code("late", &late.text)).await.expect(400);
    let token = app.mailed_token("late@example.com", "verify-email").await;
    app.advance(DAY - 10 * MINUTE);
    let answer = app.post("/api/auth/verify-email/", json!({ "token": token })).await.expect(400);
    assert_eq!(answer.text("error"), "Invalid or expired verification token");
    app.post("/api/auth/resend-verification/", json!({ "email": "late@example.com" })).await.expect(200);
    app.drain_outbox().await;
    let token = app.mailed_token("late@example.com", "verify-email").await;
    app.advance(DAY - SECOND);
    app.post("/api/auth/verify-email/", json!({ "token": token })).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_an_account_that_is_gone_is_an_invalid_link() {
    let app = TestApp::with_manual_clock(Database::Sqlite, |config| {
        config.accounts.verification_lifetime = 30 * DAY;
    })
    .await;
    app.register("reader").await.expect(201);
    let token = app.mailed_token("reader@example.com", "verify-email").await;
    app.advance(7 * DAY);
    cleanup::run(app.app()).await.expect("a clean-up");
    let answer = app.post("/api/auth/verify-email/", json!({ "token": token })).await.expect(400);
    assert_eq!(answer.text("error"), "Invalid or expired verification token");
    // The name is free again, as of an account that never was.
    app.register("reader").await.expect(201);
    app.mails().await;
}

pub fn id_of(session: &Answer) -> i64 {
    session.body["user"]["id"].as_i64().expect("an id")
}

/// A token as the Django before us signed it: without a session.
pub fn foreign(app: &TestApp, token_type: TokenType, user_id: i64, lifetime: Duration) -> String {
    let now = app.app().now();
    let claims = Claims {
        token_type,
        exp: now.plus(lifetime).seconds(),
        iat: now.seconds(),
        jti: app.app().random.bytes(),
        user_id,
        sid: None,
    };
    app.app().access.keys().current().sign(&claims)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_django_ends_with_the_others_even_in_its_first_second() {
    let app = app().await;
    let session = app.user("reader").await;
    let user_id = id_of(&session);
    let access = foreign(&app, TokenType::Access, user_id, HOUR);
    let other = foreign(&app, TokenType::Refresh, user_id, DAY);
    app.get("/api/auth/me/", &access).await.expect(200);
    app.call(Method::POST, "/api/auth/logout-all/", &access, json!({})).await.expect(200);
    app.get("/api/auth/me/", &access).await.expect(401);
    refresh(&app, &other).await.expect(401);
    app.advance(SECOND);
    app.get("/api/auth/me/", &foreign(&app, TokenType::Access, user_id, HOUR)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_django_that_is_exchanged_while_all_is_ended_opens_nothing() {
    for database in databases() {
        let app = TestApp::with_manual_clock(database, |_| {}).await;
        let user_id = id_of(&app.user("reader").await);
        for _ in 0..40 {
            app.advance(SECOND);
            let (access, token) = (
                foreign(&app, TokenType::Access, user_id, HOUR),
                foreign(&app, TokenType::Refresh, user_id, DAY),
            );
            let end = app.call(Method::POST, "/api/auth/logout-all/", &access, json!({}));
            let (exchanged, ended) = tokio::join!(refresh(&app, &token), end);
            ended.expect(200);
            if exchanged.status == 200 {
                refresh(&app, &exchanged.text("refresh")).await.expect(401);
            } else {
                exchanged.expect(401);
            }
        }
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_django_is_exchanged_once_however_long_it_lives() {
    let app = app().await;
    let user_id = id_of(&app.user("reader").await);
    let (used, ended) = (
        foreign(&app, TokenType::Refresh, user_id, 300 * DAY),
        foreign(&app, TokenType::Refresh, user_id, 300 * DAY),
    );
    refresh(&app, &used).await.expect(200);
    app.post("/api/auth/logout/", json!({ "refresh_token": ended })).await.expect(200);
    app.advance(100 * DAY);
    cleanup::run(app.app()).await.expect("a clean-up");
    for token in [used, ended] {
        refresh(&app, &token).await.expect(401);
    }
    refresh(&app, &foreign(&app, TokenType::Refresh, user_id, DAY)).await.expect(200);
    app.mails().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_little_time_goes_soon_after() {
    let app = TestApp::with(Database::Sqlite, |config| {
        config.accounts.deletion_grace = 2 * SECOND;
        config.tokens.absolute_lifetime = MINUTE;
    })
    .await;
    let access = app.user("reader").await.text("access");
    app.call(Method::DELETE, "/api/auth/me/", &access, json!({ "password": PASSWORD })).await.expect(200);
    app.register("reader").await.expect(400);
    let begun = std::time::Instant::now();
    while app.register("reader").await.status != 201 {
        assert!(begun.elapsed() < 10 * SECOND, "the account is still there");
        tokio::time::sleep(SECOND / 4).await;
    }
    app.mails().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_account_is_gone_after_thirty_days() {
    let app = app().await;
    let access = app.user("reader").await.text("access");
    app.call(Method::DELETE, "/api/auth/me/", &access, json!({ "password": PASSWORD })).await.expect(200);
    app.advance(30 * DAY);
    app.login("reader", PASSWORD).await.expect(401);
    cleanup::run(app.app()).await.expect("a clean-up");
    app.login("reader", PASSWORD).await.expect(401);
    app.mails().await;
    app.register("reader").await.expect(201);
    app.mails().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ban_keeps_no_deleted_account_from_going() {
    let app = app().await;
    let access = app.user("reader").await.text("access");
    app.call(Method::DELETE, "/api/auth/me/", &access, json!({ "password": PASSWORD })).await.expect(200);
    act(app.app(), "reader", Act::Ban).await.expect("a ban");
    app.advance(30 * DAY - SECOND);
    cleanup::run(app.app()).await.expect("a clean-up");
    act(app.app(), "reader", Act::Unban).await.expect("an account");
    act(app.app(), "reader", Act::Ban).await.expect("a ban");
    app.advance(SECOND);
    cleanup::run(app.app()).await.expect("a clean-up");
    act(app.app(), "reader", Act::Unban).await.expect_err("nobody");
    app.mails().await;
}

on_each_database! {
    async fn a_profile_and_preferences_are_made_with_the_account(app: TestApp) {
        let access = app.user("reader").await.text("access");
        let export = app.get("/api/auth/me/export/", &access).await.expect(200).body;
        assert_eq!(export["profile"], json!({ "avatar_url": null, "bio": "", "profile_visibility": "public" }));
        let preferences = export["notification_preferences"].as_object().expect("preferences");
        assert!(!preferences.is_empty() && preferences.values().all(Value::is_boolean), "{preferences:?}");
    }
}
