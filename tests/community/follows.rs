//! Following and being followed.

use super::{block, call, follow, people, requests, show_to};
use crate::harness::TestApp;
use crate::on_each_database;
use portcullis::model::{blocks, follows};
use reqwest::Method;
use sea_orm::EntityTrait;
use serde_json::Value;

async fn unfollow(app: &TestApp, access: &str, name: &str) -> u16 {
    call(app, Method::DELETE, &format!("/api/profiles/{name}/follow/"), access).await.status
}

async fn answer(app: &TestApp, access: &str, id: &str, what: &str) -> u16 {
    call(app, Method::POST, &format!("/api/follow-requests/{id}/{what}/"), access).await.status
}

/// The path of a link, which names the public URL.
fn path_of(app: &TestApp, link: &Value) -> Option<String> {
    let link = link.as_str()?;
    Some(link.strip_prefix(&app.origin()).unwrap_or_else(|| panic!("{link}")).to_owned())
}

on_each_database! {
    async fn a_public_profile_is_followed_at_once_and_again_is_the_same(app: TestApp) {
        let [ann, bob] = people(&app, ["ann", "bob"]).await;
        assert_eq!(follow(&app, &bob, "ann").await.expect(201).text("status"), "accepted");
        assert_eq!(follow(&app, &bob, "ANN").await.expect(200).text("status"), "accepted");
        assert_eq!(app.get("/api/profile/", &ann).await.body["followers_count"], 1);
        assert_eq!(app.get("/api/profile/", &bob).await.body["following_count"], 1);
        follow(&app, &bob, "bob").await.expect(400);
        follow(&app, &bob, "nobody").await.expect(404);
        assert_eq!([unfollow(&app, &bob, "ann").await, unfollow(&app, &bob, "ann").await], [204, 204]);
        assert_eq!(unfollow(&app, &bob, "nobody").await, 404);
        assert_eq!(app.get("/api/profile/", &ann).await.body["followers_count"], 0);
        app.mails().await;
    }

    async fn a_private_profile_is_not_followed_but_can_be_left(app: TestApp) {
        let [ann, bob, eve] = people(&app, ["ann", "bob", "eve"]).await;
        follow(&app, &bob, "ann").await.expect(201);
        show_to(&app, &ann, "private").await;
        follow(&app, &eve, "ann").await.expect(404);
        follow(&app, &bob, "ann").await.expect(404);
        assert_eq!([unfollow(&app, &eve, "ann").await, unfollow(&app, &bob, "ann").await], [404, 204]);
        assert_eq!(unfollow(&app, &bob, "ann").await, 404);
        app.mails().await;
    }

    async fn a_request_waits_for_its_owner_and_nobody_else(app: TestApp) {
        let [ann, bob, eve] = people(&app, ["ann", "bob", "eve"]).await;
        show_to(&app, &ann, "followers_only").await;
        assert_eq!(follow(&app, &bob, "ann").await.expect(201).text("status"), "pending");
        assert_eq!(follow(&app, &bob, "ann").await.expect(200).text("status"), "pending");
        let id = requests(&app, &ann).await[0].1.to_string();
        for other in [&bob, &eve] {
            assert!(requests(&app, other).await.is_empty());
            for what in ["approve", "reject"] {
                assert_eq!(answer(&app, other, &id, what).await, 404);
            }
        }
        for wrong in ["0", "-1", "x", "99999999999999999999", "%ff"] {
            assert_eq!(answer(&app, &ann, wrong, "approve").await, 404, "{wrong}");
            assert_eq!(answer(&app, &ann, wrong, "reject").await, 404, "{wrong}");
        }
        assert_eq!(call(&app, Method::GET, &format!("/api/follow-requests/{id}/approve/"), &ann).await.status, 405);
        assert_eq!(app.get("/api/profile/", &ann).await.body["followers_count"], 0, "a request is no follow");
        assert_eq!([answer(&app, &ann, &id, "approve").await, answer(&app, &ann, &id, "approve").await], [200, 200]);
        assert_eq!(answer(&app, &ann, &id, "reject").await, 404, "it is no request any more");
        assert!(requests(&app, &ann).await.is_empty());
        assert_eq!(app.get("/api/profiles/ann/?include=follow_status", &bob).await.expect(200).text("follow_status"), "accepted");

        follow(&app, &eve, "ann").await.expect(201);
        let id = requests(&app, &ann).await[0].1.to_string();
        assert_eq!([answer(&app, &ann, &id, "reject").await, answer(&app, &ann, &id, "reject").await], [200, 404]);
        assert_eq!(follow(&app, &eve, "ann").await.expect(201).text("status"), "pending", "who was rejected may ask again");
        app.mails().await;
    }

    async fn a_request_to_a_profile_that_became_public_is_accepted_when_asked_again(app: TestApp) {
        let [ann, bob] = people(&app, ["ann", "bob"]).await;
        show_to(&app, &ann, "followers_only").await;
        follow(&app, &bob, "ann").await.expect(201);
        show_to(&app, &ann, "public").await;
        assert_eq!(app.get("/api/profiles/ann/?include=follow_status", &bob).await.expect(200).text("follow_status"), "pending");
        assert_eq!(follow(&app, &bob, "ann").await.expect(200).text("status"), "accepted");
        app.mails().await;
    }

    async fn requests_come_in_pages_that_lead_forth_and_back(app: TestApp) {
        let [ann, a, b, c, d, e] = people(&app, ["ann", "aa1", "bb2", "cc3", "dd4", "ee5"]).await;
        show_to(&app, &ann, "followers_only").await;
        for access in [&a, &b, &c, &d, &e] {
            follow(&app, access, "ann").await.expect(201);
        }
        let (mut path, mut seen, mut pages) = ("/api/follow-requests/?page_size=2".to_owned(), Vec::new(), Vec::new());
        loop {
            let page = app.get(&path, &ann).await.expect(200).body;
            assert_eq!(page["count"], 5);
            let names = page["results"].as_array().expect("rows").iter();
            seen.push(names.map(|row| row["user"].as_str().expect("a name").to_owned()).collect::<Vec<_>>());
            pages.push(page.clone());
            match path_of(&app, &page["next"]) {
                Some(next) => path = next,
                None => break,
            }
        }
        assert_eq!(seen, [vec!["ee5", "dd4"], vec!["cc3", "bb2"], vec!["aa1"]]);
        assert_eq!(pages[0]["previous"], Value::Null);
        let back = app.get(&path_of(&app, &pages[2]["previous"]).expect("a link"), &ann).await.expect(200).body;
        assert_eq!(back["results"], pages[1]["results"]);
        let first = app.get(&path_of(&app, &back["previous"]).expect("a link"), &ann).await.expect(200).body;
        assert_eq!((&first["results"], &first["previous"]), (&pages[0]["results"], &Value::Null));
        for list in ["follow-requests", "blocks"] {
            let refused = app.get(&format!("/api/{list}/?cursor=abc"), &ann).await.expect(400);
            assert_eq!(refused.text("error"), "Invalid cursor");
        }
        app.mails().await;
    }

    async fn of_many_follows_at_once_one_is_made(app: TestApp) {
        let [ann, bob] = people(&app, ["ann", "bob"]).await;
        let answers = futures_util::future::join_all((0..16).map(|_| follow(&app, &bob, "ann"))).await;
        let count = |status| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((count(201), count(200)), (1, 15));
        let db = app.app().storage.reader();
        assert_eq!(follows::Entity::find().all(db).await.expect("rows").len(), 1);
        let answers = futures_util::future::join_all((0..16).map(|_| block(&app, &ann, "bob"))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        assert_eq!(blocks::Entity::find().all(db).await.expect("rows").len(), 1);
        app.mails().await;
    }

    async fn of_a_follow_and_a_block_at_once_the_block_wins(app: TestApp) {
        let [ann, bob] = people(&app, ["ann", "bob"]).await;
        for round in 0..20 {
            let (followed, asked, blocked) =
                tokio::join!(follow(&app, &bob, "ann"), follow(&app, &ann, "bob"), block(&app, &ann, "bob"));
            assert_eq!(blocked.status, 201);
            assert!([201, 404].contains(&followed.status) && [201, 404].contains(&asked.status), "{round}");
            let left = follows::Entity::find().all(app.app().storage.reader()).await.expect("rows");
            assert!(left.is_empty(), "round {round}: {left:?}");
            call(&app, Method::DELETE, "/api/profiles/bob/block/", &ann).await.expect(204);
        }
        app.mails().await;
    }

    async fn of_an_approval_and_a_block_at_once_the_block_wins(app: TestApp) {
        let [ann, bob] = people(&app, ["ann", "bob"]).await;
        show_to(&app, &ann, "followers_only").await;
        for _ in 0..10 {
            follow(&app, &bob, "ann").await.expect(201);
            let id = requests(&app, &ann).await[0].1.to_string();
            let (_, blocked) = tokio::join!(answer(&app, &ann, &id, "approve"), block(&app, &ann, "bob"));
            assert_eq!(blocked.status, 201);
            assert!(follows::Entity::find().all(app.app().storage.reader()).await.expect("rows").is_empty());
            call(&app, Method::DELETE, "/api/profiles/bob/block/", &ann).await.expect(204);
        }
        show_to(&app, &ann, "public").await;
        follow(&app, &bob, "ann").await.expect(201);
        show_to(&app, &ann, "followers_only").await;
        follow(&app, &bob, "ann").await.expect(200);
        app.mails().await;
    }
}
