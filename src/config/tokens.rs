//! `[tokens]`: how JWTs are signed and how long they live.

use super::{parse::Parse, reader::Reader, spec::Spec};
use portcullis_security::secret::Secret;
use std::time::Duration;

pub(super) const SPECS: &[Spec] = &[
    Spec::secret(
        "TOKENS__SIGNING_KEY",
        "Signs the tokens in place of the key derived from SECRET_KEY; set it to a Django's SECRET_KEY to keep \
         its tokens alive.",
    ),
    Spec::plain(
        "TOKENS__ACCESS_LIFETIME",
        "15m",
        "How long an access token lives; short, since a stolen one works until then.",
    ),
    Spec::plain(
        "TOKENS__REFRESH_LIFETIME",
        "7d",
        "How long a session lives without being used; every refresh starts it anew.",
    ),
    Spec::plain(
        "TOKENS__ABSOLUTE_LIFETIME",
        "30d",
        "How long a session lives at most, however much it is used.",
    ),
    Spec::plain(
        "TOKENS__REFRESH_GRACE",
        "10s",
        "How long a spent refresh token still gets its successor: tabs and retries are not theft.",
    ),
    Spec::plain(
        "TOKENS__ALGORITHM",
        "HS256",
        "HS256 or EdDSA; EdDSA lets other services verify tokens with the public keys at /.well-known/jwks.json.",
    ),
    Spec::plain(
        "TOKENS__AUDIENCE",
        "",
        "For whom tokens are, simplejwt's AUDIENCE: written into each and asked of each. Set or changed, it logs \
         everybody out.",
    ),
    Spec::plain("TOKENS__ISSUER", "", "Whose tokens are, simplejwt's ISSUER: as TOKENS__AUDIENCE."),
];

/// How JWTs are signed and how long they live.
#[derive(Clone)]
pub struct Tokens {
    /// The HMAC key, as UTF-8 bytes; none, it is derived from `SECRET_KEY`.
    pub signing_key: Option<Secret>,
    /// An access token's life; 15 minutes (guide §3), since a stolen one works until then.
    pub access_lifetime: Duration,
    /// A session's life without use; 7 days (guide §3).
    pub refresh_lifetime: Duration,
    /// A session's life at most; 30 days (ASVS v5.0.0-7.3.2).
    pub absolute_lifetime: Duration,
    /// How long a spent refresh token still gets its successor; 10 seconds, for tabs and retries.
    pub refresh_grace: Duration,
    /// The signature; HS256, as simplejwt does.
    pub algorithm: Algorithm,
    /// simplejwt's `AUDIENCE`; none.
    pub audience: Option<String>,
    /// simplejwt's `ISSUER`; none.
    pub issuer: Option<String>,
}

/// How tokens are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256: whoever can verify can sign.
    #[default]
    Hs256,
    /// Ed25519: others verify with the public key.
    EdDsa,
}

impl Parse for Algorithm {
    const EXPECTED: &'static str = "HS256 or EdDSA";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "HS256" => Some(Self::Hs256),
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }

    fn stand_in() -> Self {
        Self::default()
    }
}

impl Tokens {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            signing_key: reader.optional("TOKENS__SIGNING_KEY"),
            access_lifetime: reader.required("TOKENS__ACCESS_LIFETIME"),
            refresh_lifetime: reader.required("TOKENS__REFRESH_LIFETIME"),
            absolute_lifetime: reader.required("TOKENS__ABSOLUTE_LIFETIME"),
            audience: reader.optional("TOKENS__AUDIENCE"),
            issuer: reader.optional("TOKENS__ISSUER"),
            refresh_grace: reader.required("TOKENS__REFRESH_GRACE"),
            algorithm: reader.required("TOKENS__ALGORITHM"),
        }
    }
}
