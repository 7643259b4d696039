//! Signing keys, and the ring that finds the right one for a token.

use super::claims::{Claims, Profile, SignedClaims, TokenType};
use super::parties::Parties;
use super::root::mac;
use super::{TokenError, jwt};
use crate::clock::Timestamp;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const KID_LABEL: &[u8] = b"portcullis kid v1\0";
const KID_BYTES: usize = 9;

/// Why bytes cannot be a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// An HS256 key without a single byte: everybody could sign with it.
    #[error("a signing key must not be empty")]
    Empty,
    /// An Ed25519 seed is exactly 32 bytes.
    #[error("an Ed25519 seed has exactly 32 bytes")]
    SeedLength,
}

/// A short, stable, public name for a key: 12 characters of a labelled SHA-256.
///
/// It tells keys apart and says nothing about them that a signature would not say too.
///
/// ```
/// use portcullis_security::token::kid_of;
///
/// assert_eq!(kid_of(b"key"), kid_of(b"key"));
/// assert_ne!(kid_of(b"key"), kid_of(b"other"));
/// assert_eq!(kid_of(b"key").len(), 12);
/// ```
#[must_use]
pub fn kid_of(key: &[u8]) -> String {
    KeyId::of(key).kid()
}

/// What a `kid` spells: a key's name to keep beside whatever rests on its signature, so that it ends with the key.
///
/// ```
/// use portcullis_security::token::{KeyId, kid_of};
///
/// let id = KeyId::of(b"key");
/// assert_eq!(id.kid(), kid_of(b"key"));
/// assert_eq!(KeyId::from_bytes(id.as_bytes()), Some(id));
/// assert_eq!(KeyId::from_bytes(b"too short"[..8].as_ref()), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId([u8; KID_BYTES]);

impl KeyId {
    /// The name of a key.
    #[must_use]
    pub fn of(key: &[u8]) -> Self {
        let digest = Sha256::new().chain_update(KID_LABEL).chain_update(key).finalize();
        Self(std::array::from_fn(|index| digest[index]))
    }

    /// Takes it back from where it was stored; `None` for another number of bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its nine bytes, for storing.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As it stands in a token's header.
    #[must_use]
    pub fn kid(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// A key with its algorithm and its name: the three never part, so none can be exchanged.
///
/// ```
/// use portcullis_security::secret::Secret;
/// use portcullis_security::token::{KeyError, SigningKey};
///
/// let key = SigningKey::ed25519(&Secret::new(vec![1; 32]))?;
/// assert_eq!(key.algorithm(), "EdDSA");
/// assert!(SigningKey::hs256(&Secret::from("")).is_err());
/// # Ok::<(), KeyError>(())
/// ```
pub struct SigningKey {
    id: KeyId,
    kid: String,
    /// The header of every token this key signs, encoded: a token that begins with it needs no parser.
    header: String,
    material: Material,
}

enum Material {
    /// The state after the key was absorbed; cloning it saves two compressions per token.
    Hs256(Hmac<Sha256>),
    Ed25519 {
        pair: Box<Ed25519KeyPair>,
        public: [u8; 32],
    },
}

impl SigningKey {
    /// HMAC with SHA-256 (RFC 7518 §3.2) under the secret's bytes, as PyJWT takes them.
    ///
    /// # Errors
    /// An empty secret. Shorter ones than 32 bytes are the caller's to judge: a Django's may be.
    pub fn hs256(secret: &Secret) -> Result<Self, KeyError> {
        if secret.expose().is_empty() {
            return Err(KeyError::Empty);
        }
        Ok(Self::named(KeyId::of(secret.expose()), Material::Hs256(mac(secret.expose()))))
    }

    /// Ed25519 (RFC 8032, RFC 8037) from its 32-byte seed; named after the public key.
    ///
    /// # Errors
    /// A seed of another length.
    pub fn ed25519(seed: &Secret) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| KeyError::SeedLength)?;
        let public: [u8; 32] = pair.public_key().as_ref().try_into().map_err(|_| KeyError::SeedLength)?;
        Ok(Self::named(KeyId::of(&public), Material::Ed25519 { pair: Box::new(pair), public }))
    }

    fn named(id: KeyId, material: Material) -> Self {
        let mut key = Self { id, kid: id.kid(), header: String::new(), material };
        key.header = jwt::encode_header(key.algorithm(), &key.kid);
        key
    }

    /// The name that stands in its tokens' header.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The JOSE name of its algorithm: `HS256` or `EdDSA`.
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        match self.material {
            Material::Hs256(_) => "HS256",
            Material::Ed25519 { .. } => "EdDSA",
        }
    }

    pub(super) fn header(&self) -> &str {
        &self.header
    }

    pub(super) fn sign(&self, message: &[u8]) -> Signature {
        match &self.material {
            Material::Hs256(mac) => {
                Signature::Hs256(mac.clone().chain_update(message).finalize().into_bytes().into())
            }
            Material::Ed25519 { pair, .. } => Signature::Ed25519(pair.sign(message)),
        }
    }

    /// Whether `signature` is this key's under `message`; takes the same time wherever they differ.
    pub(super) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Hs256(_) => self.sign(message).as_ref().ct_eq(signature).into(),
            Material::Ed25519 { public, .. } => accepts_ed25519(public, message, signature),
        }
    }

    /// The public half as a JSON Web Key; a shared secret has none.
    fn jwk(&self) -> Option<serde_json::Value> {
        let Material::Ed25519 { public, .. } = &self.material else {
            return None;
        };
        Some(serde_json::json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "x": URL_SAFE_NO_PAD.encode(public),
            "kid": self.kid,
            "use": "sig",
            "alg": self.algorithm(),
        }))
    }
}

pub(super) fn accepts_ed25519(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
}

pub(super) enum Signature {
    Hs256([u8; 32]),
    Ed25519(ring::signature::Signature),
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Hs256(bytes) => bytes,
            Self::Ed25519(signature) => signature.as_ref(),
        }
    }
}

/// One key that signs, others that still verify, and perhaps a Django's.
///
/// Rotation without a logout: a new key signs, the old one stays with [`and`](KeySet::and) until its
/// last token has expired.
///
/// ```
/// use portcullis_security::secret::Secret;
/// use portcullis_security::token::{KeyError, KeySet, SigningKey};
///
/// let django = Secret::from("django-insecure-key");
/// let keys = KeySet::new(SigningKey::ed25519(&Secret::new(vec![1; 32]))?)
///     .and(SigningKey::hs256(&Secret::from("the key of last month, 32 bytes!"))?)
///     .with_legacy(SigningKey::hs256(&django)?);
/// assert_eq!(keys.jwks()["keys"].as_array().map(Vec::len), Some(1));
/// # Ok::<(), KeyError>(())
/// ```
pub struct KeySet {
    active: SigningKey,
    others: Vec<SigningKey>,
    legacy: Option<SigningKey>,
    parties: Parties,
}

impl KeySet {
    /// A ring of one key.
    #[must_use]
    pub const fn new(active: SigningKey) -> Self {
        let parties = Parties { audience: None, issuer: None };
        Self { active, others: Vec::new(), legacy: None, parties }
    }

    /// Says for whom the tokens are and whose, and takes no others.
    #[must_use]
    pub fn for_parties(mut self, parties: Parties) -> Self {
        self.parties = parties;
        self
    }

    /// Adds a key that verifies and does not sign.
    #[must_use]
    pub fn and(mut self, key: SigningKey) -> Self {
        self.others.push(key);
        self
    }

    /// Sets the key for tokens without `kid`: simplejwt writes none.
    #[must_use]
    pub fn with_legacy(mut self, key: SigningKey) -> Self {
        self.legacy = Some(key);
        self
    }

    /// The name of the key that signs.
    #[must_use]
    pub fn active_kid(&self) -> &str {
        self.active.kid()
    }

    /// Signs claims.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        jwt::sign(&self.active, &claims.to_json(None, &self.parties))
    }

    /// Signs claims with the user's profile beside them, as the access tokens of guide §3.2.
    #[must_use]
    pub fn sign_access(&self, claims: &Claims, profile: &Profile<'_>) -> String {
        jwt::sign(&self.active, &claims.to_json(Some(profile), &self.parties))
    }

    /// Checks all of a token: shape, key, algorithm, signature, parties, times, type.
    ///
    /// The times as PyJWT checks them with a leeway of zero: `exp` must lie ahead, `iat` and `nbf`
    /// must not. simplejwt requires `exp`, `jti`, `token_type` and `user_id`; `iat`, which it always
    /// writes, is required here too, since the end of all sessions is measured by it.
    ///
    /// # Errors
    /// The first check that fails, in the order above.
    pub fn verify(&self, token: &str, expected: TokenType, now: Timestamp) -> Result<Claims, TokenError> {
        self.verify_signed(token, expected, now).map(|(claims, _)| claims)
    }

    /// As [`verify`](KeySet::verify), and says which key signed: what the token opens may outlive the call, and is
    /// to end when this set no longer [`has`](KeySet::has) the key.
    ///
    /// # Errors
    /// As [`verify`](KeySet::verify).
    pub fn verify_signed(
        &self,
        token: &str,
        expected: TokenType,
        now: Timestamp,
    ) -> Result<(Claims, KeyId), TokenError> {
        let (signed, key) = self.read(token)?;
        let claims = signed.at(now)?;
        if claims.token_type == expected { Ok((claims, key)) } else { Err(TokenError::WrongType) }
    }

    /// Whether tokens of a key are still good.
    #[must_use]
    pub fn has(&self, id: KeyId) -> bool {
        std::iter::once(&self.active).chain(&self.others).chain(&self.legacy).any(|key| key.id == id)
    }

    /// Checks all of a token but its type: simplejwt's token/verify takes either.
    ///
    /// # Errors
    /// As [`verify`](KeySet::verify), except [`TokenError::WrongType`] for a known type.
    pub fn verify_any(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        self.read(token)?.0.at(now)
    }

    /// Checks that a token was signed here, whenever that was.
    ///
    /// For logging out, which an expired token may do and a forged one may not. Never let it in
    /// by this.
    ///
    /// # Errors
    /// As [`verify`](KeySet::verify) without the times and the type.
    pub fn verify_signature(&self, token: &str) -> Result<Claims, TokenError> {
        Ok(self.read(token)?.0.claims)
    }

    fn read(&self, token: &str) -> Result<(SignedClaims, KeyId), TokenError> {
        let parts = jwt::Parts::split(token)?;
        let key = self.key_for(parts.header)?;
        let signed = parts.verify(|message, signature| key.accepts(message, signature))?;
        self.parties.accept(&signed.named)?;
        Ok((signed, key.id))
    }

    fn key_for(&self, encoded_header: &str) -> Result<&SigningKey, TokenError> {
        if encoded_header == self.active.header() {
            return Ok(&self.active);
        }
        let header = jwt::Header::parse(encoded_header)?;
        let key = match header.kid.as_deref() {
            Some(kid) => std::iter::once(&self.active).chain(&self.others).find(|key| key.kid == kid),
            None => self.legacy.as_ref(),
        };
        let key = key.ok_or(TokenError::UnknownKey)?;
        if header.alg == key.algorithm() { Ok(key) } else { Err(TokenError::AlgorithmNotAllowed) }
    }

    /// The public keys as a JWK set (RFC 7517, RFC 8037); shared secrets never appear in it.
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        let keys: Vec<_> =
            std::iter::once(&self.active).chain(&self.others).filter_map(SigningKey::jwk).collect();
        serde_json::json!({ "keys": keys })
    }
}
