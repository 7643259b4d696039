//! Opening sockets and talking in them (guide §9).

use super::talker::{Talker, dial};
use super::{add, ask, room};
use crate::harness::{Answer, Database, TestApp};
use crate::on_each_database;
use crate::people::{Person, person, staff};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

pub async fn ticket(app: &TestApp, access: &str) -> Answer {
    app.call(Method::POST, "/api/auth/ws-ticket/", access, json!({})).await
}

on_each_database! {
    async fn what_is_said_comes_to_everybody_and_stands_in_the_history(app: TestApp) {
        let (ada, bob) = (person(&app, "ada").await, person(&app, "bob").await);
        let id = room(&app, &ada, "Open", true).await;
        ask(&app, &bob, Method::POST, (id, "join/"), Value::Null).await.expect(200);
        let (mut one, mut two) = (Talker::of(&app, id, &ada).await, Talker::of(&app, id, &bob).await);
        one.say("  <b>\"AT&T\"</b> isn't &amp; \u{1f4da}\n ").await;
        let frame = one.hear().await;
        assert_eq!(two.hear().await, frame);
        assert_eq!((&frame["type"], &frame["seq"], &frame["user"]), (&json!("chat_message"), &json!(1), &json!("ada")));
        assert_eq!(frame["text"], "<b>\"AT&T\"</b> isn't &amp; \u{1f4da}");
        assert_eq!(frame["message"], "&lt;b&gt;&quot;AT&amp;T&quot;&lt;/b&gt; isn&#x27;t &amp;amp; \u{1f4da}");
        let names: Vec<_> = frame.as_object().expect("an object").keys().cloned().collect();
        assert_eq!(names, ["id", "message", "seq", "text", "timestamp", "type", "user"]);
        two.say("yes").await;
        let second = two.hear().await;
        assert_eq!((one.hear().await, &second["seq"]), (second.clone(), &json!(2)));
        let history = ask(&app, &bob, Method::GET, (id, "messages/"), Value::Null).await.expect(200).body;
        assert_eq!(history, json!({ "count": 2, "next": null, "previous": null, "results": [second, frame] }));
        let unread = app.get("/api/rooms/unread/", &bob.access).await.expect(200).body;
        assert_eq!(unread["results"], json!([{ "room": id, "unread": 2 }]));
        for (seq, left) in [(1, 1), (0, 1), (2, 0), (1, 0)] {
            let read = ask(&app, &bob, Method::POST, (id, "read/"), json!({ "seq": seq })).await.expect(200);
            assert_eq!(read.body["unread"], left);
        }
    }

    async fn what_one_says_oneself_is_new_to_others_alone(app: TestApp) {
        let (ada, bob) = (person(&app, "ada").await, person(&app, "bob").await);
        let id = room(&app, &ada, "Open", true).await;
        ask(&app, &bob, Method::POST, (id, "join/"), Value::Null).await.expect(200);
        let (mut one, mut two) = (Talker::of(&app, id, &ada).await, Talker::of(&app, id, &bob).await);
        let unread = async |person: &Person| {
            let rooms = app.get("/api/rooms/unread/", &person.access).await.expect(200).body;
            rooms["results"][0]["unread"].as_i64().expect("a number")
        };
        for text in ["hello", "anybody?"] {
            one.say(text).await;
            one.hear().await;
        }
        assert_eq!((unread(&ada).await, unread(&bob).await), (0, 2));
        // What he has not read stays new.
        two.say("yes").await;
        while two.hear().await["text"] != "yes" {}
        assert_eq!((unread(&ada).await, unread(&bob).await), (1, 3));
    }

    async fn a_history_is_read_page_by_page_from_both_ends(app: TestApp) {
        let ada = person(&app, "ada").await;
        let id = room(&app, &ada, "Open", true).await;
        let mut one = Talker::of(&app, id, &ada).await;
        for number in 1..=23 {
            one.say(&number.to_string()).await;
            assert_eq!(one.hear().await["seq"], number);
        }
        for (ordering, expected) in [("-seq", (1..=23).rev().collect::<Vec<i64>>()), ("seq", (1..=23).collect())] {
            let mut url = format!("/api/rooms/{id}/messages/?page_size=5&ordering={ordering}");
            let mut seqs = Vec::new();
            loop {
                let page = app.get(&url, &ada.access).await.expect(200).body;
                assert_eq!(page["count"], 23);
                seqs.extend(page["results"].as_array().expect("rows").iter().filter_map(|row| row["seq"].as_i64()));
                match page["next"].as_str() {
                    Some(next) => url = next.replace(&app.origin(), ""),
                    None => break,
                }
            }
            assert_eq!(seqs, expected);
        }
    }

    async fn the_codes_are_seen_by_a_browser_and_every_way_in_works(app: TestApp) {
        let (ada, bob, keeper) = (person(&app, "ada").await, person(&app, "bob").await, staff(&app, "keeper").await);
        let id = room(&app, &ada, "Open", true).await;
        let path = format!("/ws/chat/{id}");
        let codes = [
            (format!("{path}/"), 4001),
            (format!("{path}/?token="), 4001),
            (format!("{path}/?token=%ff"), 4001),
            (format!("{path}/?token={}x", ada.access), 4001),
            (format!("{path}/?ticket=nonsense&after=1"), 4001),
            (format!("{path}/?token={}", bob.access), 4003),
            (format!("{path}/?token={}", keeper.access), 4003),
            (format!("/ws/chat/987654/?token={}", ada.access), 4003),
            (format!("/ws/chat/0x1/?token={}", ada.access), 4003),
            (format!("/ws/chat/%ff/?token={}", ada.access), 4003),
        ];
        for (path, code) in codes {
            assert_eq!(Talker::open(&app, &path).await.closed().await, code, "{path}");
        }
        let refresh = app.login("ada", crate::harness::PASSWORD).await.expect(200).text("refresh");
        assert_eq!(Talker::join(&app, id, &refresh, "").await.closed().await, 4001, "a refresh token");
        for path in [format!("{path}/"), path.clone()] {
            Talker::open(&app, &format!("{path}?x=1&token={}&after=0", ada.access)).await.assert_open().await;
        }
        let ticket = ticket(&app, &ada.access).await.expect(200).text("ticket");
        Talker::open(&app, &format!("{path}/?ticket={ticket}")).await.assert_open().await;
        let bearer = format!("bearer, {}", ada.access);
        let headers = [("sec-websocket-protocol", bearer.as_str())];
        let (mut talker, response) = dial(app.address(), &path, &headers).await.expect("an open socket");
        assert_eq!(response.headers()["sec-websocket-protocol"], "bearer");
        talker.assert_open().await;
        let (mut refused, response) =
            dial(app.address(), &path, &[("sec-websocket-protocol", "bearer, nonsense")]).await.expect("a socket");
        assert_eq!(response.headers()["sec-websocket-protocol"], "bearer");
        assert_eq!(refused.closed().await, 4001);
    }

    async fn numbers_have_no_gap_whoever_talks_at_once(app: TestApp) {
        let ada = person(&app, "ada").await;
        let id = room(&app, &ada, "Open", true).await;
        let mut listener = Talker::of(&app, id, &ada).await;
        let mut open = Vec::new();
        for _ in 0..8 {
            open.push(Talker::of(&app, id, &ada).await);
        }
        let mut talkers = Vec::new();
        for (number, mut talker) in open.into_iter().enumerate() {
            talkers.push(tokio::spawn(async move {
                for line in 0..40 {
                    talker.say(&format!("{number} {line}")).await;
                }
                // Every socket hears all of them, in the same order.
                let mut heard = Vec::new();
                while heard.len() < 320 {
                    heard.push(talker.hear().await);
                }
                heard
            }));
        }
        let mut heard = Vec::new();
        while heard.len() < 320 {
            heard.push(listener.hear().await);
        }
        let seqs: Vec<_> = heard.iter().map(|frame| frame["seq"].as_i64().expect("a number")).collect();
        assert_eq!(seqs, (1..=320).collect::<Vec<_>>());
        let texts: BTreeSet<_> = heard.iter().map(|frame| frame["text"].to_string()).collect();
        assert_eq!(texts.len(), 320);
        for talker in talkers {
            let also = talker.await.expect("a talker");
            assert!(also == heard, "another order");
        }
        // What one says comes in the order in which it was said.
        for number in 0..8 {
            let own = heard.iter().filter_map(|frame| frame["text"].as_str()?.strip_prefix(&format!("{number} ")));
            assert_eq!(own.map(|line| line.parse().expect("a line")).collect::<Vec<i32>>(), (0..40).collect::<Vec<_>>());
        }
    }

    async fn a_ticket_opens_one_socket_and_is_bound_to_its_session(app: TestApp) {
        let ada = person(&app, "ada").await;
        let id = room(&app, &ada, "Open", true).await;
        app.send(app.request(Method::POST, "/api/auth/ws-ticket/")).await.expect(401);
        let answer = ticket(&app, &ada.access).await.expect(200);
        assert_eq!(answer.body["expires_in"], 30);
        assert_eq!(answer.headers["cache-control"], "no-store");
        let path = format!("/ws/chat/{id}/?ticket={}", answer.text("ticket"));
        let opened = futures_util::future::join_all((0..6).map(|_| async {
            let mut talker = Talker::open(&app, &path).await;
            talker.say("hello").await;
            matches!(talker.next().await, Some(Message::Text(_)))
        }));
        let opened = opened.await;
        assert_eq!(opened.iter().filter(|is_open| **is_open).count(), 1, "of six at once one is let in");
        // A ticket of a session that has ended since opens nothing, and a socket ends with it.
        let login = app.login("ada", crate::harness::PASSWORD).await.expect(200);
        let (first, second) = (ticket(&app, &login.text("access")).await.text("ticket"), ticket(&app, &login.text("access")).await.text("ticket"));
        let mut open = Talker::open(&app, &format!("/ws/chat/{id}/?ticket={first}")).await;
        open.assert_open().await;
        app.post("/api/auth/logout/", json!({ "refresh": login.text("refresh") })).await.expect(200);
        assert_eq!(open.closed().await, 4001);
        assert_eq!(Talker::open(&app, &format!("/ws/chat/{id}/?ticket={second}")).await.closed().await, 4001);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_lives_for_thirty_seconds() {
    let app = TestApp::with_manual_clock(Database::Sqlite, |_| {}).await;
    let ada = person(&app, "ada").await;
    let id = room(&app, &ada, "Open", true).await;
    for (age, is_good) in [(29, true), (30, false)] {
        let ticket = ticket(&app, &ada.access).await.expect(200).text("ticket");
        app.advance(Duration::from_secs(age));
        let mut talker = Talker::open(&app, &format!("/ws/chat/{id}/?ticket={ticket}")).await;
        match is_good {
            true => talker.assert_open().await,
            false => assert_eq!(talker.closed().await, 4001),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_is_refused_before_the_upgrade() {
    let app = TestApp::start(Database::Sqlite).await;
    let ada = person(&app, "ada").await;
    let id = room(&app, &ada, "Open", true).await;
    let path = format!("/ws/chat/{id}/?token={}", ada.access);
    for origin in ["https://evil.example", "null", "http://localhost:3000.evil.example", ""] {
        let refused = dial(app.address(), &path, &[("origin", origin)]).await.err().expect("a refusal");
        assert_eq!(refused.status(), 403, "{origin}");
        let body: Value = serde_json::from_slice(refused.body().as_ref().expect("a body")).expect("JSON");
        assert_eq!(body["code"], "origin_not_allowed");
    }
    for origin in [app.origin(), "http://localhost:3000".to_owned()] {
        dial(app.address(), &path, &[("origin", &origin)])
            .await
            .expect("an open socket")
            .0
            .assert_open()
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_handshake_is_told_in_json() {
    let app = TestApp::start(Database::Sqlite).await;
    let ada = person(&app, "ada").await;
    let id = room(&app, &ada, "Open", true).await;
    let path = format!("/ws/chat/{id}/?token={}", ada.access);
    let plain = app.send(app.request(Method::GET, &path)).await.expect(426);
    assert_eq!(plain.body["code"], "upgrade_required");
    assert_eq!(plain.headers["sec-websocket-version"], "13");
    app.send(app.request(Method::POST, &path)).await.expect(405);
    let with = |fields: &[(&'static str, &'static str)]| {
        let request = app.request(Method::GET, &path);
        fields.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    };
    let good =
        [("connection", "keep-alive, Upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "13")];
    for key in ["", "x", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZSBsb25nZXI="] {
        app.send(with(&good).header("sec-websocket-key", key)).await.expect(400);
    }
    let old =
        [good[0], good[1], ("sec-websocket-version", "8"), ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")];
    app.send(with(&old)).await.expect(426);
    let refused = dial(app.address(), &format!("{path}&after=x"), &[]).await.err().expect("a refusal");
    assert_eq!(refused.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_message_is_told_and_ends_nothing() {
    let app = TestApp::start(Database::Sqlite).await;
    let ada = person(&app, "ada").await;
    let id = room(&app, &ada, "Open", true).await;
    let mut talker = Talker::of(&app, id, &ada).await;
    let long = json!({ "message": "\u{1f4da}".repeat(1001) }).to_string();
    let deep = format!("{{\"message\":{}", "[".repeat(8000));
    let wrong = [
        "",
        "{",
        "[]",
        "null",
        "\"x\"",
        "{}",
        r#"{"message":null}"#,
        r#"{"message":7}"#,
        r#"{"message":""}"#,
        r#"{"message":" \n\t\u2003 "}"#,
        r#"{"message":"a\u0000b"}"#,
        r#"{"message":"\ud800"}"#,
        &long,
        &deep,
    ];
    for text in wrong {
        talker.send(Message::text(text)).await;
        let answer = talker.hear().await;
        assert_eq!(answer, json!({ "type": "error", "message": "Invalid message" }), "{text:.40}");
    }
    let longest = "\u{1f4da}".repeat(1000);
    talker.say(&format!("  {longest}  ")).await;
    let heard = talker.hear().await;
    assert_eq!((heard["text"].as_str(), &heard["seq"]), (Some(longest.as_str()), &json!(1)));
    talker.send(Message::text(r#"{"message":"more","type":"x","user":"bob","seq":99}"#)).await;
    let heard = talker.hear().await;
    assert_eq!((&heard["seq"], &heard["user"]), (&json!(2), &json!("ada")));
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_frames_pass_in_ten_seconds_and_twice_as_many_end_the_socket() {
    let app = TestApp::start(Database::Sqlite).await;
    let ada = person(&app, "ada").await;
    let id = room(&app, &ada, "Open", true).await;
    let (mut talker, mut other) = (Talker::of(&app, id, &ada).await, Talker::of(&app, id, &ada).await);
    for number in 0..120 {
        // The socket may be closed while the last ones are on their way.
        let frame = Message::text(json!({ "message": number.to_string() }).to_string());
        let _ = futures_util::SinkExt::send(&mut talker.0, frame).await;
    }
    for number in 0..60 {
        assert_eq!(other.hear().await["text"], number.to_string());
    }
    let mut errors = 0;
    let code = loop {
        match talker.next().await {
            Some(Message::Text(text)) => errors += usize::from(text.contains("Rate limit exceeded")),
            Some(Message::Close(frame)) => break frame.map(|frame| u16::from(frame.code)),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((errors, code), (59, Some(1008)));
    other.say("I am another connection").await;
    assert_eq!(other.hear().await["seq"], 61, "what was refused was not said");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_says_so_much_in_ten_seconds_however_many_sockets_it_has() {
    let app = TestApp::with_manual_clock(Database::Sqlite, |config| config.throttle.enabled = true).await;
    let (ada, bob) = (app.user("ada").await.text("access"), app.user("bob").await.text("access"));
    let own_room = async |access: &str| {
        let made = app.call(Method::POST, "/api/rooms/", access, json!({ "name": "x" })).await.expect(201);
        made.body["id"].as_i64().expect("an id")
    };
    let id = own_room(&ada).await;
    let (mut stored, mut refused) = (0, 0);
    let mut talkers = Vec::new();
    for socket in 0..3 {
        let mut talker = Talker::join(&app, id, &ada, "").await;
        for number in 0..50 {
            talker.say(&format!("{socket} {number}")).await;
            match talker.hear_text().await.as_str() {
                "Rate limit exceeded" => refused += 1,
                _ => stored += 1,
            }
        }
        talkers.push(talker);
    }
    assert_eq!((stored, refused), (120, 30));
    Talker::join(&app, own_room(&bob).await, &bob, "").await.assert_open().await;
    app.advance(Duration::from_secs(11));
    for talker in &mut talkers {
        talker.assert_open().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_count_as_calls_of_their_user_and_others_as_those_of_nobody() {
    let hour = Duration::from_secs(3600);
    let app = TestApp::with(Database::Sqlite, |config| {
        config.throttle.enabled = true;
        config.throttle.user = portcullis::config::Rate { count: 4, period: hour };
        config.throttle.anon = portcullis::config::Rate { count: 3, period: hour };
    })
    .await;
    let ada = app.user("ada").await.text("access");
    let made = app.call(Method::POST, "/api/rooms/", &ada, json!({ "name": "x" })).await.expect(201);
    let id = made.body["id"].as_i64().expect("an id");
    let ticket = ticket(&app, &ada).await.expect(200).text("ticket");
    Talker::open(&app, &format!("/ws/chat/{id}/?ticket={ticket}")).await.assert_open().await;
    Talker::join(&app, id, &ada, "").await.assert_open().await;
    let refused =
        dial(app.address(), &format!("/ws/chat/{id}/?token={ada}"), &[]).await.err().expect("a refusal");
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (429, true));
    assert!(refused.headers()["ratelimit"].to_str().expect("a text").starts_with("\"user\""));
    for number in 0..4 {
        match dial(app.address(), &format!("/ws/chat/{id}/?ticket={ticket}"), &[]).await {
            Ok((mut talker, _)) => assert_eq!((talker.closed().await, number < 3), (4001, true)),
            Err(refused) => assert_eq!((refused.status().as_u16(), number), (429, 3)),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_and_an_address_have_so_many_sockets() {
    let app = TestApp::with(Database::Sqlite, |config| {
        (config.community.sockets_per_user, config.community.sockets_per_ip) = (2, 3);
    })
    .await;
    let (ada, bob) = (person(&app, "ada").await, person(&app, "bob").await);
    let id = room(&app, &ada, "Open", true).await;
    add(&app, &ada, id, "bob").await.expect(201);
    let mut first = Talker::of(&app, id, &ada).await;
    let mut second = Talker::of(&app, id, &ada).await;
    assert_eq!(Talker::of(&app, id, &ada).await.closed().await, 1013, "the account's third");
    let mut third = Talker::of(&app, id, &bob).await;
    assert_eq!(Talker::of(&app, id, &bob).await.closed().await, 1013, "the address's fourth");
    for talker in [&mut first, &mut second, &mut third] {
        talker.assert_open().await;
    }
    drop(first);
    for _ in 0..100 {
        if app.app().hub.open() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Talker::of(&app, id, &ada).await.assert_open().await;
}
