//! The page that comes out.

use crate::{Outcome, server};
use std::fmt::Write;
use std::fs;
use std::process::Command;

/// The rows in the order in which they were measured.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
}

/// A line of the page.
pub struct Row {
    /// What was measured.
    pub what: &'static str,
    /// What it should be.
    pub goal: &'static str,
    /// What it was.
    pub result: String,
    /// Whether that is good enough.
    pub met: bool,
    /// The counts it was made from.
    pub raw: String,
}

impl Report {
    /// Adds a row, and tells it at once to whoever waits.
    pub fn add(&mut self, row: Row) {
        let met = if row.met { "ok  " } else { "MISS" };
        eprintln!("{met} {}: {} ({}); {}", row.what, row.result, row.goal, row.raw);
        self.rows.push(row);
    }

    /// The whole page.
    pub fn to_markdown(&self) -> Outcome<String> {
        let mut page = String::from(
            "# Benchmarks\n\nMade by `make bench`. CPU is what the server's process used, from `/proc/PID/stat` \
             (steps of 10 ms); each ratio is of one run.\n\n",
        );
        writeln!(page, "{}\n", machine()?)?;
        writeln!(page, "| Measured | Goal | Result | | Raw |\n|---|---|---|---|---|")?;
        for row in &self.rows {
            let met = if row.met { "met" } else { "**missed**" };
            writeln!(page, "| {} | {} | {} | {met} | {} |", row.what, row.goal, row.result, row.raw)?;
        }
        writeln!(
            page,
            "\nSettings, beside the defaults (SQLite with `synchronous=FULL`, JSON logs at `info` into a file, metrics on):\n"
        )?;
        for (name, value) in server::SETTINGS.iter().filter(|(name, _)| *name != "SECRET_KEY") {
            writeln!(page, "- `{name}={value}`")?;
        }
        Ok(page)
    }
}

fn machine() -> Outcome<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": ")).map_or("an unknown processor", |(_, name)| name);
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let commit = Command::new("git").args(["describe", "--always", "--dirty"]).output()?.stdout;
    let commit = String::from_utf8_lossy(&commit);
    Ok(format!("{cores} cores of {model}, Linux {}, commit `{}`.", kernel.trim(), commit.trim()))
}
