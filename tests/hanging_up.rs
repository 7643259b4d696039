//! Clients that hang up before they are answered: what they began is finished, and nobody after them notices.

use crate::harness::{TestApp, databases};
use crate::on_each_database;
use crate::people::{Person, book, look, person, review, staff};
use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Sends a call and hangs up after a moment.
async fn hang_up(app: &TestApp, call: &str, after: Duration) {
    let mut stream = TcpStream::connect(app.address()).await.expect("a connection");
    stream.write_all(call.as_bytes()).await.expect("a write");
    tokio::time::sleep(after).await;
}

fn patch(path: &str, by: &Person, title: &str) -> String {
    let body = json!({ "title": title }).to_string();
    let (access, length) = (&by.access, body.len());
    format!(
        "PATCH {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {access}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

/// Before, within and after the statements of a change.
fn moments() -> impl Iterator<Item = Duration> {
    (0..400).map(|number| Duration::from_micros(number * 50))
}

on_each_database! {
    async fn those_after_a_call_that_hung_up_are_answered(app: TestApp) {
        let (keeper, reader) = (staff(&app, "keeper").await, person(&app, "reader").await);
        let dune = book(&app, &keeper, "Dune").await;
        let path = format!("/api/reviews/{}/", review(&app, &reader, dune, 3, true).await);
        for call in [patch(&path, &reader, "In a hurry"), get(&path), get("/api/books/?search=dune")] {
            // Few at once: what waits for a connection does not use one.
            let calls = stream::iter(moments()).map(|after| hang_up(&app, &call, after));
            calls.buffer_unordered(4).collect::<()>().await;
        }
        let calm = json!({ "title": "Calm" });
        for _ in 0..100 {
            app.call(Method::PATCH, &path, &reader.access, calm.clone()).await.expect(200);
            assert_eq!(look(&app, None, &path).await.expect(200).body["title"], calm["title"]);
        }
    }
}

/// The title that is stored, once the list shows it; a list that was kept by mistake never does.
async fn settled(app: &TestApp, path: &str, listed: impl AsyncFn() -> Value) -> Value {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let stored = look(app, None, path).await.expect(200).body["title"].clone();
        let shown = listed().await;
        if shown == stored {
            return stored;
        }
        assert!(Instant::now() < end, "{shown} is shown, {stored} is stored");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_made_is_told_though_its_caller_hung_up() {
    for database in databases() {
        // The time stands still: what is kept is not dropped for its age.
        let app = TestApp::with_manual_clock(database, |_| {}).await;
        let (keeper, reader) = (staff(&app, "keeper").await, person(&app, "reader").await);
        let dune = book(&app, &keeper, "Dune").await;
        let path = format!("/api/reviews/{}/", review(&app, &reader, dune, 3, true).await);
        let listed =
            async || look(&app, None, "/api/reviews/").await.expect(200).body["results"][0]["title"].clone();
        let mut changes = 0;
        for (number, after) in moments().enumerate() {
            let before = listed().await;
            hang_up(&app, &patch(&path, &reader, &format!("Title {number}")), after).await;
            changes += usize::from(settled(&app, &path, &listed).await != before);
        }
        assert!(changes > 50, "{changes}");
        app.stop().await;
    }
}
