//! simplejwt-compatible tokens: claims, signatures, key rings, and one-time tokens for mail links.
//!
//! The wire form is that of djangorestframework-simplejwt 5.5 on PyJWT 2: a compact JWS (RFC 7515) with
//! `alg`, `kid` and `typ` in the header. A token names its key, the key knows its algorithm, and the
//! header's `alg` must agree: that is the whole allow-list (RFC 8725 §3.1, ASVS v5.0.0-9.1.2). What a
//! token says about rights cannot be read back: [`Claims`] has no field for it.
//!
//! ```
//! use portcullis_security::clock::Timestamp;
//! use portcullis_security::secret::Secret;
//! use portcullis_security::token::{Claims, KeySet, SigningKey, TokenError, TokenType};
//!
//! let keys = KeySet::new(SigningKey::hs256(&Secret::from("a secret of at least thirty-two bytes"))?);
//! let claims = Claims {
//!     token_type: TokenType::Refresh,
//!     iat: 1_000,
//!     exp: 1_900,
//!     jti: [7; 16],
//!     user_id: 42,
//!     sid: Some(3),
//! };
//! let token = keys.sign(&claims);
//! let noon = Timestamp::from_seconds(1_500);
//! assert_eq!(keys.verify(&token, TokenType::Refresh, noon), Ok(claims));
//! assert_eq!(keys.verify(&token, TokenType::Access, noon), Err(TokenError::WrongType));
//! # Ok::<(), portcullis_security::token::KeyError>(())
//! ```

mod claims;
mod json;
mod jwt;
mod keys;
mod one_time;
mod parties;
mod public;
mod root;

pub use claims::{Claims, Profile, TokenType};
pub use keys::{KeyError, KeyId, KeySet, SigningKey, kid_of};
pub use one_time::{Code, OneTimeToken, hash_presented, hash_presented_code};
pub use parties::Parties;
pub use public::PublicKeys;
pub use root::{KeyChain, Purpose, RootKey, prf, session_jti};

/// Why a token is refused.
///
/// The texts are simplejwt's where it has one, so they can be shown as `detail`; they tell apart an
/// expired token and one of the wrong type, and lump all others together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not three canonical base64url parts, not JSON, a field twice, `crit`, or longer than 8 KiB.
    #[error("Token is invalid")]
    Malformed,
    /// The header's `alg` is not the algorithm of the key it names: `none`, RS256 and all others.
    #[error("Token is invalid")]
    AlgorithmNotAllowed,
    /// No key has this `kid`, or there is no `kid` and no legacy key.
    #[error("Token is invalid")]
    UnknownKey,
    /// The signature is not that of the key.
    #[error("Token is invalid")]
    BadSignature,
    /// `nbf` or `iat` lies in the future; PyJWT refuses both.
    #[error("Token is invalid")]
    NotYetValid,
    /// `exp` has come. There is no leeway.
    #[error("Token is expired")]
    Expired,
    /// `token_type` is not the expected one.
    #[error("Token has wrong type")]
    WrongType,
    /// The token is for somebody else, or says for nobody.
    #[error("Token is invalid")]
    WrongAudience,
    /// The token is somebody else's, or nobody's.
    #[error("Token is invalid")]
    WrongIssuer,
    /// The token is signed and lacks this claim.
    #[error("Token has no '{0}' claim")]
    MissingClaim(&'static str),
}
