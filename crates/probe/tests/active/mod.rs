//! Active probes: a hole each, in a server of accounts that has none else.

mod accounts;

use super::fixture::{found, options};
use accounts::{Accounts, serve};
use futures_util::future::join_all;
use portcullis_probe::{Mailbox, Mode, Report, Status, probes, report, run};
use std::collections::HashSet;
use std::time::Duration;

/// Each hole, with what is odd about its server, and what else is found because of it.
const HOLES: &[(&str, &[&str])] = &[
    ("mail.prefetch", &[]),
    ("mail.prefetch,odd.redirects", &[]),
    ("reset.prefetch", &[]),
    ("cache.own", &[]),
    ("mail.injection", &[]),
    ("mail.host", &[]),
    ("throttle.login", &[]),
    ("throttle.register", &[]),
    ("throttle.reset", &[]),
    ("throttle.forwarded", &[]),
    ("throttle.forwarded,odd.by_account", &[]),
    ("tokens.unsigned", &[]),
    ("tokens.tampered", &[]),
    ("tokens.confused", &[]),
    ("tokens.guessable_key", &[]),
    ("tokens.type", &[]),
    ("uploads.metadata", &[]),
    ("uploads.metadata,odd.no_tail", &[]),
    ("uploads.polyglot", &[]),
    ("uploads.page", &[]),
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
    ("enumeration.register,odd.same_status", &[]),
    ("enumeration.reset", &[]),
    ("enumeration.resend", &[]),
    ("sessions.parallel", &[]),
    ("sessions.refresh_reuse", &["sessions.family"]),
    ("sessions.family", &[]),
    ("odd.no_rotation", &["sessions.refresh_reuse", "sessions.family"]),
    ("sessions.logout_refresh", &[]),
    ("sessions.logout_access", &[]),
    ("sessions.password_change", &[]),
    ("sessions.password_reset", &[]),
    ("reset.twice", &[]),
    ("reset.others", &[]),
    ("cookies.login", &[]),
    ("cookies.csrf", &[]),
    ("passwords.common", &[]),
    ("passwords.common,odd.long_passwords", &[]),
    ("passwords.short", &[]),
    ("passwords.similar", &[]),
];

/// The same for what a stopwatch sees; nothing can be timed behind a throttle.
const SLOW: &[(&str, &[&str])] =
    &[("timing.login", &["throttle.login"]), ("timing.reset", &["throttle.reset"]), ("timing.resend", &[])];

/// Servers that are odd, and sound; what cannot be judged of them, if not the usual.
const ODD: &[(&str, &[&str])] = &[
    ("odd.throttle503", &[]),
    ("odd.forged400", &[]),
    ("odd.host400", &[]),
    ("odd.echo", &[]),
    ("odd.delete204", &[]),
    ("odd.strict", &[]),
    ("odd.base64", &[]),
    ("odd.lock", &["cookies.login"]),
    ("odd.few_mails", &[]),
    (
        "odd.no_socket",
        &["socket.stranger", "socket.origin_with_token", "socket.forbidden_code", "socket.logout"],
    ),
    (
        "odd.no_me",
        &[
            "tokens.unsigned",
            "tokens.tampered",
            "tokens.type",
            "sessions.logout_access",
            "sessions.password_change",
            "sessions.password_reset",
        ],
    ),
    ("odd.no_tail", &["uploads.polyglot"]),
    ("odd.long_passwords", &[]),
    ("odd.by_email", &[]),
    ("odd.extra", &[]),
    ("odd.below", &[]),
];

#[test]
fn every_active_probe_has_a_server_with_its_hole() {
    let known: HashSet<&str> = HOLES.iter().chain(SLOW).filter_map(|(id, _)| id.split(',').next()).collect();
    let known: HashSet<&str> = known.into_iter().filter(|id| !id.starts_with("odd.")).collect();
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_servers_of_accounts_that_are_sound_give_no_finding() {
    let reports = join_all(ODD.iter().map(|(odd, _)| probe(odd))).await;
    for ((odd, blind), report) in ODD.iter().zip(&reports) {
        assert_eq!(found(report), [""; 0], "{odd}: {}", skipped(report).join("; "));
        for id in *blind {
            let item = report.items.iter().find(|item| item.id == *id).unwrap();
            assert_eq!(item.status, Status::Skipped, "{odd}: {id}");
        }
        if blind.is_empty() {
            let active = skipped(report).into_iter().filter(|skip| !is_elsewhere(skip));
            assert_eq!(active.collect::<Vec<_>>(), [""; 0], "{odd}");
        }
    }
}

/// What no server of these can show.
fn is_elsewhere(skip: &str) -> bool {
    let is_timed = skip.starts_with("timing.login") || skip.starts_with("timing.reset");
    is_timed || ["https", "machine"].iter().any(|word| skip.contains(word))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_holds_no_token_and_no_password() {
    for report in
        join_all(["sessions.logout_refresh", "sessions.refresh_reuse", "cookies.login"].map(probe)).await
    {
        let all = report::json(&report);
        let named = ["Lantern", "refresh.0.", "refresh.1.", "verify-1", "reset-"];
        assert!(named.iter().all(|secret| !all.contains(secret)), "{all}");
        assert!(all.contains("[hidden]"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_made_is_deleted_though_the_time_is_over_and_the_rest_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let url = serve(Accounts::new("", folder.path())).await;
    let mut options = options(&url).active(Some(Mailbox::directory(folder.path())));
    options.nonce = [7; 16];
    options.limits.time = Duration::from_secs(12);
    let report = run(options).await.unwrap();
    assert!(report.ended(Status::Skipped).any(|item| item.seen.contains("limit of time")));
    assert!(report.milliseconds < 23_000, "{}", report.milliseconds);
    assert!(!report.left.iter().any(|left| left == "account probe_070707070707a"), "{:?}", report.left);
    assert!(report.facts.iter().any(|fact| fact.value.contains("probe_070707070707")));
}

/// Many at once, since most of a run is waiting.
async fn try_holes(holes: &[(&'static str, &[&str])]) {
    let reports = join_all(holes.iter().map(|(id, _)| probe(id))).await;
    for ((id, implied), report) in holes.iter().zip(&reports) {
        let own = id.split(',').filter(|id| !id.starts_with("odd."));
        let expected: HashSet<&str> = implied.iter().copied().chain(own).collect();
        assert_eq!(of_active(report), expected, "the server with {id}: {}", skipped(report).join("; "));
    }
}

async fn probe(hole: &'static str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let url = serve(Accounts::new(hole, folder.path())).await;
    let below = if hole == "odd.below" { "/app" } else { "" };
    let mut options = options(&format!("{url}{below}")).active(Some(Mailbox::directory(folder.path())));
    options.nonce = [7; 16];
    match hole {
        "odd.by_email" => "email".clone_into(&mut options.mapping.fields.login_name),
        "odd.extra" => {
            options.mapping.extra.insert("password_confirm".to_owned(), "{password}".into());
        }
        _ => {}
    }
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
