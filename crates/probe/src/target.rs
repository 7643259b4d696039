//! Where the server is, and the promise that it may be probed.

use reqwest::Url;
use std::net::{IpAddr, Ipv6Addr};

/// A server that its owner allows to be probed.
#[derive(Clone, Debug)]
pub struct Target {
    url: Url,
    is_named: bool,
}

/// Why a URL is no target.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// Not `http://` or `https://` with a host.
    #[error("that is not a URL such as https://example.org, without a name or password in it")]
    Malformed,
    /// The host is not this machine, and nobody has said that it is theirs.
    #[error("{0} is not this machine: if it is yours to probe, say so with --i-own {0}")]
    Unconfirmed(String),
    /// Somebody has named another host as theirs.
    #[error(
        "--i-own names {named}, but the URL's host is {host}: if it is yours to probe, say --i-own {host}"
    )]
    OtherHost {
        /// What was named.
        named: String,
        /// The URL's host.
        host: String,
    },
}

impl Target {
    /// Reads the base URL; a host that is not loopback must be confirmed by naming it.
    ///
    /// # Errors
    /// When the URL has no host or another scheme, or the host is not confirmed.
    ///
    /// ```
    /// use portcullis_probe::Target;
    /// assert!(Target::parse("http://127.0.0.1:8000", None).is_ok());
    /// assert!(Target::parse("https://example.org", None).is_err());
    /// assert!(Target::parse("https://example.org", Some("example.org")).is_ok());
    /// ```
    pub fn parse(text: &str, i_own: Option<&str>) -> Result<Self, TargetError> {
        let mut url = Url::parse(text).map_err(|_| TargetError::Malformed)?;
        let host = url.host_str().ok_or(TargetError::Malformed)?.to_owned();
        if !["http", "https"].contains(&url.scheme()) || has_user(&url) {
            return Err(TargetError::Malformed);
        }
        url.set_query(None);
        url.set_fragment(None);
        let target = Self { url, is_named: i_own.is_some() };
        match i_own {
            Some(named) if host_of(named).as_deref() != Some(&host) => {
                Err(TargetError::OtherHost { named: named.to_owned(), host })
            }
            None if !target.is_loopback() => Err(TargetError::Unconfirmed(host)),
            _ => Ok(target),
        }
    }

    /// The absolute URL of a path; paths begin with a slash and are kept as they are written.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base())
    }

    /// Scheme, host, port and the path below which the server lives, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// The origin as a browser would send it.
    #[must_use]
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The host without its port, IPv6 in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port, the scheme's when the URL names none.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(80)
    }

    /// The host with the port where it is not the scheme's, as in a Host header.
    #[must_use]
    pub fn authority(&self) -> String {
        self.url.port().map_or_else(|| self.host().to_owned(), |port| format!("{}:{port}", self.host()))
    }

    /// Whether a URL leads to the target's host, whatever its scheme and port, and names no user.
    pub(crate) fn is_host_of(&self, url: &Url) -> bool {
        url.host_str() == self.url.host_str() && !has_user(url)
    }

    /// Why the target may be probed.
    pub(crate) fn confirmation(&self) -> &'static str {
        if self.is_named { "the host was named as one's own" } else { "the server is on this machine" }
    }

    /// Whether calls are encrypted.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the server is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host().trim_matches(['[', ']']);
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// The host that somebody means who writes it bare, with a port, as a URL, or in letters beyond ASCII.
fn host_of(named: &str) -> Option<String> {
    let bare = named.split_once("://").map_or(named, |(_, rest)| rest);
    let bare = if bare.parse::<Ipv6Addr>().is_ok() { format!("[{bare}]") } else { bare.to_owned() };
    Url::parse(&format!("http://{bare}")).ok()?.host_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_this_machine_or_a_confirmed_host_is_a_target() {
        for url in ["http://127.0.0.1:1", "http://localhost", "https://[::1]:8443"] {
            assert!(Target::parse(url, None).is_ok(), "{url}");
        }
        for url in ["http://10.0.0.1", "https://localhost.example.org", "http://127.0.0.1.example.org"] {
            assert!(matches!(Target::parse(url, None), Err(TargetError::Unconfirmed(_))), "{url}");
        }
        let other = Target::parse("https://example.org", Some("www.example.org"));
        assert!(matches!(other, Err(TargetError::OtherHost { .. })));
        for url in
            ["example.org", "ftp://localhost", "http://me@localhost", "http://:hunter2@localhost", "data:x"]
        {
            let refused = Target::parse(url, None).unwrap_err();
            assert!(matches!(refused, TargetError::Malformed), "{url}");
            assert!(!refused.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn a_host_is_confirmed_however_it_is_written() {
        for (url, named) in [
            ("http://[::1]:8000", "::1"),
            ("http://[2001:db8::1]", "[2001:DB8::1]"),
            ("https://münchen.example", "münchen.example"),
            ("https://münchen.example", "xn--mnchen-3ya.example"),
            ("https://host.example:8443", "host.example:8443"),
            ("https://host.example", "https://Host.example/"),
        ] {
            assert!(Target::parse(url, Some(named)).is_ok(), "{url} {named}");
        }
        let refused = Target::parse("http://[2001:db8::1]", Some("2001:db8::2")).unwrap_err();
        assert!(refused.to_string().ends_with("say --i-own [2001:db8::1]"), "{refused}");
    }

    #[test]
    fn no_url_leads_calls_to_another_host() {
        let target = Target::parse("http://127.0.0.1:9130", None).unwrap();
        let leads = |url: &str| target.is_host_of(&Url::parse(url).unwrap());
        assert!(leads("http://127.0.0.1:9130//elsewhere.example/") && leads("https://127.0.0.1/"));
        for url in [
            "http://127.0.0.1:9130@127.0.0.2:9131/",
            "http://127.0.0.1.elsewhere.example/",
            "http://:x@127.0.0.1/",
        ] {
            assert!(!leads(url), "{url}");
        }
    }

    #[test]
    fn a_target_may_live_below_a_path() {
        let target = Target::parse("https://Example.org/app/?x=1", Some("example.org")).unwrap();
        assert_eq!(target.at("/api/"), "https://example.org/app/api/");
        assert_eq!((target.origin().as_str(), target.port()), ("https://example.org", 443));
    }
}
