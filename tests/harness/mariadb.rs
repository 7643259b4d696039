//! A throw-away MariaDB, started by the first test that asks and shared by the whole run.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the server may take to start, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the server is installed; in CI a missing one fails the test instead.
pub fn is_available() -> bool {
    if is_installed("mariadbd") && is_installed("mariadb-install-db") && is_installed("mariadb") {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "CI needs a MariaDB: install mariadb-server");
    super::skip("install mariadb-server");
    false
}

/// The server's URL without a database, `mysql://root@127.0.0.1:PORT`.
///
/// nextest gives every test a process of its own: a lock makes one of them start the server, and the server
/// watches the run and ends with it.
pub fn url() -> String {
    let (run, watched) = match std::env::var("NEXTEST_RUN_ID") {
        Ok(run) => (run, std::os::unix::process::parent_id()),
        Err(_) => (std::process::id().to_string(), std::process::id()),
    };
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mariadb-{run}"));
    std::fs::create_dir_all(&directory).expect("a directory");
    let lock = OpenOptions::new().create(true).append(true).open(directory.join("lock")).expect("a lock");
    lock.lock().expect("the lock");
    if !directory.join("ready").exists() {
        start(&directory, watched);
    }
    let port = std::fs::read_to_string(directory.join("port")).expect("the port");
    format!("mysql://root@127.0.0.1:{port}")
}

/// A server of one test's own, which can be killed, stopped and started again. It keeps what it has acknowledged.
pub struct Own {
    directory: tempfile::TempDir,
    port: u16,
    options: Vec<String>,
    child: Child,
}

impl Own {
    pub async fn start() -> Self {
        Self::with(Vec::new()).await
    }

    /// With more options of `mariadbd`.
    pub async fn with(options: Vec<String>) -> Self {
        let directory = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port();
        let data = directory.path().join("data");
        let installed = server_command("mariadb-install-db", &data)
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
            .stderr(Stdio::piped())
            .output()
            .expect("mariadb-install-db");
        assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        let child = run_own(directory.path(), port, &options);
        let own = Self { directory, port, options, child };
        own.wait_until_ready().await;
        own
    }

    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}", self.port)
    }

    /// SIGKILL: the machine's power, as the server sees it.
    pub fn kill(&mut self) {
        self.child.kill().expect("a signal");
        self.child.wait().expect("an end");
    }

    /// `STOP`: it keeps its connections and answers nothing; `CONT` goes on.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill").success());
    }

    pub async fn restart(&mut self) {
        self.child = run_own(self.directory.path(), self.port, &self.options);
        self.wait_until_ready().await;
    }

    async fn wait_until_ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while sea_orm::Database::connect(&format!("{}/mysql", self.url())).await.is_err() {
            assert!(Instant::now() < deadline, "MariaDB does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run_own(directory: &Path, port: u16, options: &[String]) -> Child {
    let socket = directory.join("socket");
    server_command("mariadbd", &directory.join("data"))
        .args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=1"])
        .args([format!("--port={port}"), format!("--socket={}", socket.display())])
        .args(["--innodb-buffer-pool-size=32M", "--performance-schema=OFF"])
        .args(options)
        .spawn()
        .expect("mariadbd")
}

fn server_command(program: &str, data: &Path) -> Command {
    let user = Command::new("id").arg("-un").output().expect("id").stdout;
    let mut command = Command::new(program);
    command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()));
    // Two servers that share one folder of temporary tables remove each other's.
    command.env("TMPDIR", data.parent().expect("a folder"));
    command.args(["--no-defaults", &format!("--datadir={}", data.display())]);
    command.arg(format!("--user={}", String::from_utf8_lossy(&user).trim()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn start(directory: &Path, watched: u32) {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.expect("a free port").port().to_string();
    std::fs::write(directory.join("port"), &port).expect("the port");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/harness/mariadb.sh");
    // A session of its own, and none of our pipes: it must outlive the test that starts it.
    let started = Command::new("setsid")
        .args(["--fork", "sh", script])
        .args([directory.as_os_str(), port.as_ref(), watched.to_string().as_ref()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(started.expect("setsid").success(), "{script} cannot be run");
    let deadline = Instant::now() + PATIENCE;
    while !directory.join("ready").exists() {
        let has_failed = directory.join("failed").exists() || Instant::now() > deadline;
        assert!(!has_failed, "MariaDB does not start: {}", logs(directory));
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn logs(directory: &Path) -> String {
    let read = |name| std::fs::read_to_string(directory.join(name)).unwrap_or_default();
    format!("{}{}", read("install.log"), read("error.log"))
}

fn is_installed(program: &str) -> bool {
    // Debian keeps servers out of a user's PATH.
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
