//! The table of every setting: its name, its default and the reason for it.
//!
//! Environment names, errors about unknown keys, `portcullis config explain` and `.env.example` are all
//! made from these rows; each section's file holds its own, beside the struct that they fill.

use super::{
    accounts, community, cors, credentials, log, mail, metrics, password, search, server, site, storage,
    throttle, tokens, uploads, webhooks,
};

/// What every environment name of ours begins with.
pub const PREFIX: &str = "PORTCULLIS_";

/// The path of the settings file; the one name that is not a setting itself.
pub const CONFIG_NAME: &str = "CONFIG";

/// How a value is written and how much of it may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Text that anybody may see.
    Plain,
    /// Comma-separated text, or an array in TOML.
    List,
    /// Never shown; may also be given as `…_FILE`.
    Secret,
    /// A URL that may carry a password: shown without it; may also be given as `…_FILE`.
    SecretUrl,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The name without prefix, as in `SERVER__LISTEN`.
    pub name: &'static str,
    /// How it is written and shown.
    pub kind: Kind,
    /// The default as one would write it; empty means unset, `{NAME}` stands for another setting's value.
    pub default: &'static str,
    /// The default in the production profile, where it differs.
    pub production: Option<&'static str>,
    /// The name other programs use for it, which works as it is.
    pub usual: Option<&'static str>,
    /// What it does and why the default is what it is.
    pub description: &'static str,
}

impl Spec {
    pub(super) const fn plain(name: &'static str, default: &'static str, description: &'static str) -> Self {
        Self { name, kind: Kind::Plain, default, production: None, usual: None, description }
    }

    pub(super) const fn list(name: &'static str, description: &'static str) -> Self {
        Self { kind: Kind::List, ..Self::plain(name, "", description) }
    }

    pub(super) const fn secret(name: &'static str, description: &'static str) -> Self {
        Self { kind: Kind::Secret, ..Self::plain(name, "", description) }
    }

    pub(super) const fn url(name: &'static str, default: &'static str, description: &'static str) -> Self {
        Self { kind: Kind::SecretUrl, ..Self::plain(name, default, description) }
    }

    pub(super) const fn in_production(self, default: &'static str) -> Self {
        Self { production: Some(default), ..self }
    }

    pub(super) const fn usual(self, name: &'static str) -> Self {
        Self { usual: Some(name), ..self }
    }

    /// The name in the environment, as in `PORTCULLIS_SERVER__LISTEN`.
    #[must_use]
    pub fn environment_name(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    /// The name in `portcullis.toml`, as in `server.listen`.
    #[must_use]
    pub fn toml_name(&self) -> String {
        self.name.to_ascii_lowercase().replace("__", ".")
    }

    /// Whether the value is, or may hold, something that must not be shown.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret | Kind::SecretUrl)
    }

    /// Whether a text that is given for it holds something that must not be shown.
    pub(super) fn hides(&self, text: &str) -> bool {
        match self.kind {
            Kind::Secret => !text.is_empty(),
            Kind::SecretUrl => credentials::masked(text) != text,
            Kind::Plain | Kind::List => false,
        }
    }

    /// Whether an empty value means "as if it were not there".
    #[must_use]
    pub fn may_be_empty(&self) -> bool {
        self.default.is_empty() || self.default.contains('{')
    }
}

/// Settings that belong to no section.
pub(super) const GENERAL: &[Spec] = &[
    Spec::plain(
        "PROFILE",
        "development",
        "development or production; production refuses to start with anything unsafe, development with anything \
         that the network could reach.",
    ),
    Spec::secret(
        "SECRET_KEY",
        "The root from which every key is derived, at least 32 bytes; `portcullis secret` prints one. \
         Development writes its own into the data directory.",
    )
    .usual("SECRET_KEY"),
    Spec::secret(
        "SECRET_KEY_FALLBACK",
        "While SECRET_KEY is changed, the other of the two: what grew from it still opens and counts, and nobody is \
         logged out. docs/keys.md says how.",
    ),
];

const SECTIONS: [&[Spec]; 16] = [
    GENERAL,
    server::SPECS,
    storage::SPECS,
    mail::SPECS,
    tokens::SPECS,
    password::SPECS,
    throttle::SPECS,
    accounts::SPECS,
    metrics::SPECS,
    community::SPECS,
    site::SPECS,
    cors::SPECS,
    log::SPECS,
    search::SPECS,
    uploads::SPECS,
    webhooks::SPECS,
];

/// Every setting, section by section.
pub fn all() -> impl Iterator<Item = &'static Spec> {
    SECTIONS.into_iter().flatten()
}

/// The setting of that name (without prefix), if there is one.
#[must_use]
pub fn find(name: &str) -> Option<&'static Spec> {
    all().find(|spec| spec.name == name)
}

/// The setting that other programs know by that name, if there is one.
#[must_use]
pub fn find_usual(name: &str) -> Option<&'static Spec> {
    all().find(|spec| spec.usual == Some(name))
}

/// The setting that somebody most likely meant by a name (without prefix), if one is near.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static Spec> {
    let name = name.to_ascii_uppercase().replace(['.', '-'], "_");
    if name.is_empty() || name.len() > 100 {
        return None;
    }
    let same_end =
        |spec: &&Spec| spec.usual == Some(name.as_str()) || spec.name.ends_with(&format!("_{name}"));
    let (distance, closest) =
        all().map(|spec| (distance(&name, spec.name), spec)).min_by_key(|(distance, _)| *distance)?;
    let limit = (name.len() / 4).clamp(1, 4);
    if distance <= limit { Some(closest) } else { all().find(same_end) }
}

/// How many letters must be added, dropped or changed to make one name the other.
fn distance(from: &str, to: &str) -> usize {
    let to = to.as_bytes();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, left) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in to.iter().enumerate() {
            let changed = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_is_there_once_and_described_in_a_sentence() {
        let mut names = BTreeSet::new();
        for spec in all() {
            assert!(names.insert(spec.name), "{} is there twice", spec.name);
            assert!(spec.description.ends_with('.'), "{}", spec.name);
            assert!(!spec.name.ends_with("_FILE"), "{} would hide a file name", spec.name);
        }
    }

    #[test]
    fn the_names_of_the_contract_are_all_there() {
        let fixed = "PROFILE SERVER__LISTEN SERVER__PUBLIC_URL SERVER__TRUSTED_PROXIES STORAGE__DATA_DIR \
            STORAGE__DATABASE_URL STORAGE__REDIS_URL STORAGE__FILES_URL MAIL__URL MAIL__FROM TOKENS__SIGNING_KEY \
            TOKENS__ACCESS_LIFETIME TOKENS__REFRESH_LIFETIME TOKENS__ABSOLUTE_LIFETIME TOKENS__REFRESH_GRACE \
            TOKENS__ALGORITHM PASSWORD__POLICY PASSWORD__MEMORY_KIB PASSWORD__ITERATIONS PASSWORD__PARALLELISM \
            PASSWORD__MEMORY_BUDGET_MIB THROTTLE__ENABLED THROTTLE__AUTH THROTTLE__ANON THROTTLE__USER \
            THROTTLE__RESET THROTTLE__AI_SEARCH THROTTLE__ANON_POST ACCOUNTS__REGISTRATION \
            ACCOUNTS__REVEAL_REGISTERED_EMAIL ACCOUNTS__LINKS_URL ACCOUNTS__VERIFICATION_LIFETIME \
            ACCOUNTS__RESET_LIFETIME ACCOUNTS__DELETION_GRACE ACCOUNTS__COOKIE_MODE METRICS__TOKEN \
            SERVER__TLS_CERT SERVER__TLS_KEY SERVER__HSTS_SECONDS COMMUNITY__ENABLED SITE__NAME \
            CORS__ALLOWED_ORIGINS LOG__FORMAT LOG__LEVEL SEARCH__ANTHROPIC_API_KEY SEARCH__ANTHROPIC_BASE_URL \
            UPLOADS__CLAMAV";
        for name in fixed.split_whitespace() {
            assert!(find(name).is_some(), "{name} is missing");
        }
        for usual in ["SECRET_KEY", "DATABASE_PASSWORD", "DATABASE_URL", "REDIS_URL", "ANTHROPIC_API_KEY"] {
            assert!(find_usual(usual).is_some(), "{usual} is missing");
        }
    }

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        let meant = |name| nearest(name).map(|spec| spec.name);
        assert_eq!(meant("SERVER__LISEN"), Some("SERVER__LISTEN"));
        assert_eq!(meant("SERVER_LISTEN"), Some("SERVER__LISTEN"));
        assert_eq!(meant("server__listen"), Some("SERVER__LISTEN"));
        assert_eq!(meant("DATABASE_URL"), Some("STORAGE__DATABASE_URL"));
        assert_eq!(meant("ANTHROPIC_API_KEY"), Some("SEARCH__ANTHROPIC_API_KEY"));
        assert_eq!(meant("ZEBRA"), None);
        assert_eq!(meant(""), None);
    }
}
