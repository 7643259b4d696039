//! What the time of an answer tells about an account: nothing (contract §2; ASVS v5.0.0-6.3.8).
//!
//! Classes of calls are interleaved in random order, so that whatever else the machine does meets all of
//! them alike, and compared by the mean of their fast calls (the 5th to the 25th percentile): a leak moves
//! every call, other work only makes some of them slower. Each comparison is also made with a class that
//! is slower by a planted leak, which must be found: a harness that is too coarse fails, too.

use crate::harness::{Database, PASSWORD, TestApp};
use portcullis::load::LoadFile;
use portcullis::model::users::{Column, Entity, Status};
use portcullis::storage::Write;
use portcullis_security::random::Random;
use portcullis_security::secret::Secret;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How many calls of each class are made, and how far classes may be apart: 2 % of the time of one, and a
/// slack in milliseconds for a machine that does other work. `make timing` has none.
#[derive(Clone, Copy)]
struct Effort {
    calls: usize,
    slack: f64,
    leak: Duration,
}

const IN_PASSING: Effort = Effort { calls: 100, slack: 1.0, leak: Duration::from_millis(3) };
const ALONE: Effort = Effort { calls: 400, slack: 0.0, leak: Duration::from_millis(1) };
const TOLERANCE: f64 = 0.02;

/// `make timing` says that nothing else runs.
fn effort() -> Effort {
    if is_alone() { ALONE } else { IN_PASSING }
}

fn is_alone() -> bool {
    std::env::var_os("TIMING_ALONE").is_some()
}

/// One kind of call: its path, its bodies in turn, and what its measurement is falsified by.
struct Class {
    name: &'static str,
    path: &'static str,
    bodies: Vec<Value>,
    planted: Duration,
}

/// A connection that is kept, without a library between the clock and the wire.
struct Wire(BufReader<TcpStream>);

impl Wire {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("an option");
        Self(BufReader::new(stream))
    }

    fn call(&mut self, class: &Class, number: usize) -> Duration {
        let body = class.bodies[number % class.bodies.len()].to_string();
        let request = format!(
            "POST {} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            class.path,
            body.len()
        );
        let started = Instant::now();
        self.0.get_mut().write_all(request.as_bytes()).expect("a write");
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).expect("a line");
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer).expect("a body");
        let answered = started.elapsed();
        while started.elapsed() < answered + class.planted {}
        started.elapsed()
    }
}

/// The times of `count` calls of each class, in milliseconds, sorted.
fn measure(address: SocketAddr, classes: &[Class], count: usize, rest: impl Fn()) -> Vec<Vec<f64>> {
    let (random, mut wire) = (Random::system(), Wire::open(address));
    let mut times = vec![Vec::with_capacity(count); classes.len()];
    // The first calls find caches cold.
    for number in 0..count + 10 {
        let mut order: Vec<_> = (0..classes.len()).map(|class| (random.bytes::<8>(), class)).collect();
        order.sort_unstable();
        for (_, class) in order {
            let elapsed = wire.call(&classes[class], number);
            if number >= 10 {
                times[class].push(elapsed.as_secs_f64() * 1000.0);
            }
            rest();
        }
    }
    times.iter_mut().for_each(|times| times.sort_unstable_by(f64::total_cmp));
    times
}

fn fast_mean(sorted: &[f64]) -> f64 {
    let fast = &sorted[sorted.len() / 20..sorted.len() / 4];
    fast.iter().sum::<f64>() / fast.len() as f64
}

fn report(classes: &[Class], times: &[Vec<f64>]) -> String {
    let lines = classes.iter().zip(times).map(|(class, times)| {
        let (fast, median) = (fast_mean(times), times[times.len() / 2]);
        format!("{:>28}: fast mean {fast:.3} ms, median {median:.3} ms", class.name)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Compares each class of `group` with its first; the last one is planted.
fn assert_equal(classes: &[Class], times: &[Vec<f64>], group: &[usize], effort: Effort) {
    let (first, planted) = (group[0], group[group.len() - 1]);
    let report = report(classes, times);
    if is_alone() {
        #[expect(clippy::print_stdout, reason = "asked for by `make timing`")]
        {
            println!("{report}");
        }
    }
    let allowed = fast_mean(&times[first]) * TOLERANCE + effort.slack;
    let apart = |class: usize| fast_mean(&times[class]) - fast_mean(&times[first]);
    for class in &group[1..group.len() - 1] {
        let (name, apart) = (classes[*class].name, apart(*class));
        assert!(apart.abs() < allowed, "{name} is {apart:+.3} ms apart, {allowed:.3} allowed\n{report}");
    }
    let apart = apart(planted);
    assert!(apart > allowed, "the planted leak is not found in {apart:+.3} ms\n{report}");
}

struct Ban(String);

impl Write for Ban {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> portcullis::error::Result<()> {
        let banned = Entity::update_many().col_expr(Column::Status, Expr::value(Status::Banned));
        banned.filter(Column::Username.eq(&self.0)).exec(tx).await?;
        Ok(())
    }
}

/// A server whose disk is memory, where there is such a thing: the time of an fsync hides everything else.
async fn app() -> (TestApp, tempfile::TempDir) {
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a folder");
    let url = format!("sqlite://{}/db", folder.path().display());
    let app = TestApp::with(Database::Sqlite, |config| {
        config.storage.database_url = Secret::from(url);
        // The PRF that chooses dummies is fixed, and with it the names below.
        config.secret_key = Some(Secret::from("a secret of thirty-two bytes and more"));
        (config.password.memory_kib, config.password.iterations) = (4864, 2);
    })
    .await;
    (app, folder)
}

const NAMES: usize = 8;

/// Names of one length, so that nothing differs but whose they are.
fn names(prefix: &str) -> Vec<String> {
    (0..NAMES).map(|number| format!("{prefix:_<10}{number:02}")).collect()
}

fn logins(names: &[String]) -> Vec<Value> {
    names.iter().map(|name| json!({ "username": name, "password": "Wrong-Harbour-42" })).collect()
}

/// Known, unverified and banned accounts, and imported ones with a hash that costs more.
async fn fill(app: &TestApp) {
    let current = names("known").into_iter().chain(names("banned"));
    let current = current.map(
        |name| json!({ "username": name, "email": format!("{name}@example.com"), "password": PASSWORD }),
    );
    // Any hash will do: no password is right.
    let hash = "pbkdf2_sha256$3500$abcdefghijklmnopqrstuv$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let imported = names("imported").into_iter().chain(names("more")).chain(names("others"));
    let imported = imported.map(
        |name| json!({ "username": name, "email": format!("{name}@example.com"), "password_hash": hash }),
    );
    let file: LoadFile =
        serde_json::from_value(json!({ "users": current.chain(imported).collect::<Vec<_>>() }))
            .expect("a file");
    let report = portcullis::load::load(app.app(), file, |_| ()).await.expect("a report");
    assert_eq!((report.users, report.problems.len()), (NAMES * 5, 0), "{:?}", report.problems);
    for name in names("unverified") {
        app.register(&name).await.expect(201);
    }
    for name in names("banned") {
        app.app().storage.write(Ban(name)).await.expect("a ban");
    }
    app.mails().await;
    app.app().passwords.count_schemes(&app.app().storage).await.expect("a count");
}

fn class(name: &'static str, path: &'static str, bodies: Vec<Value>, planted: Duration) -> Class {
    Class { name, path, bodies, planted }
}

const LOGIN: &str = "/api/auth/login/";

/// Names that nobody has, those whose dummy is a cheap hash and those whose is an imported one: of the forty about
/// half are either, so the fastest and the slowest are chosen, by the fastest of five calls.
fn sort_unknown(address: SocketAddr) -> (Vec<String>, Vec<String>) {
    let mut wire = Wire::open(address);
    let mut fastest = |name: &str| {
        let class = class("", LOGIN, logins(&[name.to_owned()]), Duration::ZERO);
        (0..5).map(|number| wire.call(&class, number)).min().expect("a time")
    };
    // The first calls find caches cold.
    (0..5).for_each(|_| _ = fastest(&names("known")[0]));
    let mut unknown: Vec<_> = (0..40).map(|number| format!("nobody____{number:02}")).collect();
    unknown.sort_by_cached_key(|name| fastest(name));
    let costly = unknown.split_off(unknown.len() - NAMES);
    unknown.truncate(NAMES);
    (unknown, costly)
}

async fn compare_logins(effort: Effort) {
    let (app, _folder) = app().await;
    fill(&app).await;
    let address = app.address();
    let measured = tokio::task::spawn_blocking(move || {
        let (cheap, costly) = sort_unknown(address);
        let classes = vec![
            class("wrong password", LOGIN, logins(&names("known")), Duration::ZERO),
            class("unverified", LOGIN, logins(&names("unverified")), Duration::ZERO),
            class("banned", LOGIN, logins(&names("banned")), Duration::ZERO),
            class("unknown", LOGIN, logins(&cheap), Duration::ZERO),
            class("planted", LOGIN, logins(&names("known")), effort.leak),
            class("imported", LOGIN, logins(&names("imported")), Duration::ZERO),
            class("unknown, imported dummy", LOGIN, logins(&costly), Duration::ZERO),
            class("planted, imported", LOGIN, logins(&names("imported")), effort.leak),
        ];
        let times = measure(address, &classes, effort.calls, || ());
        (classes, times)
    });
    let (classes, times) = measured.await.expect("a measurement");
    // Whose password is guessed that often is told so.
    app.mails().await;
    assert_equal(&classes, &times, &[0, 1, 2, 3, 4], effort);
    assert_equal(&classes, &times, &[5, 6, 7], effort);
}

async fn compare_mails(path: &'static str, effort: Effort) {
    let (app, _folder) = app().await;
    fill(&app).await;
    let address = app.address();
    let bodies = |names: &[String]| -> Vec<Value> {
        names.iter().map(|name| json!({ "email": format!("{name}@example.com") })).collect()
    };
    let classes = vec![
        class("known", path, bodies(&names("known")), Duration::ZERO),
        class("unverified", path, bodies(&names("unverified")), Duration::ZERO),
        class("unknown", path, bodies(&names("nobody")), Duration::ZERO),
        class("planted", path, bodies(&names("known")), effort.leak),
    ];
    let handle = tokio::runtime::Handle::current();
    let (app, classes, times) = tokio::task::spawn_blocking(move || {
        // What the worker does about one call is no part of the next one.
        let times = measure(address, &classes, effort.calls, || handle.block_on(app.drain_outbox()));
        (app, classes, times)
    })
    .await
    .expect("a measurement");
    assert_equal(&classes, &times, &[0, 1, 2, 3], effort);
    app.mails().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_takes_as_long_whoever_the_name_belongs_to() {
    compare_logins(effort()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_is_asked_for_as_fast_whoever_the_address_belongs_to() {
    compare_mails("/api/auth/password-reset/", effort()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_is_asked_for_as_fast_whoever_the_address_belongs_to() {
    compare_mails("/api/auth/resend-verification/", effort()).await;
}
