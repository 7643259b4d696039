//! Rooms, members and what is read, over HTTP.

use super::talker::Talker;
use super::{add, ask, members, room};
use crate::harness::{Database, PASSWORD, TestApp};
use crate::on_each_database;
use crate::people::{Person, Step, ids, person, staff, steps};
use portcullis::accounts::cleanup;
use portcullis::chat;
use portcullis::model::{memberships, messages, room_words, rooms};
use reqwest::Method;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use std::time::Duration;

async fn list(app: &TestApp, who: &Person, query: &str) -> Value {
    app.get(&format!("/api/rooms/{query}"), &who.access).await.expect(200).body
}

on_each_database! {
    async fn a_room_is_made_shown_changed_and_removed_by_its_owner(app: TestApp) {
        let (ada, bo) = (person(&app, "ada").await, person(&app, "bob").await);
        let body = json!({ "name": "  Ada & <b>friends</b> ", "is_public": false });
        let made = app.call(Method::POST, "/api/rooms/", &ada.access, body).await.expect(201);
        let id = made.body["id"].as_i64().expect("an id");
        let expected = json!({ "id": id, "name": "Ada & <b>friends</b>", "is_public": false, "owner": "ada",
            "member": true });
        assert_eq!(made.body, expected);
        assert_eq!(ask(&app, &ada, Method::GET, (id, ""), Value::Null).await.expect(200).body, expected);
        for (method, body) in [(Method::GET, json!({})), (Method::PATCH, json!({ "name": "x" })), (Method::DELETE, json!({}))] {
            ask(&app, &bo, method, (id, ""), body).await.expect(404);
        }
        let open = ask(&app, &ada, Method::PATCH, (id, ""), json!({ "is_public": true })).await.expect(200);
        assert_eq!((&open.body["is_public"], &open.body["name"]), (&json!(true), &expected["name"]));
        let seen = ask(&app, &bo, Method::GET, (id, ""), Value::Null).await.expect(200);
        assert_eq!((&seen.body["member"], &seen.body["owner"]), (&json!(false), &json!("ada")));
        ask(&app, &bo, Method::PATCH, (id, ""), json!({ "name": "x" })).await.expect(403);
        ask(&app, &bo, Method::DELETE, (id, ""), Value::Null).await.expect(403);
        ask(&app, &ada, Method::DELETE, (id, ""), Value::Null).await.expect(204);
        ask(&app, &ada, Method::GET, (id, ""), Value::Null).await.expect(404);
        assert_eq!(list(&app, &ada, "").await["count"], 0);
    }

    async fn the_list_is_own_and_public_and_staff_see_all(app: TestApp) {
        let (ada, bo, keeper) = (person(&app, "ada").await, person(&app, "bob").await, staff(&app, "keeper").await);
        let open = room(&app, &ada, "Zebra lovers", true).await;
        let closed = room(&app, &ada, "Ada's cellar", false).await;
        let own = room(&app, &bo, "Émile's zoo", false).await;
        assert_eq!(ids(&list(&app, &ada, "").await), [closed, open]);
        assert_eq!(ids(&list(&app, &bo, "").await), [own, open]);
        assert_eq!(ids(&list(&app, &keeper, "").await), [own, closed, open]);
        assert_eq!(ids(&list(&app, &bo, "?ordering=name").await), [open, own]);
        assert_eq!(ids(&list(&app, &bo, "?search=emile").await), [own]);
        assert_eq!(ids(&list(&app, &bo, "?search=cellar").await), Vec::<i64>::new(), "it is hidden");
        assert_eq!(ids(&list(&app, &keeper, "?search=cel").await), [closed]);
        let members: Vec<_> = list(&app, &bo, "").await["results"].as_array().expect("rows").iter()
            .map(|row| row["member"].clone()).collect();
        assert_eq!(members, [true, false]);
        assert_eq!(ids(&list(&app, &bo, "?ordering=secret").await), [own, open]);
        app.get("/api/rooms/?cursor=x", &bo.access).await.expect(400);
        app.send(app.request(Method::GET, "/api/rooms/")).await.expect(401);
    }

    async fn own_rooms_are_told_from_others_with_what_was_said_last_in_them(app: TestApp) {
        let (ada, bo, keeper) = (person(&app, "ada").await, person(&app, "bob").await, staff(&app, "keeper").await);
        let open = room(&app, &ada, "Open", true).await;
        let closed = room(&app, &ada, "Closed", false).await;
        let bos = room(&app, &bo, "Bo's", true).await;
        let mut talker = Talker::of(&app, closed, &ada).await;
        for text in ["first", "<b>last</b>"] {
            talker.say(text).await;
            assert_eq!(talker.hear_text().await, text);
        }
        Talker::of(&app, bos, &bo).await.assert_open().await;
        for (who, member, expected) in [
            (&ada, true, vec![closed, open]),
            (&ada, false, vec![bos]),
            (&bo, true, vec![bos]),
            (&bo, false, vec![open]),
            (&keeper, true, vec![]),
            (&keeper, false, vec![bos, closed, open]),
        ] {
            let found = list(&app, who, &format!("?member={member}")).await;
            assert_eq!((ids(&found), &found["count"]), (expected.clone(), &json!(expected.len())), "{member}");
        }
        assert_eq!(ids(&list(&app, &ada, "?member=true&search=open").await), [open]);
        assert_eq!(ids(&list(&app, &ada, "?member=false&search=open").await), Vec::<i64>::new());
        let rows = list(&app, &ada, "?include=last_message").await["results"].clone();
        let texts: Vec<_> = (0..3).map(|row| rows[row]["last_message"]["text"].clone()).collect();
        assert_eq!(texts, [Value::Null, json!("<b>last</b>"), Value::Null], "nothing of rooms one is not in");
        assert_eq!((&rows[1]["last_message"]["user"], &rows[1]["last_message"]["seq"]), (&json!("ada"), &json!(2)));
        let plain = list(&app, &ada, "?member=true").await;
        assert!(plain["results"][0].get("last_message").is_none(), "{plain}");
        let staffs = list(&app, &keeper, "?include=last_message").await;
        assert!(!staffs.to_string().contains("last_message"), "{staffs}");
        app.get("/api/rooms/?member=perhaps", &ada.access).await.expect(400);
    }

    async fn a_long_list_of_rooms_is_read_page_by_page_in_any_order(app: TestApp) {
        let (ada, bo) = (person(&app, "ada").await, person(&app, "bob").await);
        for number in 0..9 {
            room(&app, &ada, &format!("Room {}", number * 7 % 9), true).await;
            room(&app, &bo, &format!("Room {}", number * 5 % 9), false).await;
        }
        for ordering in ["id", "-id", "name", "-name", "-created_at"] {
            let mut url = format!("/api/rooms/?page_size=4&ordering={ordering}");
            let mut all = Vec::new();
            loop {
                let page = app.get(&url, &bo.access).await.expect(200).body;
                assert_eq!(page["count"], 18);
                all.extend(page["results"].as_array().expect("rows").clone());
                match page["next"].as_str() {
                    Some(next) => url = next.replace(&app.origin(), ""),
                    None => break,
                }
            }
            let key = |row: &Value| match ordering.contains("name") {
                true => (row["name"].as_str().expect("a name").to_owned(), row["id"].as_i64()),
                false => (String::new(), row["id"].as_i64()),
            };
            let keys: Vec<_> = all.iter().map(key).collect();
            let mut sorted = keys.clone();
            sorted.sort();
            sorted.dedup();
            if ordering.starts_with('-') {
                sorted.reverse();
            }
            assert_eq!((keys.len(), keys), (18, sorted), "{ordering}");
        }
    }

    async fn public_rooms_are_joined_and_left_and_private_ones_are_not_there(app: TestApp) {
        let (ada, bo) = (person(&app, "ada").await, person(&app, "bob").await);
        let (open, closed) = (room(&app, &ada, "Open", true).await, room(&app, &ada, "Closed", false).await);
        for what in ["join/", "leave/"] {
            ask(&app, &bo, Method::POST, (closed, what), Value::Null).await.expect(404);
            ask(&app, &bo, Method::POST, (987_654, what), Value::Null).await.expect(404);
        }
        for _ in 0..2 {
            let joined = ask(&app, &bo, Method::POST, (open, "join/"), Value::Null).await.expect(200);
            assert_eq!((&joined.body["member"], &joined.body["id"]), (&json!(true), &json!(open)));
        }
        assert_eq!(members(&app, &bo, open).await, ["ada", "bob"]);
        // Whoever is in it stays when it is closed, and may leave it.
        ask(&app, &ada, Method::PATCH, (open, ""), json!({ "is_public": false })).await.expect(200);
        ask(&app, &bo, Method::POST, (open, "join/"), Value::Null).await.expect(200);
        let left = ask(&app, &bo, Method::POST, (open, "leave/"), Value::Null).await.expect(200);
        assert_eq!(left.body["member"], false);
        ask(&app, &bo, Method::GET, (open, ""), Value::Null).await.expect(404);
    }

    async fn the_owner_adds_and_removes_members_and_nobody_else_does(app: TestApp) {
        let (ada, bo, cleo) = (person(&app, "ada").await, person(&app, "bob").await, person(&app, "cleo").await);
        let id = room(&app, &ada, "Cellar", false).await;
        add(&app, &bo, id, "bob").await.expect(404);
        let added = add(&app, &ada, id, "BOB").await.expect(201);
        assert_eq!(added.body["username"], "bob");
        assert_eq!(add(&app, &ada, id, "bob").await.expect(200).body, added.body);
        add(&app, &bo, id, "cleo").await.expect(403);
        ask(&app, &bo, Method::DELETE, (id, "members/ada/"), Value::Null).await.expect(403);
        let unknown = add(&app, &ada, id, "nobody").await.expect(400);
        assert_eq!(unknown.body["fields"]["username"][0], "There is no such user.");
        steps(&app, vec![Step::Block { blocker: cleo.id, blocked: ada.id }]).await;
        assert_eq!(add(&app, &ada, id, "cleo").await.expect(400).body, unknown.body, "a block is not told");
        assert_eq!(members(&app, &bo, id).await, ["ada", "bob"]);
        ask(&app, &ada, Method::DELETE, (id, "members/bob/"), Value::Null).await.expect(204);
        for name in ["bob", "nobody", "%ff"] {
            ask(&app, &ada, Method::DELETE, (id, &format!("members/{name}/")), Value::Null).await.expect(404);
        }
        ask(&app, &bo, Method::GET, (id, "members/"), Value::Null).await.expect(404);
        add(&app, &ada, id, "bob").await.expect(201);
        ask(&app, &bo, Method::DELETE, (id, "members/bob/"), Value::Null).await.expect(204);
        assert_eq!(members(&app, &ada, id).await, ["ada"]);
    }

    async fn messages_are_for_members_and_not_for_staff_who_are_none(app: TestApp) {
        let (ada, bo, keeper) = (person(&app, "ada").await, person(&app, "bob").await, staff(&app, "keeper").await);
        let (open, closed) = (room(&app, &ada, "Open", true).await, room(&app, &ada, "Closed", false).await);
        let history = |who: &Person, id: i64| {
            let who = who.clone();
            let app = &app;
            async move { ask(app, &who, Method::GET, (id, "messages/"), Value::Null).await.status }
        };
        assert_eq!((history(&ada, open).await, history(&ada, closed).await), (200, 200));
        assert_eq!((history(&bo, open).await, history(&bo, closed).await), (403, 404));
        assert_eq!((history(&keeper, open).await, history(&keeper, closed).await), (403, 403));
        // Staff see the room and who is in it, and change neither.
        assert_eq!(members(&app, &keeper, closed).await, ["ada"]);
        add(&app, &keeper, closed, "keeper").await.expect(403);
        ask(&app, &keeper, Method::DELETE, (closed, ""), Value::Null).await.expect(403);
        ask(&app, &keeper, Method::POST, (closed, "join/"), Value::Null).await.expect(404);
    }

    async fn a_room_passes_to_the_oldest_member_and_goes_with_the_last(app: TestApp) {
        let (ada, bo, cleo) = (person(&app, "ada").await, person(&app, "bob").await, person(&app, "cleo").await);
        let id = room(&app, &ada, "Open", true).await;
        for who in [&cleo, &bo] {
            ask(&app, who, Method::POST, (id, "join/"), Value::Null).await.expect(200);
        }
        let left = ask(&app, &ada, Method::POST, (id, "leave/"), Value::Null).await.expect(200);
        assert_eq!((&left.body["owner"], &left.body["member"]), (&json!("cleo"), &json!(false)));
        // An erased account leaves in the same way.
        app.call(Method::DELETE, "/api/auth/me/", &cleo.access, json!({ "password": PASSWORD })).await.expect(200);
        let hidden = ask(&app, &bo, Method::GET, (id, ""), Value::Null).await.expect(200);
        assert_eq!(hidden.body["owner"], Value::Null, "a deleted account hides at once");
        assert_eq!(members(&app, &bo, id).await, ["bob"]);
        erase_now(&app, cleo.id).await;
        assert_eq!(ask(&app, &bo, Method::GET, (id, ""), Value::Null).await.expect(200).body["owner"], "bob");
        ask(&app, &bo, Method::POST, (id, "leave/"), Value::Null).await.expect(200);
        ask(&app, &bo, Method::GET, (id, ""), Value::Null).await.expect(404);
        chat::purge(&app.app().storage).await.expect("a clean-up");
        let db = app.app().storage.reader();
        assert_eq!(rooms::Entity::find().count(db).await.expect("a count"), 0);
        assert_eq!(memberships::Entity::find().count(db).await.expect("a count"), 0);
        assert_eq!(messages::Entity::find().count(db).await.expect("a count"), 0);
        assert_eq!(room_words::Entity::find().count(db).await.expect("a count"), 0);
        app.mails().await;
    }

    async fn what_was_read_never_goes_back_nor_past_the_end(app: TestApp) {
        let (ada, bo) = (person(&app, "ada").await, person(&app, "bob").await);
        let id = room(&app, &ada, "Open", true).await;
        let unread = app.get("/api/rooms/unread/", &ada.access).await.expect(200);
        assert_eq!(unread.body, json!({ "results": [{ "room": id, "unread": 0 }] }));
        assert_eq!(app.get("/api/rooms/unread/", &bo.access).await.expect(200).body, json!({ "results": [] }));
        let read = ask(&app, &ada, Method::POST, (id, "read/"), json!({ "seq": 99 })).await.expect(200);
        assert_eq!(read.body, json!({ "room": id, "unread": 0 }));
        ask(&app, &bo, Method::POST, (id, "read/"), json!({ "seq": 0 })).await.expect(403);
        for wrong in [json!({}), json!({ "seq": -1 }), json!({ "seq": "x" })] {
            ask(&app, &ada, Method::POST, (id, "read/"), wrong).await.expect(400);
        }
    }

    async fn what_is_wrong_with_a_room_is_told_field_by_field(app: TestApp) {
        let ada = person(&app, "ada").await;
        for (body, field) in [
            (json!({}), "name"),
            (json!({ "name": "" }), "name"),
            (json!({ "name": "   " }), "name"),
            (json!({ "name": "a\nb" }), "name"),
            (json!({ "name": "x".repeat(101) }), "name"),
            (json!({ "name": "x", "is_public": "maybe" }), "is_public"),
        ] {
            let answer = app.call(Method::POST, "/api/rooms/", &ada.access, body.clone()).await.expect(400);
            assert!(answer.body["fields"][field][0].is_string(), "{body}: {}", answer.body);
        }
        let longest = json!({ "name": "\u{1f4da}".repeat(100), "is_public": true });
        app.call(Method::POST, "/api/rooms/", &ada.access, longest).await.expect(201);
        for (method, path) in [
            (Method::POST, "rooms/"), (Method::GET, "rooms/1/"), (Method::PATCH, "rooms/1/"), (Method::DELETE, "rooms/1/"),
            (Method::POST, "rooms/1/join/"), (Method::POST, "rooms/1/leave/"), (Method::GET, "rooms/1/members/"),
            (Method::POST, "rooms/1/members/"), (Method::DELETE, "rooms/1/members/ada/"), (Method::GET, "rooms/1/messages/"),
            (Method::GET, "rooms/unread/"), (Method::POST, "rooms/1/read/"),
        ] {
            app.send(app.request(method, &format!("/api/{path}")).json(&json!({}))).await.expect(401);
        }
    }
}

async fn erase_now(app: &TestApp, user_id: i64) {
    use portcullis::model::users;
    use sea_orm::sea_query::Expr;
    use sea_orm::{ColumnTrait, QueryFilter};
    crate::community::change(app, move |tx| {
        Box::pin(async move {
            users::Entity::update_many()
                .col_expr(users::Column::DeleteAt, Expr::value(1))
                .filter(users::Column::Id.eq(user_id))
                .exec(tx)
                .await?;
            Ok(())
        })
    })
    .await;
    cleanup::run(app.app()).await.expect("a clean-up");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_about_rooms_count_as_those_of_a_user() {
    let app = TestApp::with(Database::Sqlite, |config| {
        config.throttle.enabled = true;
        config.throttle.user = portcullis::config::Rate { count: 8, period: Duration::from_secs(3600) };
    })
    .await;
    let ada = app.user("ada").await.text("access");
    let id = app.call(Method::POST, "/api/rooms/", &ada, json!({ "name": "x" })).await.expect(201).body["id"]
        .clone();
    for path in ["", "join/", "members/", "messages/", "read/"] {
        let path = format!("/api/rooms/{id}/{path}");
        let method =
            if path.ends_with("join/") || path.ends_with("read/") { Method::POST } else { Method::GET };
        app.call(method, &path, &ada, json!({ "seq": 0 })).await.expect(200);
    }
    app.get("/api/rooms/unread/", &ada).await.expect(200);
    app.get("/api/rooms/", &ada).await.expect(200);
    let refused =
        app.call(Method::POST, &format!("/api/rooms/{id}/leave/"), &ada, json!({})).await.expect(429);
    assert!(refused.headers.contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_server_alone_has_no_rooms() {
    let app = TestApp::with(Database::Sqlite, |config| config.community.enabled = false).await;
    let ada = app.user("ada").await.text("access");
    for path in
        ["/api/rooms/", "/api/rooms/1/", "/api/rooms/unread/", "/api/rooms/1/messages/", "/ws/chat/1/"]
    {
        app.get(path, &ada).await.expect(404);
    }
    app.call(Method::POST, "/api/auth/ws-ticket/", &ada, json!({})).await.expect(404);
    app.get("/api/auth/me/export/", &ada).await.expect(200);
}
