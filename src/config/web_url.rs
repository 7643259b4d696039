//! Addresses of web pages and web origins, as a value that exists only when it is right.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// An absolute `http` or `https` URL without user, query or fragment, and without a slash at its end.
///
/// Scheme and host are lower-cased and a default port is dropped (RFC 3986 §6.2.2–6.2.3), so that equal
/// origins have equal text. Names beyond ASCII must be written in their `xn--` form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl {
    text: String,
    origin_length: usize,
}

impl WebUrl {
    /// Reads a URL; `None` when it is not one of the kind described above.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_port(authority)?;
        let host = valid_host(host)?;
        let path = valid_path(path)?;
        let origin = match port {
            Some(port) if port != default_port => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        };
        Some(Self { origin_length: origin.len(), text: origin + path })
    }

    /// The URL of this machine, which stands in while a wrong one is being reported.
    pub(super) fn local() -> Self {
        let text = "http://127.0.0.1:8000".to_owned();
        Self { origin_length: text.len(), text }
    }

    /// The whole URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port as a browser's `Origin` header spells them (RFC 6454 §6.2).
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.text[..self.origin_length]
    }

    /// The path, empty or beginning with a slash.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.text[self.origin_length..]
    }

    /// The host without its port; an IPv6 address keeps its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let authority = self.origin().split_once("://").map_or("", |(_, authority)| authority);
        split_port(authority).map_or("", |(host, _)| host)
    }

    /// Whether a browser talks to it over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https://")
    }
}

/// Whether a host is a name or an address of the machine one is on; an IPv6 address may have its brackets.
#[must_use]
pub fn is_this_machine(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let host_length = match authority.strip_prefix('[') {
        Some(inside) => inside.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(host_length);
    match port.strip_prefix(':') {
        None if port.is_empty() => Some((host, None)),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().map(|port| (host, Some(port)))
        }
        _ => None,
    }
}

fn valid_host(host: &str) -> Option<String> {
    if let Some(inside) = host.strip_prefix('[') {
        let address: Ipv6Addr = inside.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is_name = !host.is_empty() && host.bytes().all(is_name_byte) && !host.starts_with('.');
    is_name.then(|| host.to_ascii_lowercase())
}

fn valid_path(path: &str) -> Option<&str> {
    let is_path_byte =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'"' | b'<' | b'>' | b'\\');
    path.bytes().all(is_path_byte).then(|| path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn equal_origins_get_equal_text() {
        let url = WebUrl::parse("HTTPS://Shop.Example.ORG:443/App/").unwrap();
        assert_eq!(url.as_str(), "https://shop.example.org/App");
        assert_eq!((url.origin(), url.path()), ("https://shop.example.org", "/App"));
        assert_eq!(WebUrl::parse("http://a:80").unwrap(), WebUrl::parse("http://A").unwrap());
    }

    #[test]
    fn a_host_is_told_apart_from_its_port() {
        assert_eq!(WebUrl::parse("http://[0::1]:8000").unwrap().host(), "[::1]");
        assert_eq!(WebUrl::parse("http://127.0.0.1:0").unwrap().host(), "127.0.0.1");
    }

    #[test]
    fn names_of_this_machine_are_told_from_others() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.8.7", "::1", "[::1]", "::ffff:127.0.0.1"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["", "localhost.evil.example", "127.evil.example", "192.0.2.1", "0.0.0.0", "[localhost"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[test]
    fn what_is_not_an_absolute_web_address_is_refused() {
        let wrong = [
            "",
            "*",
            "null",
            "example.org",
            "//example.org",
            "ftp://a",
            "http://",
            "http:///x",
            "http://u@a",
            "http://a:b",
            "http://a:70000",
            "http://a:+8",
            "http://a?q",
            "http://a/#f",
            "http://a b",
            "http://a/\r\nX: y",
            "http://[::1",
            "http://[x]",
            "http://*.example.org",
            "http://bücher.de",
            "javascript://a",
        ];
        for text in wrong {
            assert_eq!(WebUrl::parse(text), None, "{text}");
        }
    }
}
