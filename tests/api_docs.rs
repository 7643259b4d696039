//! The page at `/api/docs` documents the whole API and loads nothing.

use crate::harness::{Database, TestApp};
use reqwest::Method;

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_every_operation_of_the_schema_with_its_fields() {
    let app = TestApp::start(Database::Sqlite).await;
    let schema = app.send(app.request(Method::GET, "/api/schema")).await.expect(200).body;
    let page = page(&app).await.1;
    let paths = schema["paths"].as_object().expect("paths");
    let mut operations = 0;
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            let method = method.to_uppercase();
            let heading = format!("{method}</span> <span>{path}</span>").replace('/', "&#x2f;");
            let heading = heading.replace("<&#x2f;", "</");
            assert_eq!(page.matches(&heading).count(), 1, "{method} {path}");
            for status in operation["responses"].as_object().expect("responses").keys() {
                assert!(page.contains(&format!(">{status}</span>")), "{status}");
            }
            operations += 1;
        }
    }
    assert_eq!(page.matches("<article").count(), operations);
    for schema in schema["components"]["schemas"].as_object().expect("schemas").values() {
        for name in schema["properties"].as_object().expect("properties").keys() {
            assert!(page.contains(&format!("{name}</code>")), "{name}");
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_loads_nothing_and_its_nonce_is_new_each_time() {
    let app = TestApp::start(Database::Sqlite).await;
    let (policy, page_text) = page(&app).await;
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce");
    for kind in ["style", "script"] {
        assert_eq!(page_text.matches(&format!("<{kind} nonce=\"{nonce}\">")).count(), 1, "{kind}");
        assert_eq!(page_text.matches(&format!("<{kind}")).count(), 1, "{kind}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for loading in ["src=", "@import", "url(", "style=", "onclick", "<iframe", "fetch("] {
        assert!(!page_text.contains(loading), "{loading}");
    }
    let links = page_text.split("<link ").skip(1).map(|rest| rest.split('>').next().expect("a link"));
    assert_eq!(links.collect::<Vec<_>>(), ["rel=\"icon\" href=\"data:,\""]);
    let targets = page_text.split("href=\"").skip(1).map(|rest| rest.split('"').next().expect("a target"));
    assert!(
        targets
            .clone()
            .all(|target| ["#", "data:,", "/api/schema"].iter().any(|own| target.starts_with(own)))
    );
    // Every entry of the contents leads somewhere.
    for anchor in targets.filter_map(|target| target.strip_prefix('#')) {
        assert_eq!(page_text.matches(&format!("id=\"{anchor}\"")).count(), 1, "{anchor}");
    }
    assert_ne!(policy, page(&app).await.0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_open_to_all_and_counts_in_no_throttle() {
    let app = TestApp::with(Database::Sqlite, |config| {
        config.throttle.enabled = true;
        config.throttle.anon = config.throttle.reset;
    })
    .await;
    for path in ["/api/docs", "/api/docs/"].into_iter().cycle().take(40) {
        app.get(path, "not.a.token").await.expect(200);
    }
    app.stop().await;
}

/// The policy and the text.
async fn page(app: &TestApp) -> (String, String) {
    let response = app.request(Method::GET, "/api/docs").send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    let policy = response.headers()["content-security-policy"].to_str().expect("a policy").to_owned();
    (policy, response.text().await.expect("a text"))
}
