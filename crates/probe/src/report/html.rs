//! A page to hand to an auditor: one file, no script, nothing loaded, light, dark and on paper.

use super::{Item, Report, Status};
use crate::Evidence;
use crate::probe::Severity;
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");
/// How many exchanges of a finding are shown; the others are alike.
const EXCHANGES: usize = 3;

/// The report as one self-contained page without a script.
#[must_use]
pub fn html(report: &Report) -> String {
    let title = format!("{}: {}", report.title, report.subject);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escape(&title)
    );
    head(&mut out, report);
    cards(&mut out, "Findings", &report.findings());
    cards(&mut out, "Notes", &report.notes());
    skipped(&mut out, report);
    passed(&mut out, report);
    out.push_str(
        "<footer>Requirements are those of the OWASP Application Security Verification Standard 5.0. A probe \
         that found nothing shows that this hole was not visible from outside at that time, not that there is \
         none. Tokens and passwords are left out of the evidence.</footer>\n</main>\n</body>\n</html>\n",
    );
    out
}

fn head(out: &mut String, report: &Report) {
    let _ = write!(
        out,
        "<h1>{}</h1>\n<p class=\"subject\">{}</p>\n",
        escape(&report.title),
        escape(&report.subject)
    );
    let facts = [
        ("Date (UTC)", report.time().replace('T', " ").replace('Z', "")),
        ("Scope", report.scope.clone()),
        ("Duration", report.took()),
        ("Calls", report.calls.to_string()),
    ];
    out.push_str("<dl>\n");
    for (name, value) in facts {
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(&value));
    }
    out.push_str("</dl>\n<ul class=\"counts\">\n");
    let found = |severity| report.ended(Status::Found).filter(|item| item.severity == severity).count();
    let counts = [
        ("high", "high", found(Severity::High)),
        ("medium", "medium", found(Severity::Medium)),
        ("low", "low", found(Severity::Low)),
        ("note", "worth knowing", found(Severity::Note)),
        ("passed", "passed", report.ended(Status::Passed).count()),
        ("note", "skipped", report.ended(Status::Skipped).count()),
    ];
    for (class, name, count) in counts {
        let none = if count == 0 { " none" } else { "" };
        let _ = writeln!(out, "<li class=\"{class}{none}\"><b>{count}</b>{name}</li>");
    }
    let _ = write!(out, "</ul>\n<p class=\"verdict\">{}</p>\n", verdict(report));
}

fn verdict(report: &Report) -> String {
    let findings = report.findings();
    match findings.first().map(|item| item.severity) {
        None => "Nothing was found.".to_owned(),
        Some(Severity::High) => {
            "Accounts or data are in danger: mend what is marked high before anything else.".to_owned()
        }
        Some(Severity::Medium) => {
            "No account falls by itself, but attacks become possible under conditions.".to_owned()
        }
        Some(_) => "What was found makes other attacks easier and opens nothing by itself.".to_owned(),
    }
}

fn cards(out: &mut String, heading: &str, items: &[&Item]) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "<section>\n<h2>{heading}</h2>");
    for item in items {
        card(out, item);
    }
    out.push_str("</section>\n");
}

fn card(out: &mut String, item: &Item) {
    let severity = item.severity.name();
    let _ = write!(
        out,
        "<article class=\"{severity}\" id=\"{id}\">\n<header><span class=\"severity\">{severity}</span>\
         <h3>{title}</h3></header>\n<p class=\"ids\"><code>{id}</code>{asvs}</p>\n<p>{seen}</p>\n",
        id = escape(&item.id),
        title = escape(&item.title),
        asvs = if item.asvs.is_empty() {
            String::new()
        } else {
            format!(" · ASVS {}", escape(&item.asvs.join(", ")))
        },
        seen = escape(&item.seen),
    );
    let (first, others) = item.evidence.split_at(item.evidence.len().min(1));
    first.iter().for_each(|evidence| exchange(out, evidence));
    if !others.is_empty() {
        let _ = writeln!(out, "<details><summary>{} more</summary>", others.len());
        others.iter().take(EXCHANGES - 1).for_each(|evidence| exchange(out, evidence));
        out.push_str("</details>\n");
    }
    let _ = write!(out, "<p class=\"mend\"><b>Mend</b>{}</p>\n</article>\n", with_code(&item.mend));
}

fn exchange(out: &mut String, evidence: &Evidence) {
    let _ = writeln!(
        out,
        "<div class=\"exchange\"><div><span>Request</span><pre>{}</pre></div>\
         <div><span>Answer</span><pre>{}</pre></div></div>",
        escape(&evidence.request),
        escape(&evidence.response)
    );
}

fn skipped(out: &mut String, report: &Report) {
    let rows = report.ended(Status::Skipped).map(|item| (item, item.seen.as_str()));
    table(out, "Skipped: nothing can be said", "Why", rows);
}

fn passed(out: &mut String, report: &Report) {
    table(out, "Looked for, and not there", "", report.ended(Status::Passed).map(|item| (item, "")));
}

fn table<'a>(out: &mut String, heading: &str, why: &str, rows: impl Iterator<Item = (&'a Item, &'a str)>) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    let last =
        |text: &str, tag: &str| if why.is_empty() { String::new() } else { format!("<{tag}>{text}</{tag}>") };
    let _ = write!(
        out,
        "<section>\n<h2>{heading}</h2>\n<table>\n<thead><tr><th>Probe</th><th>Hole</th>{}\
         <th class=\"asvs\">ASVS</th></tr></thead>\n<tbody>\n",
        last(why, "th")
    );
    for (item, text) in rows {
        let asvs: Vec<&str> = item.asvs.iter().map(|id| id.trim_start_matches("v5.0.0-")).collect();
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code></td><td>{}</td>{}<td class=\"asvs\">{}</td></tr>",
            escape(&item.id),
            escape(&item.title),
            last(&escape(text), "td"),
            asvs.join("<br>")
        );
    }
    out.push_str("</tbody>\n</table>\n</section>\n");
}

/// What stands between backticks is code.
fn with_code(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let marked = parts.map(|(index, part)| match index % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    });
    marked.collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
