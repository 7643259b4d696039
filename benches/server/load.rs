//! Many calls at once, and what they cost.

use crate::Outcome;
use crate::client::Connection;
use crate::server::Server;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Connections, and calls in flight.
pub const CONNECTIONS: usize = 64;
const FOR: Duration = Duration::from_secs(3);

/// Calls and what they cost the server.
#[derive(Default)]
pub struct Load {
    /// Answered calls.
    pub calls: u64,
    /// Seconds of the server's CPU.
    pub cpu: f64,
    /// Time that passed.
    pub wall: Duration,
}

impl Load {
    /// Adds another load's.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.cpu += other.cpu;
        self.wall += other.wall;
    }

    /// Calls for each second of CPU.
    pub fn per_cpu_second(&self) -> f64 {
        self.calls as f64 / self.cpu
    }

    /// The counts in words.
    pub fn describe(&self) -> String {
        let (calls, cpu, wall) = (self.calls, self.cpu, self.wall.as_secs_f64());
        format!("{calls} calls in {cpu:.2} CPU-s, {wall:.1} s ({:.1} µs each)", cpu * 1e6 / calls as f64)
    }
}

/// Sends the same request for three seconds on all connections.
pub async fn repeat(server: &Server, request: &[u8]) -> Outcome<Load> {
    let mut tasks = JoinSet::new();
    let (begun, before) = (Instant::now(), server.cpu()?);
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(server.port).await?;
        let request = request.to_owned();
        tasks.spawn(async move {
            let mut calls = 0;
            while begun.elapsed() < FOR {
                let answer = connection.call(&request).await?;
                if answer.status != 200 {
                    return Err(format!("answered with {}", answer.status).into());
                }
                calls += 1;
            }
            Outcome::Ok(calls)
        });
    }
    let mut load = Load::default();
    while let Some(calls) = tasks.join_next().await {
        load.calls += calls??;
    }
    load.cpu = server.cpu()? - before;
    load.wall = begun.elapsed();
    Ok(load)
}
