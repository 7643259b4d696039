//! A server for each test, with a database and a mailbox of its own.

pub mod mariadb;

use portcullis::app::Running;
use portcullis::config::Config;
use portcullis_security::clock::Clock;
use portcullis_security::random::Random;
use portcullis_security::secret::Secret;
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::time::Duration;

pub const PASSWORD: &str = "Sturdy-Harbour-42";

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    MariaDb,
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

pub struct TestApp {
    running: Running,
    client: reqwest::Client,
    _folder: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
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
        let running = Running::start(config, Clock::system(), Random::system()).await.expect("a server");
        let client = reqwest::Client::builder().build().expect("a client");
        Self { running, client, _folder: folder }
    }

    /// The server's state, for what no client can see.
    pub fn app(&self) -> &portcullis::state::App {
        self.running.app()
    }

    /// Another server on the same database and under the same secret.
    pub async fn replica(&self) -> Self {
        let storage = self.app().config.storage.clone();
        let secret = portcullis::config::development_secret(&storage.data_dir, &Random::system());
        let secret = self.app().config.secret_key.clone().unwrap_or_else(|| secret.expect("a secret"));
        Self::with(Database::Sqlite, |config| {
            config.storage.database_url = storage.database_url;
            config.secret_key = Some(secret);
        })
        .await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address())
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

    /// The next mail to an address; waits up to three seconds.
    pub async fn mail_to(&self, address: &str) -> portcullis::mail::Mail {
        self.find_mail(address).await.unwrap_or_else(|| panic!("no mail to {address}"))
    }

    async fn find_mail(&self, address: &str) -> Option<portcullis::mail::Mail> {
        let memory = self.running.app().mail_memory()?;
        for _ in 0..150 {
            if let Some(mail) = memory.messages().into_iter().rev().find(|mail| mail.to == address) {
                return Some(mail);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    }

    pub fn mails(&self) -> Vec<portcullis::mail::Mail> {
        self.running.app().mail_memory().map(|memory| memory.messages()).unwrap_or_default()
    }

    /// The token of the newest link to a page, mailed to an address.
    pub async fn mailed_token(&self, address: &str, page: &str) -> String {
        let mark = format!("/{page}?token=");
        for _ in 0..150 {
            let links = self.mails().into_iter().rev().filter(|mail| mail.to == address);
            let token = links
                .filter_map(|mail| mail.link)
                .find_map(|link| link.split_once(&mark).map(|(_, token)| token.to_owned()));
            if let Some(token) = token {
                return token;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no link to {page} for {address}")
    }

    pub async fn stop(self) {
        self.running.stop().await;
    }
}

pub async fn create_mariadb_database() -> String {
    let server = mariadb::url();
    let name = format!("test_{:016x}", u64::from_le_bytes(Random::system().bytes()));
    let connection = sea_orm::Database::connect(&format!("{server}/mysql")).await.expect("a connection");
    #[expect(clippy::disallowed_methods, reason = "an ORM does not create databases")]
    connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
    format!("{server}/{name}")
}
