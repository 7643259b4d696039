//! Hashes of nobody: what a login is verified against when the name is not known.

use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};
use ring::hmac;

use super::argon2::{Argon2Params, encode, salt_character};
use super::scheme::Scheme;

const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(&BCRYPT, NO_PAD);
const SALT_LENGTH: usize = 22;

/// An encoded hash that no password matches and that costs what a stored one would, for a login name that
/// nobody has.
///
/// Without it the time of an answer tells which names exist, and where hashes of several costs are stored
/// one dummy for all does too (ASVS v5.0.0-6.3.8). `mix` counts the schemes that are stored, each once;
/// one is drawn with these weights, by a keyed PRF of `folded_login` (the name as it is looked up), so
/// that a name always gets the same and nobody without `key` can tell which. When the counts change, a
/// name changes only towards a scheme whose share has grown, as a real account does when its hash is
/// replaced. Without any count the scheme is that of `current`.
///
/// The hash part is drawn as well: finding a password for it means to invert the hash.
///
/// ```
/// use portcullis_security::password::{Argon2Params, Scheme, dummy_hash};
///
/// let mix = [(Scheme::Pbkdf2Sha256 { iterations: 870_000 }, 900), (Argon2Params::default().scheme(), 100)];
/// let dummy = dummy_hash(&[7; 32], "nobody", &mix, &Argon2Params::default());
/// assert_eq!(dummy, dummy_hash(&[7; 32], "nobody", &mix, &Argon2Params::default()));
/// assert!(mix.iter().any(|(scheme, _)| *scheme == Scheme::of_encoded(&dummy)));
/// ```
#[must_use]
pub fn dummy_hash(
    key: &[u8; 32],
    folded_login: &str,
    mix: &[(Scheme, u64)],
    current: &Argon2Params,
) -> String {
    let source = Source { key: hmac::Key::new(hmac::HMAC_SHA256, key), login: folded_login };
    let scheme = source.choose(mix).unwrap_or_else(|| current.scheme());
    source.encode(scheme)
}

/// The keyed PRF, for one login name.
struct Source<'a> {
    key: hmac::Key,
    login: &'a str,
}

impl Source<'_> {
    /// 32 bytes that depend on the key, the name and a label.
    fn bytes(&self, label: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in ["password dummy", label, self.login] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&context.sign().as_ref()[..32]);
        bytes
    }

    /// Weighted rendezvous: each scheme draws an exponential time with its count as the rate, and the
    /// first one wins. So it wins with the probability of its share, in whatever order they are listed.
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    fn choose(&self, mix: &[(Scheme, u64)]) -> Option<Scheme> {
        let arrival = |scheme: &Scheme, count: u64| {
            let [a, b, c, d, e, f, g, h, ..] = self.bytes(&scheme.to_string());
            let drawn = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 12;
            let uniform = (drawn as f64 + 0.5) / (1_u64 << 52) as f64;
            -uniform.ln() / count as f64
        };
        mix.iter()
            .filter(|(_, count)| *count > 0)
            .map(|(scheme, count)| (arrival(scheme, *count), *scheme))
            .min_by(|(left, _), (right, _)| left.total_cmp(right))
            .map(|(_, scheme)| scheme)
    }

    fn encode(&self, scheme: Scheme) -> String {
        let (salt, hash) = (self.salt(), self.bytes("hash"));
        match scheme {
            Scheme::Argon2 { variety, params } => encode(variety, &params, salt.as_bytes(), &hash),
            Scheme::Pbkdf2Sha256 { iterations } => {
                format!("pbkdf2_sha256${iterations}${salt}${}", STANDARD.encode(hash))
            }
            Scheme::Pbkdf2Sha1 { iterations } => {
                format!("pbkdf2_sha1${iterations}${salt}${}", STANDARD.encode(&hash[..20]))
            }
            Scheme::BcryptSha256 { cost } => format!("bcrypt_sha256${}", self.crypt(cost)),
            Scheme::Bcrypt { cost } => format!("bcrypt${}", self.crypt(cost)),
            Scheme::Scrypt { work_factor, block_size, parallelism } => {
                let hash = STANDARD.encode([hash, self.bytes("second half")].concat());
                format!("scrypt${work_factor}${salt}${block_size}${parallelism}${hash}")
            }
            Scheme::Unusable => format!("!{salt}"),
        }
    }

    fn crypt(&self, cost: u32) -> String {
        let (salt, hash) = (self.bytes("bcrypt salt"), self.bytes("hash"));
        format!("$2b${cost:02}${}{}", BCRYPT_BASE64.encode(&salt[..16]), BCRYPT_BASE64.encode(&hash[..23]))
    }

    /// A salt of Django's length: what remains of 64 bytes, filled up for the case that it is too short.
    fn salt(&self) -> String {
        let drawn = [self.bytes("salt"), self.bytes("more salt")].concat();
        let characters = drawn.into_iter().filter_map(salt_character);
        characters.chain(std::iter::repeat('a')).take(SALT_LENGTH).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::verify_password;
    use super::*;
    use std::collections::HashMap;

    fn scheme(text: &str) -> Scheme {
        text.parse().unwrap()
    }

    fn dummy(login: &str, mix: &[(Scheme, u64)]) -> String {
        dummy_hash(&[1; 32], login, mix, &Argon2Params::new(8, 1, 1).unwrap())
    }

    #[test]
    fn a_dummy_has_the_cost_and_the_shape_of_a_real_hash_and_matches_nothing() {
        for (text, length) in [
            ("argon2id:16:2:2", "argon2$argon2id$v=19$m=16,t=2,p=2$".len() + 30 + 1 + 43),
            ("argon2i:16:2:2", "argon2$argon2i$v=19$m=16,t=2,p=2$".len() + 30 + 1 + 43),
            ("pbkdf2_sha256:3", "pbkdf2_sha256$3$".len() + 22 + 1 + 44),
            ("pbkdf2_sha1:3", "pbkdf2_sha1$3$".len() + 22 + 1 + 28),
            ("bcrypt_sha256:4", "bcrypt_sha256$".len() + 60),
            ("bcrypt:4", "bcrypt$".len() + 60),
            ("scrypt:16:8:2", "scrypt$16$$8$2$".len() + 22 + 88),
            ("unusable", 23),
        ] {
            let made = dummy("nobody", &[(scheme(text), 1)]);
            assert_eq!(Scheme::parse_encoded(&made), Ok(scheme(text)), "{made}");
            assert_eq!(made.len(), length, "{made}");
            for password in ["", "nobody", "password"] {
                assert!(!verify_password(&made, &password.into()));
            }
        }
    }

    #[test]
    fn an_empty_mix_gives_the_current_setting() {
        let current = Argon2Params::new(8, 1, 1).unwrap().scheme();
        assert_eq!(Scheme::of_encoded(&dummy("nobody", &[])), current);
        assert_eq!(Scheme::of_encoded(&dummy("nobody", &[(scheme("bcrypt:4"), 0)])), current);
    }

    #[test]
    fn dummies_have_the_stored_mix_in_any_order_and_differ_by_name_and_key() {
        let mix = [(scheme("bcrypt:4"), 70), (scheme("pbkdf2_sha1:1"), 25), (scheme("unusable"), 5)];
        let turned: Vec<_> = mix.iter().rev().copied().collect();
        let mut counts: HashMap<Scheme, u64> = HashMap::new();
        for number in 0..10_000 {
            let login = format!("user{number}");
            let made = dummy(&login, &mix);
            assert_eq!(made, dummy(&login, &turned));
            *counts.entry(Scheme::of_encoded(&made)).or_default() += 1;
        }
        for (scheme, share) in mix {
            let drawn = counts[&scheme];
            assert!(drawn.abs_diff(share * 100) < 200, "{scheme}: {drawn} of 10000");
        }
        let one = [(scheme("bcrypt:4"), 1)];
        assert_ne!(dummy("one", &one), dummy("two", &one));
        assert_ne!(dummy("one", &one), dummy_hash(&[2; 32], "one", &one, &Argon2Params::default()));
    }

    #[test]
    fn a_name_moves_only_towards_the_scheme_that_grows() {
        let (old, new) = (scheme("pbkdf2_sha1:1"), scheme("argon2id:8:1:1"));
        for number in 0..200 {
            let login = format!("user{number}");
            let chosen: Vec<bool> = (0..=10)
                .map(|moved| Scheme::of_encoded(&dummy(&login, &[(old, 10 - moved), (new, moved)])) == new)
                .collect();
            assert!(chosen.is_sorted(), "{login}: {chosen:?}");
        }
    }
}
