//! What is measured, one function a row or two.

use crate::Outcome;
use crate::avatar;
use crate::client::{self, Answer, Connection};
use crate::load::{CONNECTIONS, Load, repeat};
use crate::report::{Report, Row};
use crate::server::{self, PASSWORD, Server};
use serde_json::json;
use std::fs;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::task::JoinSet;

const ROUNDS: usize = 3;
const LOGINS_A_ROUND: usize = 50;
const FLOOD: usize = 500;
/// PASSWORD__MEMORY_BUDGET_MIB as it comes.
const BUDGET_MIB: f64 = 128.0;

/// Size of the binary.
pub fn size(report: &mut Report) -> Outcome<()> {
    let mib = fs::metadata(server::BINARY)?.len() as f64 / (1024.0 * 1024.0);
    report.add(Row {
        what: "release binary",
        goal: "< 40 MB",
        result: format!("{mib:.1} MiB"),
        met: mib < 38.1,
        raw: "stripped".to_owned(),
    });
    Ok(())
}

/// Start on a database that is there, and memory at rest.
pub async fn start(data: &TempDir, report: &mut Report) -> Outcome<()> {
    let mut times = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        let _server = Server::start(data).await?;
        times.push(begun.elapsed());
    }
    times.sort();
    let median = times[times.len() / 2];
    let raw = format!("{} users; five starts: {times:.0?}", server::USERS);
    report.add(Row {
        what: "start to the first answer",
        goal: "< 300 ms",
        result: format!("{median:.0?}"),
        met: median < Duration::from_millis(300),
        raw,
    });
    let server = Server::start(data).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let idle = server.memory("VmRSS")?;
    report.add(Row {
        what: "memory at rest",
        goal: "< 30 MiB",
        result: format!("{idle:.1} MiB"),
        met: idle < 30.0,
        raw: "VmRSS 2 s after the start".to_owned(),
    });
    Ok(())
}

/// GET me against the cheapest server there can be, in turns.
pub async fn read(data: &TempDir, report: &mut Report) -> Outcome<()> {
    let (ours, bare) = (Server::start(data).await?, Server::start_bare().await?);
    let token = login(ours.port, 0).await?.text("access")?;
    let request = client::get("/api/auth/me/", &token);
    let (mut ours_total, mut bare_total) = (Load::default(), Load::default());
    for round in 0..=ROUNDS {
        let bare_load = repeat(&bare, &request).await?;
        let ours_load = repeat(&ours, &request).await?;
        // The first round warms up.
        if round > 0 {
            bare_total.add(&bare_load);
            ours_total.add(&ours_load);
        }
    }
    let ratio = ours_total.per_cpu_second() / bare_total.per_cpu_second();
    let raw = format!("ours {}; bare axum {}", ours_total.describe(), bare_total.describe());
    report.add(Row {
        what: "GET me, of a bare axum handler's calls per CPU-second",
        goal: "≥ 0.40",
        result: format!("{ratio:.2}"),
        met: ratio >= 0.40,
        raw,
    });
    Ok(())
}

/// Refreshes, each connection its own session.
pub async fn refresh(data: &TempDir, report: &mut Report) -> Outcome<()> {
    let server = Server::start(data).await?;
    let mut tokens = Vec::new();
    for number in 0..CONNECTIONS {
        tokens.push(login(server.port, number).await?.text("refresh")?);
    }
    let before = server.cpu()?;
    let until = Instant::now() + Duration::from_secs(8);
    let mut tasks = JoinSet::new();
    for mut token in tokens {
        let mut connection = Connection::open(server.port).await?;
        tasks.spawn(async move {
            let mut calls = 0_u64;
            while Instant::now() < until {
                let request = client::post("/api/auth/refresh/", &json!({ "refresh": token }));
                token = connection.call(&request).await?.text("refresh")?;
                calls += 1;
            }
            Outcome::Ok(calls)
        });
    }
    let begun = Instant::now();
    let mut load = Load::default();
    while let Some(calls) = tasks.join_next().await {
        load.calls += calls??;
    }
    load.cpu = server.cpu()? - before;
    load.wall = begun.elapsed();
    let rate = load.per_cpu_second();
    let raw = format!("{} on {CONNECTIONS} connections, one session each", load.describe());
    report.add(Row {
        what: "refresh per CPU-second",
        goal: "≥ 8,000",
        result: format!("{rate:.0}"),
        met: rate >= 8000.0,
        raw,
    });
    Ok(())
}

/// Logins one after the other, on one connection as from a proxy, against the bare hash with memory that is
/// reused, in turns.
pub async fn login_cost(data: &TempDir, report: &mut Report) -> Outcome<()> {
    let server = Server::start(data).await?;
    login(server.port, 0).await?;
    let mut connection = Connection::open(server.port).await?;
    let (mut ours, mut raw_hash) = (0.0, 0.0);
    for round in 0..ROUNDS {
        let before = server.cpu()?;
        for number in 0..LOGINS_A_ROUND {
            let answer = connection.call(&login_request(round * LOGINS_A_ROUND + number)).await?;
            assert_status(&answer, 200)?;
        }
        ours += server.cpu()? - before;
        raw_hash += hashes(LOGINS_A_ROUND)?;
    }
    let calls = (ROUNDS * LOGINS_A_ROUND) as f64;
    let ratio = ours / raw_hash;
    let raw = format!(
        "{calls} of each: {:.2} ms CPU a login, {:.2} ms CPU a hash (argon2 crate, 19456 KiB, t=2, p=1, memory reused)",
        ours * 1000.0 / calls,
        raw_hash * 1000.0 / calls
    );
    report.add(Row {
        what: "CPU of a login, of the bare hash",
        goal: "≤ 1.10",
        result: format!("{ratio:.2}"),
        met: ratio <= 1.10,
        raw,
    });
    Ok(())
}

/// Uploads one after the other.
pub async fn avatar(data: &TempDir, report: &mut Report) -> Outcome<()> {
    let server = Server::start(data).await?;
    let token = login(server.port, 0).await?.text("access")?;
    avatar::upload_cost(data, &token, &server, report).await
}

/// Far more logins at once than the queue takes, and what that does to memory and to everybody else.
pub async fn flood(data: &TempDir, report: &mut Report) -> Outcome<()> {
    let server = Server::start(data).await?;
    let idle = server.memory("VmRSS")?;
    let token = login(server.port, 0).await?.text("access")?;
    let mut logins = JoinSet::new();
    for number in 0..FLOOD {
        let mut connection = Connection::open(server.port).await?;
        logins.spawn(async move { Outcome::Ok(connection.call(&login_request(number)).await?.status) });
    }
    let mut reader = Connection::open(server.port).await?;
    let request = client::get("/api/auth/me/", &token);
    let (mut waits, mut accepted, mut refused) = (Vec::new(), 0, 0);
    while !logins.is_empty() {
        let answer = reader.call(&request).await?;
        assert_status(&answer, 200)?;
        waits.push(answer.took);
        while let Some(status) = logins.try_join_next() {
            match status?? {
                200 => accepted += 1,
                503 => refused += 1,
                status => return Err(format!("a login was answered with {status}").into()),
            }
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    waits.sort();
    let p99 = waits[waits.len() * 99 / 100];
    let above = server.memory("VmHWM")? - idle;
    let raw = format!("{idle:.1} MiB before; {accepted} logins 200, {refused} 503");
    let met = above <= BUDGET_MIB + 60.0 && refused > 0;
    report.add(Row {
        what: "memory of 500 logins at once, above rest",
        goal: "≤ 128 + 60 MiB",
        result: format!("{above:.1} MiB"),
        met,
        raw,
    });
    let raw = format!(
        "{} calls, median {:.1?}, longest {:.1?}",
        waits.len(),
        waits[waits.len() / 2],
        waits[waits.len() - 1]
    );
    report.add(Row {
        what: "GET me during these logins, p99",
        goal: "< 20 ms",
        result: format!("{p99:.1?}"),
        met: p99 < Duration::from_millis(20),
        raw,
    });
    Ok(())
}

fn login_request(number: usize) -> Vec<u8> {
    let body = json!({ "username": format!("bench_{number}"), "password": PASSWORD });
    client::post("/api/auth/login/", &body)
}

/// Logs one of the accounts in.
pub async fn login(port: u16, number: usize) -> Outcome<Answer> {
    let answer = Connection::open(port).await?.call(&login_request(number)).await?;
    assert_status(&answer, 200)?;
    Ok(answer)
}

fn assert_status(answer: &Answer, status: u16) -> Outcome<()> {
    if answer.status == status {
        return Ok(());
    }
    Err(format!("{} instead of {status}: {}", answer.status, String::from_utf8_lossy(&answer.body)).into())
}

/// CPU seconds that `count` hashes take with the crate alone.
fn hashes(count: usize) -> Outcome<f64> {
    let params = argon2::Params::new(19_456, 2, 1, Some(32))?;
    let mut memory = vec![argon2::Block::default(); params.block_count()];
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut out = [0; 32];
    let mut hash = || {
        argon2.hash_password_into_with_memory(PASSWORD.as_bytes(), b"sixteen bytes ok", &mut out, &mut memory)
    };
    hash()?;
    let before = server::own_cpu()?;
    for _ in 0..count {
        hash()?;
    }
    Ok(server::own_cpu()? - before)
}
