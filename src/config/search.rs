//! `[search]`: who answers an AI search.

use super::{reader::Reader, spec::Spec, web_url::WebUrl};
use portcullis_security::secret::Secret;
use std::time::Duration;

pub(super) const SPECS: &[Spec] = &[
    Spec::secret(
        "SEARCH__ANTHROPIC_API_KEY",
        "Lets Claude word the answers; without it the built-in search answers alone and nothing leaves the server.",
    )
    .usual("ANTHROPIC_API_KEY"),
    Spec::plain(
        "SEARCH__ANTHROPIC_BASE_URL",
        "https://api.anthropic.com",
        "Where that API is; set it to go through a gateway of your own.",
    ),
    Spec::plain("SEARCH__ANTHROPIC_MODEL", "claude-haiku-4-5", "Which Claude; a small one ranks twenty books well and soon."),
    Spec::plain(
        "SEARCH__TIMEOUT",
        "20s",
        "How long Claude may take for an answer, or stay silent within one that streams, before the built-in search \
         answers; at most 25s.",
    ),
    Spec::plain("SEARCH__STREAM_TIMEOUT", "60s", "How long an answer may stream in all."),
    Spec::plain("SEARCH__DAILY_PER_USER", "50", "Searches that go to Claude, per user and day (UTC); then the built-in search answers."),
    Spec::plain("SEARCH__DAILY_TOTAL", "1000", "The same of all users together: what a day may cost at most."),
];

/// Who answers an AI search.
#[derive(Clone)]
pub struct Search {
    /// The key of Anthropic's API; none, the built-in search answers alone.
    pub anthropic_api_key: Option<Secret>,
    /// Where that API is; Anthropic's own.
    pub anthropic_base_url: WebUrl,
    /// Which model; a small one.
    pub anthropic_model: String,
    /// For an answer, or for silence within a streamed one; 20 s.
    pub timeout: Duration,
    /// For a whole streamed answer; 60 s.
    pub stream_timeout: Duration,
    /// Searches that go to the API, per user and day; 50.
    pub daily_per_user: u32,
    /// Searches that go to the API, per day; 1000.
    pub daily_total: u32,
}

impl Search {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            anthropic_api_key: reader.optional("SEARCH__ANTHROPIC_API_KEY"),
            anthropic_base_url: reader.required("SEARCH__ANTHROPIC_BASE_URL"),
            anthropic_model: reader.required("SEARCH__ANTHROPIC_MODEL"),
            timeout: reader.required("SEARCH__TIMEOUT"),
            stream_timeout: reader.required("SEARCH__STREAM_TIMEOUT"),
            daily_per_user: reader.required("SEARCH__DAILY_PER_USER"),
            daily_total: reader.required("SEARCH__DAILY_TOTAL"),
        }
    }
}
