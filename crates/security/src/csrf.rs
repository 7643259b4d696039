//! Calls that a cookie authenticates: where they come from, and that a script of ours made them.
//!
//! Two independent proofs are asked for: the browser's word about the origin, and a token that only a
//! page which may read our cookies can repeat (ASVS v5.0.0-3.5.1, OWASP double submit). A Bearer needs
//! neither, since no browser sends it unasked.

use crate::cors::{Cors, Origin, single_origin};
use crate::random::Random;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{COOKIE, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::fmt::Write as _;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// The cookie that JavaScript reads, and Django's name for it.
pub const CSRF_COOKIE: &str = "csrftoken";
/// The field in which a script repeats the cookie.
pub const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrftoken");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SHORTEST_TOKEN: usize = 16;
const LONGEST_TOKEN: usize = 128;

/// Why a call with a cookie is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsrfError {
    /// `Origin` names a page that is not allowed, or `null`, or stands there twice.
    #[error("CSRF verification failed: the origin is not allowed")]
    ForeignOrigin,
    /// No `Origin`, and `Sec-Fetch-Site` does not say `same-origin`.
    #[error("CSRF verification failed: the call does not say where it comes from")]
    UnknownOrigin,
    /// No csrftoken cookie, or not 16 to 128 letters, digits, `-` and `_`.
    #[error("CSRF verification failed: the csrftoken cookie is missing")]
    MissingCookie,
    /// `X-CSRFToken` is missing or another than the cookie.
    #[error("CSRF verification failed: X-CSRFToken does not match the cookie")]
    TokenMismatch,
}

/// Decides whether a call may use a cookie.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use portcullis_security::cors::{Cors, Origin};
/// use portcullis_security::csrf::{CsrfError, CsrfGuard};
///
/// let guard = CsrfGuard::new(Origin::parse("https://example.com")?, Cors::default());
/// let mut headers = HeaderMap::new();
/// headers.insert("origin", HeaderValue::from_static("https://example.com"));
/// headers.insert("cookie", HeaderValue::from_static("csrftoken=0123456789abcdef"));
/// assert_eq!(guard.check(&headers), Err(CsrfError::TokenMismatch));
/// headers.insert("x-csrftoken", HeaderValue::from_static("0123456789abcdef"));
/// assert_eq!(guard.check(&headers), Ok(()));
/// # Ok::<(), portcullis_security::cors::OriginError>(())
/// ```
#[derive(Clone, Debug)]
pub struct CsrfGuard {
    own: Origin,
    allowed: Cors,
}

impl CsrfGuard {
    /// A guard for the public URL's origin and the origins that CORS allows.
    #[must_use]
    pub const fn new(own: Origin, allowed: Cors) -> Self {
        Self { own, allowed }
    }

    /// Checks the origin, then the token.
    ///
    /// # Errors
    /// The first proof that is missing or wrong; all of them are 403 `csrf_failed`.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), CsrfError> {
        self.check_origin(headers)?;
        check_token(headers)
    }

    /// Checks only where a call comes from.
    ///
    /// # Errors
    /// An origin that is neither ours nor allowed, or none without the browser's `same-origin`.
    pub fn check_origin(&self, headers: &HeaderMap) -> Result<(), CsrfError> {
        if !headers.contains_key(ORIGIN) {
            let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
            let same = sites.next().is_some_and(|site| site == "same-origin") && sites.next().is_none();
            return if same { Ok(()) } else { Err(CsrfError::UnknownOrigin) };
        }
        match single_origin(headers) {
            Some(origin) if self.own.is(origin) || self.allowed.allows(origin) => Ok(()),
            _ => Err(CsrfError::ForeignOrigin),
        }
    }

    /// Checks where a WebSocket is opened from: browsers always say so, and ask nobody before
    /// (RFC 6455 §10.2, ASVS v5.0.0-4.4.2). Without `Origin` it is no browser, and passes.
    ///
    /// # Errors
    /// An origin that is neither ours nor allowed, or several.
    ///
    /// ```
    /// use http::HeaderMap;
    /// use portcullis_security::cors::{Cors, Origin};
    /// use portcullis_security::csrf::{CsrfError, CsrfGuard};
    ///
    /// let guard = CsrfGuard::new(Origin::parse("https://example.com")?, Cors::default());
    /// let mut headers = HeaderMap::new();
    /// assert_eq!(guard.check_socket_origin(&headers), Ok(()));
    /// headers.insert("origin", "https://evil.example".parse()?);
    /// assert_eq!(guard.check_socket_origin(&headers), Err(CsrfError::ForeignOrigin));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check_socket_origin(&self, headers: &HeaderMap) -> Result<(), CsrfError> {
        if headers.contains_key(ORIGIN) { self.check_origin(headers) } else { Ok(()) }
    }
}

fn check_token(headers: &HeaderMap) -> Result<(), CsrfError> {
    let expected = cookie(headers, CSRF_COOKIE).filter(|token| is_token(token));
    let expected = expected.ok_or(CsrfError::MissingCookie)?;
    let given = headers.get(CSRF_HEADER).ok_or(CsrfError::TokenMismatch)?;
    let equal: bool = expected.as_bytes().ct_eq(given.as_bytes()).into();
    if equal { Ok(()) } else { Err(CsrfError::TokenMismatch) }
}

fn is_token(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&text.len()) && text.bytes().all(plain)
}

/// A new token for the csrftoken cookie: 256 random bits, 43 characters.
///
/// ```
/// use portcullis_security::csrf::generate_token;
/// use portcullis_security::random::Random;
///
/// assert_eq!(generate_token(&Random::system()).len(), 43);
/// ```
#[must_use]
pub fn generate_token(random: &Random) -> String {
    URL_SAFE_NO_PAD.encode(random.bytes::<32>())
}

/// The value of the first cookie with a name, over all `Cookie` lines.
///
/// The first counts, since browsers send the one with the longer path, then the older one, first
/// (RFC 6265 §5.4). A line that is not ASCII is skipped; quotes around a value are taken off.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use portcullis_security::csrf::cookie;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("cookie", HeaderValue::from_static("a=1; __Host-refresh=xyz; a=2"));
/// assert_eq!(cookie(&headers, "__Host-refresh"), Some("xyz"));
/// assert_eq!(cookie(&headers, "a"), Some("1"));
/// assert_eq!(cookie(&headers, "refresh"), None);
/// ```
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| key.trim() == name)?;
    let value = value.trim();
    Some(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
}

/// When a browser sends a cookie along with calls from other sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    Strict,
    /// Only when the user follows a link.
    Lax,
}

/// A `Set-Cookie` line with `Path=/`, without `Domain`; strict until told otherwise.
///
/// A secure cookie gets the prefix `__Host-`, unless it is one that scripts read: with it, no
/// neighbouring subdomain and no plain http page can plant one (RFC 6265bis §4.1.3.2, ASVS
/// v5.0.0-3.3.1).
///
/// ```
/// use portcullis_security::csrf::{InvalidCookie, SameSite, SetCookie};
/// use std::time::Duration;
///
/// let cookie = SetCookie::host("refresh", "abc", true)?.max_age(Duration::from_secs(60));
/// assert_eq!(
///     cookie.header(),
///     "__Host-refresh=abc; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Strict"
/// );
/// let readable = SetCookie::readable("csrftoken", "abc", false)?.same_site(SameSite::Lax);
/// assert_eq!(readable.header(), "csrftoken=abc; Path=/; SameSite=Lax");
/// # Ok::<(), InvalidCookie>(())
/// ```
#[derive(Clone)]
pub struct SetCookie {
    name: String,
    value: String,
    max_age: Option<u64>,
    http_only: bool,
    secure: bool,
    same_site: SameSite,
}

/// A name or value with a byte that would end it (RFC 6265 §4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cookie's name and value must be plain ASCII without blanks, commas, semicolons or quotes")]
pub struct InvalidCookie;

impl SetCookie {
    /// A cookie that no script can read, named as [`host_name`] says.
    ///
    /// # Errors
    /// A name or value that would not survive the way.
    pub fn host(name: &str, value: &str, secure: bool) -> Result<Self, InvalidCookie> {
        Self::build(host_name(name, secure), value, secure, true)
    }

    /// A cookie that scripts read, under its plain name.
    ///
    /// # Errors
    /// A name or value that would not survive the way.
    pub fn readable(name: &str, value: &str, secure: bool) -> Result<Self, InvalidCookie> {
        Self::build(name.to_owned(), value, secure, false)
    }

    /// Tells the browser to forget the cookie that [`host`](SetCookie::host) made.
    ///
    /// # Errors
    /// A name that no cookie has.
    pub fn clear(name: &str, secure: bool) -> Result<Self, InvalidCookie> {
        Ok(Self::host(name, "", secure)?.max_age(Duration::ZERO))
    }

    fn build(name: String, value: &str, secure: bool, http_only: bool) -> Result<Self, InvalidCookie> {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) || !value.bytes().all(plain) {
            return Err(InvalidCookie);
        }
        let same_site = SameSite::Strict;
        Ok(Self { name, value: value.to_owned(), max_age: None, http_only, secure, same_site })
    }

    /// How long the browser keeps it, in whole seconds; without, until it is closed.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age.as_secs());
        self
    }

    /// When other sites' calls carry it.
    #[must_use]
    pub const fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// The field's value, marked as sensitive.
    ///
    /// # Panics
    /// Never: the parts were checked when the cookie was made.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a cookie that is silently empty would log a user out")]
    pub fn header(&self) -> HeaderValue {
        let mut line = format!("{}={}; Path=/", self.name, self.value);
        if let Some(seconds) = self.max_age {
            let _ = write!(line, "; Max-Age={seconds}");
        }
        line.push_str(if self.http_only { "; HttpOnly" } else { "" });
        line.push_str(if self.secure { "; Secure" } else { "" });
        line.push_str(match self.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
        });
        let mut header = HeaderValue::from_str(&line).expect("checked to be ASCII without controls");
        header.set_sensitive(true);
        header
    }
}

/// `__Host-NAME` for a secure cookie; the plain name with an http public URL, which cannot have it.
///
/// ```
/// use portcullis_security::csrf::host_name;
///
/// assert_eq!(host_name("device", true), "__Host-device");
/// assert_eq!(host_name("device", false), "device");
/// ```
#[must_use]
pub fn host_name(name: &str, secure: bool) -> String {
    if secure { format!("__Host-{name}") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "0123456789abcdef";

    fn headers(fields: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        headers
    }

    fn guard() -> CsrfGuard {
        let allowed = Cors::parse("https://app.example.com").unwrap();
        CsrfGuard::new(Origin::parse("https://example.com").unwrap(), allowed)
    }

    fn origin_verdict(fields: &[(&str, &str)]) -> Result<(), CsrfError> {
        guard().check_origin(&headers(fields))
    }

    #[test]
    fn a_call_must_come_from_our_origin_or_an_allowed_one() {
        assert_eq!(origin_verdict(&[("origin", "https://example.com")]), Ok(()));
        assert_eq!(origin_verdict(&[("origin", "https://app.example.com")]), Ok(()));
        for origin in ["null", "https://evil.com", "http://example.com", "https://example.com.evil.com", ""] {
            let fields = [("origin", origin), ("sec-fetch-site", "same-origin")];
            assert_eq!(origin_verdict(&fields), Err(CsrfError::ForeignOrigin), "{origin}");
        }
        let two = [("origin", "https://example.com"), ("origin", "https://evil.com")];
        assert_eq!(origin_verdict(&two), Err(CsrfError::ForeignOrigin));
    }

    #[test]
    fn without_an_origin_the_browser_must_say_same_origin() {
        assert_eq!(origin_verdict(&[("sec-fetch-site", "same-origin")]), Ok(()));
        for site in ["same-site", "cross-site", "none", "", "same-origin, cross-site"] {
            assert_eq!(origin_verdict(&[("sec-fetch-site", site)]), Err(CsrfError::UnknownOrigin), "{site}");
        }
        assert_eq!(origin_verdict(&[]), Err(CsrfError::UnknownOrigin));
    }

    #[test]
    fn the_token_must_equal_a_cookie_that_looks_like_one() {
        let verdict = |cookie: &str, token: &str| {
            let site = ("sec-fetch-site", "same-origin");
            guard().check(&headers(&[site, ("cookie", cookie), ("x-csrftoken", token)]))
        };
        assert_eq!(verdict(&format!("csrftoken={TOKEN}"), TOKEN), Ok(()));
        assert_eq!(verdict(&format!("csrftoken={TOKEN}"), "0123456789abcdeF"), Err(CsrfError::TokenMismatch));
        assert_eq!(verdict(&format!("csrftoken={TOKEN}"), ""), Err(CsrfError::TokenMismatch));
        for cookie in
            ["", "csrftoken=", "csrftoken=short", "other=0123456789abcdef", "csrftoken=0123456789abcde!"]
        {
            let token = cookie.split_once('=').map_or("", |(_, value)| value);
            assert_eq!(verdict(cookie, token), Err(CsrfError::MissingCookie), "{cookie}");
        }
    }

    #[test]
    fn cookies_are_found_over_several_lines_and_the_first_counts() {
        let found = headers(&[("cookie", "a=1;b=\"2\" ; bad"), ("cookie", " c = 3; a=9; =x; d=e=f")]);
        let value = |name| cookie(&found, name);
        assert_eq!(
            (value("a"), value("b"), value("c"), value("d")),
            (Some("1"), Some("2"), Some("3"), Some("e=f"))
        );
        assert_eq!((value("bad"), value("e"), value("A")), (None, None, None));
    }

    #[test]
    fn a_cookie_cannot_smuggle_an_attribute() {
        for value in ["a;Domain=x", "a b", "a\r\nSet-Cookie: b=c", "a,b", "é", "\"a\"", "a\\"] {
            assert!(SetCookie::host("a", value, true).is_err(), "{value}");
        }
        assert!(SetCookie::host("a b", "c", true).is_err());
        assert!(SetCookie::readable("", "c", true).is_err());
        let cleared = SetCookie::clear("refresh", true).unwrap().header();
        assert_eq!(cleared, "__Host-refresh=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict");
    }

    proptest! {
        #[test]
        fn no_cookie_line_makes_the_reader_panic(line in prop::collection::vec(32..=255_u8, 0..60)) {
            prop_assume!(!line.contains(&127));
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_bytes(&line).unwrap());
            let _ = (cookie(&headers, "a"), guard().check(&headers));
        }
    }
}
