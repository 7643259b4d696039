//! Blocks: pairs of people who see nothing of each other.

use super::{block, call, follow, people, requests, show_to, staff};
use crate::harness::TestApp;
use crate::on_each_database;
use reqwest::Method;

async fn unblock(app: &TestApp, access: &str, name: &str) -> u16 {
    call(app, Method::DELETE, &format!("/api/profiles/{name}/block/"), access).await.status
}

async fn blocked(app: &TestApp, access: &str) -> Vec<String> {
    let list = app.get("/api/blocks/", access).await.expect(200).body;
    let rows = list["results"].as_array().expect("rows");
    assert_eq!(list["count"], rows.len());
    assert!(rows.iter().all(|row| row["created_at"].as_str().is_some_and(|time| time.ends_with('Z'))));
    rows.iter().map(|row| row["user"].as_str().expect("a name").to_owned()).collect()
}

on_each_database! {
    async fn a_block_ends_follows_both_ways_and_hides_both(app: TestApp) {
        let [ann, bob, eve] = people(&app, ["ann", "bob", "eve"]).await;
        follow(&app, &ann, "bob").await.expect(201);
        follow(&app, &bob, "ann").await.expect(201);
        assert_eq!(block(&app, &ann, "BOB").await.expect(201).text("status"), "blocked");
        block(&app, &ann, "bob").await.expect(200);
        for (access, name) in [(&ann, "bob"), (&bob, "ann")] {
            call(&app, Method::GET, &format!("/api/profiles/{name}/"), access).await.expect(404);
            follow(&app, access, name).await.expect(404);
            let own = app.get("/api/profile/", access).await.body;
            assert_eq!((&own["followers_count"], &own["following_count"]), (&0.into(), &0.into()));
        }
        call(&app, Method::GET, "/api/profiles/ann/", "").await.expect(200);
        assert_eq!(blocked(&app, &ann).await, ["bob"]);
        assert!(blocked(&app, &bob).await.is_empty(), "who is blocked is not told");
        assert_eq!(unblock(&app, &bob, "ann").await, 204, "which ends nothing");
        call(&app, Method::GET, "/api/profiles/bob/", &ann).await.expect(404);

        block(&app, &bob, "ann").await.expect(201);
        assert_eq!([unblock(&app, &ann, "bob").await, unblock(&app, &ann, "bob").await], [204, 204]);
        call(&app, Method::GET, "/api/profiles/bob/", &ann).await.expect(404);
        assert_eq!(unblock(&app, &bob, "ann").await, 204);
        call(&app, Method::GET, "/api/profiles/bob/", &ann).await.expect(200);
        assert_eq!(app.get("/api/profile/", &ann).await.body["followers_count"], 0, "no follow comes back");

        block(&app, &eve, "eve").await.expect(400);
        block(&app, &eve, "nobody").await.expect(404);
        assert_eq!(unblock(&app, &eve, "nobody").await, 404);
        app.mails().await;
    }

    async fn a_block_takes_back_requests_and_counts_nobody_for_the_other(app: TestApp) {
        let [ann, bob, eve] = people(&app, ["ann", "bob", "eve"]).await;
        show_to(&app, &ann, "followers_only").await;
        follow(&app, &bob, "ann").await.expect(201);
        follow(&app, &bob, "eve").await.expect(201);
        block(&app, &ann, "bob").await.expect(201);
        assert!(requests(&app, &ann).await.is_empty());
        let count = async |access: &str| call(&app, Method::GET, "/api/profiles/eve/", access).await.body["followers_count"].clone();
        assert_eq!([count("").await, count(&bob).await, count(&eve).await], [1, 1, 1]);
        assert_eq!(count(&ann).await, 0, "ann learns nothing of bob, not by a number either");
        app.mails().await;
    }

    async fn staff_are_neither_hidden_nor_bound_by_blocks(app: TestApp) {
        let [ann] = people(&app, ["ann"]).await;
        let boss = staff(&app, "boss").await;
        show_to(&app, &ann, "private").await;
        block(&app, &ann, "boss").await.expect(201);
        call(&app, Method::GET, "/api/profiles/ann/", &boss).await.expect(200);
        call(&app, Method::GET, "/api/profiles/boss/", &ann).await.expect(200);
        show_to(&app, &ann, "public").await;
        follow(&app, &boss, "ann").await.expect(201);
        assert_eq!(app.get("/api/profile/", &ann).await.body["followers_count"], 1);
        app.mails().await;
    }
}
