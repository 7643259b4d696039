//! The guide's own flow: its front end, unchanged, and mail over an encrypted connection.

use crate::harness::process::Process;
use crate::harness::smtp::{Encryption, Received, SmtpSink};
use crate::harness::{Database, PASSWORD, TestApp, skip};
use portcullis_security::secret::Secret;
use serde_json::json;
use std::path::Path;
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_front_end_works_as_it_is_printed() {
    let is_installed =
        Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_installed {
        assert!(std::env::var_os("CI").is_none(), "CI needs Node: install nodejs");
        skip("install nodejs");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let work = tempfile::tempdir().expect("a folder");
    let server = Process::start(folder.path(), &[("TOKENS__ACCESS_LIFETIME", "2s")]).await;
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/guide_auth_driver.mjs");
    let mut node = Command::new("node");
    node.arg(driver).arg(server.origin()).arg(folder.path().join("mail")).arg(work.path()).arg("2000");
    let output = tokio::task::spawn_blocking(move || node.output()).await.expect("a thread").expect("node");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The token of the link to a page.
fn token_of(mail: &Received, page: &str) -> String {
    let (_, rest) = mail.data.split_once(&format!("/{page}?token=")).expect("a link");
    rest.chars().take_while(|character| !character.is_whitespace()).collect()
}

async fn live_by_mail(encryption: Encryption) {
    let sink = SmtpSink::start_with(encryption).await;
    let url = sink.url();
    let app = TestApp::with(Database::Sqlite, |config| config.mail.url = Secret::from(url)).await;
    let asked = std::time::Instant::now();
    app.register("reader").await.expect(201);
    let mail = sink.wait_for(1).await.remove(0);
    assert!(asked.elapsed().as_secs() < 2, "contract §2: within 2 s, not {:?}", asked.elapsed());
    assert_eq!(mail.to, ["reader@example.com"]);
    assert_eq!(mail.encrypted, encryption != Encryption::None);
    assert_eq!(mail.header("Auto-Submitted").as_deref(), Some("auto-generated"));
    app.login("reader", PASSWORD).await.expect(401);
    let body = json!({ "token": token_of(&mail, "verify-email") });
    app.post("/api/auth/verify-email/", body).await.expect(200);
    app.login("reader", PASSWORD).await.expect(200);
    app.post("/api/auth/password-reset/", json!({ "email": "reader@example.com" })).await.expect(200);
    app.post("/api/auth/password-reset/", json!({ "email": "nobody@example.com" })).await.expect(200);
    let mail = sink.wait_for(2).await.remove(1);
    let body = json!({ "token": token_of(&mail, "reset-password"), "password": "Quiet-Meadow-77!" });
    app.post("/api/auth/password-reset/confirm/", body).await.expect(200);
    app.login("reader", "Quiet-Meadow-77!").await.expect(200);
    app.drain_outbox().await;
    let recipients: Vec<_> = sink.received().into_iter().flat_map(|mail| mail.to).collect();
    assert_eq!(recipients, ["reader@example.com"; 3], "the third tells of the new password");
    assert!(sink.received().iter().all(|mail| mail.encrypted == (encryption != Encryption::None)));
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_go_out_over_starttls() {
    live_by_mail(Encryption::StartTls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_go_out_over_tls() {
    live_by_mail(Encryption::FromTheStart).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_whose_certificate_is_not_trusted_gets_no_mail() {
    let sink = SmtpSink::start_with(Encryption::FromTheStart).await;
    let url = sink.url().split('?').next().expect("a URL").to_owned();
    let app = TestApp::with(Database::Sqlite, |config| config.mail.url = Secret::from(url)).await;
    app.register("reader").await.expect(201);
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert!(sink.received().is_empty());
    app.stop().await;
}
