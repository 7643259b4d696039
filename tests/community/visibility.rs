//! The truth table in rows: the queries made from it, and the stored audience that they read.

use super::{approve, block, change, follow, people, show_to, staff};
use crate::harness::{PASSWORD, TestApp};
use crate::on_each_database;
use portcullis::access::{Viewer, in_use, refresh_audience, relation, standing};
use portcullis::model::{books, reviews, users};
use portcullis_security::permission::{Audience, Relation, Standing, TABLE};
use reqwest::Method;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::json;
use std::collections::BTreeSet;

async fn user(app: &TestApp, name: &str) -> users::Model {
    let named = users::Entity::find().filter(users::Column::UsernameKey.eq(name));
    named.one(app.app().storage.reader()).await.expect("rows").expect("a user")
}

async fn insert_book(tx: &DatabaseTransaction) -> portcullis::error::Result<i64> {
    let book = books::ActiveModel {
        title: Set("Middlemarch".into()),
        author: Set("George Eliot".into()),
        isbn: Set(None),
        description: Set(String::new()),
        year: Set(Some(1871)),
        public_rating_sum: Set(0),
        public_review_count: Set(0),
        created_at: Set(0),
        ..Default::default()
    };
    Ok(books::Entity::insert(book).exec(tx).await?.last_insert_id)
}

fn a_review(book_id: i64, user_id: i64, rating: i64, is_public: bool, audience: i16) -> reviews::ActiveModel {
    reviews::ActiveModel {
        book_id: Set(book_id),
        user_id: Set(user_id),
        title: Set("Good".into()),
        review_text: Set("<p>Very.</p>".into()),
        rating: Set(rating),
        is_public: Set(is_public),
        audience: Set(audience),
        created_at: Set(0),
        updated_at: Set(0),
        ..Default::default()
    }
}

/// The audiences of all reviews of a user, and the public figures of the books.
async fn stored(app: &TestApp, user_id: i64) -> (Vec<i16>, Vec<(i64, i64)>) {
    let db = app.app().storage.reader();
    let own = reviews::Entity::find().filter(reviews::Column::UserId.eq(user_id));
    let mut rows = own.all(db).await.expect("rows");
    rows.sort_by_key(|row| row.id);
    let mut all = books::Entity::find().all(db).await.expect("rows");
    all.sort_by_key(|book| book.id);
    let figures = all.iter().map(|book| (book.public_rating_sum, book.public_review_count));
    (rows.iter().map(|row| row.audience).collect(), figures.collect())
}

async fn refresh(app: &TestApp, user_id: i64) {
    change(app, move |tx| Box::pin(refresh_audience(tx, user_id))).await;
}

on_each_database! {
    async fn the_query_and_the_function_agree_on_every_cell_of_the_table(app: TestApp) {
        let [viewer, _, requested, followed, _, blocks] =
            people(&app, ["viewer", "stranger", "requested", "followed", "blocked", "blocks"]).await;
        staff(&app, "boss").await;
        for owner in [&requested, &followed] {
            show_to(&app, owner, "followers_only").await;
        }
        follow(&app, &viewer, "requested").await.expect(201);
        follow(&app, &viewer, "followed").await.expect(201);
        approve(&app, &followed, "viewer").await;
        block(&app, &viewer, "blocked").await.expect(201);
        block(&app, &blocks, "viewer").await.expect(201);
        block(&app, &viewer, "boss").await.expect(201);
        let expected = [
            ("stranger", Relation::Stranger), ("requested", Relation::Requested),
            ("followed", Relation::Follower), ("blocked", Relation::Blocked), ("blocks", Relation::Blocked),
            ("boss", Relation::Stranger), ("viewer", Relation::Owner),
        ];
        let mut owners = Vec::new();
        for (name, of_viewer) in expected {
            owners.push((user(&app, name).await.id, of_viewer));
        }
        let ids: Vec<i64> = owners.iter().map(|(id, _)| *id).collect();
        change(&app, move |tx| {
            let ids = ids.clone();
            Box::pin(async move {
                for audience in Audience::ALL {
                    let book_id = insert_book(tx).await?;
                    let rows = ids.iter().map(|id| a_review(book_id, *id, 3, true, audience.code()));
                    reviews::Entity::insert_many(rows).exec_without_returning(tx).await?;
                }
                Ok(())
            })
        })
        .await;

        let db = app.app().storage.reader();
        let (viewer, boss) = (user(&app, "viewer").await, user(&app, "boss").await);
        for looks in [Viewer::Anonymous, Viewer::of(&viewer), Viewer::of(&boss)] {
            let visible = looks.visible(reviews::Column::UserId, reviews::Column::Audience);
            let rows = reviews::Entity::find().filter(visible).all(db).await.expect("rows");
            let found: BTreeSet<_> = rows.iter().map(|row| (row.user_id, row.audience)).collect();
            assert_eq!(found.len(), rows.len());
            let mut cells = BTreeSet::new();
            for (owner_id, of_viewer) in &owners {
                let is = relation(db, looks, *owner_id).await.expect("a relation");
                let wanted = match looks {
                    Viewer::Anonymous => Relation::Anonymous,
                    Viewer::User { id, .. } if id == *owner_id => Relation::Owner,
                    Viewer::User { is_staff: true, .. } => Relation::Staff,
                    Viewer::User { .. } => *of_viewer,
                };
                assert_eq!(is, wanted, "{looks:?}");
                let seen = Audience::ALL.into_iter().filter(|audience| is.may_see(*audience));
                cells.extend(seen.map(|audience| (*owner_id, audience.code())));
            }
            assert_eq!(found, cells, "{looks:?}");
        }
        app.mails().await;
    }

    async fn reviews_and_the_figures_of_books_follow_the_profile_and_the_account(app: TestApp) {
        let [ann, bob] = people(&app, ["ann", "bob"]).await;
        let (ann_id, bob_id) = (user(&app, "ann").await.id, user(&app, "bob").await.id);
        change(&app, move |tx| Box::pin(async move {
            let (one, two) = (insert_book(tx).await?, insert_book(tx).await?);
            // As if they had just been written: for nobody yet, and counted nowhere.
            for row in [a_review(one, ann_id, 5, true, 3), a_review(two, ann_id, 2, false, 3), a_review(one, bob_id, 1, true, 3)] {
                reviews::Entity::insert(row).exec_without_returning(tx).await?;
            }
            Ok(())
        })).await;
        refresh(&app, ann_id).await;
        refresh(&app, bob_id).await;
        let public = (vec![0, 2], vec![(6, 2), (0, 0)]);
        assert_eq!(stored(&app, ann_id).await, public);
        refresh(&app, ann_id).await;
        assert_eq!(stored(&app, ann_id).await, public, "nothing is counted twice");

        for (visibility, audience, figures) in [
            ("followers_only", 1, (1, 1)), ("private", 2, (1, 1)), ("followers_only", 1, (1, 1)), ("public", 0, (6, 2)),
        ] {
            show_to(&app, &ann, visibility).await;
            assert_eq!(stored(&app, ann_id).await, (vec![audience, 2], vec![figures, (0, 0)]), "{visibility}");
        }
        app.call(Method::DELETE, "/api/auth/me/", &ann, json!({ "password": PASSWORD })).await.expect(200);
        assert_eq!(stored(&app, ann_id).await, (vec![3, 3], vec![(1, 1), (0, 0)]));
        app.login("ann", PASSWORD).await.expect(200);
        assert_eq!(stored(&app, ann_id).await, public);

        for (status, audiences) in [(users::Status::Banned, vec![2, 2]), (users::Status::Active, vec![0, 2])] {
            change(&app, move |tx| Box::pin(async move {
                let update = users::Entity::update_many().col_expr(users::Column::Status, Expr::value(status));
                update.filter(users::Column::Id.eq(ann_id)).exec(tx).await?;
                refresh_audience(tx, ann_id).await
            })).await;
            assert_eq!(stored(&app, ann_id).await.0, audiences);
        }
        show_to(&app, &bob, "private").await;
        assert_eq!(stored(&app, bob_id).await, (vec![2], vec![(5, 1), (0, 0)]));
        app.mails().await;
    }

    async fn an_account_in_use_is_the_same_for_a_query_and_for_a_row(app: TestApp) {
        people(&app, ["active", "banned", "deleted"]).await;
        app.register("unverified").await.expect(201);
        for (name, status) in [("banned", users::Status::Banned), ("deleted", users::Status::Deleted)] {
            change(&app, move |tx| Box::pin(async move {
                let update = users::Entity::update_many().col_expr(users::Column::Status, Expr::value(status));
                update.filter(users::Column::UsernameKey.eq(name)).exec(tx).await?;
                Ok(())
            })).await;
        }
        let db = app.app().storage.reader();
        let all = users::Entity::find().all(db).await.expect("rows");
        let active = all.iter().filter(|user| standing(user) == Standing::Active);
        let active: Vec<_> = active.map(|user| user.username.as_str()).collect();
        let found = users::Entity::find().filter(in_use()).all(db).await.expect("rows");
        assert_eq!(found.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), active);
        assert_eq!((all.len(), active), (4, vec!["active"]));
        app.mails().await;
    }
}

#[test]
fn the_page_of_visibility_shows_the_table_as_it_is() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/visibility.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let word = |sees: bool| if sees { "yes" } else { "no" };
    let rows: Vec<_> = TABLE
        .iter()
        .map(|(relation, sees)| format!("| {relation:?} | {} |", sees.map(word).join(" | ")))
        .collect();
    assert!(page.contains(&rows.join("\n")), "{rows:#?}");
}
