//! What was judged, and the three ways to write it down.

use crate::config::without_controls;
use serde::Serialize;
use serde_json::{Value, json};

/// One thing that was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its name, the same in every release: `deploy.secret_key`.
    pub id: &'static str,
    /// How it stands.
    pub level: Level,
    /// What was seen, in one sentence; never a secret.
    pub seen: String,
    /// What to type to mend it; empty where nothing is to be mended.
    pub mend: String,
    /// The requirements of OWASP ASVS 5.0 behind it.
    pub asvs: &'static [&'static str],
    /// The section of the guide.
    pub guide: &'static str,
    /// The settings that decide it, without their prefix.
    pub settings: &'static [&'static str],
}

/// How an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing; nothing is wrong.
    Note,
    /// Weaker than it could be.
    Warning,
    /// Unsafe: not to be put on the internet like this.
    Error,
}

/// How the output is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// SARIF 2.1.0, which code hosts and editors show.
    Sarif,
}

/// Everything that was judged.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order in which it was judged.
    pub items: Vec<Item>,
}

impl Report {
    /// The report of what was judged. What an operator set may stand in it, and must not move a terminal's cursor.
    #[must_use]
    pub fn new(mut items: Vec<Item>) -> Self {
        for item in &mut items {
            item.seen = without_controls(&item.seen);
            item.mend = without_controls(&item.mend);
        }
        Self { items }
    }

    /// How many items stand like that.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.items.iter().filter(|item| item.level == level).count()
    }

    /// Whether anything is unsafe.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Level::Error) > 0
    }

    /// The report as a text.
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Text => self.text(),
            Format::Json => pretty(&self.json()),
            Format::Sarif => pretty(&self.sarif()),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for level in [Level::Error, Level::Warning, Level::Note] {
            for item in self.items.iter().filter(|item| item.level == level) {
                text += &format!("{:<8}{}: {}\n", item.level.word(), item.id, item.seen);
                if !item.mend.is_empty() {
                    text += &format!("        To mend it: {}\n", item.mend);
                }
            }
        }
        let fine: Vec<_> = self.items.iter().filter(|item| item.level == Level::Ok).collect();
        for item in &fine {
            text += &format!("ok      {}: {}\n", item.id, item.seen);
        }
        text + &format!(
            "\n{} errors, {} warnings, {} notes, {} ok.\n",
            self.count(Level::Error),
            self.count(Level::Warning),
            self.count(Level::Note),
            fine.len()
        )
    }

    fn json(&self) -> Value {
        json!({
            "program": "portcullis",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": {
                "errors": self.count(Level::Error),
                "warnings": self.count(Level::Warning),
                "notes": self.count(Level::Note),
                "ok": self.count(Level::Ok),
            },
            "items": self.items,
        })
    }

    fn sarif(&self) -> Value {
        let mut rules: Vec<&Item> = Vec::new();
        for item in &self.items {
            if !rules.iter().any(|rule| rule.id == item.id) {
                rules.push(item);
            }
        }
        let rules: Vec<Value> = rules.into_iter().map(rule).collect();
        // Code hosts make an alert of every result, whatever its kind; what was judged stands among the rules.
        let wrong = self.items.iter().filter(|item| item.level >= Level::Warning);
        let results: Vec<Value> = wrong.map(result).collect();
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "portcullis check --deploy",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                }},
                "results": results,
            }],
        })
    }
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        }
    }
}

fn rule(item: &Item) -> Value {
    json!({
        "id": item.id,
        "shortDescription": { "text": format!("{} (guide {})", item.id, item.guide) },
        "properties": { "tags": item.asvs },
    })
}

fn result(item: &Item) -> Value {
    let level = if item.level == Level::Error { "error" } else { "warning" };
    let text = if item.mend.is_empty() {
        item.seen.clone()
    } else {
        format!("{} To mend it: {}", item.seen, item.mend)
    };
    json!({
        "ruleId": item.id,
        "level": level,
        "message": { "text": text },
        // Code hosts want a file and a line of every result: the file that most settings are in.
        "locations": [{
            "physicalLocation": { "artifactLocation": { "uri": ".env" }, "region": { "startLine": 1 } },
            "logicalLocations": [{ "name": item.settings.first().unwrap_or(&item.id) }],
        }],
    })
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
