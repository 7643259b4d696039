//! Whether a key was made or merely typed (guide §16, ASVS v5.0.0-13.3.1).

/// The least length of a key: 256 bits, as HS256 demands (RFC 7518 §3.2).
pub const LEAST_BYTES: usize = 32;

/// Phrases of examples and habits, without separators. By chance a generated key holds none of them.
const PLACEHOLDER_PHRASES: [&str; 16] = [
    "changeme",
    "changethis",
    "replaceme",
    "replacethis",
    "placeholder",
    "yoursecret",
    "yourkey",
    "yourapikey",
    "yourpassword",
    "yourdbpassword",
    "supersecret",
    "secretkey",
    "notsecret",
    "insecure",
    "example",
    "0123456789",
];

/// Words of habit. A generated key holds one once in many thousand years; a typed one is often nothing else.
const WORDS: [&str; 18] = [
    "password",
    "passwort",
    "secret",
    "portcullis",
    "production",
    "development",
    "staging",
    "django",
    "admin",
    "default",
    "database",
    "mariadb",
    "mysql",
    "server",
    "token",
    "letmein",
    "welcome",
    "signing",
];

/// What fingers type without thinking, forwards or backwards.
const ROWS: [&str; 10] = [
    "abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlkjihgfedcba",
    "qwertyuiop",
    "poiuytrewq",
    "asdfghjkl",
    "lkjhgfdsa",
    "zxcvbnm",
    "mnbvcxz",
    "01234567890",
    "09876543210",
];

/// The least part of a row that is no chance.
const LEAST_ROW: usize = 5;

/// Letters and digits beside such phrases that may have been drawn by chance.
const DRAWN: usize = 16;

/// Why a key is refused, as a phrase that follows "is"; `None` when it will do (contract §5).
#[must_use]
pub fn flaw(secret: &[u8]) -> Option<&'static str> {
    if is_placeholder(secret) {
        Some("a placeholder")
    } else if secret.len() < LEAST_BYTES {
        Some("shorter than 32 bytes")
    } else {
        None
    }
}

/// What is wrong with a key that may yet be used.
#[must_use]
pub fn weakness(secret: &[u8]) -> Option<&'static str> {
    flaw(secret).or_else(|| guessable(secret))
}

/// Why a password or a token of any length can be guessed, as a phrase that follows "is".
#[must_use]
pub fn guessable(secret: &[u8]) -> Option<&'static str> {
    if is_repetition(secret) {
        return Some("one short piece over and over");
    }
    // Random bytes have no letters to look at.
    let text = std::str::from_utf8(secret).ok()?;
    if is_placeholder(secret) {
        return Some("a placeholder");
    }
    let letters = letters(text);
    let drawn = drawn(&letters);
    (drawn < letters.len() && drawn < DRAWN).then_some("made of words and rows of keys")
}

/// Whether the text is what an example says, as `change-me` or `your-super-secret-key-here`, or what Django writes
/// into a new project.
#[must_use]
pub fn is_placeholder(secret: &[u8]) -> bool {
    let letters = letters(&String::from_utf8_lossy(secret));
    let rest = PLACEHOLDER_PHRASES.iter().fold(letters.clone(), |rest, phrase| rest.replace(phrase, ""));
    let is_phrases = rest.len() < letters.len() && rest.len() < DRAWN;
    letters.is_empty() || is_phrases || letters.contains("djangoinsecure")
}

fn letters(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How many bytes belong to no word and no row.
fn drawn(letters: &str) -> usize {
    let (mut rest, mut count) = (letters, 0);
    while let Some(first) = rest.chars().next() {
        let known = word_length(rest).max(row_length(rest));
        let taken = if known > 0 { known } else { first.len_utf8() };
        count += taken - known;
        rest = &rest[taken..];
    }
    count
}

fn word_length(text: &str) -> usize {
    WORDS.iter().filter(|word| text.starts_with(**word)).map(|word| word.len()).max().unwrap_or(0)
}

fn row_length(text: &str) -> usize {
    let is_row = |length: &usize| {
        text.get(..*length).is_some_and(|beginning| ROWS.iter().any(|row| row.contains(beginning)))
    };
    (LEAST_ROW..=26).rev().find(is_row).unwrap_or(0)
}

/// Whether some piece of at most half the length makes up the whole, or hardly any byte differs.
fn is_repetition(secret: &[u8]) -> bool {
    let repeats = |length: usize| secret.iter().zip(&secret[length..]).all(|(one, other)| one == other);
    let mut seen = [false; 256];
    for byte in secret {
        seen[usize::from(*byte)] = true;
    }
    seen.iter().filter(|seen| **seen).count() < 6 || (1..=secret.len() / 2).any(repeats)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use portcullis_security::random::Random;

    #[test]
    fn examples_and_habits_are_refused() {
        for secret in [
            "change-me",
            "Change_Me_please_change_me_please_now",
            "your-super-secret-key-here",
            "django-insecure-x8#k2$1qz7w@v5n9m3b6c4x2z1a0s8d7f6g",
            "01234567890123456789012345678901",
            "--------------------------------",
            "",
        ] {
            assert_eq!(flaw(secret.as_bytes()), Some("a placeholder"), "{secret}");
        }
    }

    #[test]
    fn short_keys_are_refused_and_repeated_ones_are_weak() {
        assert_eq!(flaw(b"k3J9x2Lq8Zp4Wn6Tb1Vc5Md7Rf0Gh2s"), Some("shorter than 32 bytes"));
        for secret in
            ["a".repeat(40), "k3J9x2Lq8Z".repeat(4), "ababababacabababababababababababab".to_owned()]
        {
            assert_eq!(flaw(secret.as_bytes()), None, "{secret}");
            assert_eq!(weakness(secret.as_bytes()), Some("one short piece over and over"), "{secret}");
        }
    }

    #[test]
    fn words_and_rows_of_keys_are_weak() {
        for secret in [
            "abcdefghijklmnopqrstuvwxyz012345",
            "passwordpasswordpassword12345678",
            "qwertyuiopasdfghjklzxcvbnm123456",
            "portcullis-production-secret-key-2026",
        ] {
            assert_eq!(flaw(secret.as_bytes()), None, "{secret}");
            assert_eq!(weakness(secret.as_bytes()), Some("made of words and rows of keys"), "{secret}");
        }
        assert_eq!(guessable(b"Zp4Wn6Tb1Vc5"), None);
        assert_eq!(guessable(&[0; 24]), Some("one short piece over and over"));
        assert_eq!(guessable("пароль-пароль-пароль".as_bytes()), Some("one short piece over and over"));
    }

    #[test]
    fn a_long_key_may_hold_a_phrase() {
        assert_eq!(weakness(b"your-super-secret-key-here-0f9d8c7b6a5e4d3c2b1a"), None);
    }

    #[test]
    fn generated_keys_pass() {
        let random = Random::seeded(1);
        for _ in 0..2_000 {
            let bytes: [u8; 32] = random.bytes();
            assert_eq!(guessable(&bytes), None, "{bytes:?}");
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(weakness(hex.as_bytes()), None, "{hex}");
        }
        assert_eq!(weakness(b"xm3!+9$y8h1@z%kq7&w2^v5*n0(b4-c6_d=e+fghijlmoprstu"), None);
    }
}
