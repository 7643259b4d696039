//! How the text of a setting becomes a value.

use super::{rate::Rate, web_url::WebUrl};
use ipnet::IpNet;
use portcullis_security::secret::Secret;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

/// A hundred years: longer lifetimes are slips, and would overflow a timestamp.
const LONGEST: u64 = 36_500 * 86_400;

/// A type that a setting can have.
pub(super) trait Parse: Sized {
    /// What to write, for the error's sentence.
    const EXPECTED: &'static str;

    /// Reads the text (already trimmed and not empty, but for lists); `None` when it is something else.
    fn parse(text: &str) -> Option<Self>;

    /// What fills the place while the problem is reported; no server ever runs with it.
    fn stand_in() -> Self;
}

impl Parse for bool {
    const EXPECTED: &'static str = "true or false";

    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    fn stand_in() -> Self {
        false
    }
}

impl Parse for u32 {
    const EXPECTED: &'static str = "a whole number";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn stand_in() -> Self {
        0
    }
}

impl Parse for String {
    const EXPECTED: &'static str = "one line of text";

    fn parse(text: &str) -> Option<Self> {
        (!text.contains(char::is_control)).then(|| text.to_owned())
    }

    fn stand_in() -> Self {
        Self::new()
    }
}

impl Parse for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn parse(text: &str) -> Option<Self> {
        (!text.contains('\0')).then(|| Self::from(text))
    }

    fn stand_in() -> Self {
        Self::new()
    }
}

impl Parse for Secret {
    const EXPECTED: &'static str = "text";

    fn parse(text: &str) -> Option<Self> {
        Some(Self::from(text))
    }

    fn stand_in() -> Self {
        Self::new(Vec::new())
    }
}

impl Parse for Duration {
    const EXPECTED: &'static str = "a duration such as 90s, 15m, 24h, 7d or a number of seconds";

    fn parse(text: &str) -> Option<Self> {
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let unit: u64 = match &text[digits.len()..] {
            "" | "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        let count: u64 = digits.trim_end().parse().ok()?;
        count.checked_mul(unit).filter(|seconds| *seconds <= LONGEST).map(Self::from_secs)
    }

    fn stand_in() -> Self {
        Self::ZERO
    }
}

impl Parse for Rate {
    const EXPECTED: &'static str = "a rate such as 5/minute or 100/hour";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn stand_in() -> Self {
        Self { count: 1, period: Duration::from_secs(60) }
    }
}

impl Parse for SocketAddr {
    const EXPECTED: &'static str = "an address and a port such as 127.0.0.1:8000";

    fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("localhost:") {
            Some(port) => port.parse().ok().map(|port| Self::from((Ipv4Addr::LOCALHOST, port))),
            None => text.parse().ok(),
        }
    }

    fn stand_in() -> Self {
        Self::from((Ipv4Addr::LOCALHOST, 8000))
    }
}

impl Parse for WebUrl {
    const EXPECTED: &'static str = "an absolute URL such as https://accounts.example.org, without user, query or \
                                    fragment";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn stand_in() -> Self {
        Self::local()
    }
}

impl Parse for Vec<String> {
    const EXPECTED: &'static str = "text separated by commas";

    fn parse(text: &str) -> Option<Self> {
        Some(items(text).map(str::to_owned).collect())
    }

    fn stand_in() -> Self {
        Self::new()
    }
}

impl Parse for Vec<IpNet> {
    const EXPECTED: &'static str = "networks separated by commas, such as 10.0.0.0/8,192.0.2.7";

    fn parse(text: &str) -> Option<Self> {
        let network = |item: &str| match item.parse::<IpAddr>() {
            Ok(address) => Some(IpNet::from(address)),
            Err(_) => item.parse::<IpNet>().ok().map(|network| network.trunc()),
        };
        items(text).map(network).collect()
    }

    fn stand_in() -> Self {
        Self::new()
    }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn durations_have_a_unit_or_are_seconds() {
        for (text, seconds) in
            [("15m", 900), ("7d", 604_800), ("90s", 90), ("24h", 86_400), ("5", 5), ("0", 0)]
        {
            assert_eq!(<Duration as Parse>::parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "m", "15x", "1.5h", "-1s", "1h30m", "99999999999d", "18446744073709551615", "٣s"] {
            assert_eq!(<Duration as Parse>::parse(text), None, "{text}");
        }
    }

    #[test]
    fn networks_may_be_single_addresses() {
        let networks = <Vec<IpNet> as Parse>::parse("10.1.2.3/8, 192.0.2.7,2001:db8::/32,").unwrap();
        let shown: Vec<String> = networks.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]);
        assert!(<Vec<IpNet> as Parse>::parse("10.0.0.0/33").is_none());
    }

    #[test]
    fn yes_and_no_have_several_spellings() {
        assert!(["true", "1", "Yes", "ON"].iter().all(|text| bool::parse(text) == Some(true)));
        assert!(["false", "0", "no", "Off"].iter().all(|text| bool::parse(text) == Some(false)));
        assert_eq!(bool::parse("maybe"), None);
    }

    #[test]
    fn localhost_is_the_loopback_address() {
        assert_eq!(<SocketAddr as Parse>::parse("localhost:9"), "127.0.0.1:9".parse().ok());
        assert_eq!(<SocketAddr as Parse>::parse("localhost:x"), None);
    }
}
