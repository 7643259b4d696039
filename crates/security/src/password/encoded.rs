//! The six formats of Django: reading them and checking a password against them.

use ::argon2::{Block, Version};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::arena::Arena;
use super::argon2::{Argon2Params, Computation};
use super::scheme::{Argon2Variety, FormatError, Scheme, decimal, parse_variety};
use crate::secret::Secret;

/// Longer texts are no hashes: Django's column has 128 characters.
const MAX_ENCODED_LENGTH: usize = 1024;

/// Whether `password` is the one that `encoded` was made from; on this thread, with memory of its own.
///
/// A server uses [`PasswordPool::verify`](super::PasswordPool::verify). Read are Django's `argon2` (all
/// three varieties, versions 16 and 19), `pbkdf2_sha256`, `pbkdf2_sha1`, `bcrypt_sha256`, `bcrypt` (which
/// sees the first 72 bytes only) and `scrypt`. Anything else is a wrong password: `!…`, another
/// algorithm, a malformed text, a cost above the limits in [`Scheme`], no memory.
///
/// ```
/// use portcullis_security::password::verify_password;
/// use portcullis_security::secret::Secret;
///
/// let encoded = "pbkdf2_sha1$1$salt$b6qWJOJoH6gzLUfsbSfR+2mPNOA=";
/// assert!(!verify_password(encoded, &Secret::from("guess")));
/// assert!(!verify_password("!unusable", &Secret::from("")));
/// ```
#[must_use]
pub fn verify_password(encoded: &str, password: &Secret) -> bool {
    let Ok(parsed) = Encoded::parse(encoded) else { return false };
    let Ok(mut arena) = Arena::allocate(parsed.arena_kib()) else { return false };
    parsed.matches(password.expose(), arena.blocks())
}

/// Whether a hash should be replaced when its owner logs in: it is not Argon2id, or its memory times
/// iterations lie below the setting's.
///
/// A stronger hash stays, so that lowering the setting weakens nobody. What no password matches is
/// not obsolete, as no login can replace it.
///
/// ```
/// use portcullis_security::password::{Argon2Params, is_obsolete};
///
/// let encoded = "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHQ$kGvyJ2pkYbAo1jgyEvYOMIYXqpbrZxWmBvSZA7Zyqag";
/// assert!(!is_obsolete(encoded, &Argon2Params::default()));
/// assert!(is_obsolete(encoded, &Argon2Params::new(102_400, 3, 1)?));
/// # Ok::<(), portcullis_security::password::ParamsError>(())
/// ```
#[must_use]
pub fn is_obsolete(encoded: &str, params: &Argon2Params) -> bool {
    let work = |params: &Argon2Params| u64::from(params.memory_kib()) * u64::from(params.iterations());
    match Scheme::of_encoded(encoded) {
        Scheme::Unusable => false,
        Scheme::Argon2 { variety: Argon2Variety::Id, params: stored } => work(&stored) < work(params),
        _ => true,
    }
}

/// The memory in KiB that verifying `encoded` needs; 1 for what needs little or cannot be verified.
///
/// ```
/// use portcullis_security::password::memory_kib;
///
/// assert_eq!(memory_kib("!unusable"), 1);
/// ```
#[must_use]
pub fn memory_kib(encoded: &str) -> u32 {
    Scheme::of_encoded(encoded).memory_kib()
}

/// A hash that was read and whose cost lies within the limits.
pub(super) struct Encoded<'a> {
    /// Algorithm and cost.
    pub(super) scheme: Scheme,
    form: Form<'a>,
}

/// What remains beside the scheme.
enum Form<'a> {
    Argon2 {
        computation: Computation,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
    /// PBKDF2 and scrypt: the characters of the salt are the salt.
    Salted {
        salt: &'a str,
        hash: Vec<u8>,
    },
    /// `$2b$…`, as bcrypt writes it.
    Crypt(&'a str),
}

impl<'a> Encoded<'a> {
    /// Reads a hash as Django wrote it, to the letter.
    pub(super) fn parse(encoded: &'a str) -> Result<Self, FormatError> {
        if encoded.starts_with('!') {
            return Err(FormatError::Unusable);
        }
        if encoded.len() > MAX_ENCODED_LENGTH {
            return Err(FormatError::Malformed);
        }
        let (algorithm, rest) = encoded.split_once('$').ok_or(FormatError::UnknownAlgorithm)?;
        match algorithm {
            "argon2" => parse_argon2(rest),
            "pbkdf2_sha256" => parse_pbkdf2(rest, |iterations| Scheme::Pbkdf2Sha256 { iterations }, 32),
            "pbkdf2_sha1" => parse_pbkdf2(rest, |iterations| Scheme::Pbkdf2Sha1 { iterations }, 20),
            "bcrypt_sha256" => parse_bcrypt(rest, |cost| Scheme::BcryptSha256 { cost }),
            "bcrypt" => parse_bcrypt(rest, |cost| Scheme::Bcrypt { cost }),
            "scrypt" => parse_scrypt(rest),
            _ => Err(FormatError::UnknownAlgorithm),
        }
    }

    /// The size of the arena that [`matches`](Self::matches) needs: only Argon2 works in one.
    pub(super) fn arena_kib(&self) -> u32 {
        match self.scheme {
            Scheme::Argon2 { params, .. } => params.memory_kib(),
            _ => 0,
        }
    }

    /// Whether the hash was made from `password`; compared in constant time.
    pub(super) fn matches(&self, password: &[u8], blocks: &mut [Block]) -> bool {
        match &self.form {
            Form::Argon2 { computation, salt, hash } => {
                let mut computed = vec![0; hash.len()];
                computation.run(password, salt, blocks, &mut computed).is_ok()
                    && bool::from(computed.ct_eq(hash))
            }
            Form::Salted { salt, hash } => {
                let mut computed = vec![0; hash.len()];
                self.derive(password, salt.as_bytes(), &mut computed) && bool::from(computed.ct_eq(hash))
            }
            Form::Crypt(text) if matches!(self.scheme, Scheme::BcryptSha256 { .. }) => {
                bcrypt::verify(&*hex(&Sha256::digest(password)), text).unwrap_or(false)
            }
            Form::Crypt(text) => bcrypt::verify(password, text).unwrap_or(false),
        }
    }

    fn derive(&self, password: &[u8], salt: &[u8], hash: &mut [u8]) -> bool {
        match self.scheme {
            Scheme::Pbkdf2Sha256 { iterations } => {
                pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, hash);
                true
            }
            Scheme::Pbkdf2Sha1 { iterations } => {
                pbkdf2::pbkdf2_hmac::<sha1::Sha1>(password, salt, iterations, hash);
                true
            }
            Scheme::Scrypt { work_factor, block_size, parallelism } => {
                u8::try_from(work_factor.trailing_zeros())
                    .ok()
                    .and_then(|log_n| scrypt::Params::new(log_n, block_size, parallelism).ok())
                    .is_some_and(|params| scrypt::scrypt(password, salt, &params, hash).is_ok())
            }
            _ => false,
        }
    }
}

fn hex(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
    Zeroizing::new(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}

/// `argon2id$v=19$m=…,t=…,p=…$salt$hash`; version 1.0 wrote no `v=`.
fn parse_argon2(rest: &str) -> Result<Encoded<'_>, FormatError> {
    let parts: Vec<&str> = rest.split('$').collect();
    let (variety, version, costs, salt, hash) = match *parts.as_slice() {
        [variety, "v=19", costs, salt, hash] => (variety, Version::V0x13, costs, salt, hash),
        [variety, "v=16", costs, salt, hash] | [variety, costs, salt, hash] => {
            (variety, Version::V0x10, costs, salt, hash)
        }
        _ => return Err(FormatError::Malformed),
    };
    let variety = parse_variety(variety).map_err(|_| FormatError::Malformed)?;
    let params = parse_argon2_costs(costs)?;
    let (salt, hash) = (unpadded(salt)?, unpadded(hash)?);
    if salt.len() < ::argon2::MIN_SALT_LEN || !(4..=128).contains(&hash.len()) {
        return Err(FormatError::Malformed);
    }
    let computation = Computation { variety, version, params };
    Ok(Encoded { scheme: Scheme::Argon2 { variety, params }, form: Form::Argon2 { computation, salt, hash } })
}

fn parse_argon2_costs(costs: &str) -> Result<Argon2Params, FormatError> {
    let (memory, rest) = costs.split_once(',').ok_or(FormatError::Malformed)?;
    let (passes, lanes) = rest.split_once(',').ok_or(FormatError::Malformed)?;
    let value = |text: &str, key: &str| text.strip_prefix(key).map_or(Err(FormatError::Malformed), decimal);
    Ok(Argon2Params::new(value(memory, "m=")?, value(passes, "t=")?, value(lanes, "p=")?)?)
}

fn unpadded(text: &str) -> Result<Vec<u8>, FormatError> {
    STANDARD_NO_PAD.decode(text).map_err(|_| FormatError::Malformed)
}

/// Base64 of exactly `length` bytes.
fn padded(text: &str, length: usize) -> Result<Vec<u8>, FormatError> {
    let bytes = STANDARD.decode(text).map_err(|_| FormatError::Malformed)?;
    if bytes.len() == length { Ok(bytes) } else { Err(FormatError::Malformed) }
}

fn non_empty(salt: &str) -> Result<&str, FormatError> {
    if salt.is_empty() { Err(FormatError::Malformed) } else { Ok(salt) }
}

/// `iterations$salt$hash`
fn parse_pbkdf2(rest: &str, scheme: fn(u32) -> Scheme, length: usize) -> Result<Encoded<'_>, FormatError> {
    let parts: Vec<&str> = rest.splitn(3, '$').collect();
    let [iterations, salt, hash] = *parts.as_slice() else { return Err(FormatError::Malformed) };
    let form = Form::Salted { salt: non_empty(salt)?, hash: padded(hash, length)? };
    Ok(Encoded { scheme: scheme(decimal(iterations)?).checked()?, form })
}

/// `N$salt$r$p$hash`
fn parse_scrypt(rest: &str) -> Result<Encoded<'_>, FormatError> {
    let parts: Vec<&str> = rest.splitn(5, '$').collect();
    let [work_factor, salt, block_size, parallelism, hash] = *parts.as_slice() else {
        return Err(FormatError::Malformed);
    };
    let scheme = Scheme::Scrypt {
        work_factor: decimal(work_factor)?,
        block_size: decimal(block_size)?,
        parallelism: decimal(parallelism)?,
    };
    let form = Form::Salted { salt: non_empty(salt)?, hash: padded(hash, 64)? };
    Ok(Encoded { scheme: scheme.checked()?, form })
}

/// `$2b$12$…`: the dollar that follows the algorithm's name is bcrypt's second.
fn parse_bcrypt(rest: &str, scheme: fn(u32) -> Scheme) -> Result<Encoded<'_>, FormatError> {
    let parts: bcrypt::HashParts = rest.parse().map_err(|_| FormatError::Malformed)?;
    Ok(Encoded { scheme: scheme(parts.get_cost()).checked()?, form: Form::Crypt(rest) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::argon2::{Salt, hash_password};
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Vector {
        password: String,
        wrong: Vec<String>,
        /// Scheme and encoded hash.
        hashes: Vec<(String, String)>,
    }

    #[derive(Deserialize)]
    struct Vectors {
        passwords: Vec<Vector>,
        refused: Vec<String>,
        argon2_of_django: Vec<Argon2Vector>,
    }

    #[derive(Deserialize)]
    struct Argon2Vector {
        password: String,
        salt: String,
        memory_kib: u32,
        iterations: u32,
        parallelism: u32,
        encoded: String,
    }

    fn vectors() -> Vectors {
        serde_json::from_str(include_str!("../../tests/vectors/password_hashes.json")).unwrap()
    }

    fn cheap() -> Argon2Params {
        Argon2Params::new(8, 1, 1).unwrap()
    }

    #[test]
    fn every_hash_that_django_makes_matches_its_password_and_no_other() {
        for Vector { password, wrong, hashes } in vectors().passwords {
            for (scheme, encoded) in hashes {
                assert!(verify_password(&encoded, &password.as_str().into()), "{encoded}");
                assert_eq!(Scheme::of_encoded(&encoded).to_string(), scheme);
                for wrong in &wrong {
                    let alike = scheme.starts_with("bcrypt:") && first_72(wrong) == first_72(&password);
                    assert_eq!(verify_password(&encoded, &wrong.as_str().into()), alike, "{encoded}");
                }
            }
        }
    }

    fn first_72(text: &str) -> &[u8] {
        &text.as_bytes()[..text.len().min(72)]
    }

    #[test]
    fn what_django_refuses_is_a_wrong_password() {
        for encoded in &vectors().refused {
            assert!(!verify_password(encoded, &"password".into()), "{encoded}");
            assert_eq!(Scheme::of_encoded(encoded), Scheme::Unusable, "{encoded}");
        }
    }

    #[test]
    fn a_new_hash_is_djangos_to_the_letter() {
        for vector in &vectors().argon2_of_django {
            let params = Argon2Params::new(vector.memory_kib, vector.iterations, vector.parallelism).unwrap();
            let made = hash_password(&vector.password.as_str().into(), &Salt::fixed(&vector.salt), &params);
            assert_eq!(made.as_ref(), Ok(&vector.encoded));
        }
    }

    #[test]
    fn absurd_costs_are_a_wrong_password_at_once() {
        for encoded in [
            "argon2$argon2id$v=19$m=4294967295,t=4294967295,p=16777215$c2FsdHNhbHQ$aGFzaGhhc2g",
            "argon2$argon2id$v=19$m=4294967296,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
            "pbkdf2_sha256$4294967295$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "bcrypt$$2b$31$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i",
            "bcrypt$$2b$31$é",
        ] {
            assert!(!verify_password(encoded, &"password".into()), "{encoded}");
        }
    }

    #[test]
    fn a_hash_is_obsolete_below_the_setting_and_never_above_it() {
        let argon2 = |costs: &str| format!("argon2$argon2id$v=19${costs}$c2FsdHNhbHQ$aGFzaGhhc2g");
        let setting = Argon2Params::new(64, 4, 1).unwrap();
        assert!(is_obsolete(&argon2("m=64,t=3,p=1"), &setting));
        assert!(is_obsolete(&argon2("m=255,t=1,p=1"), &setting));
        assert!(!is_obsolete(&argon2("m=256,t=1,p=1"), &setting));
        assert!(!is_obsolete(&argon2("m=64,t=5,p=8"), &setting));
        assert!(is_obsolete(&argon2("m=64,t=5,p=8").replace("argon2id", "argon2i"), &setting));
        for (scheme, encoded) in &vectors().passwords[0].hashes {
            assert!(is_obsolete(encoded, &cheap()) || scheme.starts_with("argon2id"), "{encoded}");
        }
        assert!(!is_obsolete("!", &setting) && !is_obsolete("", &setting));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_password_verifies_against_its_own_hash_only(password in any::<String>(), other in any::<String>()) {
            let salt = Salt::generate(&crate::random::Random::seeded(1));
            let encoded = hash_password(&password.as_str().into(), &salt, &cheap()).unwrap();
            prop_assert!(verify_password(&encoded, &password.as_str().into()));
            prop_assert_eq!(verify_password(&encoded, &other.as_str().into()), other == password);
            prop_assert_eq!(Scheme::of_encoded(&encoded), cheap().scheme());
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            let _ = Scheme::parse_encoded(&text);
        }

        #[test]
        fn no_damage_to_a_hash_makes_it_panic_or_match(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), with in "[$=,0-9a-zA-Z./+é!]{0,3}") {
            let Vector { password, hashes, .. } = vectors().passwords.remove(0);
            let hashes: Vec<_> = hashes.into_iter().filter(|(_, encoded)| encoded.is_ascii()).collect();
            let (scheme, encoded) = &hashes[which.index(hashes.len())];
            let at = at.index(encoded.len());
            let damaged = format!("{}{with}{}", &encoded[..at], &encoded[at + 1..]);
            let same_cost = Scheme::of_encoded(&damaged).to_string() == *scheme;
            if damaged != *encoded && same_cost {
                let matches = verify_password(&damaged, &password.as_str().into());
                // The four spellings of bcrypt's version mean the same.
                prop_assert!(!matches || scheme.starts_with("bcrypt"), "{}", damaged);
            }
        }
    }
}
