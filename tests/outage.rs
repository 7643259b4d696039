//! The database goes away and comes back (contract §1: never a 5xx for bad input, 503 for ours).

use crate::harness::canaries::Canaries;
use crate::harness::process::Process;
use crate::harness::{
    Answer, Database, PASSWORD, TestApp, create_database_on, create_mariadb_database, mariadb, skip,
};
use portcullis_security::secret::Secret;
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Longer than any answer may take while the database is away.
const BOUND: Duration = Duration::from_secs(35);

#[track_caller]
fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.headers.contains_key("retry-after"), "{:?}", answer.headers);
    assert!(matches!(answer.body["code"].as_str(), Some("unavailable" | "busy")), "{}", answer.body);
}

async fn app_on(server: &mariadb::Own) -> TestApp {
    let url = create_database_on(&server.url()).await;
    TestApp::with_manual_clock(Database::Sqlite, |config| config.storage.database_url = Secret::from(url))
        .await
}

/// Registers without a pause until it is told to stop; the names that were acknowledged.
async fn register_until(
    app: &TestApp,
    prefix: &str,
    stop: &AtomicBool,
    made: &AtomicUsize,
) -> (Vec<String>, usize) {
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let name = format!("{prefix}{number}");
        let answer = app.register(&name).await;
        if answer.status == 201 {
            acknowledged.push(name);
            made.fetch_add(1, Ordering::SeqCst);
        } else {
            assert_unavailable(&answer);
            refused += 1;
        }
    }
    (acknowledged, refused)
}

/// Every call that needs the database says that it is away, and none says that a token is bad.
async fn assert_all_refused(app: &TestApp, access: &str, refresh: &str) {
    let started = Instant::now();
    let token = json!({ "refresh": refresh });
    let address = json!({ "email": "reader@example.com" });
    let calls = tokio::join!(
        app.send(app.request(Method::GET, "/readyz")),
        app.login("reader", PASSWORD),
        app.post("/api/auth/refresh/", token.clone()),
        app.post("/api/auth/logout/", token.clone()),
        app.post("/api/auth/password-reset/", address),
        app.get("/api/auth/me/", access),
    );
    for answer in [calls.0, calls.1, calls.2, calls.3, calls.4, calls.5] {
        assert_unavailable(&answer);
    }
    app.send(app.request(Method::GET, "/healthz")).await.expect(200);
    app.get("/api/auth/me/", "a.b.c").await.expect(401);
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
}

async fn wait_until_ready(app: &TestApp) {
    let started = Instant::now();
    while app.send(app.request(Method::GET, "/readyz")).await.status != 200 {
        assert!(started.elapsed() < Duration::from_secs(20), "it does not recover");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_server_that_is_killed_and_comes_back_loses_nothing_acknowledged() {
    if !mariadb::is_available() {
        return;
    }
    let mut server = mariadb::Own::start().await;
    let app = app_on(&server).await;
    let session = app.user("reader").await;
    let (access, refresh) = (session.text("access"), session.text("refresh"));
    let (stop, made) = (AtomicBool::new(false), AtomicUsize::new(0));
    let outage = async {
        while made.load(Ordering::SeqCst) < 20 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.kill();
        // Longer than the news of ended sessions are believed.
        app.advance(Duration::from_secs(2));
        assert_all_refused(&app, &access, &refresh).await;
        server.restart().await;
        wait_until_ready(&app).await;
        stop.store(true, Ordering::SeqCst);
    };
    let ((first, some), (second, others), ()) = tokio::join!(
        register_until(&app, "ann", &stop, &made),
        register_until(&app, "bob", &stop, &made),
        outage
    );
    assert!(some > 0 && others > 0, "nobody noticed the outage");
    let acknowledged = [first, second].concat();
    for name in &acknowledged {
        let answer = app.login(name, PASSWORD).await.expect(401);
        assert_eq!(answer.text("code"), "email_not_verified", "{name} is lost");
    }
    app.get("/api/auth/me/", &access).await.expect(200);
    app.post("/api/auth/refresh/", json!({ "refresh": refresh })).await.expect(200);
    // A letter that was being sent is tried again when its lease has ended.
    app.advance(Duration::from_secs(61));
    let mailed: Vec<_> = app.mails().await.into_iter().map(|mail| mail.to).collect();
    for name in &acknowledged {
        assert!(mailed.contains(&format!("{name}@example.com")), "the letter to {name} is lost");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_server_that_answers_nothing_is_not_waited_for_for_ever() {
    if !mariadb::is_available() {
        return;
    }
    let server = mariadb::Own::start().await;
    let app = app_on(&server).await;
    let refresh = app.user("reader").await.text("refresh");
    server.signal("STOP");
    let started = Instant::now();
    let ready = app.send(app.request(Method::GET, "/readyz"));
    let login = app.login("reader", PASSWORD);
    let next = app.post("/api/auth/refresh/", json!({ "refresh": refresh }));
    let (ready, login, next) = tokio::join!(ready, login, next);
    server.signal("CONT");
    [ready, login, next].iter().for_each(assert_unavailable);
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    wait_until_ready(&app).await;
    app.post("/api/auth/refresh/", json!({ "refresh": refresh })).await.expect(200);
}

/// A way to a database server on which things go wrong.
#[derive(Default)]
struct Way {
    /// The answer to the next COMMIT is lost, with its connection.
    loses_commit: AtomicBool,
    /// Raised by one, it makes all connections that there are silent for ever, as when a machine loses its power.
    silences: AtomicUsize,
}

impl Way {
    /// Opens it to the server of a URL; gives the URL of this end.
    async fn open(self: &Arc<Self>, url: &str) -> String {
        let (server, name) = url.rsplit_once('/').expect("a name");
        let (start, port) = server.rsplit_once(':').expect("a port");
        let server: u16 = port.parse().expect("a port");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let way = self.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.expect("a connection");
                tokio::spawn(way.clone().pass_on(client, server));
            }
        });
        format!("{start}:{port}/{name}")
    }

    async fn pass_on(self: Arc<Self>, mut client: TcpStream, mut server: TcpStream) {
        let (mut asked, mut answered) = (vec![0; 65536], vec![0; 65536]);
        let silences = self.silences.load(Ordering::SeqCst);
        loop {
            tokio::select! {
                Ok(count @ 1..) = client.read(&mut asked) => {
                    if self.silences.load(Ordering::SeqCst) > silences {
                        continue;
                    }
                    let call = &asked[..count];
                    server.write_all(call).await.expect("a write");
                    if call.windows(6).any(|word| word == b"COMMIT") && self.loses_commit.swap(false, Ordering::SeqCst) {
                        let unheard = server.read(&mut answered).await.expect("an answer");
                        assert!(unheard > 0);
                        return;
                    }
                }
                Ok(count @ 1..) = server.read(&mut answered) => {
                    client.write_all(&answered[..count]).await.expect("a write");
                }
                else => return,
            }
        }
    }
}

/// A server over it, and a reader's access token, where there is a MariaDB.
async fn reader_over(way: &Arc<Way>) -> Option<(TestApp, String)> {
    if !mariadb::is_available() {
        return None;
    }
    let url = way.open(&create_mariadb_database().await).await;
    let app = TestApp::with(Database::Sqlite, |config| config.storage.database_url = Secret::from(url)).await;
    let access = app.user("reader").await.text("access");
    Some((app, access))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_commit_was_not_answered_is_not_made_again() {
    let way = Arc::new(Way::default());
    let Some((app, access)) = reader_over(&way).await else { return };
    way.loses_commit.store(true, Ordering::SeqCst);
    let room = json!({ "name": "Cellar" });
    assert_unavailable(&app.call(Method::POST, "/api/rooms/", &access, room.clone()).await);
    assert!(!way.loses_commit.load(Ordering::SeqCst), "no commit was lost");
    assert_eq!(app.get("/api/rooms/", &access).await.expect(200).body["count"], 1);
    app.call(Method::POST, "/api/rooms/", &access, room).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_fell_silent_are_replaced() {
    let way = Arc::new(Way::default());
    let Some((app, access)) = reader_over(&way).await else { return };
    // Those in use are given up when their time is over, those at rest before they are used again.
    for rest in [Duration::ZERO, Duration::from_secs(2)] {
        let busy = (0..40).map(|_| app.get("/api/auth/sessions/", &access));
        futures_util::future::join_all(busy).await;
        tokio::time::sleep(rest).await;
        way.silences.fetch_add(1, Ordering::SeqCst);
        let started = Instant::now();
        while app.get("/api/auth/sessions/", &access).await.status != 200 {
            assert!(started.elapsed() < BOUND, "it does not recover");
        }
    }
}

/// What an administrator of the database server does.
async fn administer(server: &mariadb::Own, statement: &str) {
    let connection =
        sea_orm::Database::connect(&format!("{}/mysql", server.url())).await.expect("a connection");
    #[expect(clippy::disallowed_methods, reason = "an ORM does not administer servers")]
    connection.execute_unprepared(statement).await.expect("a statement");
    connection.close().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_server_at_its_end_is_no_fault_of_a_call() {
    if !mariadb::is_available() {
        return;
    }
    let server = mariadb::Own::start().await;
    let url = create_database_on(&server.url()).await;
    // The administrator himself may write to a server that is read-only.
    administer(&server, "CREATE USER app@'127.0.0.1'").await;
    administer(&server, "GRANT ALL ON *.* TO app@'127.0.0.1'").await;
    administer(&server, "REVOKE SUPER, READ_ONLY ADMIN ON *.* FROM app@'127.0.0.1'").await;
    let url = url.replace("root@", "app@");
    let app = TestApp::with(Database::Sqlite, |config| config.storage.database_url = Secret::from(url)).await;
    let session = app.user("reader").await;
    // Statements that a connection has prepared go on; nobody has asked for sessions yet.
    let access = session.text("access");
    administer(&server, "SET GLOBAL max_prepared_stmt_count = 0").await;
    assert_unavailable(&app.get("/api/auth/sessions/", &access).await);
    administer(&server, "SET GLOBAL max_prepared_stmt_count = 16382").await;
    app.get("/api/auth/sessions/", &access).await.expect(200);
    administer(&server, "SET GLOBAL read_only = 1").await;
    assert_unavailable(&app.register("newcomer").await);
    assert_unavailable(&app.login("reader", PASSWORD).await);
    app.get("/api/auth/me/", &access).await.expect(200);
    administer(&server, "SET GLOBAL read_only = 0").await;
    app.login("reader", PASSWORD).await.expect(200);
    app.register("newcomer").await.expect(201);
    app.mails().await;
}

/// What a full disk must not break, told from outside; `fill` and `free` do it.
async fn live_through_a_full_disk(
    server: &Process,
    fill: impl AsyncFn(&Process),
    free: impl AsyncFn(&Process),
) -> Answer {
    let mut canaries = Canaries::default();
    let session = server.user("reader").await;
    canaries.keep_answer("the session", &session);
    let (access, refresh) = (session.text("access"), session.text("refresh"));
    fill(server).await;
    let (name, password) = (canaries.plant("the username"), canaries.plant_password());
    let body = json!({ "username": name, "email": format!("{name}@example.com"), "password": password });
    for _ in 0..3 {
        assert_unavailable(&server.post("/api/auth/register/", body.clone()).await);
        let login = json!({ "username": "reader", "password": PASSWORD });
        assert_unavailable(&server.post("/api/auth/login/", login).await);
        assert_unavailable(&server.post("/api/auth/refresh/", json!({ "refresh": refresh })).await);
        assert_unavailable(&server.post("/api/auth/logout/", json!({ "refresh": refresh })).await);
        server.get("/api/auth/me/", &access).await.expect(200);
        server.get("/api/auth/me/export/", &access).await.expect(200);
        server.get("/healthz", "").await.expect(200);
    }
    free(server).await;
    server.post("/api/auth/register/", body).await.expect(201);
    let next = server.post("/api/auth/refresh/", json!({ "refresh": refresh })).await.expect(200);
    // What was written after the failure is there for others, too: it was committed.
    server.get("/api/auth/me/", &next.text("access")).await.expect(200);
    let login = json!({ "username": name, "password": password });
    assert_eq!(server.post("/api/auth/login/", login).await.expect(401).text("code"), "email_not_verified");
    assert!(!server.log().contains("panicked"), "{}", server.log());
    canaries.assert_absent(&server.log());
    next
}

fn limit_files(server: &Process, bytes: &str) {
    let (pid, limit) = (server.pid().to_string(), format!("--fsize={bytes}:unlimited"));
    let status = std::process::Command::new("prlimit").args(["--pid", &pid, &limit]).status();
    assert!(status.expect("prlimit").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_nothing_refuses_writes_and_answers_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    // No file may grow, the log neither; the signal for it would end the process.
    let wrapper = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];
    let mut server = Process::start_under(folder.path(), &[], &wrapper).await;
    let fill = async |server: &Process| limit_files(server, "1");
    let free = async |server: &Process| limit_files(server, "unlimited");
    let next = live_through_a_full_disk(&server, fill, free).await;
    server.kill();
    server.restart().await;
    server.get("/api/auth/me/", &next.text("access")).await.expect(200);
    server.post("/api/auth/refresh/", json!({ "refresh": next.text("refresh") })).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_and_recovers_when_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    let mount = format!("mount -t tmpfs -o size=8m tmpfs '{}' && exec \"$@\"", data.display());
    let wrapper = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", &mount, "sh"];
    let is_allowed = std::process::Command::new("unshare").args(&wrapper[1..4]).arg("true").status();
    if !is_allowed.is_ok_and(|status| status.success()) {
        skip("this machine gives no file system of its own");
        return;
    }
    let server = Process::start_under(folder.path(), &[], &wrapper).await;
    let ballast = |server: &Process| format!("/proc/{}/root{}/ballast", server.pid(), data.display());
    let fill = async |server: &Process| {
        let full = std::fs::write(ballast(server), vec![0_u8; 64 << 20]);
        assert!(full.is_err(), "the disk is larger than it should be");
    };
    let free = async |server: &Process| std::fs::remove_file(ballast(server)).expect("room");
    live_through_a_full_disk(&server, fill, free).await;
    assert!(server.log().contains("request failed"), "{}", server.log());
}
