//! For a terminal.

use super::{Item, Report, SHOWN, Status};
use crate::probe::Severity;
use std::fmt::Write;

/// The report as text; with colours only if asked.
#[must_use]
pub fn text(report: &Report, colours: bool) -> String {
    let mut out = format!(
        "{}: {}\n{}, {} calls in {}\n",
        report.title,
        report.subject,
        report.scope,
        report.calls,
        report.took()
    );
    for fact in &report.facts {
        let _ = writeln!(out, "{}: {}", fact.name, fact.value);
    }
    for item in report.findings() {
        finding(&mut out, item, colours);
    }
    for item in report.notes() {
        finding(&mut out, item, colours);
    }
    let skipped: Vec<&Item> = report.ended(Status::Skipped).collect();
    if !skipped.is_empty() {
        out.push_str("\nSkipped:\n");
    }
    for item in skipped {
        let _ = writeln!(out, "  {}: {}", item.id, item.seen);
    }
    for left in &report.left {
        let _ = writeln!(out, "\nLeft behind: {left}");
    }
    let _ = writeln!(out, "\n{}.", report.summary());
    out
}

fn finding(out: &mut String, item: &Item, colours: bool) {
    let severity = item.severity.name().to_uppercase();
    let severity =
        if colours { format!("\x1b[{}m{severity}\x1b[0m", colour(item.severity)) } else { severity };
    let _ = writeln!(out, "\n{severity}  {}  [{}]", item.title, item.id);
    let _ = writeln!(out, "  {}", item.seen);
    for evidence in item.evidence.iter().take(SHOWN) {
        let lines = evidence.request.lines().map(|line| ("  > ", line));
        for (mark, line) in lines.chain(evidence.response.lines().map(|line| ("  < ", line))) {
            let _ = writeln!(out, "{}", format!("{mark}{line}").trim_end());
        }
    }
    if let Some(others) = item.others() {
        let _ = writeln!(out, "  {others}");
    }
    let _ = writeln!(out, "  Mend: {}", item.mend);
    if !item.asvs.is_empty() {
        let _ = writeln!(out, "  ASVS: {}", item.asvs.join(", "));
    }
}

fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "1;31",
        Severity::Medium => "1;33",
        Severity::Low => "1;36",
        Severity::Note => "2",
    }
}
