//! The layers merged: for each setting the value that wins, and where it came from.

use super::{
    Profile, merge,
    parse::Parse,
    problem::Problem,
    sources::Sources,
    spec::{self, Kind, Spec},
};
use portcullis_security::secret::Secret;
use std::{collections::BTreeMap, fmt, path::PathBuf};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The table of settings.
    Default,
    /// The settings file at that path.
    Toml(String),
    /// `.env` in the working directory.
    Dotenv,
    /// The environment.
    Environment,
    /// The command line.
    Flag,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::Toml(path) => path,
            Self::Dotenv => ".env",
            Self::Environment => "environment",
            Self::Flag => "flag",
        })
    }
}

/// A setting's value before it is understood.
#[derive(Clone)]
pub struct Entry {
    /// The text; empty means that the setting was unset on purpose.
    pub text: Secret,
    /// The layer that won.
    pub source: Source,
    /// The name as it was written there.
    pub spelled: String,
    /// The file that held the text, when a `…_FILE` named one.
    pub file: Option<PathBuf>,
}

/// Every value that was given, and what was wrong with the names.
#[derive(Clone)]
pub struct Settings {
    entries: BTreeMap<&'static str, Entry>,
    problems: Vec<Problem>,
}

impl Settings {
    /// Merges the layers, weakest first: settings file, `.env`, environment, flags.
    ///
    /// Within one layer our own name wins over the usual one (`PORTCULLIS_SECRET_KEY` over `SECRET_KEY`).
    /// Files named by `…_FILE` are read only where they win.
    #[must_use]
    pub fn merge(sources: Sources) -> Self {
        merge::merge(sources)
    }

    pub(super) const fn new(entries: BTreeMap<&'static str, Entry>, problems: Vec<Problem>) -> Self {
        Self { entries, problems }
    }

    /// The value that was given for a setting, if any was.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// The profile; development, the one that opens nothing to the network, while it is not given or wrong.
    #[must_use]
    pub fn profile(&self) -> Profile {
        let given = self.entry("PROFILE").and_then(|entry| Profile::parse(entry.text.expose_text().trim()));
        given.unwrap_or_default()
    }

    /// A setting's text, given or by default; empty when it is unset.
    #[must_use]
    pub fn text(&self, spec: &Spec) -> Secret {
        match self.given(spec) {
            Some(entry) if spec.kind == Kind::Secret => entry.text.clone(),
            Some(entry) => Secret::from(entry.text.expose_text().trim()),
            None => Secret::from(self.default_text(spec)),
        }
    }

    /// The value that was given, unless it is an empty one that means "as if it were not there".
    #[must_use]
    pub fn given(&self, spec: &Spec) -> Option<&Entry> {
        let entry = self.entry(spec.name)?;
        let is_unset = spec.may_be_empty() && entry.text.expose_text().trim().is_empty();
        (!is_unset).then_some(entry)
    }

    /// The default in this profile, with the settings that it refers to put in.
    #[must_use]
    pub fn default_text(&self, spec: &Spec) -> String {
        let default = match (self.profile(), spec.production) {
            (Profile::Production, Some(default)) => default,
            _ => spec.default,
        };
        let reference = default.split_once('{').and_then(|(before, rest)| {
            let (name, after) = rest.split_once('}')?;
            Some((before, spec::find(name)?, after))
        });
        match reference {
            Some((before, other, after)) => format!("{before}{}{after}", self.text(other).expose_text()),
            None => default.to_owned(),
        }
    }

    /// The secrets that stand on the command line, as they were spelled there.
    #[must_use]
    pub fn secrets_in_flags(&self) -> Vec<&str> {
        let given = spec::all().filter_map(|spec| Some((spec, self.given(spec)?)));
        let is_shown = |(spec, entry): &(&Spec, &Entry)| {
            entry.source == Source::Flag && entry.file.is_none() && spec.hides(entry.text.expose_text())
        };
        given.filter(is_shown).map(|(_, entry)| entry.spelled.as_str()).collect()
    }

    /// What was wrong with names, files and layers.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Settings {
        let environment =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::merge(Sources { environment, ..Sources::default() })
    }

    fn text(settings: &Settings, name: &str) -> String {
        settings.text(spec::find(name).unwrap()).expose_text().to_owned()
    }

    #[test]
    fn a_default_follows_the_settings_it_is_made_of() {
        let settings = environment(&[("PORTCULLIS_SERVER__LISTEN", "127.0.0.1:9")]);
        assert_eq!(text(&settings, "SERVER__PUBLIC_URL"), "http://127.0.0.1:9");
        assert_eq!(text(&settings, "ACCOUNTS__LINKS_URL"), "http://127.0.0.1:9");
    }

    #[test]
    fn every_default_refers_to_a_setting_that_exists() {
        let settings = environment(&[]);
        for spec in spec::all() {
            assert!(!settings.default_text(spec).contains(['{', '}']), "{}", spec.name);
        }
    }
}
