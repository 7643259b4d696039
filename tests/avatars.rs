//! Avatars: uploaded, made harmless, shown, replaced, gone (guide §13, contract §3).

use crate::harness::form::{body, picture};
use crate::harness::{Database, PASSWORD, TestApp};
use crate::hostile_bodies::{half_sent, until_full, until_status};
use crate::on_each_database;
use portcullis::accounts::cleanup;
use portcullis::backup::{self, Restore, Source};
use portcullis::config::Rate;
use portcullis::model::users::{Column, Entity, Status};
use portcullis::storage::Write;
use portcullis_security::clock::Clock;
use portcullis_security::random::Random;
use portcullis_security::secret::Secret;
use reqwest::Method;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

const LIMIT: usize = 5 * 1024 * 1024;
const MARK: &[u8] = b"PLACE-THAT-MUST-GO";

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// A picture with a tail that makes it as long as wanted.
fn padded(length: usize) -> Vec<u8> {
    let mut bytes = picture("exif.jpg");
    bytes.resize(length, 0);
    bytes
}

on_each_database! {
    async fn an_avatar_is_uploaded_shown_replaced_and_removed(app: TestApp) {
        let access = app.user("reader").await.text("access");
        let profile = app.get("/api/profile/", &access).await.expect(200);
        assert_eq!(profile.body["avatar_url"], Value::Null);

        let first = app.upload_avatar(&access, &picture("exif.jpg")).await.expect(200);
        assert_eq!(first.text("message"), "Avatar uploaded successfully");
        let first = first.text("avatar_url");
        let (status, headers, content) = app.fetch(&first).await;
        assert_eq!(status, 200);
        for (name, value) in [
            ("content-type", "image/jpeg"),
            ("cache-control", "public, max-age=31536000, immutable"),
            ("content-disposition", "inline; filename=\"avatar.jpg\""),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "cross-origin"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
        assert!(content.starts_with(b"\xff\xd8\xff"));
        for metadata in [MARK, b"Exif", b"GPS", b"ICC_PROFILE"] {
            assert!(!holds(&content, metadata));
        }
        assert!(holds(&picture("exif.jpg"), MARK));

        let second = app.upload_avatar(&access, &picture("lossless.webp")).await.expect(200).text("avatar_url");
        assert_ne!(first, second);
        assert_eq!(app.fetch(&first).await.0, 404);
        assert_eq!(app.stored_avatars().len(), 1);
        for path in ["/api/profile/", "/api/profiles/reader/"] {
            assert_eq!(app.get(path, &access).await.expect(200).text("avatar_url"), second);
        }
        let export = app.get("/api/auth/me/export/", &access).await.expect(200);
        assert_eq!(export.body["profile"]["avatar_url"], second.as_str());

        for _ in 0..2 {
            app.call(Method::DELETE, "/api/profile/avatar/", &access, Value::Null).await.expect(204);
        }
        assert_eq!(app.fetch(&second).await.0, 404);
        assert_eq!(app.get("/api/profile/", &access).await.expect(200).body["avatar_url"], Value::Null);
        assert!(app.stored_avatars().is_empty());
    }

    async fn five_mebibytes_pass_and_one_byte_more_does_not(app: TestApp) {
        let access = app.user("reader").await.text("access");
        app.upload_avatar(&access, &padded(LIMIT)).await.expect(200);
        for too_large in [LIMIT + 1, LIMIT + 100_000, 20 << 20] {
            let refused = app.upload_avatar(&access, &padded(too_large)).await.expect(413);
            assert_eq!(refused.text("error"), "File too large. Maximum size is 5MB", "{too_large}");
        }
        assert_eq!(app.stored_avatars().len(), 1);
    }

    async fn uploads_at_once_leave_one_file(app: TestApp) {
        let access = app.user("reader").await.text("access");
        let files = ["exif.jpg", "exif.png", "lossless.webp", "grey.jpg"].map(picture);
        let uploads = (0..12).map(|number| app.upload_avatar(&access, &files[number % files.len()]));
        let answers = futures_util::future::join_all(uploads).await;
        let urls: Vec<_> = answers.into_iter().map(|answer| answer.expect(200).text("avatar_url")).collect();
        let last = app.get("/api/profile/", &access).await.expect(200).text("avatar_url");
        assert!(urls.contains(&last));
        assert_eq!(app.stored_avatars().len(), 1);
        assert_eq!(app.fetch(&last).await.0, 200);
    }

    async fn only_its_owner_changes_an_avatar(app: TestApp) {
        let access = app.user("reader").await.text("access");
        let other = app.user("other").await.text("access");
        let url = app.upload_avatar(&access, &picture("grey.jpg")).await.expect(200).text("avatar_url");
        app.send_avatar("a.b.c", body("avatar", "me.jpg", &picture("grey.jpg"))).await.expect(401);
        for method in [Method::PATCH, Method::DELETE] {
            app.send(app.request(method, "/api/profile/avatar/")).await.expect(401);
        }
        app.call(Method::DELETE, "/api/profile/avatar/", &other, Value::Null).await.expect(204);
        assert_eq!(app.fetch(&url).await.0, 200);
        app.send(app.request(Method::POST, "/api/profile/avatar/").bearer_auth(&access)).await.expect(405);
    }

    async fn what_is_no_picture_is_refused_by_its_content(app: TestApp) {
        let access = app.user("reader").await.text("access");
        for content in [b"<svg onload='alert(1)'/>".as_slice(), b"GIF89a\x01\0\x01\0", b"%PDF-1.7", b"\0"] {
            let refused = app.upload_avatar(&access, content).await.expect(400);
            assert_eq!(refused.text("error"), "Invalid file type. Allowed: JPEG, PNG, WebP");
            assert_eq!(refused.body["fields"]["avatar"][0], refused.body["error"]);
        }
        let broken = app.upload_avatar(&access, &picture("exif.png")[..60]).await.expect(400);
        assert_eq!(broken.text("error"), "Invalid image file");
        let mut bomb = picture("sixteen-bit.png");
        bomb[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
        let begun = Instant::now();
        app.upload_avatar(&access, &bomb).await.expect(400);
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        // The name says nothing, in either direction.
        app.send_avatar(&access, body("avatar", "me.php", &picture("exif.png"))).await.expect(200);
        assert!(app.stored_avatars()[0].extension().is_some_and(|extension| extension == "jpg"));
    }

    async fn a_form_without_a_file_is_told_so(app: TestApp) {
        let access = app.user("reader").await.text("access");
        let none = [
            body("picture", "me.jpg", &picture("grey.jpg")),
            body("avatar", "me.jpg", b""),
            body("avatar", "", &picture("grey.jpg")),
            b"------a-boundary--\r\n".to_vec(),
            b"------a-boundary\r\ncontent-disposition: form-data; name=\"avatar\"\r\n\r\ntext\r\n------a-boundary--\r\n"
                .to_vec(),
        ];
        for body in none {
            let refused = app.send_avatar(&access, body).await.expect(400);
            assert_eq!(refused.text("error"), "No file provided");
        }
        let empty = app.request(Method::PATCH, "/api/profile/avatar/").bearer_auth(&access);
        assert_eq!(app.send(empty).await.expect(400).text("error"), "No file provided");
        app.call(Method::PATCH, "/api/profile/avatar/", &access, json!({ "avatar": "x" })).await.expect(415);
    }

    async fn a_broken_form_is_told_so(app: TestApp) {
        let access = app.user("reader").await.text("access");
        let whole = body("avatar", "me.jpg", &picture("grey.jpg"));
        let cut = whole.len() - 10;
        for broken in [b"".as_slice(), b"nonsense", &whole[..cut], &whole[..40], &[0xff; 300_000]] {
            let refused = app.send_avatar(&access, broken.to_vec()).await.expect(400);
            assert_eq!(refused.text("code"), "parse_error");
        }
        let endless = [b"------a-boundary\r\nx-long: ".as_slice(), &vec![b'a'; 6 << 20]].concat();
        app.send_avatar(&access, endless).await.expect(413);
        let request = app.request(Method::PATCH, "/api/profile/avatar/").bearer_auth(&access);
        app.send(request.header("content-type", "multipart/form-data").body("x")).await.expect(400);
        assert!(app.stored_avatars().is_empty());
    }

    async fn the_avatar_of_an_account_that_is_banned_or_deleted_is_hidden_and_goes_with_it(app: TestApp) {
        let access = app.user("reader").await.text("access");
        let url = app.upload_avatar(&access, &picture("grey.jpg")).await.expect(200).text("avatar_url");
        let status = |status| app.app().storage.write(SetStatus(status));
        status(Status::Banned).await.expect("a ban");
        assert_eq!(app.fetch(&url).await.0, 404);
        status(Status::Active).await.expect("a pardon");
        assert_eq!(app.fetch(&url).await.0, 200);
        app.call(Method::DELETE, "/api/auth/me/", &access, json!({ "password": PASSWORD })).await.expect(200);
        assert_eq!(app.fetch(&url).await.0, 404);
        app.login("reader", PASSWORD).await.expect(200);
        assert_eq!(app.fetch(&url).await.0, 200, "the account came back");
        status(Status::Deleted).await.expect("a deletion");
        cleanup::run(app.app()).await.expect("a clean-up");
        assert!(app.stored_avatars().is_empty());
        app.mails().await;
    }
}

struct SetStatus(Status);

impl Write for SetStatus {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> portcullis::error::Result<()> {
        let all = Entity::update_many().col_expr(Column::Status, Expr::value(self.0));
        let all = all.col_expr(Column::DeleteAt, Expr::value(1_i64));
        all.filter(Column::Username.eq("reader")).exec(tx).await?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_throttled_and_the_pictures_are_not() {
    let app = TestApp::with(Database::Sqlite, |config| {
        config.throttle.enabled = true;
        config.throttle.user = Rate::parse("3/hour").expect("a rate");
        config.throttle.anon = Rate::parse("3/hour").expect("a rate");
    })
    .await;
    let access = app.user("reader").await.text("access");
    let url = app.upload_avatar(&access, &picture("grey.jpg")).await.expect(200).text("avatar_url");
    app.upload_avatar(&access, b"nothing").await.expect(400);
    app.upload_avatar(&access, &picture("grey.jpg")).await.expect(200);
    let refused = app.upload_avatar(&access, &padded(LIMIT)).await.expect(429);
    assert!(refused.headers.contains_key("retry-after"));
    app.call(Method::DELETE, "/api/profile/avatar/", &access, Value::Null).await.expect(429);
    for _ in 0..10 {
        assert_ne!(app.fetch(&url).await.0, 429);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_of_fields_that_never_end_take_their_share_of_the_memory_for_uploads() {
    let app = TestApp::start(Database::Sqlite).await;
    let access = app.user("reader").await.text("access");
    let head = format!(
        "PATCH /api/profile/avatar/ HTTP/1.1\r\nauthorization: Bearer {access}\r\n\
         content-type: multipart/form-data; boundary=----a-boundary"
    );
    let start = b"------a-boundary\r\nx-long: ";
    let begin = async || half_sent(&app, &head, start, 4_500_000).await;
    let ask = async || app.upload_avatar(&access, &padded(LIMIT)).await;
    let (streams, refused) = until_full(14, begin, ask).await;
    assert!(refused.headers.contains_key("retry-after"));
    drop(streams);
    until_status(200, ask).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_leads_out_of_the_folder_of_avatars() {
    let app = TestApp::start(Database::Sqlite).await;
    for path in [
        "/media/avatars/",
        "/media/avatars/..%2f..%2fsecret_key",
        "/media/avatars/%2e%2e/secret_key",
        "/media/avatars/..%5c..%5csecret_key",
        "/media/avatars/%00",
        "/media/avatars/%ff",
        "/media/avatars/0123456789abcdef0123456789abcdef.jpg",
        "/media/secret_key",
    ] {
        let (status, _, content) = app.fetch(&app.url(path)).await;
        assert!(matches!(status, 400 | 404), "{path}: {status}");
        assert!(content.starts_with(b"{"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_server_alone_has_no_avatars() {
    let app = TestApp::with(Database::Sqlite, |config| config.community.enabled = false).await;
    let access = app.user("reader").await.text("access");
    app.upload_avatar(&access, &picture("grey.jpg")).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn avatars_go_into_a_backup_and_come_back() {
    let secret = Secret::from("a secret of thirty-two bytes and more");
    let folder = tempfile::tempdir().expect("a folder");
    let (path, random) = (folder.path().join("backup"), Random::system());
    let with_secret = || TestApp::with(Database::Sqlite, |config| config.secret_key = Some(secret.clone()));
    let app = with_secret().await;
    let access = app.user("reader").await.text("access");
    let url = app.upload_avatar(&access, &picture("grey.jpg")).await.expect(200).text("avatar_url");
    let (_, _, content) = app.fetch(&url).await;
    let files = app.app().config.storage.files_directory();
    let source = Source { storage: &app.app().storage, secret: &secret, with_secret: false, files };
    let written = backup::write(&source, &path, (Clock::system().now(), &random), |_, _| ()).await;
    assert_eq!(written.expect("a backup").files, 1);

    let there = with_secret().await;
    let how = Restore {
        replace: true,
        without_sealed: false,
        files: there.app().config.storage.files_directory(),
        clock: Clock::system(),
        progress: Arc::new(|_| ()),
    };
    let checked = backup::check(&path, |_| ()).expect("sound");
    backup::restore(&there.app().storage, &checked, how).await.expect("restored");
    let moved = url.replace(&app.origin(), &there.origin());
    assert_eq!(there.fetch(&moved).await.2, content);
}
