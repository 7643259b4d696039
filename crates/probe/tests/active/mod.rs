//! Active probes: a hole each, in a server of accounts that has none else.

mod accounts;

use super::fixture::{found, options};
use accounts::{Accounts, serve};
use futures_util::future::join_all;
use portcullis_probe::{Mailbox, Mode, Report, Status, probes, run};
use std::collections::HashSet;

/// Each hole, and what else is found because of it.
const HOLES: &[(&str, &[&str])] = &[
    ("mail.prefetch", &[]),
    ("mail.injection", &[]),
    ("mail.host", &[]),
    ("throttle.login", &[]),
    ("throttle.register", &[]),
    ("throttle.reset", &[]),
    ("throttle.forwarded", &[]),
    ("tokens.unsigned", &[]),
    ("tokens.tampered", &[]),
    ("tokens.confused", &[]),
    ("tokens.guessable_key", &[]),
    ("tokens.type", &[]),
    ("uploads.metadata", &[]),
    ("uploads.polyglot", &[]),
    ("uploads.page", &["uploads.polyglot"]),
    ("uploads.content", &[]),
    ("uploads.size", &[]),
    ("uploads.old_file", &[]),
    ("objects.rights", &[]),
    ("objects.script", &[]),
    ("objects.read", &[]),
    ("objects.write", &[]),
    ("objects.anonymous", &[]),
    ("socket.origin_with_token", &[]),
    ("socket.stranger", &[]),
    ("socket.forbidden_code", &[]),
    ("socket.logout", &[]),
    ("socket.outlives", &[]),
    ("enumeration.login", &[]),
    ("enumeration.register", &[]),
    ("enumeration.reset", &[]),
    ("enumeration.resend", &[]),
    ("sessions.parallel", &[]),
    ("sessions.refresh_reuse", &["sessions.family"]),
    ("sessions.family", &[]),
    ("sessions.logout_refresh", &[]),
    ("sessions.logout_access", &[]),
    ("sessions.password_change", &[]),
    ("sessions.password_reset", &[]),
    ("reset.twice", &[]),
    ("reset.others", &[]),
    ("cookies.login", &[]),
    ("cookies.csrf", &[]),
    ("passwords.common", &[]),
    ("passwords.short", &[]),
    ("passwords.similar", &[]),
];

/// The same for what a stopwatch sees; nothing can be timed behind a throttle.
const SLOW: &[(&str, &[&str])] =
    &[("timing.login", &["throttle.login"]), ("timing.reset", &["throttle.reset"])];

#[test]
fn every_active_probe_has_a_server_with_its_hole() {
    let known: HashSet<&str> = HOLES.iter().chain(SLOW).map(|(id, _)| *id).collect();
    let active: HashSet<&str> =
        probes().filter(|probe| probe.mode == Mode::Active).map(|probe| probe.id).collect();
    assert_eq!(known, active);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_active_probe_finds_its_hole_and_no_other() {
    try_holes(&HOLES[..HOLES.len() / 2]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_active_probe_of_the_other_half_finds_its_hole_and_no_other() {
    try_holes(&HOLES[HOLES.len() / 2..]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_found_and_little_skipped_where_there_is_no_hole() {
    let report = probe("").await;
    assert_eq!(found(&report), [""; 0]);
    let active: Vec<_> = skipped(&report)
        .into_iter()
        .filter(|skip| !skip.contains("https") && !skip.contains("machine"))
        .collect();
    let timing = active.iter().filter(|skip| skip.starts_with("timing.")).count();
    assert_eq!(timing, 2, "{active:?}");
    assert!(
        active.iter().all(|skip| skip.starts_with("timing.") || skip.starts_with("websocket.")),
        "{active:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_difference_of_time_is_found() {
    try_holes(SLOW).await;
}

/// Many at once, since most of a run is waiting.
async fn try_holes(holes: &[(&'static str, &[&str])]) {
    let reports = join_all(holes.iter().map(|(id, _)| probe(id))).await;
    for ((id, implied), report) in holes.iter().zip(&reports) {
        let expected: HashSet<&str> = implied.iter().copied().chain([*id]).collect();
        assert_eq!(of_active(report), expected, "the server with {id}: {}", skipped(report).join("; "));
    }
}

async fn probe(hole: &'static str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let url = serve(Accounts::new(hole, folder.path())).await;
    let mut options = options(&url).active(Mailbox::directory(folder.path()));
    options.nonce = [7; 16];
    run(options).await.unwrap()
}

fn of_active(report: &Report) -> HashSet<&str> {
    let active: HashSet<&str> =
        probes().filter(|probe| probe.mode == Mode::Active).map(|probe| probe.id).collect();
    found(report).into_iter().filter(|id| active.contains(id)).collect()
}

fn skipped(report: &Report) -> Vec<String> {
    report.ended(Status::Skipped).map(|item| format!("{}: {}", item.id, item.seen)).collect()
}
