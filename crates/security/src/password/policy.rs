//! The rules a new password must pass.

use super::common::is_common;
use super::similarity::similar_attribute;
use super::unicode::{is_alphanumeric, is_decimal, is_digit};

const MAX_LENGTH: usize = 128;
const TOO_LONG: &str = "Ensure this field has no more than 128 characters.";

static GUIDE_HELP: [&str; 5] = [
    "Your password can’t be too similar to your other personal information.",
    "Your password must contain at least 8 characters.",
    "Your password can’t be a commonly used password.",
    "Your password can’t be entirely numeric.",
    "Your password must contain at least 8 characters, including uppercase and lowercase letters, numbers, \
     and special characters.",
];

static NIST_HELP: [&str; 3] = [
    "Your password can’t be too similar to your other personal information.",
    "Your password must contain at least 15 characters.",
    "Your password can’t be a commonly used password.",
];

/// Which rules a new password must pass.
///
/// Lengths are code points, at most 128. Nothing is trimmed or normalised. Checking is linear in the
/// length of the password, so that an oversized one costs no more than reading it.
///
/// ```
/// use portcullis_security::password::{Policy, UserAttributes};
///
/// let user = UserAttributes { username: "quentin", ..UserAttributes::default() };
/// let messages: Vec<_> = Policy::Guide.check("Quentin7", &user).into_iter().map(|v| v.message).collect();
/// assert_eq!(
///     messages,
///     [
///         "The password is too similar to the username.",
///         "Password must contain at least one special character.",
///     ]
/// );
/// assert!(Policy::Guide.check("Grapes & 7 foxes", &user).is_empty());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Django's four validators (guide §2.2), then the character classes of guide §4.1: at least 8
    /// characters, with an upper and a lower case ASCII letter, a digit of any script and a character
    /// that is neither letter nor number.
    #[default]
    Guide,
    /// NIST SP 800-63B-4 §3.1.1.2: at least 15 characters, no rules of composition, but neither a
    /// common password nor one made of the user's own data (ASVS v5.0.0-6.2.1, 6.2.4, 6.2.5).
    Nist,
}

/// What is known about the user whose password is checked; an empty text counts as unknown.
///
/// ```
/// use portcullis_security::password::{Policy, UserAttributes};
///
/// let user = UserAttributes { email: "zebra@example.org", ..UserAttributes::default() };
/// assert_eq!(Policy::Nist.check("zebra@example.org", &user)[0].code, "password_too_similar");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct UserAttributes<'a> {
    /// The login name.
    pub username: &'a str,
    /// The first name.
    pub first_name: &'a str,
    /// The last name.
    pub last_name: &'a str,
    /// The address, compared whole and in its parts.
    pub email: &'a str,
}

/// One rule that a password breaks.
///
/// ```
/// use portcullis_security::password::{Policy, UserAttributes};
///
/// let violations = Policy::Nist.check("short", &UserAttributes::default());
/// assert_eq!(violations[0].code, "password_too_short");
/// assert_eq!(violations[0].message, "This password is too short. It must contain at least 15 characters.");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule, in the spelling of Django, Django REST framework and guide §4.1.
    pub code: &'static str,
    /// The words for the user.
    pub message: String,
}

impl Policy {
    /// Every rule that `password` breaks, in the order of the validators; empty when it is good.
    ///
    /// The length is reported once, in second place: too short in Django's words, too long in those of
    /// Django REST framework.
    #[must_use]
    pub fn check(self, password: &str, user: &UserAttributes<'_>) -> Vec<Violation> {
        let similar = similar_attribute(password, user).map(|name| {
            violation("password_too_similar", &format!("The password is too similar to the {name}."))
        });
        let common =
            is_common(password).then(|| violation("password_too_common", "This password is too common."));
        let mut found: Vec<Violation> =
            [similar, self.length_violation(password), common].into_iter().flatten().collect();
        if self == Self::Guide {
            found.extend(composition_violations(password));
        }
        found
    }

    /// The rules in words, in the order of [`check`](Self::check): what to show beside the field.
    ///
    /// ```
    /// use portcullis_security::password::Policy;
    ///
    /// assert_eq!(Policy::Nist.help()[1], "Your password must contain at least 15 characters.");
    /// ```
    #[must_use]
    pub fn help(self) -> &'static [&'static str] {
        match self {
            Self::Guide => &GUIDE_HELP,
            Self::Nist => &NIST_HELP,
        }
    }

    fn min_length(self) -> usize {
        match self {
            Self::Guide => 8,
            Self::Nist => 15,
        }
    }

    fn length_violation(self, password: &str) -> Option<Violation> {
        let (length, least) = (password.chars().count(), self.min_length());
        if length < least {
            let message = format!("This password is too short. It must contain at least {least} characters.");
            return Some(violation("password_too_short", &message));
        }
        (length > MAX_LENGTH).then(|| violation("max_length", TOO_LONG))
    }
}

fn composition_violations(password: &str) -> impl Iterator<Item = Violation> {
    let has = |class: fn(char) -> bool| password.chars().any(class);
    let numeric = !password.is_empty() && password.chars().all(is_digit);
    [
        (!numeric, "password_entirely_numeric", "This password is entirely numeric."),
        (
            has(|character| character.is_ascii_uppercase()),
            "password_no_upper",
            "Password must contain at least one uppercase letter.",
        ),
        (
            has(|character| character.is_ascii_lowercase()),
            "password_no_lower",
            "Password must contain at least one lowercase letter.",
        ),
        (has(is_decimal), "password_no_number", "Password must contain at least one number."),
        (
            has(|character| !is_alphanumeric(character)),
            "password_no_special",
            "Password must contain at least one special character.",
        ),
    ]
    .into_iter()
    .filter(|(holds, _, _)| !holds)
    .map(|(_, code, message)| violation(code, message))
}

fn violation(code: &'static str, message: &str) -> Violation {
    Violation { code, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Vectors {
        guide_help: Vec<String>,
        nist_help: Vec<String>,
        users: Vec<User>,
        cases: Vec<Case>,
        characters: Characters,
    }

    #[derive(Deserialize)]
    struct User {
        username: String,
        first_name: String,
        last_name: String,
        email: String,
    }

    #[derive(Deserialize)]
    struct Case {
        password: String,
        user: usize,
        guide: Vec<(String, String)>,
        /// The code that the validator of guide §4.1 raises, exactly as it is written there.
        guide_literally: Option<String>,
        nist: Vec<(String, String)>,
    }

    /// Inclusive ranges of code points.
    #[derive(Deserialize)]
    struct Characters {
        decimal: Vec<(u32, u32)>,
        digit: Vec<(u32, u32)>,
        alphanumeric: Vec<(u32, u32)>,
        space: Vec<(u32, u32)>,
        unassigned: Vec<(u32, u32)>,
    }

    fn vectors() -> Vectors {
        serde_json::from_str(include_str!("../../tests/vectors/password_policy.json")).unwrap()
    }

    fn found(policy: Policy, case: &Case, users: &[User]) -> Vec<(String, String)> {
        let user = &users[case.user];
        let attributes = UserAttributes {
            username: &user.username,
            first_name: &user.first_name,
            last_name: &user.last_name,
            email: &user.email,
        };
        let violations = policy.check(&case.password, &attributes);
        violations.into_iter().map(|violation| (violation.code.to_owned(), violation.message)).collect()
    }

    #[test]
    fn every_password_gets_the_messages_that_django_gives_it() {
        let vectors = vectors();
        assert!(vectors.cases.len() > 300);
        for case in &vectors.cases {
            assert_eq!(found(Policy::Guide, case, &vectors.users), case.guide, "{:?}", case.password);
            assert_eq!(found(Policy::Nist, case, &vectors.users), case.nist, "{:?}", case.password);
        }
    }

    #[test]
    fn the_classes_are_the_guides_but_for_more_special_characters() {
        for case in vectors().cases {
            let classes: Vec<_> = composition_violations(&case.password)
                .map(|violation| violation.code)
                .filter(|code| code.starts_with("password_no_"))
                .collect();
            match case.guide_literally.as_deref() {
                None => assert!(classes.is_empty(), "{:?}", case.password),
                Some("password_too_short") => assert!(case.password.chars().count() < 8),
                Some("password_no_special") => {
                    assert!(classes.is_empty() || classes == ["password_no_special"])
                }
                Some(code) => assert_eq!(classes.first(), Some(&code), "{:?}", case.password),
            }
        }
    }

    #[test]
    fn the_help_is_in_djangos_words() {
        let vectors = vectors();
        assert_eq!(Policy::Guide.help(), vectors.guide_help);
        assert_eq!(Policy::Nist.help(), vectors.nist_help);
    }

    #[test]
    fn character_classes_are_pythons_for_every_character_its_unicode_knows() {
        let known = vectors().characters;
        let within = |ranges: &[(u32, u32)], code: u32| {
            let after = ranges.partition_point(|(first, _)| *first <= code);
            after.checked_sub(1).is_some_and(|index| code <= ranges[index].1)
        };
        for character in '\0'..=char::MAX {
            let code = u32::from(character);
            if within(&known.unassigned, code) {
                continue;
            }
            assert_eq!(is_decimal(character), within(&known.decimal, code), "decimal U+{code:04X}");
            assert_eq!(is_digit(character), within(&known.digit, code), "digit U+{code:04X}");
            assert_eq!(is_alphanumeric(character), within(&known.alphanumeric, code), "alnum U+{code:04X}");
            assert_eq!(
                super::super::unicode::is_space(character),
                within(&known.space, code),
                "U+{code:04X}"
            );
        }
    }

    #[test]
    fn an_oversized_password_is_told_its_length_and_its_missing_classes() {
        let codes = |password: &str| -> Vec<_> {
            Policy::Guide.check(password, &UserAttributes::default()).into_iter().map(|v| v.code).collect()
        };
        assert_eq!(codes(&format!("aA1!{}", "x".repeat(124))), Vec::<&str>::new());
        assert_eq!(codes(&format!("aA1!{}", "x".repeat(125))), ["max_length"]);
        assert_eq!(codes(&"é".repeat(1 << 20))[0], "max_length");
    }
}
