//! The outermost layer: where a call comes from, what every answer carries, one line in the log.

use crate::access::{Origin, RefusedUser, RequestId};
use crate::error::{Cause, Error};
use crate::extract::Leftover;
use crate::finish::Finisher;
use crate::state::App;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use metrics::{Counter, Histogram, counter, histogram};
use portcullis_security::client_ip::{Scheme, TrustedProxies};
use portcullis_security::cors::Cors;
use portcullis_security::headers::SecurityHeaders;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Longer than a slow body, a full queue of passwords and a retried write may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the edge decides with.
pub struct Edge {
    /// The server.
    pub app: Arc<App>,
    /// Whose Forwarded headers are believed.
    pub proxies: TrustedProxies,
    /// Which pages elsewhere may read answers.
    pub cors: Cors,
    /// What browsers are told.
    pub headers: SecurityHeaders,
    /// What is counted.
    pub meters: Meters,
    /// Changes on their way.
    pub changes: Finisher,
    /// Whether somebody has been told that forwarded fields are not believed.
    pub has_warned: AtomicBool,
    /// The id of the next request, from a random start: ids must differ, not be secret.
    pub next_request: AtomicU64,
}

/// Steps by an odd number meet all 2^64 before they meet one again; by this one (the golden ratio's) they
/// do not look like a count.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The middleware around everything, errors and preflights too.
pub async fn handle(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<SocketAddr>();
    let peer_ip = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), SocketAddr::ip);
    let ip = edge.proxies.client_ip(peer_ip, request.headers());
    edge.warn_once(peer_ip, request.headers());
    let request_id = RequestId(edge.next_request.fetch_add(ODD, Ordering::Relaxed));
    request.extensions_mut().insert(Origin { ip, request_id });
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    // What is said to one caller is for no cache (contract §1).
    let is_private = request.uri().path().starts_with("/api/auth")
        || request.headers().contains_key(header::AUTHORIZATION);
    let origin = request.headers().get(header::ORIGIN).cloned();
    let (leftover, request) = Leftover::lend(request);
    let mut response = match edge.answer_early(&request, peer_ip) {
        Some(response) => {
            drop(request);
            response
        }
        None => edge.answer(request, next).await,
    };
    leftover.discard(started).await;
    edge.headers.apply(response.headers_mut());
    edge.cors.apply(origin.as_ref(), response.headers_mut());
    let is_private = is_private || response.status() == StatusCode::UNAUTHORIZED;
    if is_private {
        keep_from_caches(response.headers_mut());
    }
    let elapsed = started.elapsed();
    let request_id = request_id.to_string();
    log(&method, route.as_ref(), &response, &request_id, elapsed);
    if let Ok(value) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    edge.meters.record(&method, response.status(), elapsed);
    response
}

/// What is for every cache is then for the caller's own; what says nothing is for none.
fn keep_from_caches(headers: &mut HeaderMap) {
    let said = headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    let value = match said {
        None => HeaderValue::from_static("no-store"),
        Some(said) => match said.strip_prefix("public").map(|rest| format!("private{rest}").try_into()) {
            Some(Ok(value)) => value,
            _ => return,
        },
    };
    headers.insert(header::CACHE_CONTROL, value);
}

/// A database that keeps its connections but answers nothing must not gather callers without end.
async fn answer_in_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, next.run(request)).await;
    answer.unwrap_or_else(|_| Error::unavailable("no answer in time").into_response())
}

impl Edge {
    /// A proxy that is not named in the settings makes all callers one: whoever runs it should know.
    fn warn_once(&self, peer: IpAddr, headers: &HeaderMap) {
        if self.has_warned.load(Ordering::Relaxed) {
            return;
        }
        let is_forwarded = headers.contains_key("x-forwarded-for") || headers.contains_key(header::FORWARDED);
        if is_forwarded && !self.proxies.contains(peer) && !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "forwarded header fields are ignored: their sender is not in SERVER__TRUSTED_PROXIES. If it is your \
                 proxy, name its network there; this is said once"
            );
        }
    }

    /// A caller who hangs up does not stop a change on its way: what follows a commit, such as emptying a cache or
    /// closing a socket, is part of it.
    async fn answer(&self, request: Request, next: Next) -> Response {
        if request.method().is_safe() {
            return answer_in_time(request, next).await;
        }
        let answer = self.changes.run(answer_in_time(request, next)).await;
        answer.unwrap_or_else(|ended| Error::unavailable(ended).into_response())
    }

    fn answer_early(&self, request: &Request, peer: IpAddr) -> Option<Response> {
        if Cors::is_preflight(request.method(), request.headers()) {
            let headers: HeaderMap = self.cors.preflight(request.headers());
            return Some((StatusCode::NO_CONTENT, headers).into_response());
        }
        self.require_https(request, peer)
    }

    /// Plain http is sent to https, but for health checks and metrics, which neighbours ask; a body that has already
    /// crossed the network in the clear is refused rather than redirected.
    fn require_https(&self, request: &Request, peer: IpAddr) -> Option<Response> {
        let path = request.uri().path();
        let is_health = matches!(path, "/healthz" | "/readyz" | "/metrics");
        if self.app.is_development() || self.app.config.server.has_own_tls() || is_health {
            return None;
        }
        if self.proxies.forwarded_proto(peer, request.headers()) == Some(Scheme::Https) {
            return None;
        }
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            // The slash at the end was taken off for the router.
            let slash = if path.starts_with("/api/") { "/" } else { "" };
            let query = request.uri().query().map_or_else(String::new, |query| format!("?{query}"));
            let url = format!("{}{path}{slash}{query}", self.app.config.server.public_url.as_str());
            return Some(Redirect::permanent(&url).into_response());
        }
        Some(Error::forbidden("https_required", "Please use https.").into_response())
    }
}

/// The route and never the path, which may hold a token.
fn log(
    method: &Method,
    route: Option<&MatchedPath>,
    response: &Response,
    request_id: &str,
    elapsed: Duration,
) {
    let method = method.as_str();
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    let route = route.map_or("unmatched", MatchedPath::as_str);
    let status = response.status().as_u16();
    if let Some(Cause(cause)) = response.extensions().get::<Cause>() {
        tracing::error!(request_id, method, route, status, cause = %cause, "request failed");
    } else {
        let user_id = response.extensions().get::<RefusedUser>().map(|user| user.0);
        tracing::info!(request_id, method, route, status, micros, user_id, "request");
    }
}

/// The methods that have a metric of their own; one that somebody invents must not make a new one.
const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other"];
const STATUSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The counters of all calls, looked up once.
pub struct Meters {
    total: [[Counter; STATUSES.len()]; METHODS.len()],
    duration: [Histogram; METHODS.len()],
}

impl Meters {
    /// Registers them with the process's recorder.
    pub fn register() -> Self {
        let total = |method, status| counter!("http_requests_total", "method" => method, "status" => status);
        Self {
            total: METHODS.map(|method| STATUSES.map(|status| total(method, status))),
            duration: METHODS.map(|method| histogram!("http_request_duration_seconds", "method" => method)),
        }
    }

    fn record(&self, method: &Method, status: StatusCode, elapsed: Duration) {
        let method = METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1);
        let status = usize::from(status.as_u16() / 100).clamp(1, STATUSES.len()) - 1;
        self.total[method][status].increment(1);
        self.duration[method].record(elapsed);
    }
}
