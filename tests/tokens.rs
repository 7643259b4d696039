//! Tokens and sessions (contract §2 "Tokens", "Cookie mode").

use crate::community::change;
use crate::harness::{Database, PASSWORD, TestApp};
use crate::on_each_database;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis::access::EndSessions;
use portcullis::model::users;
use portcullis::storage::Write;
use reqwest::Method;
use sea_orm::sea_query::Expr;
use sea_orm::{DatabaseTransaction, EntityTrait};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::{Duration, Instant};

on_each_database! {
    async fn sixty_four_refreshes_at_once_get_one_successor(app: TestApp) {
        let refresh = app.user("reader").await.text("refresh");
        let calls = (0..64).map(|_| app.post("/api/auth/refresh/", json!({ "refresh": refresh })));
        let answers = futures_util::future::join_all(calls).await;
        let successors: HashSet<_> =
            answers.into_iter().map(|answer| answer.expect(200).text("refresh")).collect();
        assert_eq!(successors.len(), 1);
    }

    async fn tokens_spent_within_the_grace_never_end_the_family(app: TestApp) {
        let first = app.user("reader").await.text("refresh");
        let next = |token: String| app.post("/api/auth/refresh/", json!({ "refresh": token }));
        let second = next(first.clone()).await.expect(200).text("refresh");
        let third = next(second.clone()).await.expect(200).text("refresh");
        for spent in [first, second] {
            assert_eq!(next(spent).await.expect(200).text("refresh"), third);
        }
        next(third).await.expect(200);
    }

    async fn logging_out_ends_the_access_token_at_once_and_again_changes_nothing(app: TestApp) {
        let session = app.user("reader").await;
        let (access, refresh) = (session.text("access"), session.text("refresh"));
        let stranger = app.user("stranger").await.text("access");
        let body = json!({ "refresh_token": refresh });
        app.call(Method::POST, "/api/auth/logout/", &stranger, body.clone()).await.expect(400);
        app.get("/api/auth/me/", &access).await.expect(200);
        app.post("/api/auth/logout/", body.clone()).await.expect(200);
        app.get("/api/auth/me/", &access).await.expect(401);
        app.post("/api/auth/logout/", body).await.expect(200);
        app.post("/api/auth/refresh/", json!({ "refresh": refresh })).await.expect(401);
        let none = app.post("/api/auth/logout/", json!({})).await.expect(400);
        assert_eq!(none.text("error"), "Refresh token required");
        app.post("/api/auth/logout/", json!({ "refresh": "nonsense" })).await.expect(400);
    }

    async fn a_session_whose_end_was_written_late_ends_within_a_second_of_that(app: TestApp) {
        let access = app.user("reader").await.text("access");
        let user_id = app.get("/api/auth/me/", &access).await.expect(200).body["id"].as_i64().expect("an id");
        // As of a caller who has gone away and whose change has waited for a lock.
        let asked_at = app.now().minus(Duration::from_secs(60));
        change(&app, move |tx| Box::pin(async move { EndSessions::All.run(tx, user_id, asked_at).await.map(drop) })).await;
        let written = Instant::now();
        while app.get("/api/auth/me/", &access).await.status != 401 {
            assert!(written.elapsed() < Duration::from_secs(1), "an ended session's token is still good");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn logging_out_everywhere_ends_all_sessions_and_one_can_be_ended_alone(app: TestApp) {
        let first = app.user("reader").await.text("access");
        let second = app.login("reader", PASSWORD).await.expect(200).text("access");
        let sessions = app.get("/api/auth/sessions/", &second).await.expect(200);
        let others = sessions.body["results"].as_array().expect("a list");
        let other = others.iter().find(|session| session["current"] == false).expect("the first session");
        let path = format!("/api/auth/sessions/{}/", other["id"]);
        let stranger = app.user("stranger").await.text("access");
        app.call(Method::DELETE, &path, &stranger, json!({})).await.expect(404);
        app.call(Method::DELETE, &path, &second, json!({})).await.expect(204);
        app.get("/api/auth/me/", &first).await.expect(401);
        app.call(Method::POST, "/api/auth/logout-all/", &second, json!({})).await.expect(200);
        app.get("/api/auth/me/", &second).await.expect(401);
    }

    async fn access_tokens_say_what_the_row_says_at_each_refresh_whoever_changed_it(app: TestApp) {
        let session = app.user("reader").await;
        let elsewhere = portcullis::app::open_storage(&app.app().config).await.expect("the database");
        elsewhere.write(Promote).await.expect("a change that nobody is told of");
        elsewhere.close().await;
        let fresh = app.post("/api/auth/refresh/", json!({ "refresh": session.text("refresh") })).await;
        assert_eq!(claims(&fresh.expect(200).text("access"))["is_staff"], true);
        assert_eq!(claims(&session.text("access"))["is_staff"], false);
    }

    async fn verify_says_whether_a_token_is_good(app: TestApp) {
        let session = app.user("reader").await;
        for token in [session.text("access"), session.text("refresh")] {
            app.post("/api/auth/verify/", json!({ "token": token })).await.expect(200);
        }
        app.post("/api/auth/verify/", json!({ "token": "a.b.c" })).await.expect(401);
        app.post("/api/auth/verify/", json!({})).await.expect(400);
    }

    async fn cookie_mode_keeps_the_refresh_token_from_scripts(app: TestApp) {
        app.user("reader").await;
        let body = json!({ "username": "reader", "password": PASSWORD });
        let login = app.request(Method::POST, "/api/auth/login/").header("x-auth-mode", "cookie").json(&body);
        let login = app.send(login).await.expect(200);
        assert!(login.body.get("refresh").is_none());
        let (refresh, csrf) = (login.cookie("refresh").expect("a cookie"), login.cookie("csrftoken").expect("a token"));
        let cookies = format!("refresh={refresh}; csrftoken={csrf}");
        let call = |origin: Option<String>, token: Option<&str>| {
            let mut request = app.request(Method::POST, "/api/auth/refresh/").header("cookie", &cookies);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            if let Some(token) = token {
                request = request.header("x-csrftoken", token);
            }
            app.send(request.json(&json!({})))
        };
        let refused = call(None, Some(&csrf)).await.expect(403);
        assert_eq!(refused.text("code"), "csrf_failed");
        call(Some("https://evil.example".to_owned()), Some(&csrf)).await.expect(403);
        call(Some(app.origin()), None).await.expect(403);
        let again = app.request(Method::GET, "/api/auth/csrf/").header("cookie", &cookies);
        assert_eq!(app.send(again).await.expect(200).text("csrftoken"), csrf, "other tabs hold it too");
        let next = call(Some(app.origin()), Some(&csrf)).await.expect(200);
        assert!(next.body.get("refresh").is_none() && next.cookie("refresh").is_some());
    }

    async fn whoever_asks_for_cookie_mode_at_a_refresh_moves_into_it(app: TestApp) {
        let token = app.user("reader").await.text("refresh");
        let call = app.request(Method::POST, "/api/auth/refresh/").header("x-auth-mode", "cookie");
        let moved = app.send(call.json(&json!({ "refresh": token }))).await.expect(200);
        assert!(moved.body.get("refresh").is_none() && moved.cookie("refresh").is_some());
    }

    async fn what_a_caller_with_a_token_gets_is_for_no_shared_cache(app: TestApp) {
        let access = app.user("reader").await.text("access");
        let file = "/favicon.svg";
        let shared = app.send(app.request(Method::GET, file)).await.expect(200);
        let own = app.get(file, &access).await.expect(200);
        let said = |answer: &crate::harness::Answer| answer.headers["cache-control"].to_str().expect("a text").to_owned();
        assert!(said(&shared).starts_with("public, "), "{shared:?}");
        assert_eq!(said(&own), said(&shared).replacen("public", "private", 1));
    }

    async fn a_login_ends_the_session_whose_cookie_it_replaces_and_no_other(app: TestApp) {
        let elsewhere = app.user("reader").await;
        let body = json!({ "username": "reader", "password": PASSWORD });
        let login = async |cookies: &str| {
            let call = app.request(Method::POST, "/api/auth/login/").header("x-auth-mode", "cookie");
            app.send(call.header("cookie", cookies).json(&body)).await.expect(200)
        };
        let first = login("").await;
        let second = login(&format!("refresh={}", first.cookie("refresh").expect("a cookie"))).await;
        app.get("/api/auth/me/", &first.text("access")).await.expect(401);
        for alive in [&elsewhere, &second] {
            app.get("/api/auth/me/", &alive.text("access")).await.expect(200);
        }
        // What is no token of ours, or none any more, is in nobody's way.
        login(&format!("refresh={}", first.cookie("refresh").expect("a cookie"))).await;
        login("refresh=nonsense").await;
        app.get("/api/auth/me/", &second.text("access")).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_for_somebody_else_are_refused_with_the_same_key() {
    let start = |audience: &'static str| {
        TestApp::with(Database::Sqlite, move |config| {
            config.tokens.signing_key = Some("a key that several servers share, 32 bytes".into());
            config.tokens.audience = Some(audience.to_owned());
            config.tokens.issuer = Some("https://accounts.example".to_owned());
        })
    };
    let (books, shop) = (start("books").await, start("shop").await);
    let session = books.user("reader").await;
    shop.user("reader").await;
    let access = session.text("access");
    let payload = access.split('.').nth(1).expect("claims");
    let claims = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    let claims = String::from_utf8(claims).expect("text");
    assert!(claims.ends_with(r#""aud":"books","iss":"https://accounts.example"}"#), "{claims}");
    books.get("/api/auth/me/", &access).await.expect(200);
    shop.get("/api/auth/me/", &access).await.expect(401);
    let refresh = json!({ "refresh": session.text("refresh") });
    shop.post("/api/auth/refresh/", refresh.clone()).await.expect(401);
    books.post("/api/auth/refresh/", refresh).await.expect(200);
    books.stop().await;
    shop.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_spent_longer_ago_than_the_grace_ends_the_family() {
    let app = TestApp::with(Database::Sqlite, |config| {
        config.tokens.refresh_grace = Duration::from_millis(200);
    })
    .await;
    let session = app.user("reader").await;
    let first = session.text("refresh");
    let next = app.post("/api/auth/refresh/", json!({ "refresh": first })).await.expect(200);
    tokio::time::sleep(Duration::from_millis(300)).await;
    app.post("/api/auth/refresh/", json!({ "refresh": first })).await.expect(401);
    app.post("/api/auth/refresh/", json!({ "refresh": next.text("refresh") })).await.expect(401);
    app.get("/api/auth/me/", &next.text("access")).await.expect(401);
    assert!(app.mails().await.iter().any(|mail| mail.subject.contains("ended for safety")));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_again_knows_the_sessions_that_had_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    let again = |config: &mut portcullis::config::Config| {
        config.storage.database_url =
            portcullis_security::secret::Secret::from(format!("sqlite://{}/db", path.display()));
        config.secret_key =
            Some(portcullis_security::secret::Secret::from("a secret of thirty-two bytes and more"));
    };
    let app = TestApp::with(Database::Sqlite, again).await;
    let (kept, ended) = (app.user("kept").await, app.user("ended").await);
    app.post("/api/auth/logout/", json!({ "refresh": ended.text("refresh") })).await.expect(200);
    app.stop().await;
    let app = TestApp::with(Database::Sqlite, again).await;
    app.get("/api/auth/me/", &kept.text("access")).await.expect(200);
    app.get("/api/auth/me/", &ended.text("access")).await.expect(401);
    app.post("/api/auth/refresh/", json!({ "refresh": kept.text("refresh") })).await.expect(200);
    app.stop().await;
}

struct Promote;

impl Write for Promote {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> portcullis::error::Result<()> {
        let change = users::Entity::update_many().col_expr(users::Column::IsStaff, Expr::value(true));
        change.exec(tx).await?;
        Ok(())
    }
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three parts");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64");
    serde_json::from_slice(&payload).expect("JSON")
}
