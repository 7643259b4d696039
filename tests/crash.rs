//! The process is killed in the middle of a refresh (contract §2 "Tokens").

use crate::harness::process::Process;
use portcullis_security::random::Random;
use serde_json::json;
use std::collections::HashSet;
use std::time::{Duration, Instant};

const GRACE: Duration = Duration::from_secs(6);

/// Refreshes with one token until the server dies; the successors that were answered.
async fn refresh_many(server: &Process, token: &str) -> HashSet<String> {
    let calls = (0..64).map(|_| async {
        let request = server.request(reqwest::Method::POST, "/api/auth/refresh/");
        server.try_send(request.json(&json!({ "refresh": token }))).await.ok()
    });
    let answers = futures_util::future::join_all(calls).await;
    answers.into_iter().flatten().map(|answer| answer.expect(200).text("refresh")).collect()
}

async fn refresh(server: &Process, token: &str, status: u16) -> Option<String> {
    let answer = server.post("/api/auth/refresh/", json!({ "refresh": token })).await.expect(status);
    (status == 200).then(|| answer.text("refresh"))
}

/// Kills the server while 64 calls present one token; whether that was in the middle of them.
async fn kill_during_refresh(server: &mut Process, token: &str, wait: Duration) -> HashSet<String> {
    let pid = server.pid().to_string();
    let killer = std::thread::spawn(move || {
        std::thread::sleep(wait);
        assert!(std::process::Command::new("kill").args(["-KILL", &pid]).status().expect("kill").success());
    });
    let answered = refresh_many(server, token).await;
    killer.join().expect("the killer");
    server.kill();
    server.restart().await;
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_use_when_the_server_is_killed_has_one_successor_after_the_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let grace = format!("{}s", GRACE.as_secs());
    let mut server = Process::start(folder.path(), &[("TOKENS__REFRESH_GRACE", &grace)]).await;
    let mut token = server.user("reader").await.text("refresh");
    let (random, mut cut_short) = (Random::system(), 0);
    for _ in 0..6 {
        let started = Instant::now();
        let wait = Duration::from_micros(1000 + u64::from(random.bytes::<1>()[0]) * 150);
        let answered = kill_during_refresh(&mut server, &token, wait).await;
        cut_short += usize::from(answered.is_empty());
        let successor = refresh(&server, &token, 200).await.expect("a successor");
        assert!(started.elapsed() < GRACE, "too slow to say anything: {:?}", started.elapsed());
        assert!(answered.is_empty() || answered == HashSet::from([successor.clone()]), "{answered:?}");
        assert_eq!(refresh(&server, &token, 200).await.as_ref(), Some(&successor), "still within the grace");
        token = refresh(&server, &successor, 200).await.expect("the family lives");
    }
    assert!(cut_short < 6, "no call was ever answered before the kill");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_spent_before_the_server_was_killed_ends_the_family_after_the_grace() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Process::start(folder.path(), &[("TOKENS__REFRESH_GRACE", "1s")]).await;
    let first = server.user("reader").await.text("refresh");
    let next = server.post("/api/auth/refresh/", json!({ "refresh": first })).await.expect(200);
    kill_during_refresh(&mut server, &first, Duration::from_millis(5)).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    server.get("/api/auth/me/", &next.text("access")).await.expect(200);
    refresh(&server, &first, 401).await;
    refresh(&server, &next.text("refresh"), 401).await;
    server.get("/api/auth/me/", &next.text("access")).await.expect(401);
}
