//! Which other origins may read answers in a browser (Fetch §3.2, guide §10).
//!
//! Origins are compared exactly, after the settings were normalised. There is no wildcard and no
//! `null`: with credentials allowed, either would open every account to every page (ASVS v5.0.0-3.4.2).

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use std::fmt;
use std::future::Future;
use std::net::Ipv6Addr;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{Layer, Service};

const METHODS: HeaderValue = HeaderValue::from_static("DELETE, GET, OPTIONS, PATCH, POST, PUT");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "accept, accept-encoding, authorization, content-type, dnt, origin, user-agent, x-csrftoken, \
     x-requested-with, x-auth-mode",
);
const EXPOSED: HeaderValue =
    HeaderValue::from_static("Retry-After, RateLimit, RateLimit-Policy, X-Request-Id");
/// A day, as django-cors-headers; browsers cap it at two hours or so.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

/// A scheme, host and port, in the spelling that browsers send (RFC 6454 §6.2).
///
/// ```
/// use portcullis_security::cors::Origin;
///
/// assert_eq!(Origin::parse("HTTPS://Example.com:443/")?.as_str(), "https://example.com");
/// assert_eq!(Origin::of_url("http://localhost:8000/api/?x")?.as_str(), "http://localhost:8000");
/// assert!(Origin::parse("https://*.example.com").is_err());
/// # Ok::<(), portcullis_security::cors::OriginError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

/// Why a text is no origin that can be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// A wildcard, whole or in part: with credentials it would let every page act for its visitor.
    #[error("an origin must not hold a wildcard: list each one")]
    Wildcard,
    /// `null` is the origin of every sandboxed frame.
    #[error("`null` is anybody's origin and cannot be allowed")]
    Null,
    /// Not `http(s)://host[:port]`.
    #[error("write an origin as https://host or https://host:port, without a path")]
    Shape,
}

impl Origin {
    /// Reads an origin from the settings: lower case, without the scheme's own port and a last slash.
    ///
    /// Names outside ASCII must be given in their `xn--` form, which is what browsers send.
    ///
    /// # Errors
    /// A wildcard, `null`, another scheme than http and https, a path, a user, or no host.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let text = text.trim();
        if text.contains('*') {
            return Err(OriginError::Wildcard);
        }
        if text.eq_ignore_ascii_case("null") {
            return Err(OriginError::Null);
        }
        let (scheme, rest) = text.split_once("://").ok_or(OriginError::Shape)?;
        let (scheme, default_port) = match scheme {
            _ if scheme.eq_ignore_ascii_case("http") => ("http", 80),
            _ if scheme.eq_ignore_ascii_case("https") => ("https", 443),
            _ => return Err(OriginError::Shape),
        };
        let (host, port) = split_port(rest.strip_suffix('/').unwrap_or(rest))?;
        let host = normal_host(host)?;
        match port {
            Some(port) if port != default_port => Ok(Self(format!("{scheme}://{host}:{port}"))),
            _ => Ok(Self(format!("{scheme}://{host}"))),
        }
    }

    /// The origin of a URL, whatever follows the host.
    ///
    /// # Errors
    /// As [`parse`](Origin::parse).
    pub fn of_url(url: &str) -> Result<Self, OriginError> {
        let host = url.find("://").ok_or(OriginError::Shape)? + 3;
        let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |end| host + end);
        Self::parse(&url[..end])
    }

    /// The origin's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an `Origin` field names this origin, byte for byte.
    #[must_use]
    pub fn is(&self, field: &HeaderValue) -> bool {
        self.0.as_bytes() == field.as_bytes()
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        Self::parse(text)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), OriginError> {
    let name_end = authority.rfind(']').map_or(0, |end| end + 1);
    let Some(colon) = authority[name_end..].find(':') else {
        return Ok((authority, None));
    };
    let (host, port) = (&authority[..name_end + colon], &authority[name_end + colon + 1..]);
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(OriginError::Shape);
    }
    Ok((host, Some(port.parse().map_err(|_| OriginError::Shape)?)))
}

fn normal_host(host: &str) -> Result<String, OriginError> {
    if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().map(|ip| format!("[{ip}]")).map_err(|_| OriginError::Shape);
    }
    let named = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    let dotted = host.split('.').all(|label| !label.is_empty());
    if named && dotted { Ok(host.to_ascii_lowercase()) } else { Err(OriginError::Shape) }
}

/// The origins that may read answers, and what they are told.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use portcullis_security::cors::Cors;
///
/// let cors = Cors::parse("https://app.example.com, http://localhost:5173")?;
/// let mut answer = HeaderMap::new();
/// cors.apply(Some(&HeaderValue::from_static("https://app.example.com")), &mut answer);
/// assert_eq!(answer["access-control-allow-origin"], "https://app.example.com");
/// assert_eq!(answer["vary"], "Origin");
/// # Ok::<(), portcullis_security::cors::OriginError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cors(Arc<[Origin]>);

impl Cors {
    /// Allows exactly these origins.
    #[must_use]
    pub fn new(origins: impl IntoIterator<Item = Origin>) -> Self {
        Self(origins.into_iter().collect())
    }

    /// Reads a comma-separated list; an empty text allows none.
    ///
    /// # Errors
    /// The first entry that is no origin.
    pub fn parse(list: &str) -> Result<Self, OriginError> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        Ok(Self::new(entries.map(Origin::parse).collect::<Result<Vec<_>, _>>()?))
    }

    /// Whether an `Origin` field names an allowed origin.
    #[must_use]
    pub fn allows(&self, origin: &HeaderValue) -> bool {
        self.0.iter().any(|allowed| allowed.is(origin))
    }

    /// Whether a request is a browser's question before the real one (Fetch §3.2.2).
    #[must_use]
    pub fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
        method == Method::OPTIONS
            && headers.contains_key(ORIGIN)
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The fields of the 204 that answers a preflight; a stranger gets none but `Vary`.
    #[must_use]
    pub fn preflight(&self, request: &HeaderMap) -> HeaderMap {
        let mut fields = HeaderMap::with_capacity(8);
        vary_by_origin(&mut fields);
        if let Some(origin) = single_origin(request).filter(|origin| self.allows(origin)) {
            fields.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            fields.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            fields.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            fields.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
            fields.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
        fields
    }

    /// Adds the fields to any other answer, an error's too; `origin` is the request's field.
    ///
    /// `Vary` is set for every caller, so that no cache gives one origin's answer to another.
    pub fn apply(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
        vary_by_origin(answer);
        if let Some(origin) = origin.filter(|origin| self.allows(origin)) {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

/// The `Origin` field, if it stands there once; two are nobody's.
pub(crate) fn single_origin(request: &HeaderMap) -> Option<&HeaderValue> {
    let mut fields = request.get_all(ORIGIN).iter();
    fields.next().filter(|_| fields.next().is_none())
}

fn vary_by_origin(answer: &mut HeaderMap) {
    let covers = |line: &HeaderValue| {
        let names = line.to_str().unwrap_or_default().split(',').map(str::trim);
        names.into_iter().any(|name| name == "*" || name.eq_ignore_ascii_case("origin"))
    };
    if !answer.get_all(VARY).iter().any(covers) {
        answer.append(VARY, HeaderValue::from_static("Origin"));
    }
}

/// Answers preflights with 204 and adds the fields to all other answers.
///
/// Put it outermost, so that errors of the layers below are readable to a front end as well.
impl<S> Layer<S> for Cors {
    type Service = CorsService<S>;

    fn layer(&self, inner: S) -> CorsService<S> {
        CorsService { inner, cors: self.clone() }
    }
}

/// A service under [`Cors`].
#[derive(Clone, Debug)]
pub struct CorsService<S> {
    inner: S,
    cors: Cors,
}

impl<S, B, R> Service<Request<B>> for CorsService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    R: Default + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if Cors::is_preflight(request.method(), request.headers()) {
            let mut answer = Response::new(R::default());
            *answer.status_mut() = StatusCode::NO_CONTENT;
            *answer.headers_mut() = self.cors.preflight(request.headers());
            return Box::pin(std::future::ready(Ok(answer)));
        }
        let (cors, origin) = (self.cors.clone(), single_origin(request.headers()).cloned());
        let answering = self.inner.call(request);
        Box::pin(async move {
            let mut answer = answering.await?;
            cors.apply(origin.as_ref(), answer.headers_mut());
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;
    use tower::ServiceExt;

    const APP: &str = "https://app.example.com";

    fn answer(method: &str, fields: &[(&str, &str)]) -> Response<String> {
        let inner = tower::service_fn(|_: Request<()>| async {
            let found =
                Response::builder().status(404).header(VARY, "Accept").body("gone".to_owned()).unwrap();
            Ok::<_, Infallible>(found)
        });
        let mut request = Request::builder().method(method);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let service = Cors::parse(APP).unwrap().layer(inner);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(service.oneshot(request.body(()).unwrap())).unwrap()
    }

    #[test]
    fn an_origin_is_normalised_or_refused() {
        for (text, origin) in [
            ("http://LOCALHOST:5173", "http://localhost:5173"),
            ("http://a.b:80/", "http://a.b"),
            ("https://a.b:80", "https://a.b:80"),
            ("https://[2001:DB8::0:1]:443", "https://[2001:db8::1]"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().as_str(), origin);
        }
        for text in ["*", "https://*", "https://*.b"] {
            assert_eq!(Origin::parse(text), Err(OriginError::Wildcard), "{text}");
        }
        assert_eq!(Origin::parse("null"), Err(OriginError::Null));
        let shapes = "|a.b|//a.b|ftp://a.b|file://|https://|https://a.b/x|https://a.b//|https://u@a.b|https://a b|\
                      https://a..b|https://a.b:|https://a.b:0x1|https://a.b:65536|https://a.b?x|https://a.b#x|\
                      https://é.b|https://[::1|https://[x]|https://a.b\\";
        for text in shapes.split('|') {
            assert_eq!(Origin::parse(text), Err(OriginError::Shape), "{text}");
        }
    }

    #[test]
    fn a_preflight_of_an_allowed_origin_is_answered_with_204() {
        let question = [("origin", APP), ("access-control-request-method", "PATCH")];
        let answer = answer("OPTIONS", &question);
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        let fields = answer.headers();
        assert_eq!(fields[ACCESS_CONTROL_ALLOW_ORIGIN], APP);
        assert_eq!(fields[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        assert!(fields[ACCESS_CONTROL_ALLOW_METHODS].to_str().unwrap().contains("PATCH"));
        assert!(fields[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().contains("x-auth-mode"));
        assert_eq!(fields[VARY], "Origin");
    }

    #[test]
    fn a_stranger_learns_nothing_but_that_the_origin_matters() {
        for origin in [
            "https://app.example.com.evil.com",
            "https://evil.com",
            "null",
            "http://app.example.com",
            "https://app.example.com:444",
        ] {
            let question = [("origin", origin), ("access-control-request-method", "GET")];
            assert_eq!(answer("OPTIONS", &question).headers().len(), 1, "{origin}");
            assert!(
                !answer("GET", &[("origin", origin)]).headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN)
            );
        }
        let two = answer("GET", &[("origin", APP), ("origin", "https://evil.com")]);
        assert!(!two.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    }

    #[test]
    fn an_error_is_readable_too_and_vary_keeps_what_it_had() {
        let answer = answer("GET", &[("origin", APP)]);
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], APP);
        assert_eq!(answer.headers()[ACCESS_CONTROL_EXPOSE_HEADERS], EXPOSED);
        let vary: Vec<_> = answer.headers().get_all(VARY).iter().collect();
        assert_eq!(vary, ["Accept", "Origin"]);
        assert_eq!(self::answer("OPTIONS", &[]).status(), StatusCode::NOT_FOUND);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic_and_what_it_gives_it_takes(text in "(https?://)?\\PC{0,30}") {
            let _ = Origin::of_url(&text);
            if let Ok(origin) = Origin::parse(&text) {
                prop_assert_eq!(Origin::parse(origin.as_str()), Ok(origin.clone()));
                prop_assert!(HeaderValue::from_str(origin.as_str()).is_ok());
            }
        }
    }
}
