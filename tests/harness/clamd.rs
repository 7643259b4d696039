//! Debian's ClamAV daemon, with a signature of our own instead of the internet's.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The test file of EICAR, which is harmless and which every scanner knows. In two parts, so that this file is
/// not taken for it.
pub fn eicar() -> Vec<u8> {
    [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat().into_bytes()
}

/// Whether the daemon is installed; in CI a missing one fails the test instead.
pub fn is_available() -> bool {
    if program().is_some() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "CI needs ClamAV: install clamav-daemon");
    super::skip("install clamav-daemon");
    false
}

fn program() -> Option<PathBuf> {
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    std::env::split_paths(&path).map(|folder| folder.join("clamd")).find(|path| path.is_file())
}

/// A daemon on a socket and a port of its own; it ends with this value.
pub struct Clamd {
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Clamd {
    /// Starts it and waits until it answers.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::create_dir(at("signatures")).expect("a folder");
        let hex: String = eicar().iter().map(|byte| format!("{byte:02x}")).collect();
        let signature = format!("Test.Eicar:0:*:{hex}\n");
        std::fs::write(at("signatures/test.ndb"), signature).expect("a signature");
        let settings = format!(
            "Foreground true\nDatabaseDirectory {}\nLocalSocket {}\nTCPSocket {port}\nTCPAddr 127.0.0.1\n\
             TemporaryDirectory {}\nLogFile {}\n",
            at("signatures"),
            at("socket"),
            folder.path().display(),
            at("log"),
        );
        std::fs::write(at("settings"), settings).expect("settings");
        let mut command = Command::new(program().expect("clamd"));
        command.arg("--config-file").arg(at("settings")).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("clamd");
        let clamd = Self { folder, port, child };
        clamd.wait().await;
        clamd
    }

    async fn wait(&self) {
        for _ in 0..600 {
            let answers = tokio::net::TcpStream::connect(self.address()).await.is_ok();
            if answers && Path::new(&self.socket()).exists() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("clamd does not start: {log}");
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn socket(&self) -> String {
        self.folder.path().join("socket").display().to_string()
    }
}

impl Drop for Clamd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
