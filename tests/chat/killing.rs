//! The process is killed while many talk: every message that anybody has heard is in the history.

use super::talker::{Talker, dial};
use crate::harness::process::Process;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// A connection may say as much in ten seconds.
const LINES: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_among_messages_loses_none_that_was_heard() {
    kill_among(3, 5).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: make crash"]
async fn a_kill_among_ten_thousand_messages_loses_none_that_was_heard() {
    for _ in 0..5 {
        kill_among(12, 14).await;
    }
}

/// Kills the server when about a third of all lines have been said: whoever hears one frame says the next line.
async fn kill_among(rooms: usize, talkers: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = [
        ("COMMUNITY__SOCKETS_PER_USER", "1000"),
        ("COMMUNITY__SOCKETS_PER_IP", "1000"),
        ("LOG__LEVEL", "warn"),
    ];
    let mut server = Process::start(folder.path(), &settings).await;
    let access = server.user("ada").await.text("access");
    let heard_by_all = Arc::new(AtomicUsize::new(0));
    let (mut open, mut ids) = (Vec::new(), Vec::new());
    for _ in 0..rooms {
        let request = server.request(Method::POST, "/api/rooms/").bearer_auth(&access);
        let made = server.send(request.json(&json!({ "name": "Cellar" }))).await.expect(201);
        let id = made.body["id"].as_i64().expect("an id");
        ids.push(id);
        for _ in 0..talkers {
            let path = format!("/ws/chat/{id}/?token={access}");
            let address = ([127, 0, 0, 1], server.port()).into();
            open.push((
                id,
                dial(address, &path, &[]).await.unwrap_or_else(|refused| panic!("{refused:?}")).0,
            ));
        }
    }
    let tasks: Vec<_> = open
        .into_iter()
        .enumerate()
        .map(|(number, (id, talker))| tokio::spawn(talk(number, id, talker, heard_by_all.clone())))
        .collect();
    let third = rooms * talkers * LINES / 3;
    while heard_by_all.load(Ordering::SeqCst) < third {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.kill();
    let mut heard: BTreeMap<i64, BTreeMap<i64, Value>> = BTreeMap::new();
    for task in tasks {
        let (id, frames) = task.await.expect("a talker");
        for frame in frames {
            let seq = frame["seq"].as_i64().expect("a number");
            let before = heard.entry(id).or_default().insert(seq, frame.clone());
            assert!(before.is_none_or(|before| before == frame), "{seq} is two messages");
        }
    }
    server.restart().await;
    let mut count = 0;
    for id in ids {
        let stored = history(&server, id, &access).await;
        assert_eq!(stored.keys().copied().collect::<Vec<_>>(), (1..=stored.len() as i64).collect::<Vec<_>>());
        let heard = heard.remove(&id).unwrap_or_default();
        count += heard.len();
        for (seq, frame) in heard {
            assert_eq!(stored.get(&seq), Some(&frame), "what was heard is in the history as it was");
        }
    }
    assert!(count > 0 && count < rooms * talkers * LINES, "the kill came too early or too late: {count}");
}

/// Talks and listens until the connection ends.
async fn talk(
    number: usize,
    id: i64,
    mut talker: Talker,
    heard_by_all: Arc<AtomicUsize>,
) -> (i64, Vec<Value>) {
    let mut frames: Vec<Value> = Vec::new();
    let mut said = 0;
    loop {
        if said < LINES {
            let line = json!({ "message": format!("{number} {said}") }).to_string();
            if futures_util::SinkExt::send(&mut talker.0, Message::text(line)).await.is_err() {
                said = LINES;
            }
            said += 1;
        }
        match talker.next().await {
            Some(Message::Text(text)) => {
                let frame: Value = serde_json::from_str(&text).expect("JSON");
                let last = frames.last().map(|frame| frame["seq"].as_i64().expect("a number"));
                let seq = frame["seq"].as_i64().unwrap_or_else(|| panic!("{frame}"));
                assert!(last.is_none_or(|last| seq == last + 1), "{last:?} is followed by {seq}");
                frames.push(frame);
                heard_by_all.fetch_add(1, Ordering::SeqCst);
            }
            _ => return (id, frames),
        }
    }
}

async fn history(server: &Process, id: i64, access: &str) -> BTreeMap<i64, Value> {
    let mut stored = BTreeMap::new();
    let mut path = format!("/api/rooms/{id}/messages/?page_size=100");
    loop {
        let page = server.get(&path, access).await.expect(200).body;
        for row in page["results"].as_array().expect("rows") {
            let before = stored.insert(row["seq"].as_i64().expect("a number"), row.clone());
            assert_eq!(before, None, "a number stands there twice");
        }
        match page["next"].as_str() {
            Some(next) => path = next[next.find("/api/").expect("a path")..].to_owned(),
            None => return stored,
        }
    }
}
