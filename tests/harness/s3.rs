//! A store that speaks the language of S3: moto's server, from PyPI.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub const BUCKET: &str = "media";

/// Whether the store is installed; in CI a missing one fails the test instead.
pub fn is_available() -> bool {
    if program().is_some() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "CI needs moto: run scripts/setup.sh");
    super::skip("run scripts/setup.sh, for moto");
    false
}

/// Where scripts/setup.sh puts it, or wherever it is.
fn program() -> Option<PathBuf> {
    let own = [
        "/var/cache/portcullis/tools".into(),
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".cache/tools"),
    ];
    let own = own.into_iter().map(|tools| tools.join("python/bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = own.chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join("moto_server")).find(|path| path.is_file())
}

/// A store with one empty bucket; it ends with this value.
pub struct Store {
    port: u16,
    child: Child,
    client: reqwest::Client,
}

impl Store {
    pub async fn start() -> Self {
        super::provide_cryptography();
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port();
        let mut command = Command::new(program().expect("moto_server"));
        command
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().expect("moto_server");
        let store = Self { port, child, client: reqwest::Client::new() };
        for _ in 0..600 {
            let bucket = store.client.put(format!("{}/{BUCKET}", store.endpoint())).send().await;
            if bucket.is_ok_and(|answer| answer.status().is_success()) {
                return store;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the store does not start");
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The names of all objects.
    pub async fn objects(&self) -> Vec<String> {
        let list = self.client.get(format!("{}/{BUCKET}?list-type=2", self.endpoint()));
        let list = list.send().await.expect("an answer").text().await.expect("a list");
        let keys = list.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
        keys.map(|(key, _)| key.to_owned()).collect()
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.kill();
    }
}
