//! The pieces that a judgement is made of.

use super::report::{Item, Level};
use crate::config::{Config, Problem, Settings};
use portcullis_security::clock::Timestamp;
use std::path::PathBuf;

/// What is judged, and what it is judged by.
pub struct Scene {
    /// The settings with their sources.
    pub settings: Settings,
    /// The settings as values; what could not be read is at its default.
    pub config: Config,
    /// What could not be read, so that something else stands in its place.
    pub unread: Vec<Problem>,
    /// Why `serve` would refuse what could.
    pub refused: Vec<Problem>,
    /// Where backups are looked for.
    pub backups: Vec<PathBuf>,
    /// Which of `.env` and the settings file hold secrets.
    pub secret_files: Vec<PathBuf>,
    /// The present moment.
    pub now: Timestamp,
}

/// What a rule is called and where it comes from.
#[derive(Clone, Copy)]
pub struct Rule {
    id: &'static str,
    asvs: &'static [&'static str],
    guide: &'static str,
    settings: &'static [&'static str],
}

/// How it stands, what was seen, and what mends it.
pub struct Verdict(Level, String, String);

impl Rule {
    /// A rule that no setting decides.
    pub const fn new(id: &'static str, asvs: &'static [&'static str], guide: &'static str) -> Self {
        Self { id, asvs, guide, settings: &[] }
    }

    /// The settings that decide it.
    pub const fn of(self, settings: &'static [&'static str]) -> Self {
        Self { settings, ..self }
    }

    /// The rule judged.
    pub fn judged(&self, Verdict(level, seen, mend): Verdict) -> Item {
        let Self { id, asvs, guide, settings } = *self;
        Item { id, level, seen, mend, asvs, guide, settings }
    }
}

/// As it should be.
pub fn ok(seen: impl Into<String>) -> Verdict {
    Verdict(Level::Ok, seen.into(), String::new())
}

/// Worth knowing.
pub fn note(seen: impl Into<String>) -> Verdict {
    Verdict(Level::Note, seen.into(), String::new())
}

/// Weaker than it could be.
pub fn warning(seen: impl Into<String>, mend: impl Into<String>) -> Verdict {
    Verdict(Level::Warning, seen.into(), mend.into())
}

/// Unsafe.
pub fn error(seen: impl Into<String>, mend: impl Into<String>) -> Verdict {
    Verdict(Level::Error, seen.into(), mend.into())
}

/// What a shell takes to put a setting into `.env`, for its owner alone.
pub fn put(name: &str, value: &str) -> String {
    format!("(umask 077; echo \"{name}={value}\" >> .env), and unset it elsewhere.")
}

/// A length of time as settings write it.
pub fn span(duration: std::time::Duration) -> String {
    match duration.as_secs() {
        seconds if seconds >= 2 * 86_400 => format!("{} days", seconds / 86_400),
        seconds if seconds >= 2 * 3_600 => format!("{} hours", seconds / 3_600),
        seconds if seconds >= 120 => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} seconds"),
    }
}
