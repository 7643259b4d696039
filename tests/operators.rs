//! What an operator does to accounts from the command line, and how soon a running server knows.

use crate::harness::{Answer, Database, PASSWORD, TestApp};
use crate::on_each_database;
use portcullis::admin::users::{Act, act, list, show};
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};

/// As the verb does it: in another process, here another server on the same database.
async fn does(operator: &TestApp, name: &str, what: Act) -> Result<String, String> {
    act(operator.app(), name, what).await.map_err(|error| error.to_string())
}

async fn until(app: &TestApp, path: &str, access: &str, wanted: impl Fn(&Answer) -> bool) {
    let started = Instant::now();
    while !wanted(&app.get(path, access).await) {
        assert!(started.elapsed() < Duration::from_secs(1), "{path} is still as it was");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

on_each_database! {
    async fn a_ban_ends_all_and_hides_the_account_until_it_is_undone(app: TestApp) {
        let operator = app.replica().await;
        let session = app.user("reader").await;
        let other = app.user("other").await.text("access");
        let profile = "/api/profiles/reader/";
        app.get(profile, &other).await.expect(200);
        assert_eq!(does(&operator, "READER", Act::Ban).await.expect("a ban"), "reader is shut out; every session has ended.");
        until(&app, "/api/auth/me/", &session.text("access"), |answer| answer.status == 401).await;
        until(&app, profile, &other, |answer| answer.status == 404).await;
        assert_eq!(app.login("reader", PASSWORD).await.status, 401);
        let again = does(&operator, "reader", Act::Ban).await.expect_err("a second ban");
        assert_eq!(again, "reader is banned already.");
        does(&operator, "reader@example.com", Act::Unban).await.expect("an end of the ban");
        assert_eq!(does(&operator, "reader", Act::Unban).await.expect_err("nothing to undo"), "reader is not banned.");
        app.login("reader", PASSWORD).await.expect(200);
        until(&app, profile, &other, |answer| answer.status == 200).await;
        app.get("/api/auth/me/", &session.text("access")).await.expect(401);
        assert_eq!((app.events("account.banned").await.len(), app.events("account.unbanned").await.len()), (1, 1));
        operator.stop().await;
        app.stop().await;
    }

    async fn a_ban_is_not_undone_by_deleting_the_account_before_or_after(app: TestApp) {
        let operator = app.replica().await;
        let delete = async |access: &str| {
            let call = app.request(Method::DELETE, "/api/auth/me/").bearer_auth(access);
            app.send(call.json(&json!({ "password": PASSWORD }))).await
        };
        let (first, second) = (app.user("first").await, app.user("second").await);
        delete(&first.text("access")).await.expect(200);
        does(&operator, "first", Act::Ban).await.expect("a ban");
        app.login("first", PASSWORD).await.expect(401);
        // The news has not come yet, or has: either way it stays banned.
        does(&operator, "second", Act::Ban).await.expect("a ban");
        delete(&second.text("access")).await.expect(401);
        app.login("second", PASSWORD).await.expect(401);
        let shown = show(app.app(), "second").await.expect("an account");
        assert!(shown.contains("banned"), "{shown}");
        app.mails().await;
        operator.stop().await;
        app.stop().await;
    }

    async fn a_ban_and_its_end_leave_a_deletion_as_it_was(app: TestApp) {
        let access = app.user("reader").await.text("access");
        app.call(Method::DELETE, "/api/auth/me/", &access, json!({ "password": PASSWORD })).await.expect(200);
        does(&app, "reader", Act::Ban).await.expect("a ban");
        app.login("reader", PASSWORD).await.expect(401);
        does(&app, "reader", Act::Unban).await.expect("an end of the ban");
        let shown = show(app.app(), "reader").await.expect("an account");
        assert!(shown.contains("deleted") && shown.contains("goes "), "{shown}");
        let back = app.login("reader", PASSWORD).await.expect(200);
        assert_eq!(back.body["deletion_undone"], true);
        app.mails().await;
    }

    async fn sessions_of_one_account_end_and_no_others(app: TestApp) {
        let operator = app.replica().await;
        let (session, other) = (app.user("reader").await, app.user("other").await);
        does(&operator, "reader", Act::EndSessions).await.expect("an end");
        until(&app, "/api/auth/me/", &session.text("access"), |answer| answer.status == 401).await;
        app.get("/api/auth/me/", &other.text("access")).await.expect(200);
        app.login("reader", PASSWORD).await.expect(200);
        assert_eq!(app.events("session.all_ended").await.len(), 1);
        operator.stop().await;
        app.stop().await;
    }

    async fn rights_come_and_go_with_the_row(app: TestApp) {
        let operator = app.replica().await;
        let access = app.user("reader").await.text("access");
        does(&operator, "reader", Act::Promote).await.expect("rights");
        until(&app, "/api/auth/me/", &access, |answer| answer.body["is_staff"] == true).await;
        does(&operator, "reader", Act::Demote).await.expect("no rights");
        // The token says that its owner is staff.
        until(&app, "/api/auth/me/", &access, |answer| answer.status == 401).await;
        let access = app.login("reader", PASSWORD).await.expect(200).text("access");
        assert_eq!(app.get("/api/auth/me/", &access).await.expect(200).body["is_staff"], false);
        assert_eq!((app.events("account.promoted").await.len(), app.events("account.demoted").await.len()), (1, 1));
        operator.stop().await;
        app.stop().await;
    }

    async fn an_address_is_taken_for_proved_unless_it_is_somebody_elses(app: TestApp) {
        app.register("reader").await.expect(201);
        let body = json!({ "username": "late", "email": "reader@example.com", "password": PASSWORD });
        app.post("/api/auth/register/", body).await.expect(201);
        let several = does(&app, "reader@example.com", Act::Verify).await.expect_err("two wait");
        assert!(several.contains("late") && several.contains("reader"), "{several}");
        does(&app, "reader", Act::Verify).await.expect("a proof");
        app.login("reader", PASSWORD).await.expect(200);
        let second = does(&app, "late", Act::Verify).await.expect_err("an owner");
        assert_eq!(second, "late cannot have that address: it is another account's.");
        app.login("late", PASSWORD).await.expect(401);
        let twice = does(&app, "reader", Act::Verify).await.expect_err("a second proof");
        assert_eq!(twice, "reader has proved the address already.");
        app.mails().await;
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_is_begun_for_somebody_and_ended_by_them_alone() {
    let app = TestApp::start(Database::Sqlite).await;
    app.user("reader").await;
    let said = does(&app, "reader", Act::MailReset).await.expect("a letter");
    assert!(!said.contains("token"), "{said}");
    let token = app.mailed_token("reader@example.com", "reset-password").await;
    let body = json!({ "token": token, "password": "Another-Meadow-78!" });
    app.post("/api/auth/password-reset/confirm/", body).await.expect(200);
    app.login("reader", "Another-Meadow-78!").await.expect(200);
    app.register("waiting").await.expect(201);
    let early = does(&app, "waiting", Act::MailReset).await.expect_err("an address without proof");
    assert!(early.ends_with("or has not proved the address."), "{early}");
    app.mails().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_listed_found_and_shown() {
    let app = TestApp::start(Database::Sqlite).await;
    app.user("reader").await;
    app.user("other").await;
    let all = list(app.app(), None).await.expect("a list");
    assert_eq!(all.lines().count(), 3, "{all}");
    let found = list(app.app(), Some("READ")).await.expect("a list");
    assert!(found.contains("reader@example.com") && !found.contains("other"), "{found}");
    assert_eq!(list(app.app(), Some("nobody")).await.expect("a list").lines().count(), 1);
    let shown = show(app.app(), "reader").await.expect("an account");
    assert!(shown.contains("active") && shown.contains("sessions    "), "{shown}");
    for what in [Act::Ban, Act::Promote, Act::EndSessions, Act::MailReset] {
        let unknown = does(&app, "nobody", what).await.expect_err("nobody");
        assert_eq!(unknown, "there is no account nobody: portcullis users list");
    }
    app.stop().await;
}
