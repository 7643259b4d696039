//! `portcullis check --deploy`: every item wrong and right.

mod program;
mod wrong;

use crate::harness::smtp::SmtpSink;
use crate::harness::{TestApp, create_mariadb_database, provide_cryptography};
use crate::on_each_database;
use portcullis::app::open_storage;
use portcullis::check::{Format, Item, Level, Report, Scene, deploy};
use portcullis::config::{Config, Sources, spec};
use portcullis_security::clock::{Clock, Timestamp};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, QuerySelect};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};
use wrong::WRONG;

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// What an operator would set, before the change that a test makes.
fn production(folder: &Path, changed: Pairs<'_>) -> Vec<(String, String)> {
    let data = folder.join("data").display().to_string();
    let usual = [
        ("PROFILE", "production"),
        ("SECRET_KEY", "k3J9x2Lq8Zp4Wn6Tb1Vc5Md7Rf0Gh2sQ"),
        ("SERVER__PUBLIC_URL", "https://accounts.example.org"),
        ("SERVER__TRUSTED_PROXIES", "10.0.0.5/32"),
        ("STORAGE__DATA_DIR", &data),
        ("MAIL__URL", "smtp://127.0.0.1:9"),
        ("MAIL__FROM", "Example <noreply@example.org>"),
        ("SITE__NAME", "Example"),
        ("PASSWORD__POLICY", "nist"),
    ];
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in usual.into_iter().chain(changed.iter().copied()) {
        pairs.retain(|(known, _)| known != &format!("PORTCULLIS_{name}"));
        pairs.push((format!("PORTCULLIS_{name}"), value.to_owned()));
    }
    pairs
}

fn scene_of(environment: Vec<(String, String)>, folder: &Path) -> Scene {
    let sources = Sources { environment, ..Sources::default() };
    Scene::new(sources, Some(folder.join("backups")), Clock::system().now())
}

async fn judged(folder: &Path, changed: Pairs<'_>) -> Report {
    provide_cryptography();
    deploy(&scene_of(production(folder, changed), folder)).await
}

#[track_caller]
fn item<'a>(report: &'a Report, id: &str) -> &'a Item {
    report.items.iter().find(|item| item.id == id).unwrap_or_else(|| panic!("no item {id}"))
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[tokio::test]
async fn every_item_sees_what_is_wrong_and_says_what_to_type() {
    let folder = folder();
    for (id, level, changed) in WRONG {
        let report = judged(folder.path(), changed).await;
        let found = item(&report, id);
        assert_eq!(found.level, *level, "{changed:?}: {found:?}");
        assert!(*level < Level::Warning || !found.mend.is_empty(), "{found:?}");
    }
    assert!(!folder.path().join("data").exists(), "the check has made something");
}

#[tokio::test]
async fn a_setting_that_cannot_be_read_is_told_in_place_of_what_stands_in_for_it() {
    let folder = folder();
    let cases: &[(Pairs<'_>, &[&str], &str)] = &[
        (
            &[("SECRET_KEY", ""), ("SECRET_KEY_FILE", "/nowhere/key")],
            &["deploy.secret_key"],
            "names /nowhere/key, which cannot be used",
        ),
        (
            &[("SERVER__TRUSTED_PROXIES", "proxy.internal")],
            &["deploy.tls", "deploy.proxies"],
            "\"proxy.internal\"",
        ),
        (
            &[("SERVER__PUBLIC_URL", "accounts.example.org")],
            &["deploy.public_url", "deploy.cookies"],
            "\"accounts.example.org\"",
        ),
        (&[("PROFILE", "prod")], &["deploy.profile", "deploy.hsts", "deploy.cors"], "\"prod\""),
        (
            &[("CORS__ALLOWED_ORIGINS", "https://u:p@app.example.org")],
            &["deploy.cors"],
            "An allowed origin is none.",
        ),
    ];
    for (changed, ids, said) in cases {
        let report = judged(folder.path(), changed).await;
        for id in *ids {
            let found = item(&report, id);
            assert!(found.level == Level::Error && found.seen.contains(said), "{found:?}");
            assert!(!found.mend.contains("portcullis secret"), "{found:?}");
        }
    }
}

#[tokio::test]
async fn what_is_right_again_is_not_told() {
    let folder = folder();
    let right: &[(&str, Pairs<'_>)] = &[
        ("deploy.metrics", &[("METRICS__TOKEN", "Zp4Wn6Tb1Vc5Md7Rk3J9x2Lq")]),
        ("deploy.signing_key", &[]),
        ("deploy.hashing", &[("PASSWORD__MEMORY_KIB", "47104"), ("PASSWORD__ITERATIONS", "1")]),
        ("deploy.proxies", &[("SERVER__TRUSTED_PROXIES", "172.16.0.0/16,fd00::/48")]),
        ("deploy.cors", &[("CORS__ALLOWED_ORIGINS", "https://app.example.org")]),
        ("deploy.registration", &[("ACCOUNTS__REGISTRATION", "invite")]),
        ("deploy.database", &[("STORAGE__DATABASE_URL", "mysql://app:Zp4Wn6Tb1Vc5Md7R@127.0.0.1:9/x")]),
        (
            "deploy.database",
            &[(
                "STORAGE__DATABASE_URL",
                "mysql://app:Zp4Wn6Tb1Vc5Md7R@192.0.2.1:9/x?ssl-mode=VERIFY_IDENTITY",
            )],
        ),
        ("deploy.files", &[("STORAGE__FILES_URL", "s3://media")]),
    ];
    for (id, changed) in right {
        let report = judged(folder.path(), changed).await;
        assert_eq!(item(&report, id).level, Level::Ok, "{:?}", item(&report, id));
    }
    // Every other item that something above has found is fine without that change.
    let report = judged(folder.path(), &[]).await;
    for (id, _, changed) in WRONG.iter().filter(|(_, _, changed)| !changed.is_empty()) {
        let found = item(&report, id);
        let is_apart = ["deploy.mail", "deploy.database_opens"].contains(id);
        assert!(found.level <= Level::Note || is_apart, "{changed:?}: {found:?}");
    }
    assert_eq!(report.count(Level::Error), 0, "{}", report.render(Format::Text));
}

#[tokio::test]
async fn every_setting_is_judged_by_some_item_and_every_item_has_its_line_in_the_manual() {
    let folder = folder();
    let report = judged(folder.path(), &[]).await;
    let judged: BTreeSet<&str> = report.items.iter().flat_map(|item| item.settings).copied().collect();
    let missing: Vec<&str> =
        spec::all().map(|spec| spec.name).filter(|name| !judged.contains(name)).collect();
    assert!(missing.is_empty(), "no item judges {missing:?}");
    let page = include_str!("../docs/check.md");
    let told: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `deploy.")?.split('`').next()).collect();
    let ids: BTreeSet<&str> =
        report.items.iter().filter_map(|item| item.id.strip_prefix("deploy.")).collect();
    assert_eq!(told, ids);
}

/// Some value of each kind of setting that is not the usual one.
const OTHERS: &[&str] = &[
    "true",
    "false",
    "9",
    "1s",
    "400d",
    "1000/second",
    "https://a.example",
    "s3://other",
    "file:///srv/x",
    "mysql://root:Zp4Wn6Tb1Vc5Md7R@127.0.0.1:9/x",
    "0.0.0.0:8000",
    "10.0.0.0/8",
    "debug",
    "pretty",
    "closed",
    "EdDSA",
    "guide",
    "development",
    "x@localhost",
    "change-me",
    "/nowhere",
    "",
];

#[tokio::test]
async fn each_setting_changes_what_its_items_say() {
    let folder = folder();
    let usual: Pairs<'_> = &[
        ("SEARCH__ANTHROPIC_API_KEY", "sk-ant-1f6b7d9c"),
        ("WEBHOOKS__URL", "https://ops.example.org/hook"),
        ("WEBHOOKS__SECRET", "whsec_q8Zp4Wn6Tb1Vc5Md7Rf0Gh2sQk3J9x2L"),
        ("STORAGE__FILES_URL", "s3://media"),
        ("STORAGE__AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7"),
        ("STORAGE__AWS_SECRET_ACCESS_KEY", "q8Zp4Wn6Tb1Vc5Md7Rf0Gh2sQk3J9x2L"),
    ];
    let before = judged(folder.path(), usual).await;
    let mut silent = Vec::new();
    // The password is one of a server.
    for spec in spec::all().filter(|spec| spec.name != "STORAGE__DATABASE_PASSWORD") {
        let mut is_heard = false;
        for value in OTHERS {
            let changed: Vec<_> = usual.iter().copied().chain([(spec.name, *value)]).collect();
            let scene = scene_of(production(folder.path(), &changed), folder.path());
            if scene.unread.is_empty() && !is_heard {
                let after = deploy(&scene).await;
                let of = |report: &Report| -> Vec<_> {
                    let items = report.items.iter().filter(|item| item.settings.contains(&spec.name));
                    items.map(|item| (item.level, item.seen.clone())).collect()
                };
                is_heard = of(&before) != of(&after);
            }
        }
        silent.extend((!is_heard).then_some(spec.name));
    }
    assert!(silent.is_empty(), "nothing is said of {silent:?}");
}

#[tokio::test]
async fn development_lists_what_would_stop_production() {
    provide_cryptography();
    let folder = folder();
    let data = ("PORTCULLIS_STORAGE__DATA_DIR".to_owned(), folder.path().join("data").display().to_string());
    let report = deploy(&scene_of(vec![data], folder.path())).await;
    let errors: BTreeSet<&str> =
        report.items.iter().filter(|item| item.level == Level::Error).map(|item| item.id).collect();
    let expected = [
        "deploy.cookies",
        "deploy.cors",
        "deploy.hsts",
        "deploy.mail",
        "deploy.mail_from",
        "deploy.profile",
        "deploy.proxies",
        "deploy.public_url",
        "deploy.secret_key",
        "deploy.tls",
    ];
    assert_eq!(errors, BTreeSet::from(expected), "{}", report.render(Format::Text));
}

on_each_database! {
    async fn a_good_production_has_no_errors_and_its_rows_are_judged(app: TestApp) {
        let folder = folder();
        app.user("ada").await;
        let rows = |url: String| async move {
            let folder = tempfile::tempdir().expect("a folder");
            let report = judged(folder.path(), &[("STORAGE__DATABASE_URL", &url)]).await;
            let url_is_judged = item(&report, "deploy.database").level;
            (report, url_is_judged)
        };
        let url = app.app().config.storage.connect_url();
        let (report, _) = rows(url.clone()).await;
        assert_eq!(item(&report, "deploy.migrations").level, Level::Ok);
        assert_eq!(item(&report, "deploy.clock").level, Level::Ok);
        // The tests' cheap hashes are below the settings of a production.
        assert_eq!(item(&report, "deploy.stored_hashes").level, Level::Note);
        assert_eq!(item(&report, "deploy.superusers").level, Level::Warning);
        assert_eq!(item(&report, "deploy.database_opens").level, Level::Ok);
        // The password of the test's own database server is none.
        let errors = report.items.iter().filter(|item| item.level == Level::Error);
        assert!(errors.into_iter().all(|item| item.id == "deploy.database"), "{}", report.render(Format::Text));

        promote(&app, "ada").await;
        let (report, _) = rows(url.clone()).await;
        assert_eq!(item(&report, "deploy.superusers").level, Level::Ok);
        let late = scene_of(production(folder.path(), &[("STORAGE__DATABASE_URL", &url)]), folder.path());
        let late = Scene { now: late.now.minus(Duration::from_secs(3_600)), ..late };
        assert_eq!(item(&deploy(&late).await, "deploy.clock").level, Level::Error);
    }
}

async fn promote(app: &TestApp, username: &str) {
    let user =
        portcullis::access::find_by_login(&app.app().storage, username).await.expect("rows").expect("a user");
    app.app().storage.write(Promote(user)).await.expect("a change");
}

struct Promote(portcullis::model::users::Model);

impl portcullis::storage::Write for Promote {
    type Output = ();

    async fn run(&self, tx: &sea_orm::DatabaseTransaction) -> portcullis::error::Result<()> {
        let mut user = self.0.clone().into_active_model();
        user.is_superuser = Set(true);
        user.update(tx).await?;
        Ok(())
    }
}

#[tokio::test]
async fn files_that_others_can_read_are_told() {
    let folder = folder();
    let data = folder.path().join("data");
    let config = Config::development(&data);
    open_storage(&config).await.expect("a database").close().await;
    let key = folder.path().join("key");
    std::fs::write(&key, "k3J9x2Lq8Zp4Wn6Tb1Vc5Md7Rf0Gh2sQ\n").expect("a file");
    let named = key.display().to_string();
    let chmod = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    };
    for (mode, level) in [(0o644, Level::Error), (0o600, Level::Ok)] {
        chmod(&key, mode);
        let mut environment = production(folder.path(), &[("SECRET_KEY_FILE", &named)]);
        environment.retain(|(name, _)| name != "PORTCULLIS_SECRET_KEY");
        let report = deploy(&scene_of(environment, folder.path())).await;
        assert_eq!(item(&report, "deploy.secret_files").level, level);
        assert_eq!(item(&report, "deploy.secret_key").level, Level::Ok);
    }
    for (mode, level) in [(0o755, Level::Error), (0o700, Level::Ok)] {
        chmod(&data, mode);
        chmod(&data.join("portcullis.sqlite3"), 0o644);
        assert_eq!(item(&judged(folder.path(), &[]).await, "deploy.data_modes").level, level);
    }
}

#[tokio::test]
async fn a_backup_is_found_and_its_age_told() {
    let folder = folder();
    let backups = folder.path().join("backups");
    std::fs::create_dir(&backups).expect("a folder");
    let level = || async { item(&judged(folder.path(), &[]).await, "deploy.backup").level };
    std::fs::write(backups.join("notes.txt"), "not a backup").expect("a file");
    assert_eq!(level().await, Level::Warning);
    let config = Config::development(&folder.path().join("source"));
    let storage = open_storage(&config).await.expect("a database");
    let random = portcullis_security::random::Random::system();
    let secret = portcullis_security::secret::Secret::from("k3J9x2Lq8Zp4Wn6Tb1Vc5Md7Rf0Gh2sQ");
    let source =
        portcullis::backup::Source { storage: &storage, secret: &secret, with_secret: false, files: None };
    let now = Clock::system().now();
    std::fs::write(backups.join("cut.backup"), "{\"portcullis_backup\":1}\n").expect("a file");
    assert_eq!(level().await, Level::Warning);
    let path = backups.join("a.backup");
    portcullis::backup::write(&source, &path, (now, &random), |_, _| {}).await.expect("a backup");
    storage.close().await;
    assert_eq!(level().await, Level::Ok);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    assert_eq!(level().await, Level::Error);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    let days = Duration::from_secs(3 * 86_400);
    for at in [Timestamp::from_micros(now.micros()).plus(days), now.minus(days)] {
        let scene = Scene { now: at, ..scene_of(production(folder.path(), &[]), folder.path()) };
        assert_eq!(item(&deploy(&scene).await, "deploy.backup").level, Level::Warning);
    }
    std::fs::copy(&path, backups.join("old.backup")).expect("a copy");
    std::fs::set_permissions(backups.join("old.backup"), std::fs::Permissions::from_mode(0o644))
        .expect("a mode");
    let older = std::time::UNIX_EPOCH + days;
    std::fs::File::options()
        .write(true)
        .open(backups.join("old.backup"))
        .expect("a file")
        .set_modified(older)
        .expect("a time");
    assert_eq!(level().await, Level::Error);
}

#[tokio::test]
async fn nothing_waits_for_a_mail_server_or_a_database_that_is_silent() {
    let folder = folder();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let mail = format!("smtp://127.0.0.1:{port}");
    let database = format!("mysql://app:Zp4Wn6Tb1Vc5Md7R@127.0.0.1:{port}/x");
    let started = Instant::now();
    let report = judged(folder.path(), &[("MAIL__URL", &mail), ("STORAGE__DATABASE_URL", &database)]).await;
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(item(&report, "deploy.mail").level, Level::Warning);
    assert_eq!(item(&report, "deploy.migrations").level, Level::Warning);
}

#[tokio::test]
async fn a_mail_server_that_greets_is_fine_and_gets_no_mail() {
    let folder = folder();
    let server = SmtpSink::start().await;
    let report = judged(folder.path(), &[("MAIL__URL", &server.url())]).await;
    assert_eq!(item(&report, "deploy.mail").level, Level::Ok, "{:?}", item(&report, "deploy.mail"));
}

#[tokio::test]
async fn the_budget_that_is_advised_holds_two_hashes() {
    let folder = folder();
    let memory = ("PASSWORD__MEMORY_KIB", "262144");
    let report = judged(folder.path(), &[memory]).await;
    let advice = item(&report, "deploy.hashing_budget").mend.rsplit('=').next().expect("a number").to_owned();
    let report = judged(folder.path(), &[memory, ("PASSWORD__MEMORY_BUDGET_MIB", &advice)]).await;
    assert_eq!(item(&report, "deploy.hashing_budget").level, Level::Ok);
}

#[tokio::test]
async fn a_clock_that_is_older_than_the_program_is_told_without_a_database() {
    let folder = folder();
    let early =
        Scene { now: Timestamp::from_seconds(0), ..scene_of(production(folder.path(), &[]), folder.path()) };
    assert_eq!(item(&deploy(&early).await, "deploy.clock").level, Level::Error);
}

#[tokio::test]
async fn a_broken_template_is_told() {
    let folder = folder();
    std::fs::write(folder.path().join("verify_email.txt"), "Subject: {{ nobody }}").expect("a file");
    let report = judged(folder.path(), &[("MAIL__TEMPLATES", &folder.path().display().to_string())]).await;
    assert_eq!(item(&report, "deploy.mail_from").level, Level::Error);
}

#[tokio::test]
async fn a_database_that_cannot_be_read_is_an_error_with_its_own_advice() {
    let folder = folder();
    let data = folder.path().join("data");
    open_storage(&Config::development(&data)).await.expect("a database").close().await;
    let file = data.join("portcullis.sqlite3");
    let bytes = std::fs::read(&file).expect("a file");
    for (broken, said) in [
        (b"not a database, but long enough to be one".to_vec(), "damaged"),
        (bytes[..8_192].to_vec(), "damaged"),
    ] {
        std::fs::write(&file, broken).expect("a file");
        let report = judged(folder.path(), &[]).await;
        let found = item(&report, "deploy.database_opens");
        assert!(found.level == Level::Error && found.seen.contains(said), "{found:?}");
        assert!(found.mend.contains("restore"), "{found:?}");
    }
    if crate::harness::mariadb::is_available() {
        let url = create_mariadb_database().await;
        let nameless = url.rsplit_once('/').expect("a name").0;
        for (url, said) in [
            (format!("{nameless}/no_such_database"), "no database of that name"),
            (url.replace("://root", "://nobody"), "refuses that user"),
        ] {
            let report = judged(folder.path(), &[("STORAGE__DATABASE_URL", &url)]).await;
            let found = item(&report, "deploy.database_opens");
            assert!(found.level == Level::Error && found.seen.contains(said), "{found:?}");
        }
    }
}

#[tokio::test]
async fn a_mariadb_that_is_empty_is_left_empty() {
    if !crate::harness::mariadb::is_available() {
        return;
    }
    let folder = folder();
    let url = create_mariadb_database().await;
    let report = judged(folder.path(), &[("STORAGE__DATABASE_URL", &url)]).await;
    assert_eq!(item(&report, "deploy.migrations").level, Level::Warning);
    let db = portcullis::storage::look(&url).await.expect("a connection");
    let users = portcullis::model::users::Entity::find().limit(1).one(&db).await;
    assert!(users.is_err(), "the check has made a table");
}
