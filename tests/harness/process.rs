//! The program itself, for tests that kill it or read its log.

use super::{Answer, PASSWORD};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// A running `portcullis serve` on a port of its own. It is killed when it is dropped.
pub struct Process {
    folder: PathBuf,
    port: u16,
    settings: Vec<(String, String)>,
    child: Child,
    client: reqwest::Client,
    /// Words before the program's own: `sh -c '… exec "$@"' sh`.
    wrapper: Vec<String>,
}

impl Process {
    /// Starts with data, mails and log in `folder`; `settings` are named without `PORTCULLIS_`.
    pub async fn start(folder: &Path, settings: &[(&str, &str)]) -> Self {
        Self::start_under(folder, settings, &[]).await
    }

    /// As [`start`](Self::start), run by another command.
    pub async fn start_under(folder: &Path, settings: &[(&str, &str)], wrapper: &[&str]) -> Self {
        super::provide_cryptography();
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port();
        let defaults = [
            ("STORAGE__DATA_DIR", format!("{}/data", folder.display())),
            ("MAIL__URL", format!("file://{}/mail", folder.display())),
            ("SERVER__LISTEN", format!("127.0.0.1:{port}")),
            ("THROTTLE__ENABLED", "false".to_owned()),
            ("PASSWORD__MEMORY_KIB", "64".to_owned()),
            ("PASSWORD__ITERATIONS", "1".to_owned()),
            ("LOG__LEVEL", "trace".to_owned()),
        ];
        let mut all: Vec<_> = defaults.map(|(name, value)| (name.to_owned(), value)).into();
        all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let client = client.timeout(PATIENCE).build().expect("a client");
        let (folder, settings) = (folder.to_owned(), all);
        let wrapper: Vec<_> = wrapper.iter().map(|word| (*word).to_owned()).collect();
        let child = spawn(&folder, &settings, &wrapper);
        let mut process = Self { folder, port, settings, child, client, wrapper };
        process.wait_until_ready().await;
        process
    }

    /// Starts again, with the same data and settings, on the same port.
    pub async fn restart(&mut self) {
        self.child = spawn(&self.folder, &self.settings, &self.wrapper);
        self.wait_until_ready().await;
    }

    async fn wait_until_ready(&mut self) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Ok(answer) = self.try_send(self.request(Method::GET, "/readyz")).await
                && answer.status == 200
            {
                return;
            }
            if let Some(status) = self.child.try_wait().expect("a status") {
                panic!("the server ended with {status}: {}", self.log());
            }
            assert!(tokio::time::Instant::now() < deadline, "the server does not start: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// SIGKILL: nothing is finished, nothing is written.
    pub fn kill(&mut self) {
        self.child.kill().expect("a signal");
        self.child.wait().expect("an end");
    }

    /// SIGTERM, and a wait for an orderly end.
    pub async fn stop(&mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        for _ in 0..PATIENCE.as_millis() / 20 {
            if let Some(status) = self.child.try_wait().expect("a status") {
                assert!(status.success(), "{status}: {}", self.log());
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the server does not stop");
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Everything that all runs have logged.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.origin()))
    }

    /// What came back, or why nothing did.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status, headers, body })
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request).await.expect("an answer")
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn get(&self, path: &str, access: &str) -> Answer {
        self.send(self.request(Method::GET, path).bearer_auth(access)).await
    }

    /// A verified account's first tokens.
    pub async fn user(&self, username: &str) -> Answer {
        let email = format!("{username}@example.com");
        let body = json!({ "username": username, "email": email, "password": PASSWORD });
        self.post("/api/auth/register/", body).await.expect(201);
        let token = self.mailed_token(&email, "verify-email").await;
        self.post("/api/auth/verify-email/", json!({ "token": token })).await.expect(200)
    }

    /// The token of the newest link to a page in the folder of mails.
    pub async fn mailed_token(&self, address: &str, page: &str) -> String {
        let (to, mark) = (format!("To: {address}"), format!("/{page}?token="));
        for _ in 0..PATIENCE.as_millis() / 20 {
            let found = self.mails().into_iter().rev().filter(|mail| mail.contains(&to)).find_map(|mail| {
                let (_, rest) = mail.split_once(&mark)?;
                Some(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect())
            });
            if let Some(token) = found {
                return token;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no link to {page} for {address}")
    }

    /// The mails so far, oldest first.
    pub fn mails(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.folder.join("mail")) else { return Vec::new() };
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
        paths.sort();
        paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(folder: &Path, settings: &[(String, String)], wrapper: &[String]) -> Child {
    let log = log_file(folder);
    let mut words = wrapper.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_portcullis"), "serve"]);
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words).current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(settings.iter().map(|(name, value)| (format!("PORTCULLIS_{name}"), value)));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("the program")
}

fn log_file(folder: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(folder.join("log")).expect("a log")
}
