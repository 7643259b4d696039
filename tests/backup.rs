//! Backups go from any database to any other, whole or not at all (contract §5 `backup`, `restore`).

use crate::harness::{Answer, Database, PASSWORD, TestApp, create_mariadb_database, databases, mariadb};
use crate::lifetimes::{foreign, id_of};
use crate::people::{Step, steps};
use portcullis::app::open_storage;
use portcullis::backup::{self, BackupError, Restore, Source};
use portcullis::books::{InsertBooks, NewBook};
use portcullis::chat::InsertMessages;
use portcullis::config::Config;
use portcullis::model::{outbox, revocations, search_budgets, sessions, users, webhooks};
use portcullis::reviews::{InsertReviews, NewReview};
use portcullis::storage::{Storage, Write};
use portcullis_security::clock::Clock;
use portcullis_security::random::Random;
use portcullis_security::secret::Secret;
use portcullis_security::token::TokenType;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const SECRET: &str = "a secret of thirty-two bytes and more";

async fn server(database: Database) -> TestApp {
    TestApp::with(database, |config| {
        config.secret_key = Some(Secret::from(SECRET));
        config.throttle.enabled = true;
    })
    .await
}

async fn back_up(storage: &Storage, path: &Path) {
    let source = Source { storage, secret: &Secret::from(SECRET), with_secret: false, files: None };
    let moment = (Clock::system().now(), &Random::system());
    let mut last = (0, 0);
    backup::write(&source, path, moment, |done, total| last = (done, total)).await.expect("a backup");
    assert!(last.0 == last.1 && last.0 > 0, "{last:?}");
}

async fn restore(storage: &Storage, path: &Path, replace: bool) -> Result<(), BackupError> {
    let checked = backup::check(path, |_| ())?;
    assert!(checked.is_sealed_by(&Secret::from(SECRET)) && !checked.is_sealed_by(&Secret::from("another")));
    backup::restore(storage, &checked, how(replace)).await
}

fn how(replace: bool) -> Restore {
    let (clock, progress) = (Clock::system(), Arc::new(|_| ()));
    Restore { replace, without_sealed: false, files: None, clock, progress }
}

/// An empty database that no server has opened.
async fn empty(database: Database, folder: &Path) -> (Arc<Storage>, Secret) {
    let mut config = Config::development(folder);
    if database == Database::MariaDb {
        config.storage.database_url = Secret::from(create_mariadb_database().await);
    }
    let url = config.storage.database_url.clone();
    (open_storage(&config).await.expect("a database"), url)
}

/// The rows of a backup, with how many there are of each table.
fn rows(path: &Path) -> (Vec<Value>, Value) {
    let text = std::fs::read_to_string(path).expect("a backup");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let counts = lines.last().expect("an end")["end"]["rows"].clone();
    (lines.into_iter().filter(|line| line.get("row").is_some()).collect(), counts)
}

/// Rows that no call makes here: a mail and a webhook that wait, and the count of searches that cost money.
struct ServersOwn;

impl Write for ServersOwn {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> portcullis::error::Result<()> {
        let row = outbox::ActiveModel {
            kind: Set("test".to_owned()),
            body: Set(vec![0, 1, 255]),
            attempts: Set(1),
            next_try_at: Set(i64::MAX),
            created_at: Set(0),
            ..outbox::ActiveModel::default()
        };
        outbox::Entity::insert(row).exec_without_returning(tx).await?;
        let spent = search_budgets::ActiveModel {
            day: Set(20_000),
            user_id: Set(0),
            calls: Set(7),
            ..search_budgets::ActiveModel::default()
        };
        search_budgets::Entity::insert(spent).exec_without_returning(tx).await?;
        let webhook = webhooks::ActiveModel {
            kind: Set("token.reused".to_owned()),
            body: Set("{}".to_owned()),
            attempts: Set(1),
            next_try_at: Set(i64::MAX),
            created_at: Set(0),
            ..webhooks::ActiveModel::default()
        };
        webhooks::Entity::insert(webhook).exec_without_returning(tx).await?;
        Ok(())
    }
}

/// A row in every table, with every kind of value.
async fn fill(app: &TestApp) -> (String, String) {
    let session = app.user("reader").await;
    let (access, refresh) = (session.text("access"), session.text("refresh"));
    let name = json!({ "first_name": "Ada 📚 \"\\" });
    app.call(reqwest::Method::PATCH, "/api/auth/me/", &access, name).await.expect(200);
    let other = app.login("reader", PASSWORD).await.expect(200).text("refresh");
    app.post("/api/auth/logout/", json!({ "refresh": other })).await.expect(200);
    app.register("waiting").await.expect(201);
    app.mail_to("waiting@example.com").await;
    app.app().storage.write(ServersOwn).await.expect("rows");
    fill_community(app, &session).await;
    app.app().guard.limits.save(&app.app().storage).await.expect("throttles");
    (access, refresh)
}

async fn fill_community(app: &TestApp, session: &crate::harness::Answer) {
    let (reader, now) = (session.body["user"]["id"].as_i64().expect("an id"), app.app().now());
    let book = NewBook {
        title: "Dune".to_owned(),
        author: "Frank Herbert".to_owned(),
        isbn: None,
        description: "Sand & <spice>".to_owned(),
        year: Some(1965),
    };
    let made = app.app().write(InsertBooks { books: vec![book], now }).await.expect("a book");
    let review = NewReview {
        book: made[0],
        title: "Fine".to_owned(),
        review_text: "<p>Ünlike <em>any</em></p>".to_owned(),
        rating: 5,
        is_public: Some(false),
    };
    app.app().write(InsertReviews { reviews: vec![(reader, review)], now }).await.expect("a review");
    let access = session.text("access");
    let room = json!({ "name": "The cellar", "is_public": false });
    let room = app.call(reqwest::Method::POST, "/api/rooms/", &access, room).await.expect(201);
    let room_id = room.body["id"].as_i64().expect("an id");
    let said = vec![(reader, "Ünlike <b>any</b> 📚".to_owned())];
    app.app().storage.write(InsertMessages { room_id, said, now }).await.expect("a message");
    app.call(reqwest::Method::POST, "/api/auth/ws-ticket/", &access, json!({})).await.expect(200);
    let other = reader + 1;
    let follow = Step::Follow { follower: reader, followed: other, is_accepted: false };
    steps(app, vec![follow, Step::Block { blocker: other, blocked: reader }]).await;
}

async fn goes_round(from: Database, to: Database) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    let app = server(from).await;
    let (access, refresh) = fill(&app).await;
    back_up(&app.app().storage, &file("first")).await;
    let (first, counts) = rows(&file("first"));
    assert!(counts.as_object().expect("counts").values().all(|count| count.as_u64() > Some(0)), "{counts}");
    app.stop().await;

    let (there, url) = empty(to, &file("there")).await;
    restore(&there, &file("first"), false).await.expect("restored");
    back_up(&there, &file("second")).await;
    assert_eq!(rows(&file("second")), (first.clone(), counts.clone()));
    let (back, _) = empty(from, &file("back")).await;
    restore(&back, &file("second"), false).await.expect("restored");
    back_up(&back, &file("third")).await;
    assert_eq!(rows(&file("third")), (first, counts));
    back.close().await;
    there.close().await;

    let app = TestApp::with(Database::Sqlite, |config| {
        config.storage.database_url = url;
        config.secret_key = Some(Secret::from(SECRET));
    })
    .await;
    app.get("/api/auth/me/", &access).await.expect(200);
    app.post("/api/auth/refresh/", json!({ "refresh": refresh })).await.expect(200);
    app.login("reader", PASSWORD).await.expect(200);
    app.register("newcomer").await.expect(201);
    app.mail_to("newcomer@example.com").await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_sqlite_moves_to_mariadb_and_back_and_nobody_is_logged_out() {
    let there = if mariadb::is_available() { Database::MariaDb } else { Database::Sqlite };
    goes_round(Database::Sqlite, there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_mariadb_moves_to_sqlite_and_back_and_nobody_is_logged_out() {
    if mariadb::is_available() {
        goes_round(Database::MariaDb, Database::Sqlite).await;
    }
}

async fn user_count(storage: &Storage) -> u64 {
    users::Entity::find().count(storage.reader()).await.expect("a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = folder.path().join("good");
    let app = server(Database::Sqlite).await;
    fill(&app).await;
    back_up(&app.app().storage, &good).await;
    app.stop().await;
    let (storage, _) = empty(Database::Sqlite, &folder.path().join("data")).await;
    let bytes = std::fs::read(&good).expect("a backup");
    let bad = folder.path().join("bad");
    let mut damaged: Vec<Vec<u8>> =
        [0, 1, 40, 2].map(|part| bytes[..bytes.len() * part / 41].to_vec()).into();
    damaged.push(bytes[..bytes.len() - 1].to_vec());
    damaged.push([bytes.clone(), b"{}\n".to_vec()].concat());
    let text = String::from_utf8(bytes.clone()).expect("text");
    damaged.push(text.replacen("\"is_staff\":false", "\"is_staff\":true", 1).into_bytes());
    damaged.push(text.replacen("{\"row\":[\"users\"", "{\"row\":[\"nonsense\"", 1).into_bytes());
    damaged.push(text.replacen("\"portcullis_backup\":1", "\"portcullis_backup\":2", 1).into_bytes());
    let second_row = text.lines().nth(2).expect("a row");
    damaged.push(text.replacen(&format!("{second_row}\n"), "", 1).into_bytes());
    for damage in damaged {
        assert_ne!(damage, bytes);
        std::fs::write(&bad, damage).expect("a file");
        let error = restore(&storage, &bad, true).await.expect_err("it is damaged");
        assert!(!error.to_string().contains('\n'), "{error}");
        assert_eq!(user_count(&storage).await, 0, "{error}");
    }
    restore(&storage, &good, false).await.expect("the good one");
    storage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_after_the_check_is_undone_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("backup");
    let app = server(Database::Sqlite).await;
    fill(&app).await;
    back_up(&app.app().storage, &path).await;
    let checked = backup::check(&path, |_| ()).expect("sound");
    let text = std::fs::read_to_string(&path).expect("text");
    std::fs::write(&path, text.replacen("reader@", "thief@", 1)).expect("a file");
    backup::restore(&app.app().storage, &checked, how(true)).await.expect_err("it changed");
    app.login("reader@example.com", PASSWORD).await.expect(200);
    app.stop().await;
}

async fn brings_nothing_back(database: Database) {
    let folder = tempfile::tempdir().expect("a folder");
    let path: PathBuf = folder.path().join("backup");
    let app = server(database).await;
    let (ended, kept) = (app.user("reader").await, app.login("reader", PASSWORD).await.expect(200));
    app.post("/api/auth/password-reset/", json!({ "email": "reader@example.com" })).await.expect(200);
    let link = app.mailed_token("reader@example.com", "reset-password").await;
    let (state, keys) = (app.app(), app.app().access.keys());
    let old = keys.list(&state.storage).await.expect("keys")[0].kid.clone();
    keys.rotate(&state.storage, &state.random).await.expect("a key");
    back_up(&state.storage, &path).await;
    app.post("/api/auth/logout/", json!({ "refresh": ended.text("refresh") })).await.expect(200);
    let body = json!({ "token": link, "password": "Sturdy-Harbour-43" });
    restore(&state.storage, &path, true).await.expect("restored");
    app.post("/api/auth/password-reset/confirm/", body).await.expect(400);
    app.post("/api/auth/refresh/", json!({ "refresh": ended.text("refresh") })).await.expect(401);
    let kept = app.post("/api/auth/refresh/", json!({ "refresh": kept.text("refresh") })).await.expect(200);
    keys.revoke(&state.storage, &old).await.expect("revoked");
    restore(&state.storage, &path, true).await.expect("restored");
    let listed = keys.list(&state.storage).await.expect("keys");
    let state = listed.iter().find(|key| key.kid == old).map(|key| key.state);
    assert!(matches!(state, Some(portcullis::access::KeyState::Revoked { .. })), "{state:?}");
    assert!(!kept.text("access").is_empty());
    assert_eq!(app.events("database.restored").await.len(), 1, "the second replaced the first");
    app.mails().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_ended_does_not_come_back_with_a_backup() {
    brings_nothing_back(Database::Sqlite).await;
    if mariadb::is_available() {
        brings_nothing_back(Database::MariaDb).await;
    }
}

/// A server that pardons no token that was spent.
async fn strict(database: Database) -> TestApp {
    TestApp::with(database, |config| {
        config.secret_key = Some(Secret::from(SECRET));
        config.tokens.refresh_grace = Duration::from_millis(1);
    })
    .await
}

async fn refresh(app: &TestApp, token: &str) -> Answer {
    app.post("/api/auth/refresh/", json!({ "refresh": token })).await
}

async fn log_out(app: &TestApp, token: &str) {
    app.post("/api/auth/logout/", json!({ "refresh": token })).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn access_tokens_that_were_ended_stay_so_for_a_server_that_starts_after_a_restore() {
    for database in databases() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("backup");
        let app = strict(database).await;
        let ended = app.user("reader").await;
        let kept = app.login("reader", PASSWORD).await.expect(200);
        let early = app.login("reader", PASSWORD).await.expect(200);
        log_out(&app, &early.text("refresh")).await;
        app.drain_outbox().await;
        back_up(&app.app().storage, &path).await;
        let later = app.login("reader", PASSWORD).await.expect(200);
        for session in [&ended, &later] {
            log_out(&app, &session.text("refresh")).await;
        }
        restore(&app.app().storage, &path, true).await.expect("restored");
        restore(&app.app().storage, &path, true).await.expect("restored again");
        let started = app.replica().await;
        for session in [&early, &ended, &later] {
            started.get("/api/auth/me/", &session.text("access")).await.expect(401);
        }
        started.get("/api/auth/me/", &kept.text("access")).await.expect(200);
        let news = revocations::Entity::find().filter(revocations::Column::SessionId.is_not_null());
        assert_eq!(news.count(app.app().storage.reader()).await.expect("a count"), 3, "each once");
        started.stop().await;
        app.stop().await;
    }
}

/// The sessions that a Django's tokens were exchanged for get other ids.
struct RedrawIds;

impl Write for RedrawIds {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> portcullis::error::Result<()> {
        let id = Expr::col(sessions::Column::Id).add(1);
        let redrawn = sessions::Entity::update_many().col_expr(sessions::Column::Id, id);
        redrawn.filter(sessions::Column::OriginHash.is_not_null()).exec(tx).await?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_django_is_exchanged_once_though_a_backup_is_restored() {
    for database in databases() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        let app = strict(database).await;
        let user_id = id_of(&app.user("reader").await);
        let day = Duration::from_secs(86_400);
        let [spent, ended, unused] = [(); 3].map(|()| foreign(&app, TokenType::Refresh, user_id, day));
        let storage = &app.app().storage;
        app.drain_outbox().await;
        back_up(storage, &file("before")).await;
        let exchanged = refresh(&app, &spent).await.expect(200);
        log_out(&app, &ended).await;
        back_up(storage, &file("after")).await;
        for _ in 0..2 {
            restore(storage, &file("before"), true).await.expect("restored");
            for token in [&spent, &ended, &exchanged.text("refresh")] {
                refresh(&app, token).await.expect(401);
            }
        }
        let rows = sessions::Entity::find().filter(sessions::Column::OriginHash.is_not_null());
        let rows = rows.all(storage.reader()).await.expect("sessions");
        assert!(rows.len() == 2 && rows.iter().all(|row| row.ip_prefix.is_empty()), "{rows:?}");
        storage.write(RedrawIds).await.expect("other ids");
        restore(storage, &file("after"), true).await.expect("restored");
        for token in [&spent, &ended] {
            refresh(&app, token).await.expect(401);
        }
        refresh(&app, &unused).await.expect(200);
        app.mails().await;
        app.stop().await;
    }
}

/// An id is now somebody else's.
struct Rename(i64);

impl Write for Rename {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> portcullis::error::Result<()> {
        let renamed = users::Entity::update_many().col_expr(users::Column::Username, Expr::value("another"));
        renamed.filter(users::Column::Id.eq(self.0)).exec(tx).await?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_ended_everywhere_stays_so_when_a_backup_is_restored() {
    for database in databases() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("backup");
        let app = strict(database).await;
        let (reader, other) = (app.user("reader").await, app.user("other").await);
        let day = Duration::from_secs(86_400);
        let token = |session: &Answer| foreign(&app, TokenType::Refresh, id_of(session), day);
        let (of_reader, of_other) = (token(&reader), token(&other));
        let storage = &app.app().storage;
        let devices = async |session: &Answer| {
            let row = users::Entity::find_by_id(id_of(session)).one(storage.reader()).await.expect("a row");
            row.expect("a user").devices_valid_from
        };
        let of_backup = devices(&other).await;
        app.drain_outbox().await;
        back_up(storage, &path).await;
        for session in [&reader, &other] {
            let (access, method) = (session.text("access"), reqwest::Method::PATCH);
            let body = json!({ "current_password": PASSWORD, "new_password": "Sturdy-Harbour-43" });
            app.call(method, "/api/auth/change-password/", &access, body).await.expect(200);
        }
        let since = devices(&reader).await;
        storage.write(Rename(id_of(&other))).await.expect("another name");
        restore(storage, &path, true).await.expect("restored");
        refresh(&app, &of_reader).await.expect(401);
        refresh(&app, &of_other).await.expect(200);
        assert_eq!((devices(&reader).await, devices(&other).await), (since, of_backup));
        assert!(since > of_backup);
        app.mails().await;
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_takes_no_session_back_to_a_token_that_was_spent() {
    for database in databases() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        let app = strict(database).await;
        let (kept, stolen) = (app.user("reader").await, app.login("reader", PASSWORD).await.expect(200));
        let storage = &app.app().storage;
        app.drain_outbox().await;
        back_up(storage, &file("first")).await;
        let mut newest = kept.text("refresh");
        for _ in 0..2 {
            newest = refresh(&app, &newest).await.expect(200).text("refresh");
        }
        refresh(&app, &stolen.text("refresh")).await.expect(200);
        restore(storage, &file("first"), true).await.expect("restored");
        newest = refresh(&app, &newest).await.expect(200).text("refresh");
        assert!(app.events("token.reused").await.is_empty(), "its owner did what owners do");
        refresh(&app, &stolen.text("refresh")).await.expect(401);
        app.mails().await;
        back_up(storage, &file("second")).await;
        app.stop().await;

        // A backup that is later than the one that was restored by mistake.
        let (there, url) = empty(database, &file("there")).await;
        restore(&there, &file("first"), false).await.expect("restored");
        restore(&there, &file("second"), true).await.expect("restored");
        there.close().await;
        let app = TestApp::with(Database::Sqlite, |config| {
            config.storage.database_url = url;
            config.secret_key = Some(Secret::from(SECRET));
        })
        .await;
        refresh(&app, &newest).await.expect(200);
        app.mails().await;
        app.stop().await;
    }
}

async fn replaces_under_a_running_server(database: Database) {
    let folder = tempfile::tempdir().expect("a folder");
    let path: PathBuf = folder.path().join("backup");
    let app = server(database).await;
    let kept = app.user("kept").await;
    back_up(&app.app().storage, &path).await;
    let lost = app.user("lost").await;
    for session in [&kept, &lost] {
        app.get("/api/auth/me/", &session.text("access")).await.expect(200);
    }
    let refusal = restore(&app.app().storage, &path, false).await.expect_err("it has users").to_string();
    assert!(refusal.contains("--replace"), "{refusal}");
    app.get("/api/auth/me/", &lost.text("access")).await.expect(200);
    restore(&app.app().storage, &path, true).await.expect("restored");
    tokio::time::sleep(Duration::from_millis(1000)).await;
    app.get("/api/auth/me/", &lost.text("access")).await.expect(401);
    app.get("/api/auth/me/", &kept.text("access")).await.expect(200);
    app.post("/api/auth/refresh/", json!({ "refresh": kept.text("refresh") })).await.expect(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_goes_on_with_what_was_restored() {
    replaces_under_a_running_server(Database::Sqlite).await;
    if mariadb::is_available() {
        replaces_under_a_running_server(Database::MariaDb).await;
    }
}

async fn is_of_one_moment(database: Database) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("backup");
    let app = TestApp::with(database, |config| config.secret_key = Some(Secret::from(SECRET))).await;
    app.register("first").await.expect(201);
    let registering = async {
        for number in 0..60 {
            app.register(&format!("reader{number}")).await.expect(201);
        }
    };
    let backing_up = async {
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..12 {
            let path = path.with_extension(number.to_string());
            back_up(&app.app().storage, &path).await;
            let (_, counts) = rows(&path);
            assert_eq!(counts["users"], counts["profiles"]);
            assert_eq!(counts["users"], counts["notification_preferences"]);
            seen.insert(counts["users"].as_u64());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(seen.len() > 1, "nobody registered meanwhile");
    };
    tokio::join!(registering, backing_up);
    app.mails().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_beside_a_running_server_is_of_one_moment() {
    is_of_one_moment(Database::Sqlite).await;
    if mariadb::is_available() {
        is_of_one_moment(Database::MariaDb).await;
    }
}
