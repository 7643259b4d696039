//! What Argon2id costs on this machine, and which setting to choose (contract §5 `hash calibrate`).
//!
//! RFC 9106 §4: take as much memory as can be afforded, then as many passes as the time allows. Nothing
//! below OWASP's floor is ever advised (Password Storage Cheat Sheet: 19 MiB and 2 passes, or 46 MiB and 1).

use portcullis_security::password::{Argon2Params, PasswordPool, PoolConfig, Salt};
use portcullis_security::random::Random;
use portcullis_security::secret::Secret;
use std::time::{Duration, Instant};

/// A setting is measured this long, but three hashes at least.
const PATIENCE: Duration = Duration::from_millis(400);
const MIN_SAMPLES: usize = 3;
const MAX_SAMPLES: usize = 25;
/// Memory to choose from, in KiB, the most first.
const MEMORIES: [u32; 7] = [262_144, 131_072, 102_400, 65_536, 47_104, 32_768, 19_456];
const LISTED: [(Setting, &str); 6] = [
    (Setting::new(19_456, 2, 1), "OWASP's floor, our default"),
    (Setting::new(47_104, 1, 1), "OWASP's other floor"),
    (Setting::new(32_768, 3, 1), ""),
    (Setting::new(65_536, 2, 1), ""),
    (Setting::new(65_536, 3, 4), "RFC 9106, second choice"),
    (Setting::new(102_400, 2, 8), "Django"),
];

/// A cost of Argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// A setting and what it costs here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The setting.
    pub setting: Setting,
    /// Whose it is, if it is known for something.
    pub note: &'static str,
    /// The median time of one hash on one core.
    pub per_hash: Duration,
    /// The shortest: far below the median, the machine was busy with something else.
    pub fastest: Duration,
}

/// What was measured and what follows from it.
#[derive(Clone, Debug)]
pub struct Report {
    /// Known settings, and those that the search tried.
    pub rows: Vec<Row>,
    /// The one to take.
    pub advised: Row,
}

impl Report {
    /// Whether the machine was busy, so that the figures are too high.
    pub fn is_disturbed(&self) -> bool {
        self.rows.iter().any(|row| row.per_hash > row.fastest.mul_f64(1.3))
    }
}

/// What the advice has to keep to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// One hash may take this long.
    pub target: Duration,
    /// `PASSWORD__MEMORY_BUDGET_MIB`.
    pub budget_mib: u32,
    /// Threads that hash at a time.
    pub threads: u32,
}

impl Setting {
    const fn new(memory_kib: u32, iterations: u32, parallelism: u32) -> Self {
        Self { memory_kib, iterations, parallelism }
    }

    /// How many hashes run in the budget at a time.
    pub const fn fitting(&self, budget_mib: u32) -> u32 {
        budget_mib.saturating_mul(1024) / self.memory_kib
    }

    /// Whether it is as strong as OWASP asks.
    pub const fn is_above_floor(&self) -> bool {
        self.iterations >= least_iterations(self.memory_kib) && self.memory_kib >= 19_456
    }
}

/// OWASP's passes for an amount of memory.
const fn least_iterations(memory_kib: u32) -> u32 {
    if memory_kib >= 47_104 { 1 } else { 2 }
}

/// Measures the known settings and searches for the strongest one within the limits, calling `progress`
/// before each setting.
///
/// Every hash is made by the server's own pool, in arenas that were used before, as at a login.
///
/// # Errors
/// When the system gives no thread or no memory.
pub async fn run(
    limits: Limits,
    random: &Random,
    mut progress: impl FnMut(Setting),
) -> Result<Report, String> {
    let mut rows = Vec::new();
    for (setting, note) in LISTED {
        progress(setting);
        rows.push(measure(setting, note, random).await?);
    }
    let mut search = Search::new(limits, &rows);
    while let Some(setting) = search.next() {
        let known = rows.iter().find(|row| row.setting == setting).copied();
        let row = match known {
            Some(row) => row,
            None => {
                progress(setting);
                let row = measure(setting, "", random).await?;
                rows.push(row);
                row
            }
        };
        search.heard(setting, row.per_hash);
    }
    let advised = search.best;
    let advised = rows.iter().find(|row| row.setting == advised).copied();
    Ok(Report { advised: advised.ok_or("nothing was measured")?, rows })
}

/// Makes several hashes on one thread.
async fn measure(setting: Setting, note: &'static str, random: &Random) -> Result<Row, String> {
    let Setting { memory_kib, iterations, parallelism } = setting;
    let params = Argon2Params::new(memory_kib, iterations, parallelism).map_err(|error| error.to_string())?;
    let config = PoolConfig { params, threads: 1, budget_kib: memory_kib, ..PoolConfig::default() };
    let pool = PasswordPool::new(config).map_err(|error| error.to_string())?;
    let hash = || async {
        let started = Instant::now();
        let made = pool.hash(Secret::from("a password to measure"), Salt::generate(random)).await;
        made.map(|_| started.elapsed()).map_err(|error| format!("{memory_kib} KiB: {error}"))
    };
    hash().await?;
    let (started, mut samples) = (Instant::now(), Vec::new());
    while samples.len() < MIN_SAMPLES || (started.elapsed() < PATIENCE && samples.len() < MAX_SAMPLES) {
        samples.push(hash().await?);
    }
    samples.sort_unstable();
    match (samples.get(samples.len() / 2), samples.first()) {
        (Some(median), Some(fastest)) => Ok(Row { setting, note, per_hash: *median, fastest: *fastest }),
        _ => Err("nothing was measured".to_owned()),
    }
}

/// Goes from much memory to little until a setting keeps to the time.
struct Search {
    limits: Limits,
    /// Nanoseconds that a pass over one KiB takes, by the settings known so far.
    pace: f64,
    candidate: Option<Setting>,
    best: Setting,
}

impl Search {
    fn new(limits: Limits, known: &[Row]) -> Self {
        let floor = Setting::new(19_456, 2, 1);
        let paces = known.iter().filter(|row| row.setting.parallelism == 1).map(pace);
        let pace = paces.fold(1.0, f64::max);
        let mut search = Self { limits, pace, candidate: None, best: floor };
        search.candidate = search.below(u32::MAX);
        search
    }

    const fn next(&self) -> Option<Setting> {
        self.candidate
    }

    fn heard(&mut self, setting: Setting, per_hash: Duration) {
        if per_hash <= self.limits.target {
            (self.best, self.candidate) = (setting, None);
        } else if setting.iterations > least_iterations(setting.memory_kib) {
            self.candidate = Some(Setting { iterations: setting.iterations - 1, ..setting });
        } else {
            self.candidate = self.below(setting.memory_kib);
        }
    }

    /// The next smaller memory that fits the budget for every thread, and twice at least, so that one login
    /// never waits for another's memory.
    fn below(&self, memory_kib: u32) -> Option<Setting> {
        let wanted = self.limits.threads.max(2);
        let fits = |memory: &u32| Setting::new(*memory, 1, 1).fitting(self.limits.budget_mib) >= wanted;
        let memory = MEMORIES.into_iter().filter(|memory| *memory < memory_kib).find(fits)?;
        let passes = self.limits.target.as_nanos() as f64 / (self.pace * f64::from(memory));
        let iterations = (passes as u32).clamp(least_iterations(memory), 100);
        Some(Setting::new(memory, iterations, 1))
    }
}

fn pace(row: &Row) -> f64 {
    let passes = f64::from(row.setting.memory_kib) * f64::from(row.setting.iterations);
    row.per_hash.as_nanos() as f64 / passes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// The search on a machine where a pass over a MiB takes this many microseconds.
    fn advise(target_ms: u64, budget_mib: u32, micros_per_mib: f64) -> (Setting, Duration) {
        let cost = |setting: Setting| {
            let passes = f64::from(setting.memory_kib) / 1024.0 * f64::from(setting.iterations);
            Duration::from_nanos((passes * micros_per_mib * 1000.0) as u64)
        };
        let limits = Limits { target: Duration::from_millis(target_ms), budget_mib, threads: 1 };
        let row = |(setting, note): &(Setting, &'static str)| {
            let time = cost(*setting);
            Row { setting: *setting, note, per_hash: time, fastest: time }
        };
        let rows: Vec<_> = LISTED.iter().map(row).collect();
        let mut search = Search::new(limits, &rows);
        let mut tries = 0;
        while let Some(setting) = search.next() {
            search.heard(setting, cost(setting));
            tries += 1;
            assert!(tries < 50);
        }
        (search.best, cost(search.best))
    }

    #[test]
    fn the_strongest_setting_within_the_time_and_the_budget_is_advised() {
        let (setting, cost) = advise(250, 128, 400.0);
        assert_eq!((setting.memory_kib, setting.parallelism), (65_536, 1));
        assert!(cost <= Duration::from_millis(250) && cost > Duration::from_millis(200), "{cost:?}");
        let (setting, _) = advise(250, 1024, 400.0);
        assert_eq!(setting.memory_kib, 262_144, "more memory before more passes");
        let (setting, cost) = advise(20, 128, 400.0);
        assert!(cost <= Duration::from_millis(20) && setting.memory_kib == 47_104, "{setting:?}");
    }

    #[test]
    fn nothing_below_owasps_floor_is_ever_advised() {
        for micros_per_mib in [1.0, 50.0, 400.0, 5_000.0, 1_000_000.0] {
            for target_ms in [1, 10, 50, 250, 1_000, 5_000] {
                for budget_mib in [19, 40, 128, 4_096] {
                    let (setting, _) = advise(target_ms, budget_mib, micros_per_mib);
                    assert!(setting.is_above_floor(), "{setting:?}");
                }
            }
        }
        assert!(!Setting::new(19_456, 1, 1).is_above_floor() && !Setting::new(12_288, 3, 1).is_above_floor());
    }

    #[test]
    fn the_budget_holds_whole_hashes() {
        assert_eq!(Setting::new(19_456, 2, 1).fitting(128), 6);
        assert_eq!(Setting::new(102_400, 2, 8).fitting(64), 0);
    }
}
