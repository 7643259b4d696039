//! The life of an account (contract §2).

use crate::harness::{Answer, PASSWORD, TestApp};
use crate::on_each_database;
use portcullis::error::Result;
use portcullis::mail::Kind;
use portcullis::model::users::{Column, Entity};
use portcullis::storage::Write;
use reqwest::Method;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const NEW_PASSWORD: &str = "Quiet-Meadow-77!";

/// The owner's reset, held open: others read the old password, and their writes wait.
struct SlowReset {
    user_id: i64,
    begun: CancellationToken,
    go_on: CancellationToken,
}

impl Write for SlowReset {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let user = Entity::find_by_id(self.user_id).lock_exclusive().one(tx).await?.expect("an account");
        self.begun.cancel();
        self.go_on.cancelled().await;
        Entity::update_many()
            .col_expr(Column::PasswordChangedAt, Expr::value(user.password_changed_at + 1))
            .col_expr(Column::Password, Expr::value("!the owner's"))
            .filter(Column::Id.eq(self.user_id))
            .exec(tx)
            .await?;
        Ok(())
    }
}

/// A call that confirms the old password while a reset replaces it, and is done after the reset.
async fn call_during_a_reset(app: &TestApp, method: Method, path: &str, body: Value) -> Answer {
    let user = app.user(&format!("owner_{}", path.replace('-', "_"))).await;
    let user_id = user.body["user"]["id"].as_i64().expect("an id");
    let finished = || app.app().passwords.pool().stats().finished;
    let before = finished();
    let (begun, go_on) = (CancellationToken::new(), CancellationToken::new());
    let reset = SlowReset { user_id, begun: begun.clone(), go_on: go_on.clone() };
    let (access, path) = (user.text("access"), format!("/api/auth/{path}/"));
    let call = async {
        begun.cancelled().await;
        app.call(method, &path, &access, body).await
    };
    let wait_for_proof = async {
        while finished() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        go_on.cancel();
    };
    let (reset, answer, ()) = tokio::join!(app.app().write(reset), call, wait_for_proof);
    reset.expect("a reset");
    let row = Entity::find_by_id(user_id).one(app.app().storage.reader()).await.expect("a row");
    assert_eq!(row.expect("an account").password, "!the owner's");
    answer
}

on_each_database! {
    async fn an_account_registers_verifies_and_logs_in(app: TestApp) {
        let made = app.register("reader").await.expect(201);
        assert_eq!(made.body["user"]["email"], "reader@example.com");
        assert_eq!(made.headers["cache-control"], "no-store");
        let early = app.login("reader", PASSWORD).await.expect(401);
        assert_eq!(early.text("code"), "email_not_verified");
        let wrong = app.login("reader", "wrong").await.expect(401);
        assert_eq!(wrong.text("code"), "no_active_account");
        let token = app.mailed_token("reader@example.com", "verify-email").await;
        let verified = app.post("/api/auth/verify-email/", json!({ "token": token })).await.expect(200);
        app.get("/api/auth/me/", &verified.text("access")).await.expect(200);
        app.post("/api/auth/verify-email/", json!({ "token": token })).await.expect(400);
        let by_address = app.login("READER@example.com", PASSWORD).await.expect(200);
        assert_eq!(by_address.body["user"]["username"], "reader");
    }

    async fn an_account_is_shut_until_its_address_is_verified(app: TestApp) {
        app.register("reader").await.expect(201);
        for _ in 0..2 {
            let shut = app.login("reader", PASSWORD).await.expect(401);
            assert_eq!(shut.text("code"), "email_not_verified");
            assert!(shut.body.get("access").is_none(), "{}", shut.body);
        }
        let token = app.mailed_token("reader@example.com", "verify-email").await;
        app.post("/api/auth/verify-email/", json!({ "token": token })).await.expect(200);
        app.login("reader", PASSWORD).await.expect(200);
    }

    async fn a_code_is_good_until_the_next_letter_comes(app: TestApp) {
        app.register("reader").await.expect(201);
        let code_in = |text: &str| text.split(|character: char| !character.is_ascii_digit())
            .find(|digits| digits.len() == 8).expect("a code").to_owned();
        let first = code_in(&app.mail_to("reader@example.com").await.text);
        app.post("/api/auth/resend-verification/", json!({ "email": "reader@example.com" })).await.expect(200);
        app.drain_outbox().await;
        let second = code_in(&app.mail_to("reader@example.com").await.text);
        let verify = async |code: &str| {
            app.post("/api/auth/verify-email/", json!({ "email": "reader@example.com", "code": code })).await
        };
        verify(&first).await.expect(400);
        verify(&second).await.expect(200);
        assert_eq!(app.mails().await.len(), 2);
    }

    async fn the_code_of_the_mail_verifies_and_dies_after_five_wrong_tries(app: TestApp) {
        app.register("reader").await.expect(201);
        let mail = app.mail_to("reader@example.com").await;
        let code = mail.text.split(|character: char| !character.is_ascii_digit())
            .find(|digits| digits.len() == 8).expect("a code").to_owned();
        let wrong = if code == "00000000" { "00000001" } else { "00000000" };
        for _ in 0..4 {
            app.post("/api/auth/verify-email/", json!({ "email": "reader@example.com", "code": wrong })).await
                .expect(400);
        }
        app.post("/api/auth/verify-email/", json!({ "email": "reader@example.com", "code": code })).await.expect(200);
        app.register("other").await.expect(201);
        let mail = app.mail_to("other@example.com").await;
        let code = mail.text.split(|character: char| !character.is_ascii_digit())
            .find(|digits| digits.len() == 8).expect("a code").to_owned();
        for _ in 0..5 {
            app.post("/api/auth/verify-email/", json!({ "email": "other@example.com", "code": "12" })).await;
            let wrong = if code == "00000000" { "00000001" } else { "00000000" };
            app.post("/api/auth/verify-email/", json!({ "email": "other@example.com", "code": wrong })).await;
        }
        app.post("/api/auth/verify-email/", json!({ "email": "other@example.com", "code": code })).await.expect(400);
    }

    async fn nobody_who_registers_the_same_address_shuts_another_out(app: TestApp) {
        let register = async |name: &str| {
            let body = json!({ "username": name, "email": "reader@example.com", "password": PASSWORD });
            app.post("/api/auth/register/", body).await.expect(201);
        };
        for number in 0..6 {
            register(&format!("before{number}")).await;
        }
        register("reader").await;
        for number in 0..6 {
            register(&format!("after{number}")).await;
        }
        let letters = async || -> Vec<_> {
            app.mails().await.into_iter().filter(|mail| mail.text.contains(" reader,")).collect()
        };
        assert_eq!(letters().await.len(), 1);
        for _ in 0..3 {
            app.post("/api/auth/resend-verification/", json!({ "email": "reader@example.com" })).await.expect(200);
            app.drain_outbox().await;
        }
        assert_eq!(app.mails().await.len(), 13 + 3 * 5);
        let letters = letters().await;
        assert_eq!(letters.len(), 2, "thirteen wait, fifteen letters went to them in turn");
        let code = letters[1].text.split(|character: char| !character.is_ascii_digit())
            .find(|digits| digits.len() == 8).expect("a code");
        let body = json!({ "email": "reader@example.com", "code": code });
        let verified = app.post("/api/auth/verify-email/", body).await.expect(200);
        assert_eq!(verified.body["user"]["username"], "reader");
    }

    async fn a_known_address_is_answered_like_any_other_and_can_never_be_verified(app: TestApp) {
        app.user("owner").await;
        let body = json!({ "username": "thief", "email": "owner@example.com", "password": PASSWORD });
        app.post("/api/auth/register/", body).await.expect(201);
        app.post("/api/auth/resend-verification/", json!({ "email": "owner@example.com" })).await.expect(200);
        app.post("/api/auth/resend-verification/", json!({ "email": "nobody@example.com" })).await.expect(200);
        let subjects: Vec<_> = app.mails().await.into_iter().map(|mail| mail.subject).collect();
        assert_eq!(subjects.len(), 2, "one to verify, one that says who has the address: {subjects:?}");
    }

    async fn every_problem_of_a_registration_is_told_at_once(app: TestApp) {
        let missing = app.post("/api/auth/register/", json!({ "username": "reader" })).await.expect(400);
        assert_eq!(missing.text("error"), "Username, email, and password are required");
        let weak = json!({ "username": "reader", "email": "r@example.com", "password": "password" });
        let weak = app.post("/api/auth/register/", weak).await.expect(400);
        assert_eq!(weak.text("error"), "Password validation failed");
        assert_eq!(weak.body["details"][0], "This password is too common.");
        let all = json!({ "username": "a b", "email": "nonsense", "password": "x" });
        let all = app.post("/api/auth/register/", all).await.expect(400);
        let fields = all.body["fields"].as_object().expect("fields");
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["email", "password", "username"]);
        app.register("reader").await.expect(201);
        let taken = json!({ "username": "READER", "email": "x@example.com", "password": PASSWORD });
        let taken = app.post("/api/auth/register/", taken).await.expect(400);
        assert_eq!(taken.text("error"), "Username already exists");
        assert_eq!(app.mails().await.len(), 1, "nothing is mailed for what was refused");
    }

    async fn a_reset_link_works_once_and_ends_every_session(app: TestApp) {
        let session = app.user("reader").await;
        app.post("/api/auth/password-reset/", json!({ "email": "nobody@example.com" })).await.expect(200);
        app.post("/api/auth/password-reset/", json!({ "email": "reader@example.com" })).await.expect(200);
        let token = app.mailed_token("reader@example.com", "reset-password").await;
        let weak = json!({ "token": token, "password": "reader" });
        app.post("/api/auth/password-reset/confirm/", weak).await.expect(400);
        let body = json!({ "token": token, "password": NEW_PASSWORD });
        app.post("/api/auth/password-reset/confirm/", body.clone()).await.expect(200);
        app.post("/api/auth/password-reset/confirm/", body).await.expect(400);
        app.get("/api/auth/me/", &session.text("access")).await.expect(401);
        app.post("/api/auth/refresh/", json!({ "refresh": session.text("refresh") })).await.expect(401);
        app.login("reader", PASSWORD).await.expect(401);
        app.login("reader", NEW_PASSWORD).await.expect(200);
        app.drain_outbox().await;
        assert_eq!(app.mail_to("reader@example.com").await.kind, Kind::PasswordChanged);
        assert_eq!(app.mails().await.len(), 3, "nobody@example.com gets none");
    }

    async fn changing_the_password_keeps_this_session_and_ends_the_others(app: TestApp) {
        let other = app.user("reader").await.text("access");
        let this = app.login("reader", PASSWORD).await.expect(200).text("access");
        let body = json!({ "current_password": "wrong", "new_password": NEW_PASSWORD });
        let wrong = app.call(Method::POST, "/api/auth/change-password/", &this, body).await.expect(400);
        assert_eq!(wrong.text("error"), "Current password is incorrect");
        let body = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
        app.call(Method::PATCH, "/api/auth/change-password/", &this, body).await.expect(200);
        app.get("/api/auth/me/", &this).await.expect(200);
        app.get("/api/auth/me/", &other).await.expect(401);
        app.login("reader", NEW_PASSWORD).await.expect(200);
        app.drain_outbox().await;
        assert_eq!(app.mail_to("reader@example.com").await.kind, Kind::PasswordChanged);
    }

    async fn what_is_asked_for_with_a_password_is_not_done_once_a_reset_has_replaced_it(app: TestApp) {
        let change = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
        let change = call_during_a_reset(&app, Method::POST, "change-password", change).await.expect(400);
        assert_eq!(change.text("error"), "Current password is incorrect");
        let delete = json!({ "password": PASSWORD });
        call_during_a_reset(&app, Method::DELETE, "me", delete).await.expect(400);
        let moved = json!({ "email": "thief@example.com", "password": PASSWORD });
        call_during_a_reset(&app, Method::POST, "email-change", moved).await.expect(200);
        let mails = app.mails().await;
        assert!(mails.iter().all(|mail| mail.kind == Kind::VerifyEmail), "no notice, and no link to move");
    }

    async fn a_deleted_account_comes_back_by_a_login_within_the_grace(app: TestApp) {
        let access = app.user("reader").await.text("access");
        let wrong = json!({ "password": "wrong" });
        app.call(Method::DELETE, "/api/auth/me/", &access, wrong).await.expect(400);
        let gone = app.call(Method::DELETE, "/api/auth/me/", &access, json!({ "password": PASSWORD })).await;
        assert!(gone.expect(200).text("deletes_at").ends_with('Z'));
        app.get("/api/auth/me/", &access).await.expect(401);
        let back = app.login("reader", PASSWORD).await.expect(200);
        assert_eq!(back.body["deletion_undone"], true);
        app.get("/api/auth/me/", &back.text("access")).await.expect(200);
        let next = app.login("reader", PASSWORD).await.expect(200);
        assert_eq!(next.body.get("deletion_undone"), None, "it is told once");
        app.drain_outbox().await;
        assert_eq!(app.mail_to("reader@example.com").await.kind, Kind::AccountDeleted);
    }

    async fn an_address_is_changed_when_the_new_one_is_confirmed(app: TestApp) {
        let access = app.user("reader").await.text("access");
        let body = json!({ "email": "new@example.com", "password": PASSWORD });
        app.call(Method::POST, "/api/auth/email-change/", &access, body).await.expect(200);
        let token = app.mailed_token("new@example.com", "confirm-email").await;
        app.post("/api/auth/email-change/confirm/", json!({ "token": token })).await.expect(200);
        app.post("/api/auth/email-change/confirm/", json!({ "token": token })).await.expect(400);
        assert_eq!(app.get("/api/auth/me/", &access).await.expect(200).text("email"), "new@example.com");
        app.login("new@example.com", PASSWORD).await.expect(200);
        app.login("reader@example.com", PASSWORD).await.expect(401);
        app.drain_outbox().await;
        assert_eq!(app.mail_to("reader@example.com").await.kind, Kind::EmailChanged);
    }

    async fn names_are_changed_and_exported(app: TestApp) {
        let access = app.user("reader").await.text("access");
        let patch = json!({ "first_name": "Ada 📚" });
        let me = app.call(Method::PATCH, "/api/auth/me/", &access, patch).await.expect(200);
        assert_eq!(me.text("first_name"), "Ada 📚");
        app.call(Method::PATCH, "/api/auth/me/", &access, json!({ "last_name": "<b>" })).await.expect(400);
        let export = app.get("/api/auth/me/export/", &access).await.expect(200);
        assert_eq!(export.body["user"]["first_name"], "Ada 📚");
    }
}
