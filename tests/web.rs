//! The pages: served with a policy of their own, compressed, and never in place of an API answer.

use crate::harness::{Database, TestApp};
use reqwest::Method;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, IF_NONE_MATCH};

/// `make test` builds the pages first; without Node there are none, which only CI refuses.
fn are_built() -> bool {
    let built = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/web/dist/index.html")).exists();
    assert!(built || std::env::var_os("CI").is_none(), "run make web first");
    built
}

async fn open(app: &TestApp, path: &str) -> reqwest::Response {
    let request = app.request(Method::GET, path).header(ACCEPT, "text/html,*/*;q=0.8");
    request.send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_has_a_nonce_of_its_own_and_the_name_of_the_site() {
    if !are_built() {
        return;
    }
    let app = TestApp::with(Database::Sqlite, |config| config.site.name = "Ann & <Bob>".to_owned()).await;
    let mut nonces = Vec::new();
    for path in ["/", "/sign-in", "/sign-in/", "/verify-email?token=x", "/no-such-page", "/people/jane.doe"] {
        let page = open(&app, path).await;
        assert_eq!(page.status(), if path == "/no-such-page" { 404 } else { 200 }, "{path}");
        assert_eq!(page.headers()[CACHE_CONTROL], "no-store");
        let policy = page.headers()["content-security-policy"].to_str().expect("text").to_owned();
        let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce");
        assert!(policy.contains("require-trusted-types-for 'script'") && !policy.contains("unsafe"));
        let text = page.text().await.expect("a page");
        assert!(text.contains(&format!("nonce=\"{nonce}\"")), "{text}");
        assert!(text.contains("<title>Ann &amp; &lt;Bob&gt;</title>") && !text.contains("__"), "{text}");
        assert!(text.contains("name=\"deletion-grace\" content=\"2592000\""), "{text}");
        assert!(text.contains("name=\"community\" content=\"true\""), "{text}");
        nonces.push(nonce.to_owned());
    }
    nonces.dedup();
    assert_eq!(nonces.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_an_account_server_alone_says_so() {
    if !are_built() {
        return;
    }
    let app = TestApp::with(Database::Sqlite, |config| config.community.enabled = false).await;
    let text = open(&app, "/").await.text().await.expect("a page");
    assert!(text.contains("name=\"community\" content=\"false\""), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_named_by_their_hash_compressed_and_kept_for_ever() {
    if !are_built() {
        return;
    }
    let app = TestApp::start(Database::Sqlite).await;
    let page = open(&app, "/").await.text().await.expect("a page");
    let script = page.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(".js"));
    let script = script.expect("a script");
    let mut sizes = Vec::new();
    for (accepted, encoding) in
        [("br, gzip", Some("br")), ("gzip;q=1, br;q=0", Some("gzip")), ("identity", None)]
    {
        let file = app
            .request(Method::GET, script)
            .header(ACCEPT_ENCODING, accepted)
            .send()
            .await
            .expect("an answer");
        assert_eq!(file.status(), 200);
        assert_eq!(file.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(file.headers()["vary"], "Accept-Encoding");
        let sent = file.headers().get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        assert_eq!(sent, encoding);
        let tag = file.headers()[ETAG].clone();
        let again =
            app.request(Method::GET, script).header(ACCEPT_ENCODING, accepted).header(IF_NONE_MATCH, tag);
        assert_eq!(again.send().await.expect("an answer").status(), 304);
        sizes.push(file.bytes().await.expect("a file").len());
    }
    assert!(sizes[0] < sizes[1] && sizes[1] < sizes[2], "{sizes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_a_mail_shows_its_page_to_whoever_follows_it() {
    let app = TestApp::start(Database::Sqlite).await;
    for path in ["/verify-email?token=a", "/reset-password?token=a", "/confirm-email?token=a", "/sign-in/"] {
        for accept in ["*/*", "application/json"] {
            let answer = app.request(Method::GET, path).header(ACCEPT, accept).send().await;
            assert_eq!(answer.expect("an answer").status(), 200, "{path}");
        }
    }
    assert_eq!(open(&app, "/nowhere").await.status(), 404);
}

/// The server has to know which addresses are pages.
#[test]
fn every_page_of_the_web_app_is_one_for_the_server() {
    let source = ["src/web.rs", "web/src/app/router.tsx", "web/src/app/community-routes.ts"]
        .map(|path| std::fs::read_to_string(path).expect("a source"));
    let paths = source[1..].iter().flat_map(|source| source.split("path: '/").skip(1));
    let firsts = paths.filter_map(|path| path.split(['/', '\'']).next()).filter(|first| !first.is_empty());
    let within_account = ["email", "password", "sessions", "data"];
    let mut count = 0;
    for first in firsts.filter(|first| !within_account.contains(first)) {
        assert!(source[0].contains(&format!("\"{first}\"")), "/{first} is no page in src/web.rs");
        count += 1;
    }
    assert!(count > 15, "{count} pages");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_programs_ask_for_is_never_answered_with_a_page() {
    let app = TestApp::start(Database::Sqlite).await;
    for path in [
        "/api/nothing",
        "/api/auth/nothing/",
        "/api",
        "/dev/nothing",
        "/ws/nothing",
        "/.well-known/x",
        "/x.js",
        "/sign-in~",
    ] {
        let answer = open(&app, path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/json", "{path}");
    }
    for path in
        ["/assets/%2e%2e/%2e%2e/Cargo.toml", "/..%2fCargo.toml", "/.vite/manifest.json", "/index.html"]
    {
        let answer = app.request(Method::GET, path).send().await.expect("an answer");
        assert_eq!(answer.status(), 404, "{path}");
    }
    let posted = app.request(Method::POST, "/sign-in").header(ACCEPT, "text/html").send().await;
    assert_eq!(posted.expect("an answer").status(), 404);
}
