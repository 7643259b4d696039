//! Passwords inside URLs: shown never, filled in when they are given apart.

use portcullis_security::secret::Secret;

/// A URL's user information, cut without judging the rest.
struct Parts<'a> {
    scheme: &'a str,
    user: &'a str,
    password: Option<&'a str>,
    rest: &'a str,
}

/// The URL with its password and its query hidden. Where it is not plain what is what, all but the scheme is
/// hidden: a password with an unencoded `/`, `?`, `#` or `@` must not come out in pieces.
pub(super) fn masked(url: &str) -> String {
    if url.is_empty() || url.starts_with("sqlite:") || url.starts_with("file:") || url == "memory" {
        return without_controls(url);
    }
    let Some((scheme, rest)) = url.split_once("://") else { return "***".to_owned() };
    let (address, query) =
        rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
    let (information, host) = address.rsplit_once('@').unwrap_or(("", address));
    let (user, password) = information.split_once(':').unwrap_or((information, ""));
    let authority = host.split('/').next().unwrap_or_default();
    let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
    let is_plain = !information.contains(['/', '#', '@'])
        && !query.is_some_and(|query| query.contains('@'))
        && port
            .trim_end_matches(']')
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase());
    if !is_plain {
        return format!("{}://***", without_controls(scheme));
    }
    let password = if password.is_empty() { "" } else { ":***" };
    let at = if information.is_empty() { "" } else { "@" };
    // Services that take webhooks put the secret into the path.
    let host = match (scheme, host.split_once('/')) {
        ("http" | "https", Some((authority, _))) => format!("{authority}/***"),
        _ => host.to_owned(),
    };
    let query = if query.is_some() { "?***" } else { "" };
    without_controls(&format!("{scheme}://{user}{password}{at}{host}{query}"))
}

/// What anybody may see, but for passwords in URLs where none belongs.
pub(crate) fn shown(text: &str) -> String {
    match text.split_once("://") {
        Some((_, rest)) if rest.contains('@') => masked(text),
        _ => without_controls(text),
    }
}

/// Text that cannot move a terminal's cursor or break a log line.
pub(crate) fn without_controls(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// The user and password of a URL that has them, still percent-encoded.
pub(super) fn of(url: &str) -> Option<(&str, Option<&str>)> {
    split(url).map(|parts| (parts.user, parts.password))
}

/// The password of a URL, decoded.
pub(super) fn password_of(url: &str) -> Option<Secret> {
    let password = of(url)?.1?;
    Some(percent_decoded(password).unwrap_or_else(|| password.to_owned()).into())
}

/// The URL with a password put in, unless it has one already or names no user.
pub(super) fn with_password(url: &str, password: &str) -> Option<String> {
    let Parts { scheme, user, password: None, rest } = split(url)? else { return None };
    Some(format!("{scheme}://{user}:{}@{rest}", percent_encoded(password)))
}

/// The text with its `%XX` decoded; nothing when it is no UTF-8 then.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let (high, low) = (char::from(rest.next()?), char::from(rest.next()?));
            decoded.push(u8::try_from(high.to_digit(16)? * 16 + low.to_digit(16)?).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

fn split(url: &str) -> Option<Parts<'_>> {
    let (scheme, rest) = url.split_once("://")?;
    let (information, rest) = rest.rsplit_once('@')?;
    let (user, password) = match information.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (information, None),
    };
    Some(Parts { scheme, user, password, rest })
}

/// Everything but RFC 3986's unreserved characters is encoded.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for (url, expected) in [
            ("mysql://app:hunter2@db:3306/x", "mysql://app:***@db:3306/x"),
            ("mysql://app@db/x?password=hunter2", "mysql://app@db/x?***"),
            ("redis://:hunter2@cache", "redis://:***@cache"),
            ("smtp://app:hun/ter2@mail", "smtp://***"),
            ("smtp://app:hun@ter2@mail", "smtp://***"),
            ("smtp://app:hun?ter2@mail", "smtp://***"),
            ("smtp://mail:25", "smtp://mail:25"),
            ("smtp://app:hunter2", "smtp://***"),
            ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
            ("app:hunter2@mail", "***"),
            ("hunter2", "***"),
            ("https://hooks.example.org/services/hunter2", "https://hooks.example.org/***"),
            ("sqlite:///srv/a@b/x.db", "sqlite:///srv/a@b/x.db"),
        ] {
            assert_eq!(masked(url), expected, "{url}");
        }
    }

    #[test]
    fn plain_text_is_shown_but_for_passwords_in_it() {
        for (text, expected) in [
            ("Example <noreply@example.org>", "Example <noreply@example.org>"),
            ("https://b.example", "https://b.example"),
            ("https://u:hunter2@a.example", "https://u:***@a.example"),
            ("https://u:hunter2,hunter2@a.example", "https://u:***@a.example"),
            ("https://b.example, https://u:hunter2@a.example", "https://***"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn a_password_given_apart_is_encoded_into_the_url() {
        assert_eq!(
            with_password("mysql://app@db/x", "a/b@c:d é").unwrap(),
            "mysql://app:a%2Fb%40c%3Ad%20%C3%A9@db/x"
        );
        assert_eq!(with_password("mysql://app:own@db/x", "other"), None);
        assert_eq!(with_password("mysql://db/x", "other"), None);
    }
}
