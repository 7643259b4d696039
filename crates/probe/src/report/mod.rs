//! What a run has found, and how it is told: as text, JSON, SARIF 2.1.0 or a page.

mod html;
mod sarif;
mod text;

pub use html::html;
pub use sarif::sarif;
pub use text::text;

use crate::Evidence;
use crate::probe::{Outcome, Probe, Severity};
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::Duration;

/// Exchanges that are kept of one finding, and shown of it.
const MOST: usize = 10;
const SHOWN: usize = 3;

/// A run and what came of it. Nothing in it is bound to probes: any list of judged items can be told this way.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What kind of report it is.
    pub title: String,
    /// What was judged.
    pub subject: String,
    /// How far the run went.
    pub scope: String,
    /// When, in seconds since 1970.
    pub made: u64,
    /// How long it took.
    pub milliseconds: u64,
    /// How many calls it made.
    pub calls: usize,
    /// What else tells how the run was made.
    pub facts: Vec<Fact>,
    /// What it has made and could not delete.
    pub left: Vec<String>,
    /// Everything that was judged, in the order of the run.
    pub items: Vec<Item>,
}

/// Something about a run, with its name.
#[derive(Clone, Debug, Serialize)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// How it was.
    pub value: String,
}

/// One thing that was judged.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// Stable, as `area.thing`.
    pub id: String,
    /// The sentence that is true when it was found.
    pub title: String,
    /// How bad that is.
    pub severity: Severity,
    /// How it ended.
    pub status: Status,
    /// The requirements of OWASP ASVS 5.0, as `v5.0.0-x.y.z`.
    pub asvs: Vec<String>,
    /// Where else it is demanded, e.g. a section of a specification; may be empty.
    pub reference: String,
    /// What was seen, or why it was skipped; often empty where it passed.
    pub seen: String,
    /// The exchanges that show it, the first ten.
    pub evidence: Vec<Evidence>,
    /// How many more there were.
    pub more: usize,
    /// How to mend it.
    pub mend: String,
}

/// How the judgement of an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is there.
    Found,
    /// It is not there.
    Passed,
    /// Nothing can be said.
    Skipped,
}

impl Report {
    /// What was found and is worse than a note, worst first.
    #[must_use]
    pub fn findings(&self) -> Vec<&Item> {
        let mut found: Vec<&Item> = self.found().filter(|item| item.severity > Severity::Note).collect();
        found.sort_by_key(|item| std::cmp::Reverse(item.severity));
        found
    }

    /// What was found and is worth knowing, but no finding.
    #[must_use]
    pub fn notes(&self) -> Vec<&Item> {
        self.found().filter(|item| item.severity == Severity::Note).collect()
    }

    /// Everything that ended like this.
    pub fn ended(&self, status: Status) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.status == status)
    }

    fn found(&self) -> impl Iterator<Item = &Item> {
        self.ended(Status::Found)
    }

    /// The time of the run, as RFC 3339 in UTC.
    #[must_use]
    pub fn time(&self) -> String {
        rfc3339(self.made)
    }

    /// Whether anything could be judged at all.
    #[must_use]
    pub fn says_something(&self) -> bool {
        self.items.iter().any(|item| item.status != Status::Skipped)
    }

    /// How many probes could not look, if any.
    fn blind(&self) -> Option<String> {
        let skipped = self.ended(Status::Skipped).count();
        (skipped > 0).then(|| format!("{skipped} of {} probes could not look", self.items.len()))
    }

    /// How many requirements were judged, by items that were not skipped.
    fn coverage(&self) -> String {
        let of = |is_wanted: fn(&&Item) -> bool| -> BTreeSet<&str> {
            self.items
                .iter()
                .filter(is_wanted)
                .flat_map(|item| item.asvs.iter().map(String::as_str))
                .collect()
        };
        let judged = of(|item| item.status != Status::Skipped);
        format!("{} requirements looked at, of {}", judged.len(), of(|_| true).len())
    }

    fn took(&self) -> String {
        let seconds = Duration::from_millis(self.milliseconds).as_secs_f64();
        format!("{seconds:.1} s")
    }

    /// `3 findings`, `1 note` and so on, by status.
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |number: usize, one: &str| {
            if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
        };
        format!(
            "{}, {}, {} passed, {} skipped",
            count(self.findings().len(), "finding"),
            count(self.notes().len(), "note"),
            self.ended(Status::Passed).count(),
            self.ended(Status::Skipped).count()
        )
    }
}

impl Item {
    /// The item of a probe and how it ended.
    #[must_use]
    pub fn of(probe: &Probe, outcome: Outcome) -> Self {
        let (status, seen, mut evidence) = match outcome {
            Outcome::Passed(seen) => (Status::Passed, seen, Vec::new()),
            Outcome::Found(seen, evidence) => (Status::Found, seen, evidence),
            Outcome::Skipped(why) => (Status::Skipped, why, Vec::new()),
        };
        let more = evidence.len().saturating_sub(MOST);
        evidence.truncate(MOST);
        Self {
            id: probe.id.to_owned(),
            title: probe.title.to_owned(),
            severity: probe.severity,
            status,
            asvs: probe.asvs.iter().map(|&id| id.to_owned()).collect(),
            reference: String::new(),
            seen,
            evidence,
            more,
            mend: probe.mend.to_owned(),
        }
    }

    /// How many exchanges are like those that are shown.
    fn others(&self) -> Option<String> {
        let others = (self.evidence.len() + self.more).saturating_sub(SHOWN);
        (others > 0).then(|| format!("and {others} like these"))
    }

    /// Takes out of all texts what has become known as a secret since they were written.
    pub(crate) fn hide(&mut self, hide: impl Fn(&str) -> String) {
        self.seen = hide(&self.seen);
        for exchange in &mut self.evidence {
            (exchange.request, exchange.response) = (hide(&exchange.request), hide(&exchange.response));
        }
    }
}

impl Fact {
    /// A fact of this name.
    #[must_use]
    pub fn new(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: value.to_owned() }
    }
}

impl Severity {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// The report as JSON.
#[must_use]
pub fn json(report: &Report) -> String {
    serde_json::to_string_pretty(report).unwrap_or_default()
}

/// Seconds since 1970 as a date and a time of day (Howard Hinnant's `civil_from_days`).
fn rfc3339(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let of_month = of_year - (153 * shifted + 2) / 5 + 1;
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_a_date() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(rfc3339(1_795_564_799), "2026-11-24T23:59:59Z");
    }
}
