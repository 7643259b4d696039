//! Tokens for mail links and tickets, and codes for typing: shown once, stored as a hash.

use super::root::prf;
use crate::random::Random;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const TOKEN_BYTES: usize = 32;
const TOKEN_CHARACTERS: usize = 43;
const CODE_DIGITS: usize = 8;
const CODES: u32 = 100_000_000;

/// A random token of 256 bits: 43 characters that may stand in a URL.
///
/// Only its hash is stored, so a stolen database opens nothing (ASVS v5.0.0-6.5.2). A plain SHA-256 is
/// enough: nobody can try 2²⁵⁶ tokens.
///
/// ```
/// use portcullis_security::random::Random;
/// use portcullis_security::token::{OneTimeToken, hash_presented};
///
/// let token = OneTimeToken::generate(&Random::system());
/// assert_eq!(hash_presented(token.expose()), Some(token.hash()));
/// assert_eq!(hash_presented("anything else"), None);
/// ```
pub struct OneTimeToken(Secret);

impl OneTimeToken {
    /// Draws a token.
    #[must_use]
    pub fn generate(random: &Random) -> Self {
        let bytes = Zeroizing::new(random.bytes::<TOKEN_BYTES>());
        Self(Secret::from(URL_SAFE_NO_PAD.encode(*bytes)))
    }

    /// The token's text: for the mail or the answer, and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_text()
    }

    /// SHA-256 of the text: what is stored and looked up.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.expose()).into()
    }
}

/// The hash to look up for a text that somebody presents, or nothing when it cannot be a token.
///
/// The lookup by hash leaks no timing about the token: an attacker cannot steer SHA-256.
#[must_use]
pub fn hash_presented(text: &str) -> Option<[u8; 32]> {
    if text.len() != TOKEN_CHARACTERS {
        return None;
    }
    let mut bytes = Zeroizing::new([0; TOKEN_BYTES + 1]);
    let length = URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut_slice()).ok()?;
    (length == TOKEN_BYTES).then(|| Sha256::digest(text).into())
}

/// Eight decimal digits to be typed from a mail, each code as likely as the next.
///
/// There are only 10⁸ of them: the caller must count wrong tries, and the stored form is keyed and
/// bound to the user, so a stolen table cannot be searched (ASVS v5.0.0-6.5.2).
///
/// ```
/// use portcullis_security::random::Random;
/// use portcullis_security::token::{Code, hash_presented_code};
///
/// let code = Code::generate(&Random::system());
/// let key = [1; 32];
/// assert_eq!(hash_presented_code(code.expose(), &key, 42), Some(code.hash(&key, 42)));
/// assert_ne!(code.hash(&key, 42), code.hash(&key, 43));
/// ```
pub struct Code(Secret);

impl Code {
    /// Draws a code. A draw above the last whole multiple of 10⁸ is thrown away, which it is in 2 % of
    /// cases: taking the remainder of all would favour small codes.
    #[must_use]
    pub fn generate(random: &Random) -> Self {
        const FAIR: u32 = u32::MAX / CODES * CODES;
        loop {
            let draw = u32::from_le_bytes(random.bytes());
            if draw < FAIR {
                return Self(Secret::from(format!("{:08}", draw % CODES)));
            }
        }
    }

    /// The digits: for the mail, and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_text()
    }

    /// HMAC-SHA256 over user and digits: what is stored.
    #[must_use]
    pub fn hash(&self, key: &[u8; 32], user_id: i64) -> [u8; 32] {
        hash_code(self.0.expose(), key, user_id)
    }
}

/// The hash of digits that somebody presents for a user, or nothing when they cannot be a code.
#[must_use]
pub fn hash_presented_code(text: &str, key: &[u8; 32], user_id: i64) -> Option<[u8; 32]> {
    let is_code = text.len() == CODE_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then(|| hash_code(text.as_bytes(), key, user_id))
}

fn hash_code(digits: &[u8], key: &[u8; 32], user_id: i64) -> [u8; 32] {
    prf(key, &[b"code", &user_id.to_le_bytes(), digits])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_has_one_spelling() {
        let token = OneTimeToken::generate(&Random::seeded(1));
        let text = token.expose();
        assert_eq!(text.len(), 43);
        let stem = &text[..42];
        let good =
            (b'A'..=b'z').map(char::from).filter(|end| hash_presented(&format!("{stem}{end}")).is_some());
        assert!(good.count() <= 16, "two bits of the last character must be zero");
        assert_eq!(hash_presented(&format!("{text}=")), None);
        assert_eq!(hash_presented(&text.replace(&text[..1], " ")), None);
    }

    #[test]
    fn codes_are_eight_digits_spread_evenly() {
        let random = Random::seeded(2);
        let mut counts = [0_u32; 10];
        for _ in 0..2_000 {
            let code = Code::generate(&random);
            assert_eq!(code.expose().len(), 8);
            counts[usize::from(code.expose().as_bytes()[0] - b'0')] += 1;
        }
        assert!(counts.iter().all(|count| (120..280).contains(count)), "{counts:?}");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_readers_panic(text in "\\PC{0,60}") {
            let _ = hash_presented(&text);
            let _ = hash_presented_code(&text, &[0; 32], 1);
        }
    }
}
