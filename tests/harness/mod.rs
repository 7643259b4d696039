//! A server for each test, with a database and a mailbox of its own.

pub mod canaries;
pub mod clamd;
pub mod claude;
pub mod form;
pub mod mariadb;
pub mod openapi;
pub mod process;
pub mod receiver;
pub mod s3;
pub mod smtp;

use portcullis::app::Running;
use portcullis::config::Config;
use portcullis::mail::Mail;
use portcullis::model::{audit_events, outbox};
use portcullis::state::App;
use portcullis_security::clock::{Clock, Timestamp};
use portcullis_security::random::Random;
use portcullis_security::secret::Secret;
use reqwest::Method;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub const PASSWORD: &str = "Sturdy-Harbour-42";

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    MariaDb,
}

/// For tests that start their servers themselves.
pub fn databases() -> Vec<Database> {
    match mariadb::is_available() {
        true => vec![Database::Sqlite, Database::MariaDb],
        false => vec![Database::Sqlite],
    }
}

/// The test once for each database; without a MariaDB server only CI insists.
#[macro_export]
macro_rules! on_each_database {
    ($(async fn $name:ident($app:ident: TestApp) $body:block)+) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let $app = TestApp::start($crate::harness::Database::Sqlite).await;
                $body
            })+
        }
        mod mariadb {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if !$crate::harness::mariadb::is_available() {
                    return;
                }
                let $app = TestApp::start($crate::harness::Database::MariaDb).await;
                $body
            })+
        }
    };
}

/// A server of a test. When it is dropped every mail must have been read and every task must end.
pub struct TestApp {
    running: Option<Running>,
    clock: Clock,
    client: reqwest::Client,
    /// The mails that the test has looked at.
    read: Mutex<HashSet<String>>,
    _folder: tempfile::TempDir,
}

/// Long enough for the worker to hand over what a test has caused, on a busy machine.
const MAIL_PATIENCE: Duration = Duration::from_secs(10);
/// A letter that is being sent is due again when its lease of 60 s ends, one that is claimed while we look a little
/// later.
const LEASE: Duration = Duration::from_secs(65);

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    #[track_caller]
    pub fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_else(|| panic!("no text {field} in {}", self.body)).to_owned()
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.headers.get_all("set-cookie").iter().find_map(|value| {
            let (found, rest) = value.to_str().ok()?.split_once('=')?;
            (found == name).then(|| rest.split(';').next().unwrap_or_default().to_owned())
        })
    }
}

impl TestApp {
    pub async fn start(database: Database) -> Self {
        Self::with(database, |_| {}).await
    }

    /// A server whose settings differ from a test's usual ones.
    pub async fn with(database: Database, change: impl FnOnce(&mut Config)) -> Self {
        Self::at(Clock::system(), database, change).await
    }

    /// A server whose clock stands still until [`advance`](Self::advance) moves it.
    pub async fn with_manual_clock(database: Database, change: impl FnOnce(&mut Config)) -> Self {
        Self::at(Clock::manual(Timestamp::from_seconds(1_790_000_000)), database, change).await
    }

    async fn at(clock: Clock, database: Database, change: impl FnOnce(&mut Config)) -> Self {
        provide_cryptography();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = Config::development(folder.path());
        config.server.listen = "127.0.0.1:0".parse().expect("an address");
        config.server.public_url = portcullis::config::WebUrl::parse("http://127.0.0.1:0").expect("a URL");
        config.accounts.links_url = config.server.public_url.clone();
        config.mail.url = Secret::from("memory");
        config.throttle.enabled = false;
        (config.password.memory_kib, config.password.iterations) = (64, 1);
        if database == Database::MariaDb {
            config.storage.database_url = Secret::from(create_mariadb_database().await);
        }
        change(&mut config);
        let running = Running::start(config, clock.clone(), Random::system()).await.expect("a server");
        let running = Some(running);
        // A redirect is an answer to look at.
        let redirect = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().redirect(redirect).build().expect("a client");
        Self { running, clock, client, read: Mutex::default(), _folder: folder }
    }

    /// Moves a manual clock.
    pub fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("a server that runs")
    }

    pub fn address(&self) -> std::net::SocketAddr {
        self.running().address()
    }

    /// The server's state, for what no client can see.
    pub fn app(&self) -> &App {
        self.running().app()
    }

    /// Another server on the same database and under the same secret.
    pub async fn replica(&self) -> Self {
        self.replica_with(|_| {}).await
    }

    /// As [`replica`](Self::replica), with other settings.
    pub async fn replica_with(&self, change: impl FnOnce(&mut Config)) -> Self {
        let storage = self.app().config.storage.clone();
        let secret = portcullis::config::development_secret(&storage.data_dir, &Random::system());
        let secret = self.app().config.secret_key.clone().unwrap_or_else(|| secret.expect("a secret"));
        Self::with(Database::Sqlite, |config| {
            config.storage.database_url = storage.database_url;
            config.secret_key = Some(secret);
            change(config);
        })
        .await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    pub fn origin(&self) -> String {
        self.url("")
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.expect("a body");
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, body }
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn call(&self, method: Method, path: &str, access: &str, body: Value) -> Answer {
        self.send(self.request(method, path).bearer_auth(access).json(&body)).await
    }

    pub async fn get(&self, path: &str, access: &str) -> Answer {
        self.send(self.request(Method::GET, path).bearer_auth(access)).await
    }

    pub async fn register(&self, username: &str) -> Answer {
        let email = format!("{username}@example.com");
        let body = json!({ "username": username, "email": email, "password": PASSWORD });
        self.post("/api/auth/register/", body).await
    }

    /// A verified account's first tokens.
    pub async fn user(&self, username: &str) -> Answer {
        self.register(username).await.expect(201);
        let token = self.mailed_token(&format!("{username}@example.com"), "verify-email").await;
        self.post("/api/auth/verify-email/", json!({ "token": token })).await.expect(200)
    }

    pub async fn login(&self, username: &str, password: &str) -> Answer {
        self.post("/api/auth/login/", json!({ "username": username, "password": password })).await
    }

    /// The newest mail to an address; waits for it.
    pub async fn mail_to(&self, address: &str) -> Mail {
        self.find_mail(|mail| mail.to == address).await.unwrap_or_else(|| panic!("no mail to {address}"))
    }

    async fn find_mail(&self, wanted: impl Fn(&Mail) -> bool) -> Option<Mail> {
        for _ in 0..MAIL_PATIENCE.as_millis() / 20 {
            if let Some(mail) = self.messages().into_iter().rev().find(|mail| wanted(mail)) {
                self.note_read(&mail);
                return Some(mail);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    }

    /// Every mail so far, once all that was caused is on its way; they count as read.
    pub async fn mails(&self) -> Vec<Mail> {
        self.drain_outbox().await;
        let mails = self.messages();
        mails.iter().for_each(|mail| self.note_read(mail));
        mails
    }

    fn messages(&self) -> Vec<Mail> {
        self.app().mail_memory().map(|memory| memory.messages()).unwrap_or_default()
    }

    fn note_read(&self, mail: &Mail) {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(name_of(mail));
    }

    /// The token of the newest link to a page, mailed to an address.
    pub async fn mailed_token(&self, address: &str, page: &str) -> String {
        let mark = format!("/{page}?token=");
        let leads = |mail: &Mail| mail.link.as_ref().is_some_and(|link| link.contains(&mark));
        let mail = self.find_mail(|mail| mail.to == address && leads(mail)).await;
        let link =
            mail.and_then(|mail| mail.link).unwrap_or_else(|| panic!("no link to {page} for {address}"));
        link.split_once(&mark).map(|(_, token)| token.to_owned()).expect("a token")
    }

    /// What is on record of a kind, the oldest first.
    pub async fn events(&self, kind: &str) -> Vec<audit_events::Model> {
        let same = audit_events::Entity::find().filter(audit_events::Column::Kind.eq(kind));
        let same = same.order_by_asc(audit_events::Column::Id);
        same.all(self.app().storage.reader()).await.expect("events")
    }

    /// Waits until no letter is on its way; those that wait for another try much later are left alone.
    pub async fn drain_outbox(&self) {
        let deadline = tokio::time::Instant::now() + MAIL_PATIENCE;
        loop {
            let soon = self.now().plus(LEASE).micros();
            let due = outbox::Entity::find().filter(outbox::Column::NextTryAt.lte(soon));
            let waiting = due.all(self.app().storage.reader()).await.expect("the outbox");
            if waiting.is_empty() {
                return;
            }
            let kinds: Vec<_> = waiting.iter().map(|row| &row.kind).collect();
            assert!(tokio::time::Instant::now() < deadline, "still in the outbox: {kinds:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends the server and looks after what it leaves behind.
    pub async fn stop(mut self) {
        self.end().await;
    }

    async fn end(&mut self) {
        let unread = if self.app().mail_memory().is_some() { self.unread().await } else { Vec::new() };
        let running = self.running.take().expect("a server that runs");
        assert!(running.stop().await, "some task did not end");
        assert!(unread.is_empty(), "nobody has read {unread:?}; see TestApp::mails");
    }

    async fn unread(&self) -> Vec<String> {
        self.drain_outbox().await;
        let messages = self.messages();
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let unread = messages.into_iter().filter(|mail| !read.contains(&name_of(mail)));
        unread.map(|mail| mail.subject).collect()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // A test that has failed already says why; a second panic would only hide it.
        if self.running.is_some() && !std::thread::panicking() {
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(self.end()));
        }
    }
}

/// A Message-ID repeats when a clock stands still; the tokens in the text do not.
fn name_of(mail: &Mail) -> String {
    format!("{} {}", mail.message_id, mail.text)
}

/// Says that a test did not run, for want of what `make test` would install. In CI that is a failure.
pub fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "this test cannot run: {reason}");
    #[expect(clippy::print_stdout, reason = "the one trace of a test that did not run")]
    {
        println!("skipped: {reason}");
    }
}

/// As the first line of the program does: the client of buckets, and so every client, asks for it.
pub fn provide_cryptography() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A text that occurs nowhere else.
pub fn unique() -> String {
    Random::system().bytes::<10>().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub async fn create_mariadb_database() -> String {
    create_database_on(&mariadb::url()).await
}

/// The URL of a new database on a MariaDB server.
pub async fn create_database_on(server: &str) -> String {
    let name = format!("test_{:016x}", u64::from_le_bytes(Random::system().bytes()));
    let connection = sea_orm::Database::connect(&format!("{server}/mysql")).await.expect("a connection");
    #[expect(clippy::disallowed_methods, reason = "an ORM does not create databases")]
    connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
    format!("{server}/{name}")
}
