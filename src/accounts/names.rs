//! Usernames, addresses and personal names: values that are valid once they exist (guide §8.1).

use crate::access::fold;

/// The guide's words for a password that is not the caller's (§6.2).
pub const WRONG_PASSWORD: &str = "Current password is incorrect";

const NAME_LENGTH: usize = 150;
const EMAIL_LENGTH: usize = 320;

/// A username as new accounts may have it: 3–150 ASCII letters, digits and underscores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Reads a username; nothing is trimmed or normalised, what does not match is refused.
    ///
    /// # Errors
    /// What is wrong, in Django REST framework's words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let length = text.chars().count();
        if length < 3 {
            return Err("Ensure this field has at least 3 characters.".to_owned());
        }
        if length > NAME_LENGTH {
            return Err(too_long(NAME_LENGTH));
        }
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err("Username can only contain letters, numbers, and underscores".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// A name that is kept as another system had it: `@ . + -` too, as Django allows.
    ///
    /// # Errors
    /// What is wrong.
    pub fn import(text: &str) -> Result<Self, String> {
        let allowed = |character: char| character.is_alphanumeric() || "_@.+-".contains(character);
        if text.is_empty() || text.chars().count() > NAME_LENGTH || !text.chars().all(allowed) {
            return Err("a username has 1 to 150 letters, digits and @ . + - _ characters".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What its uniqueness and every look-up go by.
    pub fn key(&self) -> String {
        fold(&self.0)
    }
}

/// An e-mail address, trimmed and lower-cased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads an address by the rules of Django's `EmailValidator`, without quoted local parts and IP
    /// literals.
    ///
    /// # Errors
    /// "Enter a valid email address."
    pub fn parse(text: &str) -> Result<Self, String> {
        let address = text.trim().to_lowercase();
        let is_valid = address.chars().count() <= EMAIL_LENGTH
            && address.rsplit_once('@').is_some_and(|(local, domain)| is_local(local) && is_domain(domain));
        if is_valid { Ok(Self(address)) } else { Err("Enter a valid email address.".to_owned()) }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_local(local: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-!#$%&'*+/=?^_`{}|~".contains(&byte))
    };
    local.split('.').all(is_atom)
}

/// `localhost`, or labels of letters, digits and inner hyphens, the last of at least two characters and without a
/// digit; other alphabets by way of their IDNA form, but not their full stops.
fn is_domain(domain: &str) -> bool {
    if domain == "localhost" {
        return true;
    }
    if domain.contains(['\u{3002}', '\u{ff0e}', '\u{ff61}']) {
        return false;
    }
    let Ok(ascii) = idna::domain_to_ascii(domain) else { return false };
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_top = |top: &str| {
        let has_digit = top.bytes().any(|byte| byte.is_ascii_digit());
        top.len() >= 2 && (top.starts_with("xn--") || !has_digit)
    };
    let Some((_, top)) = ascii.rsplit_once('.') else { return false };
    is_top(top) && ascii.split('.').all(is_label)
}

/// A given or family name: nothing that could turn a mail or a page into an advertisement.
///
/// # Errors
/// What is wrong.
pub fn parse_personal_name(text: &str) -> Result<String, String> {
    if text.chars().count() > NAME_LENGTH {
        return Err(too_long(NAME_LENGTH));
    }
    if text.contains(['<', '>']) || text.contains("://") || text.chars().any(char::is_control) {
        return Err("Names cannot contain <, >, :// or control characters.".to_owned());
    }
    Ok(text.to_owned())
}

fn too_long(limit: usize) -> String {
    format!("Ensure this field has no more than {limit} characters.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_refused_rather_than_mended() {
        assert!(Username::parse("reader_1").is_ok());
        for wrong in ["ab", " reader", "reader ", "re.ader", "ｒeader", "reader\n", &"a".repeat(151)] {
            assert!(Username::parse(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(Username::parse("Reader").map(|name| name.key()), Ok("reader".to_owned()));
    }

    #[test]
    fn addresses_follow_django_without_quotes_and_literals() {
        let accepted = [
            "a@b.co",
            " A.b+c@Example.ORG ",
            "x@localhost",
            "user@bücher.example",
            "a@b.рф",
            "o'hara@x-y.ie",
        ];
        for address in accepted {
            assert!(Email::parse(address).is_ok(), "{address:?}");
        }
        let refused = [
            "",
            "a",
            "a@",
            "@b.co",
            "a@b",
            "a@b.c",
            "a b@c.de",
            "a..b@c.de",
            ".a@c.de",
            "\"a\"@c.de",
            "a@[127.0.0.1]",
            "a@-b.co",
            "a@b-.co",
            "a@b..co",
            "a@b.co\nBcc: x@y.zz",
            "ü@b.co",
            "a@b_c.de",
            "a@1.2.3.44",
            "a@b.c0",
            "a@b。co",
        ];
        for address in refused {
            assert!(Email::parse(address).is_err(), "{address:?}");
        }
        assert_eq!(Email::parse(" A@B.Co").map(|email| email.0), Ok("a@b.co".to_owned()));
    }

    #[test]
    fn personal_names_cannot_carry_links_or_markup() {
        assert!(parse_personal_name("Ada Lovelace-Škoda").is_ok());
        for wrong in ["<b>", "a://b", "a\u{7}"] {
            assert!(parse_personal_name(wrong).is_err());
        }
    }
}
