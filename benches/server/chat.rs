//! A room of a hundred people: what a delivery costs, how long it takes, what a silent socket holds.

use crate::Outcome;
use crate::cases::login;
use crate::report::{Report, Row};
use crate::server::{Server, USERS};
use crate::socket::{self, Ear, Mouth};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// With this argument only rooms are measured.
pub const FLAG: &str = "--chat";

const PEOPLE: usize = 100;
/// What one socket may say in ten seconds.
const LINES: usize = 60;
const IN_FLIGHT: usize = 16;
/// What a bare socket server needs: 0.81 µs a delivery when many wait, so that one write carries several, and 6.6 µs
/// when each is written and wakes its reader alone. Ours may take three times the former, and less than the latter.
const TOGETHER: (&str, f64) = ("≥ 400,000", 400_000.0);
const ALONE: (&str, f64) = ("≥ 151,000", 151_000.0);
const IDLE: usize = 10_000;
const IDLE_EACH: usize = 20;
/// The room of [`PEOPLE`], and one of everybody.
const HALL: usize = 1;
const STADIUM: usize = 2;

/// The rooms of the database.
pub fn rooms() -> serde_json::Value {
    let people = |count: usize| (0..count).collect::<Vec<_>>();
    serde_json::json!([
        { "name": "Hall", "is_public": false, "members": people(PEOPLE) },
        { "name": "Stadium", "is_public": false, "members": people(USERS) },
    ])
}

/// All rows about rooms.
pub async fn measure(data: &TempDir, report: &mut Report) -> Outcome<()> {
    let server = Server::start(data).await?;
    let mut tokens = Vec::new();
    for number in 0..IDLE / IDLE_EACH {
        tokens.push(login(server.port, number).await?.text("access")?);
    }
    latency(&server, &tokens, report).await?;
    let alone = talk(&server, &tokens, Pace::InFlight).await?;
    report.add(deliveries(
        "deliveries per CPU-second, 100 people in a room, 16 messages of each in flight",
        TOGETHER,
        &alone,
    ));
    let steady = talk(&server, &tokens, Pace::Steady).await?;
    report.add(deliveries("the same at 6 messages a second of each, as often as is allowed", ALONE, &steady));
    // It is let in and never reads.
    let before = server.memory("VmRSS")?;
    let deaf = socket::open(server.port, HALL, &tokens[0]).await?;
    let beside = talk(&server, &tokens, Pace::InFlight).await?;
    drop(deaf);
    let ratio = beside.per_cpu_second() / alone.per_cpu_second();
    report.add(Row {
        what: "deliveries per CPU-second beside one that never reads, of those without",
        goal: "≥ 0.95",
        result: format!("{ratio:.2}"),
        met: ratio >= 0.95,
        raw: format!("{}; {:.1} MiB more", beside.describe(), server.memory("VmRSS")? - before),
    });
    idle(&server, &tokens, report).await
}

/// A message every 100 ms, each by another.
async fn latency(server: &Server, tokens: &[String], report: &mut Report) -> Outcome<()> {
    let since = Instant::now();
    let (ears, mut mouths) = people(server, tokens).await?;
    let mut tasks = JoinSet::new();
    const SAID: usize = 300;
    for mut ear in ears {
        tasks.spawn(async move {
            let mut waits = Vec::new();
            while waits.len() < SAID {
                ear.hear(since, |wait| waits.push(wait)).await?;
            }
            Outcome::Ok(waits)
        });
    }
    let mut every = tokio::time::interval(Duration::from_millis(100));
    for number in 0..SAID {
        every.tick().await;
        mouths[number % PEOPLE].say(since).await?;
    }
    let mut waits = Vec::new();
    while let Some(heard) = tasks.join_next().await {
        waits.extend(heard??);
    }
    waits.sort();
    let at = |part: usize| waits[(waits.len() * part / 1000).min(waits.len() - 1)];
    let raw =
        format!("{} deliveries; median {:.2?}, longest {:.2?}", waits.len(), at(500), waits[waits.len() - 1]);
    report.add(Row {
        what: "from saying to hearing among 100 people at 10 messages a second, p99",
        goal: "< 5 ms",
        result: format!("{:.2?}", at(990)),
        met: at(990) < Duration::from_millis(5),
        raw,
    });
    Ok(())
}

async fn people(server: &Server, tokens: &[String]) -> Outcome<(Vec<Ear>, Vec<Mouth>)> {
    let (mut ears, mut mouths) = (Vec::new(), Vec::new());
    for token in &tokens[..PEOPLE] {
        let (ear, mouth) = socket::open(server.port, HALL, token).await?;
        ears.push(ear);
        mouths.push(mouth);
    }
    Ok((ears, mouths))
}

#[derive(Clone, Copy)]
enum Pace {
    /// The next message of each as soon as fewer than 16 are on their way.
    InFlight,
    /// One after the other.
    Steady,
}

struct Talk {
    deliveries: usize,
    cpu: f64,
    wall: Duration,
    p99: Duration,
}

impl Talk {
    fn per_cpu_second(&self) -> f64 {
        self.deliveries as f64 / self.cpu
    }

    fn describe(&self) -> String {
        let Self { deliveries, cpu, wall, p99 } = self;
        let each = cpu * 1e6 / *deliveries as f64;
        format!("{deliveries} deliveries in {cpu:.2} CPU-s, {wall:.1?} ({each:.2} µs each), p99 {p99:.1?}")
    }
}

/// Everybody says what they may in ten seconds, and hears everybody.
async fn talk(server: &Server, tokens: &[String], pace: Pace) -> Outcome<Talk> {
    let since = Instant::now();
    let (ears, mouths) = people(server, tokens).await?;
    let (begun, before) = (Instant::now(), server.cpu()?);
    let mut tasks = JoinSet::new();
    for (number, (mut ear, mut mouth)) in ears.into_iter().zip(mouths).enumerate() {
        // What is heard lets the next be said: on average a hundredth of it is one's own.
        let heard = Arc::new(Semaphore::new(IN_FLIGHT * PEOPLE));
        let room = heard.clone();
        tasks.spawn(async move {
            let start = tokio::time::Instant::now() + Duration::from_micros(1_666 * number as u64);
            for line in 0..LINES {
                match pace {
                    Pace::InFlight => room.acquire_many(PEOPLE as u32).await?.forget(),
                    Pace::Steady => {
                        tokio::time::sleep_until(start + Duration::from_micros(166_700 * line as u64)).await
                    }
                }
                mouth.say(since).await?;
            }
            // The socket stays open until all is heard.
            Box::pin(tokio::time::sleep(Duration::from_secs(60))).await;
            drop(mouth);
            Outcome::Ok(Vec::new())
        });
        tasks.spawn(async move {
            let mut waits = Vec::with_capacity(LINES * PEOPLE);
            while waits.len() < LINES * PEOPLE {
                let count = ear.hear(since, |wait| waits.push(wait)).await?;
                heard.add_permits(count);
            }
            Outcome::Ok(waits)
        });
    }
    let mut waits = Vec::new();
    while waits.len() < LINES * PEOPLE * PEOPLE {
        let heard = tasks.join_next().await.ok_or("nobody is left")?;
        waits.extend(heard??);
    }
    let (cpu, wall) = (server.cpu()? - before, begun.elapsed());
    tasks.shutdown().await;
    waits.sort();
    Ok(Talk { deliveries: waits.len(), cpu, wall, p99: waits[waits.len() * 99 / 100] })
}

fn deliveries(what: &'static str, (goal, least): (&'static str, f64), talk: &Talk) -> Row {
    Row {
        what,
        goal,
        result: format!("{:.0}", talk.per_cpu_second()),
        met: talk.per_cpu_second() >= least,
        raw: talk.describe(),
    }
}

/// Ten thousand that only listen, and what they hear is there at once.
async fn idle(server: &Server, tokens: &[String], report: &mut Report) -> Outcome<()> {
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (since, before) = (Instant::now(), server.memory("VmRSS")?);
    let mut open = Vec::with_capacity(IDLE);
    for token in tokens {
        for _ in 0..IDLE_EACH {
            open.push(socket::open(server.port, STADIUM, token).await?);
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let kib = (server.memory("VmRSS")? - before) * 1024.0 / IDLE as f64;
    report.add(Row {
        what: "memory of an idle socket, 10,000 of them held",
        goal: "< 12 KiB",
        result: format!("{kib:.1} KiB"),
        met: kib < 12.0,
        raw: format!("VmRSS {before:.1} MiB before, {:.1} MiB then", server.memory("VmRSS")?),
    });
    let cpu = server.cpu()?;
    open[0].1.say(since).await?;
    let mut longest = Duration::ZERO;
    for (ear, _) in &mut open {
        ear.hear(since, |wait| longest = longest.max(wait)).await?;
    }
    let cpu = server.cpu()? - cpu;
    report.add(Row {
        what: "one message to all 10,000",
        goal: "all hear it",
        result: format!("{longest:.0?}"),
        met: true,
        raw: format!("{cpu:.2} CPU-s; {:.1} MiB then", server.memory("VmRSS")?),
    });
    Ok(())
}
