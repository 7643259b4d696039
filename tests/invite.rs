//! Registration by invitation (contract §5 `ACCOUNTS__REGISTRATION`).

use crate::harness::{Answer, Database, PASSWORD, TestApp};
use portcullis::accounts::invite;
use portcullis::accounts::names::Email;
use portcullis::config::Registration;
use serde_json::json;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

async fn by_invitation(database: Database) -> TestApp {
    TestApp::with(database, |config| config.accounts.registration = Registration::Invite).await
}

async fn invite(app: &TestApp, address: Option<&str>, lifetime: Duration) -> String {
    let address = address.map(|address| Email::parse(address).expect("an address"));
    let link = invite::create(app.app(), address.as_ref(), lifetime).await.expect("a link");
    let (page, token) = link.split_once("/sign-up?invite=").expect("a link to sign up");
    assert_eq!(page, app.origin());
    token.to_owned()
}

async fn register(app: &TestApp, username: &str, invite: &str) -> Answer {
    let email = format!("{username}@example.com");
    let body = json!({ "username": username, "email": email, "password": PASSWORD, "invite": invite });
    app.post("/api/auth/register/", body).await
}

async fn one_account_comes_of_one_invitation(database: Database) {
    let app = by_invitation(database).await;
    let schema = app.get("/api/schema", "").await.expect(200).body;
    assert!(schema["components"]["schemas"]["RegisterRequest"]["properties"]["invite"].is_object());
    let none = app.register("reader").await.expect(403);
    assert_eq!(none.text("code"), "registration_closed");
    for nonsense in ["", "nonsense", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        register(&app, "reader", nonsense).await.expect(403);
    }
    let token = invite(&app, None, DAY).await;
    register(&app, "a b", &token).await.expect(400);
    let names: Vec<_> = (0..8).map(|number| format!("reader{number}")).collect();
    let answers = futures_util::future::join_all(names.iter().map(|name| register(&app, name, &token))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer.status == 403).count(), 7);
    register(&app, "later", &token).await.expect(403);
    app.mails().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_registrations_at_once_one_gets_the_invitation() {
    one_account_comes_of_one_invitation(Database::Sqlite).await;
    if crate::harness::mariadb::is_available() {
        one_account_comes_of_one_invitation(Database::MariaDb).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_for_an_address_is_for_no_other_and_ends() {
    let app = by_invitation(Database::Sqlite).await;
    let token = invite(&app, Some("Reader@Example.com"), DAY).await;
    register(&app, "thief", &token).await.expect(403);
    register(&app, "reader", &token).await.expect(201);
    app.login("reader", PASSWORD).await.expect(401);
    let short = invite(&app, None, Duration::from_millis(50)).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    register(&app, "late", &short).await.expect(403);
    app.mails().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_can_be_mailed_and_a_refused_name_does_not_use_it_up() {
    let app = by_invitation(Database::Sqlite).await;
    let address = Email::parse("second@example.com").expect("an address");
    invite::enqueue(app.app(), &address, DAY).await.expect("a letter");
    let mail = app.mail_to("second@example.com").await;
    let link = mail.link.expect("a link");
    let token = link.split_once("/sign-up?invite=").expect("a link to sign up").1;
    let other = invite(&app, None, DAY).await;
    register(&app, "first", &other).await.expect(201);
    let taken = json!({
        "username": "FIRST", "email": "second@example.com", "password": PASSWORD, "invite": token
    });
    app.post("/api/auth/register/", taken).await.expect(400);
    register(&app, "second", token).await.expect(201);
    app.mails().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_and_open_registration_know_no_invitations() {
    let app = TestApp::with(Database::Sqlite, |config| {
        config.accounts.registration = Registration::Closed;
    })
    .await;
    let token = invite(&app, None, DAY).await;
    register(&app, "reader", &token).await.expect(403);
    app.stop().await;
    let app = TestApp::start(Database::Sqlite).await;
    register(&app, "reader", "nonsense").await.expect(201);
    app.mails().await;
    app.stop().await;
}
