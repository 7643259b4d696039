//! Mails about the community, and how they are turned off (RFC 8058).

use super::{approve, block, call, change, follow, people, show_to};
use crate::harness::{PASSWORD, TestApp};
use crate::on_each_database;
use portcullis::mail::{Kind, Letter, Mail};
use portcullis::model::{books, reviews, users};
use reqwest::Method;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

/// What somebody was told about the community so far, in order.
async fn told(app: &TestApp, name: &str) -> Vec<Mail> {
    let notices = [Kind::NewFollower, Kind::FollowRequest, Kind::FollowApproved, Kind::BookReviewed];
    let mails = app.mails().await.into_iter();
    mails.filter(|mail| mail.to == format!("{name}@example.com") && notices.contains(&mail.kind)).collect()
}

async fn subjects(app: &TestApp, name: &str) -> Vec<String> {
    told(app, name).await.into_iter().map(|mail| mail.subject).collect()
}

async fn id_of(app: &TestApp, name: &str) -> i64 {
    let named = users::Entity::find().filter(users::Column::UsernameKey.eq(name));
    named.one(app.app().storage.reader()).await.expect("rows").expect("a user").id
}

/// The path of the link that turns mails like this one off.
fn way_out(app: &TestApp, mail: &Mail) -> String {
    let url = mail.unsubscribe.clone().expect("a way out");
    for part in [&mail.text, &mail.html] {
        assert!(part.contains(&url), "{part}");
    }
    url.strip_prefix(&app.origin()).expect("the public URL").to_owned()
}

on_each_database! {
    async fn people_are_told_of_followers_requests_and_approvals(app: TestApp) {
        let [ann, bob, eve] = people(&app, ["ann", "bob", "eve"]).await;
        follow(&app, &bob, "ann").await.expect(201);
        assert_eq!(subjects(&app, "ann").await, ["bob follows you now at Portcullis"]);
        show_to(&app, &ann, "followers_only").await;
        follow(&app, &eve, "ann").await.expect(201);
        assert_eq!(subjects(&app, "ann").await[1..], ["eve asks to follow you at Portcullis"]);
        approve(&app, &ann, "eve").await;
        assert_eq!(subjects(&app, "eve").await, ["ann approved your request at Portcullis"]);
        assert!(told(&app, "bob").await.is_empty());
    }

    async fn the_same_is_not_told_twice_in_a_day(app: TestApp) {
        let [_, bob] = people(&app, ["ann", "bob"]).await;
        for _ in 0..3 {
            follow(&app, &bob, "ann").await.expect(201);
            app.drain_outbox().await;
            call(&app, Method::DELETE, "/api/profiles/ann/follow/", &bob).await.expect(204);
        }
        assert_eq!(told(&app, "ann").await.len(), 1);
    }

    async fn each_preference_governs_its_mail_and_no_security_notice(app: TestApp) {
        let [ann, bob, eve] = people(&app, ["ann", "bob", "eve"]).await;
        let off = json!({ "notification_preferences": {
            "new_follower": false, "follow_request": false, "follow_approved": false, "book_reviewed": false,
        } });
        for access in [&ann, &eve] {
            app.call(Method::PATCH, "/api/profile/", access, off.clone()).await.expect(200);
        }
        follow(&app, &bob, "ann").await.expect(201);
        show_to(&app, &ann, "followers_only").await;
        follow(&app, &eve, "ann").await.expect(201);
        approve(&app, &ann, "eve").await;
        assert!(told(&app, "ann").await.is_empty() && told(&app, "eve").await.is_empty());
        let body = json!({ "current_password": PASSWORD, "new_password": "Quiet-Meadow-77!" });
        app.call(Method::POST, "/api/auth/change-password/", &ann, body).await.expect(200);
        let notices = app.mails().await.into_iter().filter(|mail| mail.kind == Kind::PasswordChanged);
        let notices: Vec<_> = notices.collect();
        assert_eq!((notices.len(), &notices[0].unsubscribe), (1, &None));
    }

    async fn one_click_turns_one_sort_of_mails_off_and_opening_the_link_does_not(app: TestApp) {
        let [ann, bob, eve] = people(&app, ["ann", "bob", "eve"]).await;
        follow(&app, &bob, "ann").await.expect(201);
        let path = way_out(&app, &told(&app, "ann").await[0]);
        let wishes = async || app.get("/api/profile/", &ann).await.body["notification_preferences"].clone();

        let page = app.request(Method::GET, &path).send().await.expect("a page");
        assert_eq!(page.status(), 200);
        assert_eq!(page.headers()["cache-control"], "no-store");
        let policy = page.headers()["content-security-policy"].to_str().expect("text").to_owned();
        assert!(policy.contains("form-action 'self'") && !policy.contains("unsafe"), "{policy}");
        let text = page.text().await.expect("text");
        assert!(text.contains("<form method=\"post\"") && text.contains("somebody follows you"), "{text}");
        assert_eq!(wishes().await["new_follower"], true, "opening it changes nothing");

        for _ in 0..2 {
            let post = app.request(Method::POST, &path).header("content-type", "application/x-www-form-urlencoded");
            app.send(post.body("List-Unsubscribe=One-Click")).await.expect(200);
        }
        assert_eq!(wishes().await, json!({
            "new_follower": false, "follow_request": true, "follow_approved": true, "book_reviewed": true,
        }));
        follow(&app, &eve, "ann").await.expect(201);
        assert_eq!(told(&app, "ann").await.len(), 1);

        let token = path.split_once("token=").expect("a token").1;
        let bob_id = id_of(&app, "bob").await;
        let others = token.split_once('.').expect("more").1;
        let forged = [
            String::new(), "x".to_owned(), format!("{token}0"), token.replace("new_follower", "book_reviewed"),
            format!("{bob_id}.{others}"), "1.new_follower.".to_owned(), "%ff".to_owned(),
        ];
        for forged in forged {
            let path = format!("/api/notifications/unsubscribe/?token={forged}");
            for method in [Method::GET, Method::POST] {
                call(&app, method, &path, "").await.expect(400);
            }
        }
        call(&app, Method::POST, "/api/notifications/unsubscribe/", "").await.expect(400);
        call(&app, Method::PUT, &path, "").await.expect(405);
    }

    async fn those_who_reviewed_a_book_are_told_of_another_review_that_they_may_see(app: TestApp) {
        let [_, _, eve, zoe, _] = people(&app, ["ann", "bob", "eve", "zoe", "max"]).await;
        block(&app, &eve, "ann").await.expect(201);
        let off = json!({ "notification_preferences": { "book_reviewed": false } });
        app.call(Method::PATCH, "/api/profile/", &zoe, off).await.expect(200);
        let mut ids = Vec::new();
        for name in ["bob", "eve", "zoe", "ann"] {
            ids.push(id_of(&app, name).await);
        }
        let outbox = app.app().outbox.clone();
        let now = app.now();
        change(&app, move |tx| {
            let (ids, outbox) = (ids.clone(), outbox.clone());
            Box::pin(async move {
                let book = books::ActiveModel {
                    title: Set("Middlemarch".into()), author: Set("George Eliot".into()),
                    description: Set(String::new()), isbn: Set(None), year: Set(None),
                    public_rating_sum: Set(0), public_review_count: Set(0), created_at: Set(0),
                    ..Default::default()
                };
                let book_id = books::Entity::insert(book).exec(tx).await?.last_insert_id;
                for user_id in ids.iter().copied() {
                    let review = reviews::ActiveModel {
                        book_id: Set(book_id), user_id: Set(user_id), title: Set("Good".into()),
                        review_text: Set(String::new()), rating: Set(5), is_public: Set(true),
                        audience: Set(0), created_at: Set(0), updated_at: Set(0), ..Default::default()
                    };
                    let review_id = reviews::Entity::insert(review).exec(tx).await?.last_insert_id;
                    if Some(&user_id) == ids.last() {
                        outbox.enqueue(tx, &Letter::BookReviewed { review_id }, now).await?;
                    }
                }
                Ok(())
            })
        })
        .await;
        app.app().outbox.wake();
        app.drain_outbox().await;
        let mails = app.mails().await.into_iter().filter(|mail| mail.kind == Kind::BookReviewed);
        let told: Vec<_> = mails.map(|mail| (mail.to, mail.subject)).collect();
        let expected = ("bob@example.com".to_owned(), "ann reviewed Middlemarch at Portcullis".to_owned());
        assert_eq!(told, [expected], "not eve, who blocks ann, nor zoe, who wants none, nor max, who wrote none");
    }
}
