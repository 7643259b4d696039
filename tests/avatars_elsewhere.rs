//! Avatars with other programs: a virus scanner that looks at them, a bucket that keeps them.

use crate::harness::clamd::{self, Clamd, eicar};
use crate::harness::form::picture;
use crate::harness::s3::{self, BUCKET, Store};
use crate::harness::{Database, TestApp};
use axum::Router;
use axum::http::Uri;
use axum::response::Redirect;
use portcullis_security::secret::Secret;
use reqwest::Method;
use serde_json::Value;
use std::sync::{Arc, Mutex};

async fn scanned_by(address: String) -> TestApp {
    TestApp::with(Database::Sqlite, |config| config.uploads.clamav = Some(address)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_clamav_knows_is_refused_and_others_pass() {
    if !clamd::is_available() {
        return;
    }
    let clamd = Clamd::start().await;
    for address in [clamd.address(), clamd.socket()] {
        let app = scanned_by(address).await;
        let access = app.user("reader").await.text("access");
        app.upload_avatar(&access, &picture("exif.jpg")).await.expect(200);
        let mut large = picture("exif.jpg");
        large.resize(5 * 1024 * 1024, 7);
        app.upload_avatar(&access, &large).await.expect(200);
        let infected = [picture("exif.jpg"), eicar()].concat();
        let refused = app.upload_avatar(&access, &infected).await.expect(400);
        assert_eq!(refused.text("error"), "The file was refused by the virus scanner");
        app.upload_avatar(&access, &eicar()).await.expect(400);
        assert_eq!(app.stored_avatars().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_scanner_a_server_takes_no_uploads() {
    let app = scanned_by("127.0.0.1:1".to_owned()).await;
    let access = app.user("reader").await.text("access");
    let refused = app.upload_avatar(&access, &picture("exif.jpg")).await.expect(503);
    assert!(refused.headers.contains_key("retry-after"));
    assert!(app.stored_avatars().is_empty());
    app.call(Method::DELETE, "/api/profile/avatar/", &access, Value::Null).await.expect(204);
}

async fn with_bucket_at(endpoint: String) -> TestApp {
    TestApp::with(Database::Sqlite, |config| {
        config.storage.files_url = Secret::from(format!("s3://{BUCKET}/some/folder"));
        config.storage.aws.endpoint_url = Some(endpoint);
        config.storage.aws.access_key_id = Some(Secret::from("a key"));
        config.storage.aws.secret_access_key = Some(Secret::from("its secret"));
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_points_elsewhere_is_not_followed() {
    let paths = Arc::new(Mutex::new(Vec::new()));
    let noted = paths.clone();
    let redirect = move |uri: Uri| async move {
        noted.lock().expect("the paths").push(uri.path().to_owned());
        Redirect::temporary("/elsewhere")
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async { axum::serve(listener, Router::new().fallback(redirect)).await });
    let app = with_bucket_at(endpoint).await;
    let access = app.user("reader").await.text("access");
    app.upload_avatar(&access, &picture("exif.jpg")).await.expect(503);
    let paths = paths.lock().expect("the paths").clone();
    assert!(!paths.is_empty() && paths.iter().all(|path| path != "/elsewhere"), "{paths:?}");
    server.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_keeps_avatars_as_a_disk_does() {
    if !s3::is_available() {
        return;
    }
    let mut store = Store::start().await;
    let app = with_bucket_at(store.endpoint()).await;
    let access = app.user("reader").await.text("access");
    let first = app.upload_avatar(&access, &picture("exif.jpg")).await.expect(200).text("avatar_url");
    let second = app.upload_avatar(&access, &picture("exif.png")).await.expect(200).text("avatar_url");
    let (status, headers, content) = app.fetch(&second).await;
    assert_eq!((status, headers["content-type"].to_str().ok()), (200, Some("image/jpeg")));
    assert!(content.starts_with(b"\xff\xd8\xff"));
    assert_eq!(app.fetch(&first).await.0, 404);
    let objects = store.objects().await;
    assert_eq!(objects.len(), 1);
    assert!(objects[0].starts_with("some/folder/avatars/"), "{objects:?}");
    app.call(Method::DELETE, "/api/profile/avatar/", &access, Value::Null).await.expect(204);
    assert!(store.objects().await.is_empty());

    let kept = app.upload_avatar(&access, &picture("exif.png")).await.expect(200).text("avatar_url");
    store.kill();
    assert_eq!(app.fetch(&kept).await.0, 503);
    let refused = app.upload_avatar(&access, &picture("exif.jpg")).await.expect(503);
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(app.get("/api/profile/", &access).await.expect(200).text("avatar_url"), kept);
}
