//! People, how they stand to each other, and books, for the tests of what they show.

use crate::harness::{PASSWORD, TestApp};
use portcullis::access::refresh_audience;
use portcullis::error::Result;
use portcullis::model::{blocks, follows, notification_preferences, profiles};
use portcullis::storage::Write;
use portcullis_security::secret::Secret;
use reqwest::Method;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::{Value, json};

/// Somebody with an account.
#[derive(Clone)]
pub struct Person {
    pub id: i64,
    pub name: String,
    pub access: String,
}

/// What is done to the rows at once.
#[derive(Clone)]
pub enum Step {
    Follow {
        follower: i64,
        followed: i64,
        is_accepted: bool,
    },
    Block {
        blocker: i64,
        blocked: i64,
    },
    Setting {
        user: i64,
        visibility: &'static str,
    },
    /// No mails about reviews.
    Quiet {
        user: i64,
    },
}

struct Steps(Vec<Step>);

impl Write for Steps {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        for step in &self.0 {
            step.run(tx).await?;
        }
        Ok(())
    }
}

impl Step {
    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        match *self {
            Self::Follow { follower, followed, is_accepted } => {
                let row = follows::ActiveModel {
                    follower_id: Set(follower),
                    followed_id: Set(followed),
                    accepted_at: Set(is_accepted.then_some(1)),
                    created_at: Set(1),
                    ..Default::default()
                };
                follows::Entity::insert(row).exec(tx).await?;
            }
            Self::Block { blocker, blocked } => {
                let row = blocks::ActiveModel {
                    blocker_id: Set(blocker),
                    blocked_id: Set(blocked),
                    created_at: Set(1),
                    ..Default::default()
                };
                blocks::Entity::insert(row).exec(tx).await?;
            }
            Self::Quiet { user } => {
                use notification_preferences::{Column, Entity};
                let update = Entity::update_many().col_expr(Column::BookReviewed, Expr::value(false));
                update.filter(Column::UserId.eq(user)).exec(tx).await?;
            }
            Self::Setting { user, visibility } => {
                profiles::Entity::update_many()
                    .col_expr(profiles::Column::Visibility, Expr::value(visibility))
                    .filter(profiles::Column::UserId.eq(user))
                    .exec(tx)
                    .await?;
                refresh_audience(tx, user).await?;
            }
        }
        Ok(())
    }
}

pub async fn steps(app: &TestApp, steps: Vec<Step>) {
    app.app().write(Steps(steps)).await.expect("rows");
}

pub async fn person(app: &TestApp, name: &str) -> Person {
    let made = app.user(name).await;
    let id = made.body["user"]["id"].as_i64().expect("an id");
    steps(app, vec![Step::Quiet { user: id }]).await;
    Person { id, name: name.to_owned(), access: made.text("access") }
}

pub async fn staff(app: &TestApp, name: &str) -> Person {
    let email = format!("{name}@example.com");
    portcullis::admin::create_superuser(app.app(), name, &email, Secret::from(PASSWORD))
        .await
        .expect("staff");
    let made = app.login(name, PASSWORD).await.expect(200);
    let id = made.body["user"]["id"].as_i64().expect("an id");
    Person { id, name: name.to_owned(), access: made.text("access") }
}

pub async fn book(app: &TestApp, staff: &Person, title: &str) -> i64 {
    let body = json!({ "title": title, "author": "Ann Author" });
    let made = app.call(Method::POST, "/api/books/", &staff.access, body).await.expect(201);
    made.body["id"].as_i64().expect("an id")
}

pub fn review_body(book: i64, title: &str, rating: i64, is_public: bool) -> Value {
    json!({ "book": book, "title": title, "review_text": "<p>Fine.</p>", "rating": rating, "is_public": is_public })
}

pub async fn review(app: &TestApp, owner: &Person, book: i64, rating: i64, is_public: bool) -> i64 {
    let body = review_body(book, &format!("By {}", owner.name), rating, is_public);
    let made = app.call(Method::POST, "/api/reviews/", &owner.access, body).await.expect(201);
    made.body["id"].as_i64().expect("an id")
}

/// Anonymous where there is nobody.
pub async fn look(app: &TestApp, viewer: Option<&Person>, path: &str) -> crate::harness::Answer {
    match viewer {
        Some(person) => app.get(path, &person.access).await,
        None => app.send(app.request(Method::GET, path)).await,
    }
}

pub fn ids(list: &Value) -> Vec<i64> {
    let rows = list["results"].as_array().expect("results");
    rows.iter().map(|row| row["id"].as_i64().expect("an id")).collect()
}
