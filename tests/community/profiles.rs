//! Profiles: the own one, and those of others.

use super::{approve, block, call, change, follow, people, show_to, staff};
use crate::harness::{Database, PASSWORD, TestApp};
use crate::on_each_database;
use portcullis::model::users;
use reqwest::Method;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

/// Every route of this feature that wants a token.
const CLOSED: [(Method, &str); 11] = [
    (Method::GET, "/api/profile/"),
    (Method::PATCH, "/api/profile/"),
    (Method::POST, "/api/profiles/ann/follow/"),
    (Method::DELETE, "/api/profiles/ann/follow/"),
    (Method::GET, "/api/follow-requests/"),
    (Method::POST, "/api/follow-requests/1/approve/"),
    (Method::POST, "/api/follow-requests/1/reject/"),
    (Method::POST, "/api/profiles/ann/block/"),
    (Method::DELETE, "/api/profiles/ann/block/"),
    (Method::GET, "/api/blocks/"),
    (Method::GET, "/api/blocks"),
];

async fn see(app: &TestApp, access: &str, name: &str) -> u16 {
    call(app, Method::GET, &format!("/api/profiles/{name}/"), access).await.status
}

async fn set_status(app: &TestApp, name: &'static str, status: users::Status) {
    change(app, move |tx| {
        Box::pin(async move {
            let update = users::Entity::update_many().col_expr(users::Column::Status, Expr::value(status));
            update.filter(users::Column::UsernameKey.eq(name)).exec(tx).await?;
            Ok(())
        })
    })
    .await;
}

on_each_database! {
    async fn a_profile_is_shown_to_and_changed_by_its_owner(app: TestApp) {
        let [ann] = people(&app, ["ann"]).await;
        let fresh = app.get("/api/profile/", &ann).await.expect(200).body;
        let wishes = json!({
            "new_follower": true, "follow_request": true, "follow_approved": true, "book_reviewed": true,
        });
        assert_eq!(fresh, json!({
            "username": "ann", "bio": "", "avatar_url": null, "followers_count": 0, "following_count": 0,
            "profile_visibility": "public", "notification_preferences": wishes,
        }));
        let bio = "📚".repeat(500);
        let patch = json!({
            "bio": bio, "profile_visibility": "followers_only", "more": 1,
            "notification_preferences": { "book_reviewed": false },
        });
        let changed = app.call(Method::PATCH, "/api/profile/", &ann, patch).await.expect(200).body;
        assert_eq!(changed["bio"], bio);
        assert_eq!(changed["notification_preferences"]["book_reviewed"], false);
        assert_eq!(changed["notification_preferences"]["new_follower"], true);
        let same = app.call(Method::PATCH, "/api/profile/", &ann, json!({})).await.expect(200).body;
        assert_eq!((&same["profile_visibility"], &same), (&json!("followers_only"), &changed));
    }

    async fn a_wrong_profile_is_refused_with_every_problem(app: TestApp) {
        let [ann] = people(&app, ["ann"]).await;
        let patch = json!({
            "bio": "x".repeat(501), "profile_visibility": "Public",
            "notification_preferences": { "new_follower": "yes" },
        });
        let refused = app.call(Method::PATCH, "/api/profile/", &ann, patch).await.expect(400);
        assert_eq!(refused.body["fields"], json!({
            "bio": ["Ensure this field has no more than 500 characters."],
            "profile_visibility": ["\"Public\" is not a valid choice."],
            "new_follower": ["Must be a valid boolean."],
        }));
        for patch in [
            json!({ "bio": 7 }), json!({ "bio": "a\0b" }), json!({ "profile_visibility": [] }),
            json!({ "notification_preferences": [] }), json!([]),
        ] {
            app.call(Method::PATCH, "/api/profile/", &ann, patch).await.expect(400);
        }
        let text = app.request(Method::PATCH, "/api/profile/").bearer_auth(&ann).header("content-type", "text/plain");
        app.send(text.body("bio=x")).await.expect(415);
        call(&app, Method::PUT, "/api/profile/", &ann).await.expect(405);
        assert_eq!(app.get("/api/profile/", &ann).await.body["bio"], "");
    }

    async fn a_profile_is_shown_by_its_setting_and_hidden_as_if_it_did_not_exist(app: TestApp) {
        let [ann, asks, follows, blocked, other] = people(&app, ["ann", "asks", "follows", "blocked", "other"]).await;
        let boss = staff(&app, "boss").await;
        show_to(&app, &ann, "followers_only").await;
        for (name, access) in [("asks", &asks), ("follows", &follows)] {
            assert_eq!(follow(&app, access, "ann").await.expect(201).text("status"), "pending", "{name}");
        }
        approve(&app, &ann, "follows").await;
        block(&app, &ann, "blocked").await.expect(201);
        let viewers = ["", &other, &asks, &follows, &blocked, &boss, &ann];
        for (visibility, expected) in [
            ("public", [200, 200, 200, 200, 404, 200, 200]),
            ("followers_only", [404, 404, 404, 200, 404, 200, 200]),
            ("private", [404, 404, 404, 404, 404, 200, 200]),
        ] {
            show_to(&app, &ann, visibility).await;
            for (viewer, status) in viewers.iter().zip(expected) {
                assert_eq!(see(&app, viewer, "ANN").await, status, "{visibility}");
            }
        }
        let hidden = call(&app, Method::GET, "/api/profiles/ann/", &other).await.expect(404);
        for name in ["nobody", "%ff", "%00", &"x".repeat(300), "a%2Fb"] {
            let unknown = call(&app, Method::GET, &format!("/api/profiles/{name}/"), &other).await.expect(404);
            assert_eq!(unknown.body, hidden.body, "{name}");
        }
        app.mails().await;
    }

    async fn a_profile_says_what_the_contract_names_and_no_address(app: TestApp) {
        let [ann, bob] = people(&app, ["ann", "bob"]).await;
        follow(&app, &bob, "ann").await.expect(201);
        app.call(Method::PATCH, "/api/profile/", &ann, json!({ "bio": "<b>Hi</b>" })).await.expect(200);
        let shown = app.get("/api/profiles/Ann/", &bob).await.expect(200);
        assert_eq!(shown.body, json!({
            "username": "ann", "bio": "<b>Hi</b>", "avatar_url": null, "followers_count": 1,
            "following_count": 0,
        }));
        let asked = app.get("/api/profiles/Ann/?include=follow_status", &bob).await.expect(200);
        assert_eq!(asked.body["follow_status"], "accepted");
        let open = call(&app, Method::GET, "/api/profiles/ann?include=follow_status", "").await.expect(200);
        assert_eq!(open.body["follow_status"], Value::Null);
        assert_eq!(open.body.as_object().map(|shown| shown.len()), Some(6));
        call(&app, Method::GET, "/api/profiles/ann/", "no-token").await.expect(401);
        app.mails().await;
    }

    async fn a_deleted_owner_is_hidden_at_once_and_comes_back_with_a_login(app: TestApp) {
        let [ann, bob] = people(&app, ["ann", "bob"]).await;
        let boss = staff(&app, "boss").await;
        follow(&app, &bob, "ann").await.expect(201);
        app.call(Method::DELETE, "/api/auth/me/", &ann, json!({ "password": PASSWORD })).await.expect(200);
        for viewer in ["", &bob, &boss] {
            assert_eq!(see(&app, viewer, "ann").await, 404);
        }
        follow(&app, &bob, "ann").await.expect(404);
        assert_eq!(app.get("/api/profiles/bob/", &bob).await.body["following_count"], 0);
        app.login("ann", PASSWORD).await.expect(200);
        assert_eq!(see(&app, "", "ann").await, 200);
        assert_eq!(app.get("/api/profiles/bob/", &bob).await.body["following_count"], 1);
        app.mails().await;
    }

    async fn a_banned_owner_and_one_who_never_verified_are_for_staff_alone(app: TestApp) {
        let [_, bob] = people(&app, ["ann", "bob"]).await;
        let boss = staff(&app, "boss").await;
        set_status(&app, "ann", users::Status::Banned).await;
        app.register("new").await.expect(201);
        for name in ["ann", "new"] {
            assert_eq!([see(&app, "", name).await, see(&app, &bob, name).await], [404, 404], "{name}");
            assert_eq!(see(&app, &boss, name).await, 200, "{name}");
            follow(&app, &bob, name).await.expect(404);
        }
        app.mails().await;
    }

    async fn what_is_stored_about_somebody_is_exported_and_goes_with_the_account(app: TestApp) {
        let [ann, bob, eve] = people(&app, ["ann", "bob", "eve"]).await;
        follow(&app, &bob, "ann").await.expect(201);
        follow(&app, &ann, "bob").await.expect(201);
        block(&app, &ann, "eve").await.expect(201);
        let export = app.get("/api/auth/me/export/", &ann).await.expect(200).body;
        let names = |list: &str| -> Vec<String> {
            let rows = export["relations"][list].as_array().expect("rows");
            rows.iter().map(|row| row["user"].as_str().expect("a name").to_owned()).collect()
        };
        assert_eq!([names("following"), names("followers"), names("blocked")], [["bob"], ["bob"], ["eve"]]);
        let export = app.get("/api/auth/me/export/", &eve).await.expect(200).body;
        assert!(!export.to_string().contains("ann"), "who blocks one is not one's to know: {export}");

        app.call(Method::DELETE, "/api/auth/me/", &ann, json!({ "password": PASSWORD })).await.expect(200);
        change(&app, |tx| Box::pin(async move {
            let update = users::Entity::update_many().col_expr(users::Column::DeleteAt, Expr::value(1_i64));
            update.filter(users::Column::UsernameKey.eq("ann")).exec(tx).await?;
            Ok(())
        })).await;
        portcullis::accounts::cleanup::run(app.app()).await.expect("a clean-up");
        use portcullis::model::{blocks, follows};
        let db = app.app().storage.reader();
        assert!(follows::Entity::find().all(db).await.expect("rows").is_empty());
        assert!(blocks::Entity::find().all(db).await.expect("rows").is_empty());
        app.mails().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_closed_route_of_profiles_wants_a_token() {
    let app = TestApp::start(Database::Sqlite).await;
    people(&app, ["ann"]).await;
    for (method, path) in CLOSED {
        let refused = call(&app, method.clone(), path, "").await.expect(401);
        assert_eq!(refused.text("code"), "not_authenticated", "{method} {path}");
        call(&app, method, path, "no-token").await.expect(401);
    }
    let wrong = call(&app, Method::DELETE, "/api/profiles/ann/", "").await.expect(405);
    assert_eq!(wrong.headers["allow"], "GET,HEAD");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_profiles_is_throttled() {
    let app = TestApp::with(Database::Sqlite, |config| {
        config.throttle.enabled = true;
        config.throttle.user = portcullis::config::Rate::parse("1/day").expect("a rate");
        config.throttle.anon = portcullis::config::Rate::parse("2/day").expect("a rate");
    })
    .await;
    let [ann] = people(&app, ["ann"]).await;
    app.get("/api/profile/", &ann).await.expect(200);
    for (method, path) in CLOSED {
        call(&app, method, path, &ann).await.expect(429);
    }
    call(&app, Method::GET, "/api/profiles/ann/", &ann).await.expect(429);
    assert_eq!(
        [see(&app, "", "ann").await, see(&app, "", "ann").await, see(&app, "", "ann").await],
        [200, 200, 429]
    );
    let link = "/api/notifications/unsubscribe/?token=x";
    call(&app, Method::GET, link, "").await.expect(429);
    call(&app, Method::POST, link, "").await.expect(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_server_alone_has_no_community() {
    let app = TestApp::with(Database::Sqlite, |config| config.community.enabled = false).await;
    let [ann] = people(&app, ["ann"]).await;
    app.get("/api/profile/", &ann).await.expect(404);
    call(&app, Method::GET, "/api/profiles/ann/", "").await.expect(404);
    let schema = app.send(app.request(Method::GET, "/api/schema")).await.expect(200).body;
    let paths = schema["paths"].as_object().expect("paths");
    assert!(paths.keys().all(|path| path.starts_with("/api/auth/")), "{paths:?}");
}
