//! What is wrong with the settings, told all at once.

use super::spec::PREFIX;
use std::fmt;

/// No more is told of any one file: a file of something else would be a problem in every line.
pub(super) const MOST_TOLD: usize = 20;

/// One reason not to start: the setting and one sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting's name without prefix, or the unknown name as it was written.
    pub key: String,
    /// One sentence for the operator; never holds a secret.
    pub sentence: String,
}

impl Problem {
    /// A problem that is told in words that already name the setting.
    #[must_use]
    pub fn new(key: &str, sentence: String) -> Self {
        Self { key: key.to_owned(), sentence }
    }

    /// A problem whose sentence begins with the setting's environment name.
    #[must_use]
    pub fn of(key: &str, rest: &str) -> Self {
        Self::new(key, format!("{PREFIX}{key} {rest}"))
    }

    /// What is wrong, as a sentence, and what to do.
    #[must_use]
    pub fn parts(&self) -> (String, &str) {
        match self.sentence.rsplit_once(": ") {
            Some((cause, advice)) => (format!("{cause}."), advice),
            None => (self.sentence.clone(), "see docs/check.md."),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// Every problem that was found, so that an operator mends them in one go.
///
/// Its text is a line per problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
