//! SARIF 2.1.0, which code hosts and editors read.

use super::{Item, Report, Status};
use crate::probe::Severity;
use serde_json::{Value, json};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The report as SARIF 2.1.0: a rule for everything judged, a result for everything found.
#[must_use]
pub fn sarif(report: &Report) -> String {
    let rules: Vec<Value> = report.items.iter().map(rule).collect();
    let results: Vec<Value> = report
        .items
        .iter()
        .enumerate()
        .filter(|(_, item)| item.status == Status::Found)
        .map(|(index, item)| result(report, index, item))
        .collect();
    // No results, which code hosts would show as alerts.
    let skipped: Vec<Value> = report
        .ended(Status::Skipped)
        .map(|item| {
            let text = format!("skipped: {}", item.seen);
            json!({"associatedRule": {"id": item.id}, "level": "note", "message": {"text": text}})
        })
        .collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "portcullis check",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": true,
                "startTimeUtc": report.time(),
                "toolExecutionNotifications": skipped,
                "properties": {
                    "subject": report.subject,
                    "scope": report.scope,
                    "calls": report.calls,
                    "facts": report.facts,
                    "left": report.left,
                },
            }],
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

fn rule(item: &Item) -> Value {
    json!({
        "id": item.id,
        "shortDescription": {"text": item.title},
        "help": {"text": item.mend},
        "defaultConfiguration": {"level": level(item.severity)},
        "properties": {"tags": item.asvs, "security-severity": score(item.severity), "reference": item.reference},
    })
}

fn result(report: &Report, index: usize, item: &Item) -> Value {
    let evidence: Vec<Value> =
        item.evidence.iter().map(|one| json!({"request": one.request, "response": one.response})).collect();
    json!({
        "ruleId": item.id,
        "ruleIndex": index,
        "level": level(item.severity),
        "message": {"text": format!("{}: {}", item.title, item.seen)},
        // Readers want a file and a line of every result, and take an address for one.
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": report.subject}, "region": {"startLine": 1}},
            "logicalLocations": [{"fullyQualifiedName": report.subject, "kind": "resource"}],
        }],
        "partialFingerprints": {"probe/v1": item.id},
        "properties": {"evidence": evidence},
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "error",
        Severity::Medium | Severity::Low => "warning",
        Severity::Note => "note",
    }
}

/// What GitHub sorts by, on the scale of CVSS.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "8.0",
        Severity::Medium => "5.0",
        Severity::Low => "2.0",
        Severity::Note => "0.0",
    }
}
