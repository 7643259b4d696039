//! What is set, where it came from and why it is so: `portcullis config explain` and `.env.example`.

use super::{
    credentials,
    settings::{Settings, Source},
    sources::Sources,
    spec::{self, Kind, Spec},
};

/// One setting as `portcullis config explain` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The name in the environment.
    pub key: String,
    /// The value; a secret is only "set" or "unset", a URL has no password.
    pub value: String,
    /// The layer it came from, and the file if a `…_FILE` named one.
    pub source: String,
    /// What the setting does and why its default is what it is.
    pub reason: &'static str,
}

/// Every setting in the table's order. It works with wrong settings too: that is when one asks.
#[must_use]
pub fn explain(settings: &Settings) -> Vec<Row> {
    spec::all().map(|spec| row(settings, spec)).collect()
}

/// The rows as text for a terminal: a line for key, value and source, and one for the reason.
#[must_use]
pub fn render(rows: &[Row]) -> String {
    let mut text = String::new();
    for Row { key, value, source, reason } in rows {
        text.push_str(&format!("{key} = {value}  [{source}]\n    {reason}\n"));
    }
    text
}

/// The text of `.env.example`: every setting, commented out, with its default (guide §16.1).
#[must_use]
pub fn env_example() -> String {
    let defaults = Settings::merge(Sources::default());
    let mut text = String::from(EXAMPLE_HEAD);
    let mut section = "";
    for spec in spec::all() {
        let heading = spec.name.split_once("__").map_or("", |(section, _)| section);
        if heading != section {
            text.push_str(&format!("\n# --- {} ---\n", heading.to_lowercase()));
            section = heading;
        }
        text.push_str(&format!("\n{}# {}\n", wrapped(spec.description), example_line(&defaults, spec)));
    }
    text
}

const EXAMPLE_HEAD: &str = "\
# Copy this file to .env and uncomment what you change; nothing here is needed for a first try.
# .env is never committed. Secrets may also be given as NAME_FILE=/path/of/a/file.
# Durations read 90s, 15m, 24h, 7d; lists are separated by commas; quote values that hold $ or # in '…'.
";

fn example_line(defaults: &Settings, spec: &Spec) -> String {
    let name = match (spec.usual, spec.kind) {
        (Some(usual), Kind::Secret) => usual.to_owned(),
        _ => spec.environment_name(),
    };
    let default = match spec.kind {
        Kind::Secret => "change-me".to_owned(),
        _ => defaults.default_text(spec),
    };
    let quote = if default.contains([' ', '<']) { "\"" } else { "" };
    format!("{name}={quote}{default}{quote}")
}

/// A description as comment lines of at most 100 letters.
fn wrapped(description: &str) -> String {
    let (mut text, mut length) = (String::new(), 0);
    for word in description.split_whitespace() {
        if length == 0 || length + word.len() > 98 {
            text.push_str(if length == 0 { "# " } else { "\n# " });
            length = 2;
        } else {
            text.push(' ');
        }
        text.push_str(word);
        length += word.len() + 1;
    }
    text + "\n"
}

fn row(settings: &Settings, spec: &'static Spec) -> Row {
    let text = settings.text(spec);
    let source = match settings.given(spec) {
        None => Source::Default.to_string(),
        Some(entry) => match &entry.file {
            Some(file) => format!("{}, file {}", entry.source, file.display()),
            None => entry.source.to_string(),
        },
    };
    Row {
        key: spec.environment_name(),
        value: shown(spec, text.expose_text()),
        source: credentials::without_controls(&source),
        reason: spec.description,
    }
}

fn shown(spec: &Spec, text: &str) -> String {
    match spec.kind {
        _ if text.is_empty() => "unset".to_owned(),
        Kind::Secret => "set".to_owned(),
        Kind::SecretUrl => credentials::masked(text),
        Kind::Plain | Kind::List => credentials::shown(text),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::{Config, dotenv};
    use super::*;

    const EXAMPLE: &str = include_str!("../../.env.example");

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let environment =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::merge(Sources { environment, ..Sources::default() })
    }

    fn row_of(settings: &Settings, key: &str) -> Row {
        explain(settings).into_iter().find(|row| row.key == key).unwrap()
    }

    #[test]
    fn every_setting_is_explained_with_its_source() {
        let settings =
            settings(&[("PORTCULLIS_SITE__NAME", "Books\n"), ("PORTCULLIS_PROFILE", "production")]);
        assert_eq!(explain(&settings).len(), spec::all().count());
        let name = row_of(&settings, "PORTCULLIS_SITE__NAME");
        assert_eq!((name.value.as_str(), name.source.as_str()), ("Books", "environment"));
        let hsts = row_of(&settings, "PORTCULLIS_SERVER__HSTS_SECONDS");
        assert_eq!((hsts.value.as_str(), hsts.source.as_str()), ("31536000", "default"));
        let text = render(&explain(&settings));
        assert!(text.contains("PORTCULLIS_LOG__FORMAT = json  [default]\n"), "{text}");
    }

    #[test]
    fn no_secret_is_ever_shown() {
        let settings = settings(&[
            ("SECRET_KEY", "hunter2"),
            ("DATABASE_URL", "mysql://app:hunter2@db/x"),
            ("PORTCULLIS_MAIL__URL", "smtp://app:hunter2@mail"),
            ("REDIS_URL", "redis://:hunter2@cache"),
            ("ANTHROPIC_API_KEY", "hunter2"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("PORTCULLIS_WEBHOOKS__URL", "https://hooks.example.org/services/hunter2"),
            ("PORTCULLIS_ACCOUNTS__LINKS_URL", "https://u:hunter2@example.org"),
        ]);
        assert!(!render(&explain(&settings)).contains("hunter2"));
        assert_eq!(row_of(&settings, "PORTCULLIS_SECRET_KEY").value, "set");
        assert_eq!(row_of(&settings, "PORTCULLIS_METRICS__TOKEN").value, "unset");
        assert_eq!(row_of(&settings, "PORTCULLIS_STORAGE__DATABASE_URL").value, "mysql://app:***@db/x");
    }

    #[test]
    fn env_example_is_made_from_the_table() {
        if EXAMPLE != env_example() && std::env::var_os("UPDATE_ENV_EXAMPLE").is_some() {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example"), env_example()).unwrap();
            return;
        }
        assert_eq!(EXAMPLE, env_example(), "run this test once with UPDATE_ENV_EXAMPLE=1");
    }

    #[test]
    fn env_example_changes_nothing_until_it_is_uncommented() {
        assert_eq!(dotenv::parse(EXAMPLE), (Vec::new(), Vec::new()));
    }

    #[test]
    fn env_example_with_everything_but_secrets_uncommented_is_the_default() {
        let is_line = |line: &&str| line.contains('=') && !line.contains(' ') && !line.contains("change-me");
        let lines: Vec<&str> =
            EXAMPLE.lines().filter_map(|line| line.strip_prefix("# ")).filter(is_line).collect();
        assert!(lines.len() > 40, "{}", lines.len());
        let (dotenv, problems) = dotenv::parse(&lines.join("\n"));
        assert_eq!(problems, []);
        let config = Config::from_sources(Sources { dotenv, ..Sources::default() });
        assert_eq!(config.err(), None);
    }
}
