//! The community: who sees whom, and who hears of it (contract §3, guide §7).

mod blocks;
mod follows;
mod graph;
mod notices;
mod profiles;
mod visibility;

use crate::harness::{Answer, PASSWORD, TestApp};
use futures_util::future::BoxFuture;
use portcullis::error::Result;
use portcullis::storage::Write;
use portcullis_security::secret::Secret;
use reqwest::Method;
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};

/// The access tokens of new people.
pub async fn people<const N: usize>(app: &TestApp, names: [&str; N]) -> [String; N] {
    let mut tokens = names.map(str::to_owned);
    for token in &mut tokens {
        *token = app.user(token).await.text("access");
    }
    tokens
}

/// The access token of a new member of staff.
pub async fn staff(app: &TestApp, name: &str) -> String {
    let email = format!("{name}@example.com");
    let made = portcullis::admin::create_superuser(app.app(), name, &email, Secret::from(PASSWORD));
    made.await.expect("a superuser");
    app.login(name, PASSWORD).await.expect(200).text("access")
}

/// A call with an empty body; without a token when it is empty.
pub async fn call(app: &TestApp, method: Method, path: &str, access: &str) -> Answer {
    let request = app.request(method, path);
    app.send(if access.is_empty() { request } else { request.bearer_auth(access) }).await
}

pub async fn show_to(app: &TestApp, access: &str, visibility: &str) {
    let patch = json!({ "profile_visibility": visibility });
    app.call(Method::PATCH, "/api/profile/", access, patch).await.expect(200);
}

pub async fn follow(app: &TestApp, access: &str, name: &str) -> Answer {
    call(app, Method::POST, &format!("/api/profiles/{name}/follow/"), access).await
}

pub async fn block(app: &TestApp, access: &str, name: &str) -> Answer {
    call(app, Method::POST, &format!("/api/profiles/{name}/block/"), access).await
}

/// The requests that wait for somebody's answer: who asks, and the id.
pub async fn requests(app: &TestApp, access: &str) -> Vec<(String, i64)> {
    let list = app.get("/api/follow-requests/?page_size=100", access).await.expect(200);
    let rows = list.body["results"].as_array().expect("rows").clone();
    assert_eq!(list.body["count"], rows.len());
    let row =
        |row: &Value| (row["user"].as_str().expect("a name").to_owned(), row["id"].as_i64().expect("an id"));
    rows.iter().map(row).collect()
}

/// Lets somebody follow who has asked to.
pub async fn approve(app: &TestApp, owner: &str, name: &str) {
    let id = requests(app, owner).await.into_iter().find(|(who, _)| who == name).expect("a request").1;
    call(app, Method::POST, &format!("/api/follow-requests/{id}/approve/"), owner).await.expect(200);
}

type Work = dyn for<'a> Fn(&'a DatabaseTransaction) -> BoxFuture<'a, Result<()>> + Send + Sync;

/// What a test changes behind the API's back.
struct Change(Box<Work>);

impl Write for Change {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        (self.0)(tx).await
    }
}

/// Makes a change behind the API's back.
pub async fn change(
    app: &TestApp,
    work: impl for<'a> Fn(&'a DatabaseTransaction) -> BoxFuture<'a, Result<()>> + Send + Sync + 'static,
) {
    app.app().storage.write(Change(Box::new(work))).await.expect("a change");
}
