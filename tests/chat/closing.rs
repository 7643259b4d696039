//! Every way in which a socket ends from outside, within a second of the answer that caused it (contract §2).

use super::talker::Talker;
use super::{add, ask, room};
use crate::community::change;
use crate::harness::{Database, PASSWORD, TestApp};
use crate::on_each_database;
use crate::people::{Person, person};
use portcullis::access::publish_change;
use portcullis::model::users;
use reqwest::Method;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

const IN_TIME: Duration = Duration::from_millis(1000);

/// Since when the cause is known to its caller.
async fn assert_ends(talker: &mut Talker, code: u16, since: Instant, cause: &str) {
    assert_eq!(talker.closed().await, code, "{cause}");
    assert!(since.elapsed() < IN_TIME, "{cause}: {:?}", since.elapsed());
}

/// Somebody in a room of ada's, with a socket of a session that is not the one they act in.
async fn guest(app: &TestApp, owner: &Person, id: i64, name: &str) -> (Person, Talker) {
    let guest = person(app, name).await;
    add(app, owner, id, name).await.expect(201);
    let other = app.login(name, PASSWORD).await.expect(200).text("access");
    let mut talker = Talker::join(app, id, &other, "").await;
    talker.assert_open().await;
    (guest, talker)
}

async fn ban(app: &TestApp, user_id: i64) {
    let now = app.now();
    change(app, move |tx| {
        Box::pin(async move {
            users::Entity::update_many()
                .col_expr(users::Column::Status, Expr::value("banned"))
                .filter(users::Column::Id.eq(user_id))
                .exec(tx)
                .await?;
            publish_change(tx, user_id, now).await
        })
    })
    .await;
}

/// Ends sockets in every way that there is; sockets are at `there`, calls are made to `app`.
async fn end_in_every_way(app: &TestApp, there: &TestApp) {
    let ada = person(app, "ada").await;
    let id = room(app, &ada, "Cellar", false).await;
    let mut owner = Talker::of(there, id, &ada).await;
    owner.assert_open().await;

    for (name, cause) in
        [("one", "logout"), ("two", "logout-all"), ("three", "password"), ("four", "deletion")]
    {
        let guest = person(app, name).await;
        add(app, &ada, id, name).await.expect(201);
        let login = app.login(name, PASSWORD).await.expect(200);
        let mut talker = Talker::join(there, id, &login.text("access"), "").await;
        talker.assert_open().await;
        match cause {
            "logout" => app.post("/api/auth/logout/", json!({ "refresh": login.text("refresh") })).await,
            "logout-all" => app.call(Method::POST, "/api/auth/logout-all/", &guest.access, json!({})).await,
            "password" => {
                let body = json!({ "current_password": PASSWORD, "new_password": "Another-Harbour-43" });
                app.call(Method::PATCH, "/api/auth/change-password/", &guest.access, body).await
            }
            _ => {
                app.call(Method::DELETE, "/api/auth/me/", &guest.access, json!({ "password": PASSWORD }))
                    .await
            }
        }
        .expect(200);
        assert_ends(&mut talker, 4001, Instant::now(), cause).await;
    }

    let (guest_five, mut talker) = guest(there, &ada, id, "five").await;
    ban(app, guest_five.id).await;
    assert_ends(&mut talker, 4001, Instant::now(), "a ban").await;

    let (_, mut talker) = guest(there, &ada, id, "six").await;
    ask(app, &ada, Method::DELETE, (id, "members/six/"), Value::Null).await.expect(204);
    assert_ends(&mut talker, 4003, Instant::now(), "removal").await;

    let (seven, mut talker) = guest(there, &ada, id, "seven").await;
    ask(app, &seven, Method::POST, (id, "leave/"), Value::Null).await.expect(200);
    assert_ends(&mut talker, 4003, Instant::now(), "leaving").await;

    // Whoever has nothing to do with it has heard all that was said, and stays.
    owner.assert_open().await;
    let (_, mut talker) = guest(there, &ada, id, "eight").await;
    ask(app, &ada, Method::DELETE, (id, ""), Value::Null).await.expect(204);
    let since = Instant::now();
    assert_ends(&mut talker, 4003, since, "the room's end").await;
    assert_ends(&mut owner, 4003, since, "the room's end").await;
}

on_each_database! {
    async fn a_socket_ends_within_a_second_of_what_ends_it(app: TestApp) {
        end_in_every_way(&app, &app).await;
        app.mails().await;
    }

    async fn a_socket_of_another_process_ends_within_a_second_too(app: TestApp) {
        let other = app.replica().await;
        end_in_every_way(&app, &other).await;
        app.mails().await;
        other.mails().await;
    }

    async fn a_password_change_keeps_the_sockets_of_its_own_session(app: TestApp) {
        let ada = person(&app, "ada").await;
        let id = room(&app, &ada, "Cellar", false).await;
        let mut talker = Talker::of(&app, id, &ada).await;
        let body = json!({ "current_password": PASSWORD, "new_password": "Another-Harbour-43" });
        app.call(Method::PATCH, "/api/auth/change-password/", &ada.access, body).await.expect(200);
        talker.assert_open().await;
        app.mails().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_ends_with_its_access_token_whether_by_token_or_ticket() {
    let app = TestApp::with(Database::Sqlite, |config| {
        config.tokens.access_lifetime = Duration::from_secs(3);
    })
    .await;
    let ada = person(&app, "ada").await;
    let id = room(&app, &ada, "Cellar", false).await;
    let login = app.login("ada", PASSWORD).await.expect(200).text("access");
    let ticket = super::sockets::ticket(&app, &login).await.expect(200).text("ticket");
    let mut by_token = Talker::join(&app, id, &login, "").await;
    let mut by_ticket = Talker::open(&app, &format!("/ws/chat/{id}/?ticket={ticket}")).await;
    by_token.assert_open().await;
    by_ticket.assert_open().await;
    let since = Instant::now();
    assert_eq!((by_token.closed().await, by_ticket.closed().await), (4001, 4001));
    // Tokens end with a whole second: between two and three after the login.
    let after = since.elapsed();
    assert!(after > Duration::from_millis(1200) && after < Duration::from_secs(4), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_answers_no_ping_is_dropped_and_one_that_does_stays() {
    let app = TestApp::with(Database::Sqlite, |config| {
        config.community.ping_every = Duration::from_millis(200);
    })
    .await;
    let ada = person(&app, "ada").await;
    let id = room(&app, &ada, "Cellar", false).await;
    let silent = Talker::of(&app, id, &ada).await;
    let mut awake = Talker::of(&app, id, &ada).await;
    let until = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < until {
        // Reading answers pings.
        let next =
            tokio::time::timeout(Duration::from_millis(100), futures_util::StreamExt::next(&mut awake.0))
                .await;
        assert!(!matches!(next, Ok(None | Some(Err(_)))), "{next:?}");
    }
    awake.assert_open().await;
    assert_eq!(app.app().hub.open(), 1, "the silent one is gone");
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_closes_sockets_and_clients_go_on_without_loss_or_repetition() {
    let app = TestApp::start(Database::MariaDb).await;
    let ada = person(&app, "ada").await;
    let id = room(&app, &ada, "Cellar", false).await;
    let other = app.replica().await;
    let mut listener = Talker::of(&other, id, &ada).await;
    let mut talker = Talker::of(&app, id, &ada).await;
    let mut heard = Vec::new();
    let stop = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let since = Instant::now();
        other.stop().await;
        since.elapsed()
    });
    let mut said = 0;
    let code = loop {
        if said < 50 {
            talker.say(&said.to_string()).await;
            said += 1;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        match tokio::time::timeout(Duration::from_millis(10), listener.next()).await {
            Ok(Some(Message::Text(text))) => heard.push(serde_json::from_str::<Value>(&text).expect("JSON")),
            Ok(Some(Message::Close(frame))) => break frame.map(|frame| u16::from(frame.code)),
            Ok(other) => panic!("{other:?}"),
            Err(_) => {}
        }
    };
    assert_eq!(code, Some(1001));
    assert!(stop.await.expect("a stop") < Duration::from_secs(5));
    let last = heard.last().map_or(0, |frame| frame["seq"].as_i64().expect("a number"));
    let mut again = Talker::join(&app, id, &ada.access, &format!("&after={last}")).await;
    while said < 50 {
        talker.say(&said.to_string()).await;
        said += 1;
    }
    while heard.len() < 50 {
        heard.push(again.hear().await);
    }
    let texts: Vec<_> =
        heard.iter().map(|frame| frame["text"].as_str().expect("a text").to_owned()).collect();
    assert_eq!(texts, (0..50).map(|number| number.to_string()).collect::<Vec<_>>());
}
