//! Calls with limits: of time, of size, of number. Redirects are answers, cookies are not kept.

use crate::evidence::{redact, redact_header, redact_path};
use crate::mapping::Route;
use crate::probe::Skip;
use crate::target::Target;
use crate::{Evidence, tls};
use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method};
use reqwest::redirect::Policy;
use serde_json::Value;
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// What a run may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls in all, sockets among them.
    pub calls: usize,
    /// Time in all.
    pub time: Duration,
    /// Time for one call.
    pub call: Duration,
    /// Bytes that are kept of a body; the rest is not read.
    pub body: usize,
}

impl Limits {
    /// 400 calls within a minute.
    pub const PASSIVE: Self =
        Self { calls: 400, time: Duration::from_secs(55), call: Duration::from_secs(10), body: 256 * 1024 };
    /// 4,000 calls within five minutes.
    pub const ACTIVE: Self = Self { calls: 4000, time: Duration::from_secs(290), ..Self::PASSIVE };
}

/// The way to a target.
pub struct Client {
    http: reqwest::Client,
    target: Target,
    limits: Limits,
    calls: AtomicUsize,
    end: Instant,
}

/// A call to be made.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Bytes>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body, as far as the limit allows.
    pub body: Bytes,
    /// From the first byte out to the last byte in.
    pub elapsed: Duration,
    /// The request without secrets, for evidence.
    asked: String,
}

impl Client {
    /// A client for a target. Certificates are not judged here: a probe does that.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(target: Target, limits: Limits) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .http1_only()
            .timeout(limits.call)
            .tls_backend_preconfigured(tls::any_certificate())
            .build()?;
        Ok(Self { http, target, limits, calls: AtomicUsize::new(0), end: Instant::now() + limits.time })
    }

    /// Makes a call; a 429 is a reason to skip.
    ///
    /// # Errors
    /// When the server does not answer, throttles, or the run's limits are reached.
    pub async fn call(&self, request: Request) -> Result<Answer, Skip> {
        let path = request.path.clone();
        let answer = self.call_raw(request).await?;
        if answer.status == 429 { Err(Skip::Throttled(path)) } else { Ok(answer) }
    }

    /// Makes a call and hands back a 429 like any other answer.
    ///
    /// # Errors
    /// When the server does not answer, or the run's limits are reached.
    pub async fn call_raw(&self, request: Request) -> Result<Answer, Skip> {
        let url = self.target.at(&request.path);
        self.send(request, &url).await
    }

    /// Makes a call to another origin of the same host, e.g. without encryption.
    ///
    /// # Errors
    /// As [`Client::call_raw`].
    pub async fn call_at(&self, base: &str, request: Request) -> Result<Answer, Skip> {
        let url = format!("{}{}", base.trim_end_matches('/'), request.path);
        self.send(request, &url).await
    }

    /// Makes a call; after a 429 it waits as long as `Retry-After` says, if that is at most `patience`, and tries
    /// once more.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call_patiently(&self, request: Request, patience: Duration) -> Result<Answer, Skip> {
        let answer = self.call_raw(request.clone()).await?;
        if answer.status != 429 {
            return Ok(answer);
        }
        let wait =
            answer.header(RETRY_AFTER.as_str()).and_then(|value| value.parse().ok()).map(Duration::from_secs);
        match wait.map(|wait| wait + Duration::from_millis(200)) {
            Some(wait) if wait <= patience && Instant::now() + wait < self.end => {
                sleep(wait).await;
                self.call(request).await
            }
            _ => Err(Skip::Throttled(request.path)),
        }
    }

    /// How many calls were made.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Time for one call.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.limits.call
    }

    /// Counts a call that is made elsewhere, e.g. a socket.
    ///
    /// # Errors
    /// When the run's limits are reached.
    pub fn count(&self) -> Result<(), Skip> {
        if Instant::now() >= self.end {
            return Err(Skip::Limit("time"));
        }
        if self.calls.fetch_add(1, Ordering::Relaxed) >= self.limits.calls {
            return Err(Skip::Limit("calls"));
        }
        Ok(())
    }

    async fn send(&self, request: Request, url: &str) -> Result<Answer, Skip> {
        self.count()?;
        let (path, asked) = (request.path.clone(), request.summary());
        let unreachable = |cause: String| Skip::Unreachable { path: redact_path(&path), cause };
        let built = request.build(&self.http, url).map_err(unreachable)?;
        let start = Instant::now();
        let exchange = async {
            let mut response = self.http.execute(built).await.map_err(cause)?;
            let mut body = BytesMut::new();
            while body.len() < self.limits.body {
                match response.chunk().await.map_err(cause)? {
                    Some(chunk) => body.extend_from_slice(&chunk),
                    None => break,
                }
            }
            body.truncate(self.limits.body);
            Ok((response.status().as_u16(), std::mem::take(response.headers_mut()), body.freeze()))
        };
        let within = timeout(self.limits.call, exchange).await;
        let (status, headers, body) =
            within.unwrap_or_else(|_| Err("it took too long".to_owned())).map_err(unreachable)?;
        Ok(Answer { status, headers, body, elapsed: start.elapsed(), asked })
    }
}

impl Request {
    /// A call without a body.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: None }
    }

    /// A GET.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A call of a route.
    #[must_use]
    pub fn to(route: &Route) -> Self {
        Self::new(&route.method, &route.path)
    }

    /// With a header field; its value may be anything that a header may hold.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// With an access token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With a body of any type.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self.header(CONTENT_TYPE.as_str(), content_type)
    }

    /// With one file as a form sends it.
    #[must_use]
    pub fn file(self, field: &str, name: &str, content_type: &str, file: &[u8]) -> Self {
        const BOUNDARY: &str = "probe-7f3a9c1e5b2d";
        let mut body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             Content-Type: {content_type}\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(file);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        self.body(&format!("multipart/form-data; boundary={BOUNDARY}"), body)
    }

    fn build(self, http: &reqwest::Client, url: &str) -> Result<reqwest::Request, String> {
        let method = Method::from_bytes(self.method.as_bytes()).map_err(|error| error.to_string())?;
        let mut request = http.request(method, url);
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name.as_str()).map_err(|error| error.to_string())?;
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|error| error.to_string())?;
            request = request.header(name, value);
        }
        if let Some(body) = self.body {
            request = request.body(body);
        }
        request.build().map_err(cause)
    }

    fn summary(&self) -> String {
        let mut text = format!("{} {}", self.method, redact_path(&self.path));
        for (name, value) in &self.headers {
            text.push_str(&format!("\n{name}: {}", redact_header(name, value)));
        }
        if let Some(body) = self.body.as_ref().filter(|body| body.len() < 2048)
            && let Ok(body) = std::str::from_utf8(body)
        {
            text.push_str(&format!("\n\n{}", redact(body)));
        }
        text
    }
}

impl Answer {
    /// The value of a header field, the first if there are many.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All values of a header field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the body says that it is HTML.
    #[must_use]
    pub fn is_html(&self) -> bool {
        self.header(CONTENT_TYPE.as_str())
            .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A text or number of a JSON body by its dotted name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let mut value = &self.json();
        for part in name.split('.') {
            value = value.get(part)?;
        }
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The exchange with the header fields that are named; a missing one is shown as missing.
    #[must_use]
    pub fn evidence(&self, names: &[&str]) -> Evidence {
        let mut response = self.status_line();
        for name in names {
            let mut values = self.all(name).peekable();
            if values.peek().is_none() {
                response.push_str(&format!("\n{name}: (missing)"));
            }
            for value in values {
                response.push_str(&format!("\n{name}: {}", redact_header(name, value)));
            }
        }
        Evidence { request: self.asked.clone(), response }
    }

    /// The exchange with the beginning of the body.
    #[must_use]
    pub fn evidence_with_body(&self, names: &[&str]) -> Evidence {
        let mut evidence = self.evidence(names);
        evidence.response.push_str(&format!("\n\n{}", redact(&self.text())));
        evidence
    }

    fn status_line(&self) -> String {
        let reason =
            http::StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        format!("{} {}", self.status, reason.unwrap_or_default()).trim_end().to_owned()
    }
}

/// The innermost cause, without the URL, which may hold a token.
fn cause(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let error = error.without_url();
    let mut inner: &dyn Error = &error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
