//! The caller's address behind proxies, and who may speak for whom.
//!
//! Anybody can send `X-Forwarded-For`. It is read only from a peer in the list of trusted proxies, from
//! right to left: each trusted hop vouches for the one before it, and the first that is not trusted is
//! the caller (ASVS v5.0.0-15.3.4). Without a list nobody is believed.

use http::header::{FORWARDED, VIA};
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Fields that a proxy or a CDN adds, beside `Forwarded`, `Via` and all that begin with `X-Forwarded`.
const PROXY_FIELDS: [&str; 6] = [
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "true-client-ip",
    "cf-connecting-ip",
];

/// The networks whose hosts may say for whom they call.
///
/// ```
/// use http::HeaderMap;
/// use portcullis_security::client_ip::TrustedProxies;
/// use std::net::IpAddr;
///
/// let proxies: TrustedProxies = "10.0.0.0/8, ::1".parse()?;
/// let mut headers = HeaderMap::new();
/// headers.insert("x-forwarded-for", "6.6.6.6, 203.0.113.7, 10.0.0.2".parse()?);
///
/// let proxy: IpAddr = "10.0.0.1".parse()?;
/// assert_eq!(proxies.client_ip(proxy, &headers), "203.0.113.7".parse::<IpAddr>()?);
/// let stranger: IpAddr = "198.51.100.9".parse()?;
/// assert_eq!(proxies.client_ip(stranger, &headers), stranger);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// A text that is neither an address nor a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an IP address nor a network such as 10.0.0.0/8")]
pub struct InvalidNetwork(String);

/// The scheme by which a caller reached the outermost trusted proxy that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

impl TrustedProxies {
    /// Reads a comma-separated list of addresses and networks; an empty text trusts nobody.
    ///
    /// # Errors
    /// The first entry that is neither.
    pub fn parse(list: &str) -> Result<Self, InvalidNetwork> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(parse_network).collect::<Result<_, _>>().map(Self)
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a host may speak for others.
    #[must_use]
    pub fn contains(&self, host: IpAddr) -> bool {
        let host = host.to_canonical();
        self.0.iter().any(|network| network.contains(&host))
    }

    /// The address of the caller: the right-most hop that is not trusted.
    ///
    /// All lines of a field are one list (RFC 9110 §5.3). A hop that is no address ends the search at
    /// the last good one, as the rest is hearsay. When `X-Forwarded-For` is there, `Forwarded`
    /// (RFC 7239) is not read: nearly every proxy writes the former and lets the latter through as the
    /// client sent it. A proxy that writes only `Forwarded` must therefore drop `X-Forwarded-For`.
    #[must_use]
    pub fn client_ip(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.contains(client) {
            return client;
        }
        for hop in hops(headers) {
            let Some(address) = hop else { break };
            client = address;
            if !self.contains(address) {
                break;
            }
        }
        client
    }

    /// The scheme that a trusted peer reports, or nothing.
    ///
    /// The right-most value counts, for the peer itself wrote it; the others may be the caller's.
    #[must_use]
    pub fn forwarded_proto(&self, peer: IpAddr, headers: &HeaderMap) -> Option<Scheme> {
        if !self.contains(peer) {
            return None;
        }
        let scheme = match headers.get_all(X_FORWARDED_PROTO).iter().next_back() {
            Some(line) => last_element(line.as_bytes())?,
            None => forwarded_value(
                last_element(headers.get_all(FORWARDED).iter().next_back()?.as_bytes())?,
                "proto",
            )?,
        };
        match scheme {
            scheme if scheme.eq_ignore_ascii_case("https") => Some(Scheme::Https),
            scheme if scheme.eq_ignore_ascii_case("http") => Some(Scheme::Http),
            _ => None,
        }
    }
}

impl FromStr for TrustedProxies {
    type Err = InvalidNetwork;

    fn from_str(list: &str) -> Result<Self, InvalidNetwork> {
        Self::parse(list)
    }
}

fn parse_network(entry: &str) -> Result<IpNet, InvalidNetwork> {
    let network = entry.parse::<IpNet>().ok().or_else(|| entry.parse::<IpAddr>().ok().map(IpNet::from));
    match network.ok_or_else(|| InvalidNetwork(entry.to_owned()))? {
        IpNet::V6(network) => Ok(unmap(network).unwrap_or(IpNet::V6(network))),
        network => Ok(network.trunc()),
    }
}

/// `::ffff:10.0.0.0/104` as `10.0.0.0/8`, since addresses are compared in that form.
fn unmap(network: ipnet::Ipv6Net) -> Option<IpNet> {
    let address = network.addr().to_ipv4_mapped()?;
    IpNet::new(IpAddr::V4(address), network.prefix_len().checked_sub(96)?).ok()
}

/// The hops from the nearest to the farthest; `None` is one that cannot be read.
fn hops(headers: &HeaderMap) -> Box<dyn Iterator<Item = Option<IpAddr>> + '_> {
    let node = |element: Option<&str>| parse_node(element?);
    if headers.contains_key(X_FORWARDED_FOR) {
        let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
        return Box::new(lines.flat_map(|line| elements(line.as_bytes())).map(node));
    }
    let lines = headers.get_all(FORWARDED).iter().rev();
    let values = |element: Option<&str>| parse_node(forwarded_value(element?, "for")?);
    Box::new(lines.flat_map(|line| elements(line.as_bytes())).map(values))
}

/// The elements of a list from right to left; `None` is one that is not ASCII text.
///
/// From the right, since the right end is a proxy's and well formed; what a caller wrote further left,
/// such as a lone quote, cannot change how that is read.
fn elements(line: &[u8]) -> impl Iterator<Item = Option<&str>> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let comma = (0..line.len()).rev().scan(false, |quoted, at| {
            *quoted ^= is_quote(line, at);
            Some((at, *quoted))
        });
        let comma = comma.filter(|(at, quoted)| !quoted && line[*at] == b',').map(|(at, _)| at).next();
        rest = comma.map(|comma| &line[..comma]);
        let element = &line[comma.map_or(0, |comma| comma + 1)..];
        Some(std::str::from_utf8(element).ok().filter(|text| text.is_ascii()).map(str::trim))
    })
}

fn last_element(line: &[u8]) -> Option<&str> {
    elements(line).next().flatten()
}

/// Whether a quotation mark stands here that no backslash takes the meaning from.
fn is_quote(line: &[u8], at: usize) -> bool {
    line[at] == b'"' && line[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0
}

/// The value of one parameter of a `Forwarded` element, which must stand there once.
fn forwarded_value<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let bytes = element.as_bytes();
    let (mut start, mut quoted, mut found) = (0, false, None);
    for at in 0..=bytes.len() {
        quoted ^= at < bytes.len() && is_quote(bytes, at);
        if at < bytes.len() && (quoted || bytes[at] != b';') {
            continue;
        }
        if let Some((key, value)) = element[start..at].split_once('=')
            && key.trim().eq_ignore_ascii_case(name)
            && found.replace(value.trim()).is_some()
        {
            return None;
        }
        start = at + 1;
    }
    found.map(unquote)
}

fn unquote(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// An address with or without port, brackets and quotes; `unknown` and `_hidden` are none.
fn parse_node(node: &str) -> Option<IpAddr> {
    let node = unquote(node);
    if let Ok(address) = node.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Ok(socket) = node.parse::<SocketAddr>() {
        return Some(socket.ip().to_canonical());
    }
    let inner = node.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse::<Ipv6Addr>().ok().map(|address| IpAddr::V6(address).to_canonical())
}

/// Whether a request bears any mark of a proxy: a page for this machine alone refuses those.
///
/// A reverse proxy on the same machine has a loopback address too; its fields give it away.
///
/// ```
/// use http::HeaderMap;
/// use portcullis_security::client_ip::has_forwarded;
///
/// let mut headers = HeaderMap::new();
/// assert!(!has_forwarded(&headers));
/// headers.insert("x-forwarded-host", "example.com".parse()?);
/// assert!(has_forwarded(&headers));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[must_use]
pub fn has_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        let text = name.as_str();
        name == FORWARDED || name == VIA || text.starts_with("x-forwarded") || PROXY_FIELDS.contains(&text)
    })
}

/// The part of an address that one subscriber holds: IPv4 whole, IPv6 its /64.
///
/// Whoever has one IPv6 address usually has 2⁶⁴; counting each by itself would be no limit.
///
/// ```
/// use portcullis_security::client_ip::bucket;
/// use std::net::IpAddr;
///
/// let address: IpAddr = "2001:db8:1:2:3:4:5:6".parse()?;
/// assert_eq!(bucket(address), "2001:db8:1:2::".parse::<IpAddr>()?);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use]
pub fn bucket(address: IpAddr) -> IpAddr {
    network(address, 32, 64).map_or(address, |network| network.addr())
}

/// The network of an address for a list of sessions: IPv4 as /24, IPv6 as /48.
///
/// Enough for its owner to recognise a place, too little to point at a household.
///
/// ```
/// use portcullis_security::client_ip::prefix;
///
/// assert_eq!(prefix("203.0.113.77".parse()?), "203.0.113.0/24");
/// assert_eq!(prefix("2001:db8:1:2::3".parse()?), "2001:db8:1::/48");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use]
pub fn prefix(address: IpAddr) -> String {
    network(address, 24, 48).map(|network| network.to_string()).unwrap_or_default()
}

fn network(address: IpAddr, length_v4: u8, length_v6: u8) -> Option<IpNet> {
    let address = address.to_canonical();
    let length = if address.is_ipv4() { length_v4 } else { length_v6 };
    IpNet::new(address, length).ok().map(|network| network.trunc())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn client(lines: &[(&str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, line) in lines {
            let name = HeaderName::from_str(name).unwrap();
            headers.append(name, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        let proxies = TrustedProxies::parse("10.0.0.0/8,fd00::/8").unwrap();
        proxies.client_ip("10.0.0.1".parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_right_most_hop_that_is_not_trusted_is_the_caller() {
        let via = |line: &str| client(&[("x-forwarded-for", line)]);
        assert_eq!(via("203.0.113.7"), "203.0.113.7");
        assert_eq!(via("6.6.6.6,203.0.113.7 , 10.9.9.9"), "203.0.113.7");
        assert_eq!(via("10.1.1.1, 10.2.2.2"), "10.1.1.1");
        assert_eq!(client(&[]), "10.0.0.1");
        let two = [("x-forwarded-for", "6.6.6.6, 203.0.113.7"), ("x-forwarded-for", "10.3.3.3")];
        assert_eq!(client(&two), "203.0.113.7");
    }

    #[test]
    fn hops_are_read_with_ports_brackets_quotes_and_mapped() {
        let via = |line: &str| client(&[("x-forwarded-for", line)]);
        for line in ["203.0.113.7:4711", "\"203.0.113.7\"", "::ffff:203.0.113.7", "[::ffff:203.0.113.7]:80"] {
            assert_eq!(via(line), "203.0.113.7", "{line}");
        }
        for line in ["2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443", "\"[2001:db8::1]:443\""] {
            assert_eq!(via(line), "2001:db8::1", "{line}");
        }
    }

    #[test]
    fn a_hop_that_is_no_address_ends_the_search_at_the_last_good_one() {
        let via = |line: &str| client(&[("x-forwarded-for", line)]);
        for hop in
            ["unknown", "", "_hidden", "1.2.3", "1.2.3.4.5", "010.1.1.1", "fe80::1%eth0", "é", "<script>"]
        {
            assert_eq!(via(&format!("6.6.6.6, {hop}, 10.7.7.7")), "10.7.7.7", "{hop}");
        }
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_says_when_it_is_alone() {
        let via = |line: &str| client(&[("forwarded", line)]);
        assert_eq!(via("for=6.6.6.6, for=203.0.113.7;proto=https;by=10.0.0.1"), "203.0.113.7");
        assert_eq!(via("For=\"[2001:db8::1]:4711\", for=\"[fd00::5]\""), "2001:db8::1");
        assert_eq!(via("for=6.6.6.6, for=\"_gazonk\""), "10.0.0.1");
        let both = [("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "203.0.113.7")];
        assert_eq!(client(&both), "203.0.113.7");
    }

    #[test]
    fn quotes_and_semicolons_of_a_caller_do_not_move_the_proxys_element() {
        let via = |line: &str| client(&[("forwarded", line)]);
        assert_eq!(via("for=\"6.6.6.6, for=203.0.113.7"), "203.0.113.7");
        assert_eq!(via("for=203.0.113.7;host=\"x;for=6.6.6.6\""), "203.0.113.7");
        assert_eq!(via("for=203.0.113.7;host=\"x,for=6.6.6.6\""), "203.0.113.7");
        assert_eq!(via("for=203.0.113.7;host=\"x\\\",for=6.6.6.6\""), "203.0.113.7");
        assert_eq!(via("for=6.6.6.6;for=203.0.113.7"), "10.0.0.1");
    }

    #[test]
    fn a_scheme_is_believed_from_a_trusted_peer_only_and_its_own_word_counts() {
        let proxies = TrustedProxies::parse("10.0.0.1").unwrap();
        let scheme = |peer: &str, name: &'static str, line: &'static str| {
            let headers =
                HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(line))]);
            proxies.forwarded_proto(peer.parse().unwrap(), &headers)
        };
        assert_eq!(scheme("10.0.0.1", "x-forwarded-proto", "HTTPS"), Some(Scheme::Https));
        assert_eq!(scheme("::ffff:10.0.0.1", "x-forwarded-proto", "https, http"), Some(Scheme::Http));
        assert_eq!(scheme("10.0.0.1", "forwarded", "for=1.2.3.4;proto=https"), Some(Scheme::Https));
        assert_eq!(scheme("10.0.0.1", "x-forwarded-proto", "ftp"), None);
        assert_eq!(scheme("10.0.0.2", "x-forwarded-proto", "https"), None);
    }

    #[test]
    fn networks_are_read_strictly_and_mapped_ones_unmapped() {
        let proxies = TrustedProxies::parse(" ::ffff:10.0.0.0/104 , 2001:db8::/32,").unwrap();
        assert!(proxies.contains("10.255.0.1".parse().unwrap()));
        assert!(proxies.contains("::ffff:10.1.1.1".parse().unwrap()));
        assert!(!proxies.contains("11.0.0.1".parse().unwrap()));
        assert!(TrustedProxies::parse("").unwrap().is_empty());
        for list in ["*", "10.0.0.0/33", "example.com", "10.0.0", "10.0.0.0/8 10.1.0.0/16"] {
            assert!(TrustedProxies::parse(list).is_err(), "{list}");
        }
    }

    proptest! {
        #[test]
        fn no_field_makes_the_readers_panic(line in prop::collection::vec(prop_oneof![Just(b'"'), Just(b','), Just(b'\\'), Just(b';'), Just(b'='), 32..=255_u8], 0..80)) {
            prop_assume!(!line.contains(&127));
            let mut headers = HeaderMap::new();
            let proxies = TrustedProxies::parse("0.0.0.0/0").unwrap();
            let peer = "10.0.0.1".parse().unwrap();
            for name in [FORWARDED, X_FORWARDED_FOR, X_FORWARDED_PROTO] {
                headers.insert(name, HeaderValue::from_bytes(&line).unwrap());
                let _ = (proxies.client_ip(peer, &headers), proxies.forwarded_proto(peer, &headers));
            }
        }

        #[test]
        fn what_a_caller_sends_never_hides_the_address_his_proxy_saw(line in "[ -~]{0,60}", quoted: bool) {
            let (name, own) = if quoted { ("forwarded", "for=\"203.0.113.7\"") } else { ("x-forwarded-for", "203.0.113.7") };
            prop_assert_eq!(client(&[(name, &format!("{line}, {own}"))]), "203.0.113.7");
        }
    }
}
