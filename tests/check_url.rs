//! `portcullis check --url` against our own server, with its default settings.

use crate::harness::process::Process;
use serde_json::Value;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// What can be judged neither on this machine nor without https.
const NOT_HERE: &[&str] = &[
    "transport.encrypted",
    "transport.plain",
    "tls.old",
    "tls.newest",
    "tls.certificate",
    "tls.expiry",
    "headers.hsts",
    "cookies.secure",
    "cookies.http_only",
    "cookies.same_site",
    "cors.localhost",
    "disclosure.monitoring",
];

fn check(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.arg("check").args(arguments).output().expect("the program runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_of_our_own_server_finds_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server =
        Process::start(folder.path(), &[("THROTTLE__ENABLED", "true"), ("LOG__LEVEL", "info")]).await;
    let start = Instant::now();
    let output = check(&["--url", &server.origin(), "--format", "json"]);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    let items = report["items"].as_array().expect("items");
    let ended = |status: &str| items.iter().filter(|item| item["status"] == status).collect::<Vec<_>>();
    let findings: Vec<_> = ended("found").into_iter().filter(|item| item["severity"] != "note").collect();
    assert!(findings.is_empty(), "{findings:#?}");
    let skipped = ended("skipped");
    let unexpected: Vec<_> =
        skipped.iter().filter(|item| !NOT_HERE.contains(&item["id"].as_str().unwrap_or_default())).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    assert!(ended("passed").len() > 30, "{}", ended("passed").len());
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_host_that_is_not_confirmed_is_not_probed() {
    for (arguments, word) in [
        (&["--url", "https://accounts.example"][..], "--i-own accounts.example"),
        (&["--url", "https://accounts.example", "--i-own", "other.example"], "other.example"),
        (&["--url", "accounts.example"], "not a URL"),
        (&["--url", "http://127.0.0.1:9", "--mapping", "/nowhere.toml"], "/nowhere.toml"),
        (&["--url", "http://127.0.0.1:9"], "cannot probe"),
        (&["--url", "http://127.0.0.1:9", "--active"], "cannot probe"),
        (&["--url", "http://127.0.0.1:9", "--active", "--mailbox", "/nowhere/mail"], "no such directory"),
        (&["--deploy", "--url", "http://127.0.0.1:9", "--format", "json"], "each alone"),
        (&["--deploy", "--url", "http://127.0.0.1:9"], "cannot probe"),
        (&["--url", "http://127.0.0.1:9", "--output", "/nowhere/report.json"], "/nowhere/report.json"),
        (&["--url", "http://[2001:db8::1]", "--i-own", "2001:db8::2"], "--i-own [2001:db8::1]"),
    ] {
        let output = check(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(word), "{said}");
    }
}
