//! `portcullis hash`.

use super::{Outcome, print};
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use portcullis::calibrate::{self, Limits, Report, Row};
use portcullis::config::Config;
use portcullis_security::password::PoolConfig;
use portcullis_security::random::Random;
use std::time::Duration;

/// What to do about the cost of password hashes.
#[derive(Subcommand)]
pub enum HashVerb {
    /// Measures Argon2id on this machine and says which setting to choose.
    ///
    /// Run it on the machine that will serve, while it is idle. It changes nothing: it prints the settings.
    /// Hashes that are weaker than the setting are replaced at their owner's next login.
    Calibrate {
        /// How long one hash may take, in milliseconds: what a login costs, and an attacker's guess.
        #[arg(long, value_name = "MILLISECONDS", default_value_t = 250,
            value_parser = clap::value_parser!(u64).range(1..=10_000))]
        target_ms: u64,
    },
}

/// Runs the verb.
///
/// # Errors
/// When the machine has no memory for a hash.
pub async fn run(config: &Config, verb: HashVerb) -> Outcome {
    let HashVerb::Calibrate { target_ms } = verb;
    let limits = Limits {
        target: Duration::from_millis(target_ms),
        budget_mib: config.password.memory_budget_mib,
        threads: PoolConfig::default().threads,
    };
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {pos} {msg}")?);
    bar.enable_steady_tick(Duration::from_millis(100));
    let report = calibrate::run(limits, &Random::system(), |setting| {
        bar.inc(1);
        bar.set_message(format!("measuring {} KiB, {} passes", setting.memory_kib, setting.iterations));
    })
    .await;
    bar.finish_and_clear();
    print(&words(&report?, limits));
    Ok(())
}

fn words(report: &Report, limits: Limits) -> String {
    let Limits { target, budget_mib, threads } = limits;
    let mut text = format!(
        "{:>8} {:>6} {:>5} {:>9} {:>12} {:>5} {:>6}\n",
        "KiB", "passes", "lanes", "ms/hash", "hashes/s/core", "MiB", "fit"
    );
    for row in &report.rows {
        text += &line(row, budget_mib, row.setting == report.advised.setting);
    }
    text += &format!("\n\"fit\" is how many run at a time in PASSWORD__MEMORY_BUDGET_MIB={budget_mib}.\n");
    let Row { setting, per_hash, .. } = report.advised;
    if per_hash > target {
        text += &format!(
            "No setting that OWASP advises takes {} ms or less here: take its floor, which is the least.\n",
            target.as_millis()
        );
    }
    if report.is_disturbed() {
        text += "The machine was busy with something else: the figures are too high, measure again later.\n";
    }
    let rate = f64::from(threads) / per_hash.as_secs_f64();
    text += &format!(
        "Set these; the server's {threads} hashing thread(s) then check {rate:.1} passwords a second:\n\n"
    );
    let budget = budget_mib.max(2 * setting.memory_kib.div_ceil(1024));
    let settings = [
        ("MEMORY_KIB", setting.memory_kib),
        ("ITERATIONS", setting.iterations),
        ("PARALLELISM", setting.parallelism),
        ("MEMORY_BUDGET_MIB", budget),
    ];
    for (name, value) in settings {
        text += &format!("PORTCULLIS_PASSWORD__{name}={value}\n");
    }
    text
}

fn line(row: &Row, budget_mib: u32, is_advised: bool) -> String {
    let Row { setting, note, per_hash, .. } = row;
    let milliseconds = per_hash.as_secs_f64() * 1000.0;
    let note = if is_advised { format!("<- take this  {note}") } else { (*note).to_owned() };
    let text = format!(
        "{:>8} {:>6} {:>5} {milliseconds:>9.1} {:>13.1} {:>5} {:>6}  {note}",
        setting.memory_kib,
        setting.iterations,
        setting.parallelism,
        1000.0 / milliseconds,
        setting.memory_kib / 1024,
        setting.fitting(budget_mib),
    );
    format!("{}\n", text.trim_end())
}
