//! Everything that somebody has said, for them to take along (contract §2).

use super::room;
use crate::harness::TestApp;
use crate::harness::process::Process;
use crate::on_each_database;
use crate::people::person;
use portcullis::chat::InsertMessages;
use portcullis::storage::Storage;
use portcullis_security::clock::Timestamp;
use reqwest::Method;
use serde_json::json;

/// Has somebody say so many times the same.
async fn say(storage: &Storage, (room_id, user_id): (i64, i64), times: usize, text: &str) {
    let said = vec![(user_id, text.to_owned()); times];
    let now = Timestamp::from_seconds(1_790_000_000);
    storage.write(InsertMessages { room_id, said, now }).await.expect("messages");
}

/// The most memory that a process has held so far, in KiB.
fn peak(server: &Process) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

on_each_database! {
    async fn an_export_has_every_message_once_and_in_order(app: TestApp) {
        let ada = person(&app, "ada").await;
        let id = room(&app, &ada, "Cellar", false).await;
        for _ in 0..3 {
            say(&app.app().storage, (id, ada.id), 900, "hello").await;
        }
        let export = app.get("/api/auth/me/export/", &ada.access).await.expect(200);
        let said = export.body["chat"]["messages"].as_array().expect("messages");
        let seqs: Vec<_> = said.iter().map(|message| message["seq"].as_i64().expect("a number")).collect();
        assert_eq!(seqs, (1..=2700).collect::<Vec<_>>());
        assert_eq!(export.body["chat"]["rooms"][0]["name"], "Cellar");
        assert_eq!(export.body["user"]["username"], "ada");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_export_is_never_in_memory_as_a_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Process::start(folder.path(), &[("LOG__LEVEL", "warn")]).await;
    let user = server.user("ada").await;
    let access = user.text("access");
    let made = server.request(Method::POST, "/api/rooms/").bearer_auth(&access).json(&json!({ "name": "x" }));
    let id = server.send(made).await.expect(201).body["id"].as_i64().expect("an id");
    let database = format!("sqlite://{}/data/portcullis.sqlite3", folder.path().display());
    let storage = Storage::connect(&database).await.expect("the database");
    let user_id = user.body["user"]["id"].as_i64().expect("an id");
    for _ in 0..20 {
        say(&storage, (id, user_id), 1000, &"\u{1f4da}".repeat(1000)).await;
    }
    storage.close().await;
    server.get("/api/auth/me/", &access).await.expect(200);
    let before = peak(&server);
    let export = server.get("/api/auth/me/export/", &access).await.expect(200);
    assert_eq!(export.body["chat"]["messages"].as_array().map(Vec::len), Some(20_000));
    let taken = (peak(&server) - before) / 1024;
    assert!(taken < 40, "{taken} MiB for 80 of messages");
}
