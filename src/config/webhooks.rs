//! `[webhooks]`: where attacks are reported to.

use super::{is_this_machine, reader::Reader, secret_strength::guessable, spec::Spec};
use axum::http::Uri;
use base64::{Engine, prelude::BASE64_STANDARD};
use portcullis_security::secret::Secret;

pub(super) const SPECS: &[Spec] = &[
    Spec::url(
        "WEBHOOKS__URL",
        "",
        "Where attacks and re-used tokens are reported to, by signed calls; nowhere when unset (docs/webhooks.md).",
    ),
    Spec::secret(
        "WEBHOOKS__SECRET",
        "Signs those calls: whsec_ and 24 to 64 random bytes in base64, as `echo whsec_$(openssl rand -base64 32)` \
         makes one.",
    ),
];

const PREFIX: &str = "whsec_";
/// What the specification shows, and many have copied.
const EXAMPLE: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Where attacks are reported to.
#[derive(Clone)]
pub struct Webhooks {
    /// The address of the operator's server; none.
    pub url: Option<Secret>,
    /// What signs the calls, as Standard Webhooks writes it.
    pub secret: Option<Secret>,
}

impl Webhooks {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self { url: reader.optional("WEBHOOKS__URL"), secret: reader.optional("WEBHOOKS__SECRET") }
    }

    /// The key in the secret; none when there is no secret of the right form.
    #[must_use]
    pub fn key(&self) -> Option<Secret> {
        let text = self.secret.as_ref()?.expose_text().trim().strip_prefix(PREFIX)?;
        let bytes = BASE64_STANDARD.decode(text).ok()?;
        (24..=64).contains(&bytes.len()).then(|| Secret::new(bytes))
    }

    /// Why the secret can be guessed, as a phrase that follows "is".
    #[must_use]
    pub fn weakness(&self) -> Option<&'static str> {
        match self.secret.as_ref()?.expose_text().trim() {
            EXAMPLE => Some("the one of the specification"),
            _ => self.key().and_then(|key| guessable(key.expose())),
        }
    }

    /// Whether the address is one that can be called.
    #[must_use]
    pub fn has_usable_url(&self) -> bool {
        self.uri()
            .is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
    }

    /// Whether calls are encrypted, or stay on this machine.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.uri()
            .is_some_and(|uri| uri.scheme_str() == Some("https") || uri.host().is_some_and(is_this_machine))
    }

    fn uri(&self) -> Option<Uri> {
        self.url.as_ref()?.expose_text().parse().ok()
    }
}
