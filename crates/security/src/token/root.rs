//! One secret from the settings, and the independent keys that grow from it.

use crate::secret::Secret;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

const SALT: &[u8] = b"portcullis root v1";

/// What a derived key is for. Each has its own label, so no key serves two uses (NIST SP 800-57 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Sealing columns of the database.
    Sealing,
    /// Authenticating cookies, such as the device cookie.
    Cookie,
    /// CSRF tokens.
    Csrf,
    /// Pseudo-random functions, such as the ids of refresh tokens.
    Prf,
    /// Signing JWTs when no key of their own is set.
    Jwt,
    /// Hashing short codes, which a plain hash would not hide.
    Code,
    /// Choosing the dummy hash for an unknown login.
    Dummy,
    /// Hides who is behind a stored throttle window.
    Throttle,
    /// Authenticating links that unsubscribe from mails.
    Unsubscribe,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Sealing => b"sealing",
            Self::Cookie => b"cookie",
            Self::Csrf => b"csrf",
            Self::Prf => b"prf",
            Self::Jwt => b"jwt",
            Self::Code => b"code",
            Self::Dummy => b"dummy",
            Self::Throttle => b"throttle",
            Self::Unsubscribe => b"unsubscribe",
        }
    }
}

/// The root of all keys: `SECRET_KEY`, extracted by HKDF-SHA256 (RFC 5869).
///
/// ```
/// use portcullis_security::secret::Secret;
/// use portcullis_security::token::{Purpose, RootKey};
///
/// let root = RootKey::new(&Secret::from("a secret of at least thirty-two bytes"));
/// assert_eq!(root.derive(Purpose::Jwt), root.derive(Purpose::Jwt));
/// assert_ne!(root.derive(Purpose::Jwt), root.derive(Purpose::Csrf));
/// ```
pub struct RootKey {
    current: Hkdf<Sha256>,
    fallback: Option<Hkdf<Sha256>>,
}

impl RootKey {
    /// Extracts the root from the secret's bytes; of any length, judged by the caller.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self { current: extract(secret), fallback: None }
    }

    /// The same root while its secret takes the place of another: what grew from that one still opens and verifies.
    #[must_use]
    pub fn with_fallback(self, other: &Secret) -> Self {
        Self { fallback: Some(extract(other)), ..self }
    }

    /// The 32-byte key for one purpose, always the same.
    #[must_use]
    pub fn derive(&self, purpose: Purpose) -> Zeroizing<[u8; 32]> {
        expand(&self.current, purpose)
    }

    /// The key for one purpose, and the fallback's.
    #[must_use]
    pub fn chain(&self, purpose: Purpose) -> KeyChain {
        let fallback = self.fallback.as_ref().map(|fallback| expand(fallback, purpose));
        KeyChain { active: self.derive(purpose), fallback }
    }
}

fn extract(secret: &Secret) -> Hkdf<Sha256> {
    Hkdf::new(Some(SALT), secret.expose())
}

/// # Panics
/// Never: 32 bytes are one block of HKDF-SHA256, and it can give 255.
#[expect(clippy::expect_used, reason = "a key that was not derived must not be used")]
fn expand(root: &Hkdf<Sha256>, purpose: Purpose) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    root.expand(purpose.label(), key.as_mut_slice()).expect("one block is no more than 255");
    key
}

/// The keys for one purpose: the active one makes, each is recognised.
///
/// ```
/// use portcullis_security::secret::Secret;
/// use portcullis_security::token::{Purpose, RootKey};
///
/// let old = Secret::from("the secret that was replaced after a year");
/// let root = RootKey::new(&Secret::from("a secret of at least thirty-two bytes")).with_fallback(&old);
/// let chain = root.chain(Purpose::Cookie);
/// assert_eq!(chain.active(), &*root.derive(Purpose::Cookie));
/// assert!(chain.all().any(|key| key == &*RootKey::new(&old).derive(Purpose::Cookie)));
/// ```
#[derive(Clone)]
pub struct KeyChain {
    active: Zeroizing<[u8; 32]>,
    fallback: Option<Zeroizing<[u8; 32]>>,
}

impl KeyChain {
    /// The key that makes.
    #[must_use]
    pub fn active(&self) -> &[u8; 32] {
        &self.active
    }

    /// Every key, the active one first.
    pub fn all(&self) -> impl Iterator<Item = &[u8; 32]> {
        std::iter::once(&*self.active).chain(self.fallback.as_deref())
    }
}

/// HMAC-SHA256 over a list of texts, each behind its length, so that no two lists collide.
///
/// ```
/// use portcullis_security::token::prf;
///
/// assert_ne!(prf(b"key", &[b"ab", b"c"]), prf(b"key", &[b"a", b"bc"]));
/// assert_ne!(prf(b"key", &[b"a"]), prf(b"key", &[b"a", b""]));
/// ```
#[must_use]
pub fn prf(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = mac(key);
    for part in parts {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The id of a session's refresh token in one generation.
///
/// It can be computed again but not guessed, so the current token of a session need not be stored.
///
/// ```
/// use portcullis_security::token::session_jti;
///
/// assert_eq!(session_jti(&[1; 32], 5, 0), session_jti(&[1; 32], 5, 0));
/// assert_ne!(session_jti(&[1; 32], 5, 0), session_jti(&[1; 32], 5, 1));
/// ```
#[must_use]
pub fn session_jti(prf_key: &[u8; 32], session_id: i64, generation: i64) -> [u8; 16] {
    let long = prf(prf_key, &[b"session jti", &session_id.to_le_bytes(), &generation.to_le_bytes()]);
    let mut jti = [0; 16];
    jti.copy_from_slice(&long[..16]);
    jti
}

/// HMAC-SHA256 with its key absorbed. HMAC takes keys of every length (RFC 2104 §2).
pub(crate) fn mac(key: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256> as hkdf::HmacImpl>::new_from_slice(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_purpose_has_a_key_of_its_own() {
        let root = RootKey::new(&Secret::from("root"));
        let all = [
            Purpose::Sealing,
            Purpose::Cookie,
            Purpose::Csrf,
            Purpose::Prf,
            Purpose::Jwt,
            Purpose::Code,
            Purpose::Dummy,
            Purpose::Throttle,
            Purpose::Unsubscribe,
        ];
        let keys: HashSet<[u8; 32]> = all.iter().map(|purpose| *root.derive(*purpose)).collect();
        assert_eq!(keys.len(), all.len());
        assert!(!keys.contains(&[0; 32]));
    }

    /// RFC 4231, test cases 2 and 6: a short key, and one longer than a block.
    #[test]
    fn the_mac_is_that_of_rfc_4231() {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let short = mac(b"Jefe").chain_update(b"what do ya want for nothing?").finalize().into_bytes();
        assert_eq!(hex(&short), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let long = mac(&[0xaa; 131]).chain_update(text).finalize().into_bytes();
        assert_eq!(hex(&long), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }
}
