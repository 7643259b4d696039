//! A page to hand to an auditor: one file, no script, nothing loaded, light, dark and on paper.

use super::{Fact, Item, Report, SHOWN, Status};
use crate::Evidence;
use crate::probe::Severity;
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");

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
    list(&mut out, &report.findings());
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
    let mut facts = vec![
        Fact::new("Date (UTC)", &report.time().replace('T', " ").replace('Z', "")),
        Fact::new("Scope", &report.scope),
        Fact::new("Duration", &report.took()),
        Fact::new("Calls", &report.calls.to_string()),
        Fact::new("ASVS 5.0", &report.coverage()),
    ];
    facts.extend(report.facts.iter().cloned());
    if !report.left.is_empty() {
        facts.push(Fact::new("Left behind", &report.left.join(", ")));
    }
    out.push_str("<dl>\n");
    for fact in facts {
        let (name, value) = (escape(&fact.name), escape(&fact.value));
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    out.push_str("</dl>\n");
    counts(out, report);
}

fn counts(out: &mut String, report: &Report) {
    out.push_str("<ul class=\"counts\">\n");
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
    let said = match findings.first().map(|item| item.severity) {
        None if !report.says_something() => "Nothing could be judged.",
        None => "Nothing was found.",
        Some(Severity::High) => {
            "Accounts or data are in danger: mend what is marked high before anything else."
        }
        Some(Severity::Medium) => "No account falls by itself, but attacks become possible under conditions.",
        Some(_) => "What was found makes other attacks easier and opens nothing by itself.",
    };
    let blind = report.blind().map(|blind| format!(" {blind}: what they look for may be there."));
    format!("{said}{}", blind.unwrap_or_default())
}

/// The findings at a glance, each with a link to its card.
fn list(out: &mut String, findings: &[&Item]) {
    if findings.len() < 2 {
        return;
    }
    out.push_str("<ol class=\"list\">\n");
    for item in findings {
        let (severity, id, title) = (item.severity.name(), escape(&item.id), escape(&item.title));
        let _ =
            writeln!(out, "<li class=\"{severity}\"><a href=\"#{id}\">{title}</a> <b>{severity}</b></li>");
    }
    out.push_str("</ol>\n");
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
    item.evidence.iter().take(SHOWN).for_each(|evidence| exchange(out, evidence));
    if let Some(others) = item.others() {
        let _ = writeln!(out, "<p class=\"others\">{others}</p>");
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
    table(out, "Skipped: nothing can be said", "Why", report.ended(Status::Skipped));
}

fn passed(out: &mut String, report: &Report) {
    table(out, "Looked for, and not there", "What was seen", report.ended(Status::Passed));
}

fn table<'a>(out: &mut String, heading: &str, last: &str, items: impl Iterator<Item = &'a Item>) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    let _ = write!(
        out,
        "<section>\n<h2>{heading}</h2>\n<table>\n<thead><tr><th>Probe</th><th>Hole</th><th>{last}</th>\
         <th class=\"asvs\">ASVS</th></tr></thead>\n<tbody>\n"
    );
    for item in items {
        let asvs: Vec<&str> = item.asvs.iter().map(|id| id.trim_start_matches("v5.0.0-")).collect();
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td class=\"asvs\">{}</td></tr>",
            escape(&item.id),
            escape(&item.title),
            escape(&item.seen),
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
