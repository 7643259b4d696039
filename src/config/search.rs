//! `[search]`: who answers an AI search.

use super::{reader::Reader, spec::Spec, web_url::WebUrl};
use portcullis_security::secret::Secret;

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
];

/// Who answers an AI search.
#[derive(Clone)]
pub struct Search {
    /// The key of Anthropic's API; none, the built-in search answers alone.
    pub anthropic_api_key: Option<Secret>,
    /// Where that API is; Anthropic's own.
    pub anthropic_base_url: WebUrl,
}

impl Search {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            anthropic_api_key: reader.optional("SEARCH__ANTHROPIC_API_KEY"),
            anthropic_base_url: reader.required("SEARCH__ANTHROPIC_BASE_URL"),
        }
    }
}
