//! Rooms and chat (guide §9, contract §3).

mod closing;
mod exports;
mod hostile_frames;
mod killing;
mod resuming;
mod rooms;
mod sockets;
pub mod talker;

use crate::harness::{Answer, TestApp};
use crate::people::Person;
use reqwest::Method;
use serde_json::{Value, json};

/// Makes a room; gives its id.
pub async fn room(app: &TestApp, owner: &Person, name: &str, is_public: bool) -> i64 {
    let body = json!({ "name": name, "is_public": is_public });
    let made = app.call(Method::POST, "/api/rooms/", &owner.access, body).await.expect(201);
    made.body["id"].as_i64().expect("an id")
}

/// A call to something of a room.
pub async fn ask(
    app: &TestApp,
    who: &Person,
    method: Method,
    (room, what): (i64, &str),
    body: Value,
) -> Answer {
    app.call(method, &format!("/api/rooms/{room}/{what}"), &who.access, body).await
}

pub async fn add(app: &TestApp, owner: &Person, room: i64, name: &str) -> Answer {
    ask(app, owner, Method::POST, (room, "members/"), json!({ "username": name })).await
}

/// The usernames of a room's members.
pub async fn members(app: &TestApp, who: &Person, room: i64) -> Vec<String> {
    let list = ask(app, who, Method::GET, (room, "members/"), Value::Null).await.expect(200);
    let rows = list.body["results"].as_array().expect("rows").clone();
    assert_eq!(list.body["count"], rows.len());
    rows.iter().map(|row| row["username"].as_str().expect("a name").to_owned()).collect()
}
