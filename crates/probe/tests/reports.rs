//! How a report is told.

use super::fixture::Server;
use portcullis_probe::{Options, Report, Severity, Status, Target, report, run};
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn spoiled() -> Report {
    let server = Server::start(|call, reply| {
        reply.unset("x-content-type-options");
        reply.set("server", "<b>bad</b>/1.2.3");
        if call.path == "/openapi.json" {
            (reply.status, reply.body) = (200, "{\"openapi\": \"3.1.0\", \"paths\": {}}".to_owned());
        }
    })
    .await;
    let mut options = super::fixture::options(&server.url);
    options.now = Duration::from_secs(1_795_564_799);
    run(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_says_the_same_as_text_json_sarif_and_page() {
    let spoiled = spoiled().await;
    let ids: Vec<&str> = spoiled.findings().iter().map(|item| item.id.as_str()).collect();
    assert_eq!(ids, ["headers.nosniff", "disclosure.version"], "worst first");
    assert_eq!(spoiled.notes().len(), 1);

    let text = report::text(&spoiled, false);
    assert!(text.contains("MEDIUM  Browsers may guess the type of answers  [headers.nosniff]"), "{text}");
    assert!(
        text.contains("2 findings, 1 note, ") && text.contains("x-content-type-options: (missing)"),
        "{text}"
    );
    assert!(!text.contains('\x1b') && report::text(&spoiled, true).contains("\x1b[1;33mMEDIUM"));

    let json: Value = serde_json::from_str(&report::json(&spoiled)).unwrap();
    assert_eq!(json["items"].as_array().unwrap().len(), spoiled.items.len());

    let page = report::html(&spoiled);
    for part in [
        "2026-11-24 23:59:59",
        "portcullis check ",
        "400 calls, 55 s",
        "and 4 like these",
        "requirements looked at, of",
        "href=\"#headers.nosniff\"",
        "headers.nosniff",
        "v5.0.0-3.4.4",
        "prefers-color-scheme: dark",
        "@media print",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(
        !page.contains("<script") && !page.contains("<b>bad</b>") && page.contains("&lt;b&gt;bad"),
        "{page}"
    );
    assert!(!page.contains("src=") && !page.contains("<link"), "loads nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sarif_has_a_rule_for_every_probe_and_a_result_for_every_hole() {
    let spoiled = spoiled().await;
    let sarif: Value = serde_json::from_str(&report::sarif(&spoiled)).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), spoiled.items.len());
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(result["message"]["text"].is_string());
        assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 1);
        let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(uri, &spoiled.subject, "a URI-reference");
    }
    let skipped = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    assert_eq!(skipped.len(), spoiled.ended(Status::Skipped).count());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_said_of_a_server_that_does_not_answer() {
    let target = Target::parse("http://127.0.0.1:9", None).unwrap();
    let outcome = run(Options::new(target, super::fixture::mapping())).await;
    assert!(outcome.is_err_and(|error| error.to_string().starts_with("cannot probe http://127.0.0.1:9")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_takes_no_more_time_than_the_run_may() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut is_first = true;
        while let Ok((mut stream, _)) = listener.accept().await {
            let answers = std::mem::take(&mut is_first);
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                if answers {
                    let _ = stream
                        .write_all(b"HTTP/1.1 401 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                        .await;
                    return;
                }
                tokio::time::sleep(Duration::from_secs(60)).await;
            });
        }
    });
    let mut options = super::fixture::options(&url);
    (options.limits.time, options.limits.call) = (Duration::from_millis(2500), Duration::from_millis(2000));
    let report = run(options).await.unwrap();
    assert!(report.milliseconds < 3500, "{}", report.milliseconds);
    assert!(report.ended(Status::Skipped).any(|item| item.seen.contains("limit of time")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_of_which_nothing_could_be_judged_says_so() {
    let server = Server::start(|_, reply| reply.json(429, &serde_json::json!({"error": "later"}))).await;
    let silent = server.probe().await;
    assert!(!silent.says_something(), "{}", silent.summary());
    let page = report::html(&silent);
    assert!(page.contains("Nothing could be judged.") && page.contains("probes could not look"), "{page}");
}

#[test]
fn a_note_is_less_than_every_finding() {
    assert!(
        Severity::Note < Severity::Low
            && Severity::Low < Severity::Medium
            && Severity::Medium < Severity::High
    );
}
