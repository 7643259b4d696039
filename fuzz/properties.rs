//! What holds for every input. The fuzz targets look for one for which it does not; the tests of
//! `crates/security` replay the corpora.
#![allow(dead_code, reason = "a target uses one function of these")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use html5gum::{Token, Tokenizer};
use http::{HeaderMap, HeaderName, HeaderValue};
use portcullis_security::clock::Timestamp;
use portcullis_security::cors::{Cors, Origin};
use portcullis_security::csrf::{CsrfGuard, SetCookie, cookie};
use portcullis_security::password::{Argon2Params, Scheme, is_obsolete, memory_kib, verify_password};
use portcullis_security::sanitize::{html::clean, linkify::link_addresses, text::strip_tags};
use portcullis_security::secret::Secret;
use portcullis_security::token::{
    Claims, KeySet, PublicKeys, SigningKey, TokenType, hash_presented, hash_presented_code,
};
use portcullis_security::upload::{ImageKind, ImageLimits, reencode};
use sha2::Sha256;
use std::net::IpAddr;
use std::sync::LazyLock;

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
const SECRET: &str = "a secret of more than thirty-two bytes, for HS256";

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let hmac = SigningKey::hs256(&Secret::from(SECRET)).expect("a key");
    let pair = SigningKey::ed25519(&Secret::new(vec![7; 32])).expect("a key");
    KeySet::new(hmac).and(pair).with_legacy(SigningKey::hs256(&Secret::from(SECRET)).expect("a key"))
});
static PUBLIC: LazyLock<PublicKeys> = LazyLock::new(|| PublicKeys::from_jwks(&KEYS.jwks()));

/// Only a token with our signature passes, and signing what it says makes one that passes too. Claims get past the
/// signature by being signed here, with the header that the input brings.
pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = |token: &str| {
        let claims = KEYS.verify_signature(token);
        for kind in [TokenType::Access, TokenType::Refresh] {
            assert!(KEYS.verify(token, kind, NOW).is_err() || claims.is_ok());
            let _ = PUBLIC.verify(token, kind, NOW);
        }
        let _ = KEYS.verify_any(token, NOW);
        claims
    };
    if let Ok(claims) = read(text) {
        assert_eq!(KEYS.verify_signature(&KEYS.sign(&claims)), Ok(claims));
    }
    if let Some((header, payload)) = text.split_once('\n') {
        let token = signed(header, payload);
        if let Ok(claims) = read(&token) {
            assert_eq!(KEYS.verify_signature(&KEYS.sign(&claims)), Ok(claims));
        }
    }
    let _ = hash_presented(text);
    let _ = hash_presented_code(text, &[1; 32], 1);
    if let Ok(set) = serde_json::from_slice(data) {
        let _ = PublicKeys::from_jwks(&set);
    }
    assert_own_token_passes(data);
}

/// A header and claims of the caller's under the active key: the header of a real token names it.
fn signed(header: &str, payload: &str) -> String {
    let claims =
        Claims { token_type: TokenType::Access, exp: 1, iat: 0, jti: [0; 16], user_id: 1, sid: None };
    let own = KEYS.sign(&claims);
    let header = match header {
        "" => own.split('.').next().unwrap_or_default().to_owned(),
        header => URL_SAFE_NO_PAD.encode(header),
    };
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
    let mut tag = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    tag.update(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag.finalize().into_bytes()))
}

fn assert_own_token_passes(data: &[u8]) {
    let number = data.iter().fold(0_i64, |sum, byte| sum.wrapping_mul(31).wrapping_add(i64::from(*byte)));
    let claims = Claims {
        token_type: TokenType::Refresh,
        exp: NOW.seconds() + 1,
        iat: NOW.seconds(),
        jti: [number.to_le_bytes()[0]; 16],
        user_id: number.saturating_abs().max(1),
        sid: None,
    };
    assert_eq!(KEYS.verify(&KEYS.sign(&claims), TokenType::Refresh, NOW), Ok(claims));
}

/// A hash of any text is judged without a panic; what it would cost is told before it is spent. The first line is
/// the password, the rest the hash.
pub fn password_hash(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (password, encoded) = text.split_once('\n').unwrap_or(("", text));
    let _ = is_obsolete(encoded, &Argon2Params::default());
    let scheme = Scheme::of_encoded(encoded);
    assert_eq!(Scheme::parse_encoded(encoded).unwrap_or(Scheme::Unusable), scheme);
    let spelled = scheme.to_string();
    assert!(spelled.len() <= 64, "{spelled}");
    assert_eq!(spelled.parse(), Ok(scheme));
    assert!(memory_kib(encoded) <= 2 << 20);
    if is_cheap(scheme) {
        let fits = verify_password(encoded, &Secret::from(password));
        assert!(!fits || scheme != Scheme::Unusable);
    }
}

fn is_cheap(scheme: Scheme) -> bool {
    match scheme {
        Scheme::Pbkdf2Sha256 { iterations } | Scheme::Pbkdf2Sha1 { iterations } => iterations <= 100,
        Scheme::Bcrypt { cost } | Scheme::BcryptSha256 { cost } => cost <= 4,
        Scheme::Argon2 { params, .. } => params.memory_kib() * params.iterations() <= 256,
        Scheme::Unusable => true,
        other => other.memory_kib() <= 64,
    }
}

/// Cleaned HTML has no tag, attribute or address but those allowed, by a parser that the cleaner does not use, and
/// cleaning it again changes nothing.
pub fn html(data: &[u8]) {
    let Ok(dirty) = std::str::from_utf8(data) else { return };
    let Ok(once) = clean(dirty) else { return };
    assert_harmless(&once);
    if let Ok(twice) = clean(&once) {
        assert_eq!(twice, once, "{dirty:?}");
    }
}

fn assert_harmless(html: &str) {
    const TAGS: [&str; 9] = ["p", "br", "strong", "em", "u", "a", "ul", "ol", "li"];
    for Ok(token) in Tokenizer::new(html) {
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                assert!(TAGS.contains(&name.as_str()), "<{name}> in {html:?}");
                for (attribute, value) in &tag.attributes {
                    let attribute = String::from_utf8_lossy(attribute);
                    let value = String::from_utf8_lossy(value).to_ascii_lowercase();
                    let web =
                        ["http://", "https://", "mailto:"].iter().any(|scheme| value.starts_with(scheme));
                    let allowed = matches!(&*attribute, "title" | "rel") || attribute == "href" && web;
                    assert!(name == "a" && allowed, "{attribute}={value} in {html:?}");
                }
            }
            Token::EndTag(_) | Token::String(_) | Token::Error(_) => {}
            other => panic!("{other:?} in {html:?}"),
        }
    }
}

/// A title keeps no tag, stripping it again changes nothing, and a plain text becomes harmless HTML.
pub fn plain_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let stripped = strip_tags(text);
    assert_eq!(strip_tags(&stripped), stripped, "{text:?}");
    assert!(!stripped.contains("</script>"), "{text:?}");
    assert_harmless(&link_addresses(text));
}

/// What is drawn is a JPEG that fits, whatever came in.
pub fn picture(data: &[u8]) {
    let limits = ImageLimits { max_pixels: 1 << 18, max_side: 2048, fit: 64 };
    if let Ok(drawn) = reencode(data, &limits) {
        assert_eq!(ImageKind::sniff(&drawn), Some(ImageKind::Jpeg));
        assert!(reencode(&drawn, &limits).is_ok());
    }
}

/// Lines `name: value`; what is no header is passed over.
fn headers(data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(32) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let value = line[colon + 1..].strip_prefix(b" ").unwrap_or(&line[colon + 1..]);
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(value))
        {
            headers.append(name, value);
        }
    }
    headers
}

/// A stranger is himself whatever he sends; behind proxies the caller is the right-most hop that is none of them.
pub fn forwarded(data: &[u8]) {
    let headers = headers(data);
    let list = headers.get("x-proxies").and_then(|value| value.to_str().ok()).unwrap_or("10.0.0.0/8, ::1");
    let Ok(proxies) = list.parse::<portcullis_security::client_ip::TrustedProxies>() else { return };
    let hops = plain_hops(&headers);
    for peer in ["10.0.0.1", "203.0.113.9", "::1", "::ffff:10.0.0.1", "2001:db8::1"] {
        let peer: IpAddr = peer.parse().expect("an address");
        let client = proxies.client_ip(peer, &headers);
        let scheme = proxies.forwarded_proto(peer, &headers);
        if !proxies.contains(peer) {
            assert_eq!((client, scheme), (peer.to_canonical(), None));
        } else if let Some(hops) = &hops {
            let known = || hops.iter().map_while(|hop| *hop);
            let stranger = known().find(|hop| !proxies.contains(*hop));
            let caller = stranger.or_else(|| known().last()).unwrap_or(peer.to_canonical());
            assert_eq!(client, caller, "{headers:?}");
        }
        let _ = portcullis_security::client_ip::bucket(client);
        assert!(!portcullis_security::client_ip::prefix(client).is_empty());
    }
}

/// The hops from right to left, read in the simplest way; `None` where quotes stand elsewhere than around a value, since
/// commas may be inside them.
fn plain_hops(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    let is_forwarded = !headers.contains_key("x-forwarded-for");
    let name = if is_forwarded { "forwarded" } else { "x-forwarded-for" };
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    if lines.is_empty() {
        return Some(Vec::new());
    }
    let field = String::from_utf8_lossy(&lines.join(&b',')).into_owned();
    let is_plain = field.split([',', ';']).all(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or(("", pair));
        !format!("{key}{}", without_quotes(value.trim())).contains(['"', '\\'])
    });
    let node = |element| if is_forwarded { plain_for(element) } else { Some(element) };
    let hops = field.rsplit(',').map(|element| {
        let node = node(element).filter(|_| element.is_ascii())?;
        plain_address(without_quotes(node.trim()))
    });
    is_plain.then(|| hops.collect())
}

/// The one parameter `for` of an element.
fn plain_for(element: &str) -> Option<&str> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(key, _)| key.trim().eq_ignore_ascii_case("for")).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

fn without_quotes(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// The address of a node, with or without brackets and port.
fn plain_address(node: &str) -> Option<IpAddr> {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let (host, has_port) = match node.rsplit_once(':') {
        Some((host, port)) if is_port(port) && (host.ends_with(']') || !host.contains(':')) => (host, true),
        _ => (node, false),
    };
    let address = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => IpAddr::V6(without_zone(inner, has_port).parse().ok()?),
        None => host.parse().ok()?,
    };
    Some(address.to_canonical())
}

/// An address beside a port may bear the number of a zone, as sockets are written.
fn without_zone(address: &str, has_port: bool) -> &str {
    match address.split_once('%') {
        Some((address, zone))
            if has_port && zone.bytes().all(|byte| byte.is_ascii_digit()) && zone.parse::<u32>().is_ok() =>
        {
            address
        }
        _ => address,
    }
}

/// A cookie that is written is read as it was; an origin that is read is its own spelling; no call without the right
/// origin passes.
pub fn origin_and_cookie(data: &[u8]) {
    let headers = headers(data);
    let own = Origin::parse("https://example.com").expect("an origin");
    let guard = CsrfGuard::new(own.clone(), Cors::default());
    let is_own = |name: &str| headers.get_all(name).iter().any(|value| own.is(value));
    if guard.check(&headers).is_ok() {
        assert!(is_own("origin") || headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin"));
        assert!(headers.contains_key("x-csrftoken") && headers.contains_key("cookie"));
    }
    assert!(
        guard.check_socket_origin(&headers).is_err() || is_own("origin") || !headers.contains_key("origin")
    );
    let _ = cookie(&headers, "csrftoken");
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(origin) = Origin::parse(text) {
        assert_eq!(Origin::parse(origin.as_str()), Ok(origin.clone()));
        assert!(HeaderValue::from_str(origin.as_str()).is_ok());
    }
    let _ = Origin::of_url(text);
    let _ = Cors::parse(text);
    if let Ok(set) = SetCookie::host("a", text, true) {
        let header = set.header();
        let line = header.to_str().expect("a cookie in ASCII");
        let pair = line.split(';').next().unwrap_or_default();
        let mut back = HeaderMap::new();
        back.insert("cookie", HeaderValue::from_str(pair).expect("a pair"));
        assert_eq!(cookie(&back, "__Host-a"), Some(text));
    }
}
