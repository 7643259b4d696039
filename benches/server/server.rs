//! The processes that are measured: the server in its production settings, and the bare one.

use crate::{Outcome, bare, chat, client};
use portcullis_security::password::{Argon2Params, Salt, hash_password};
use portcullis_security::random::Random;
use portcullis_security::secret::Secret;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The accounts in the database, `bench_0`, `bench_1`, …
pub const USERS: usize = 1000;
/// The password of all of them.
pub const PASSWORD: &str = "Quiet-Meadow-77!";
/// The program that is measured.
pub const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");

/// What differs from the defaults. Throttles are off, since all calls come from one address.
pub const SETTINGS: [(&str, &str); 8] = [
    ("PORTCULLIS_PROFILE", "production"),
    ("PORTCULLIS_SERVER__PUBLIC_URL", "https://bench.example"),
    ("PORTCULLIS_SERVER__TRUSTED_PROXIES", "127.0.0.1/32"),
    ("PORTCULLIS_MAIL__URL", "memory"),
    ("PORTCULLIS_THROTTLE__ENABLED", "false"),
    ("PORTCULLIS_COMMUNITY__SOCKETS_PER_IP", "20000"),
    ("PORTCULLIS_METRICS__TOKEN", "a-token-for-the-benchmark-only-5d1f"),
    ("SECRET_KEY", "k9x2Vq7nB4mZ8tR5wY1pL6sD3fG0hJcX-bench-only"),
];

/// A process on core 0 that ends with this value.
pub struct Server {
    child: Child,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
}

impl Server {
    /// Starts Portcullis on a database that is there, and waits until it is ready.
    pub async fn start(data: &TempDir) -> Outcome<Self> {
        let port = free_port()?;
        let mut command = portcullis(data.path());
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]);
        command.stderr(File::create(data.path().join("log"))?);
        Self::spawn(command, port, "/readyz").await
    }

    /// Starts the bare server.
    pub async fn start_bare() -> Outcome<Self> {
        let port = free_port()?;
        let mut command = pinned(&std::env::current_exe()?);
        command.args([bare::FLAG, &format!("127.0.0.1:{port}")]);
        Self::spawn(command, port, "/api/auth/me/").await
    }

    async fn spawn(mut command: Command, port: u16, path: &str) -> Outcome<Self> {
        let child = command.stdout(Stdio::null()).spawn()?;
        let server = Self { child, port };
        let begun = Instant::now();
        while !server.answers(path).await {
            if begun.elapsed() > Duration::from_secs(10) {
                return Err("the server does not start".into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(server)
    }

    async fn answers(&self, path: &str) -> bool {
        let Ok(mut connection) = client::Connection::open(self.port).await else { return false };
        matches!(connection.call(&client::get(path, "")).await, Ok(answer) if answer.status == 200)
    }

    /// CPU time that all its threads have used so far, in seconds; the kernel counts in steps of 10 ms.
    pub fn cpu(&self) -> Outcome<f64> {
        cpu_of(self.child.id())
    }

    /// Its memory in MiB: `VmRSS` now, or `VmHWM` at its highest.
    pub fn memory(&self, field: &str) -> Outcome<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with(field)).ok_or("no such field")?;
        let kib: f64 = line.split_whitespace().nth(1).ok_or("no value")?.parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time that this process has used so far, in seconds.
pub fn own_cpu() -> Outcome<f64> {
    cpu_of(std::process::id())
}

fn cpu_of(process: u32) -> Outcome<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in brackets may hold anything; what follows it is numbers.
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| -> Outcome<f64> { Ok(fields.get(index).ok_or("no CPU time")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// Keeps the client away from the server's core.
pub fn pin_self() -> Outcome<()> {
    let id = std::process::id().to_string();
    let done = Command::new("taskset").args(["-p", "-c", "1", &id]).stdout(Stdio::null()).status()?;
    if done.success() { Ok(()) } else { Err("taskset failed: two cores are needed".into()) }
}

/// A folder with a database of [`USERS`] accounts.
pub fn seeded_data() -> Outcome<TempDir> {
    let data = tempfile::tempdir()?;
    // One hash serves all accounts: each login costs the same.
    let salt = Salt::generate(&Random::system());
    let hash = hash_password(&Secret::from(PASSWORD), &salt, &Argon2Params::default())?;
    let users: Vec<_> = (0..USERS)
        .map(|number| {
            serde_json::json!({
                "username": format!("bench_{number}"),
                "email": format!("bench_{number}@example.com"),
                "password_hash": hash,
            })
        })
        .collect();
    load(&data, &serde_json::json!({ "users": users, "rooms": chat::rooms() }))?;
    Ok(data)
}

/// Loads rows into the database.
pub fn load(data: &TempDir, rows: &serde_json::Value) -> Outcome<()> {
    let file = data.path().join("rows.json");
    fs::write(&file, rows.to_string())?;
    let done = portcullis(data.path()).arg("load").arg(&file).stdout(Stdio::null()).status()?;
    if done.success() { Ok(()) } else { Err("the rows were not loaded".into()) }
}

fn portcullis(data: &Path) -> Command {
    let mut command = pinned(Path::new(BINARY));
    command.envs(SETTINGS).env("PORTCULLIS_STORAGE__DATA_DIR", data).current_dir(data);
    command
}

/// A program on the server's core.
pub fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(program);
    command
}

fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
