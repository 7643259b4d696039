//! Calls with limits: of time, of size, of number. Redirects are answers, cookies are not kept.

use crate::answer::{Answer, Verdict};
use crate::evidence::Redactor;
use crate::mapping::Mapping;
use crate::probe::Skip;
use crate::request::Request;
use crate::target::Target;
use crate::tls;
use bytes::BytesMut;
use http::header::RETRY_AFTER;
use reqwest::Url;
use reqwest::redirect::Policy;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

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
    /// 400 calls within 55 seconds, which leaves a report within a minute.
    pub const PASSIVE: Self =
        Self { calls: 400, time: Duration::from_secs(55), call: Duration::from_secs(10), body: 256 * 1024 };
    /// 4,000 calls within 280 seconds, which leaves time to clean up within five minutes.
    pub const ACTIVE: Self = Self { calls: 4000, time: Duration::from_secs(280), ..Self::PASSIVE };
    /// What cleaning up may use beyond that.
    pub(crate) const CLEANING: Self =
        Self { calls: 16, time: Duration::from_secs(10), call: Duration::from_secs(4), ..Self::PASSIVE };
}

/// How long a throttle is waited for that does not say how long it lasts.
const UNSAID: Duration = Duration::from_secs(10);

/// The way to a target.
pub struct Client {
    http: reqwest::Client,
    target: Target,
    limits: Limits,
    redactor: Arc<Redactor>,
    calls: AtomicUsize,
    end: Instant,
}

impl Client {
    /// A client for a target, whose mapping names what is secret. Certificates are not judged here: a probe does that.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(target: Target, mapping: &Mapping, limits: Limits) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .http1_only()
            .timeout(limits.call)
            .tls_backend_preconfigured(tls::any_certificate())
            .build()?;
        let redactor = Arc::new(Redactor::new(mapping));
        let end = Instant::now() + limits.time;
        Ok(Self { http, target, limits, redactor, calls: AtomicUsize::new(0), end })
    }

    /// Begins anew to count, with other limits and in what is left of the time too; answers how many calls were made.
    pub(crate) fn renew(&mut self, limits: Limits) -> usize {
        (self.limits, self.end) = (limits, self.end.max(Instant::now()) + limits.time);
        std::mem::take(self.calls.get_mut())
    }

    /// Remembers a password or token, which is then shown nowhere.
    pub(crate) fn keep(&self, secret: &str) {
        self.redactor.keep(secret);
    }

    /// What evidence is written with.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// When the run must be over.
    pub(crate) fn end(&self) -> Instant {
        self.end
    }

    /// Makes a call; a throttle is a reason to skip.
    ///
    /// # Errors
    /// When the server does not answer, throttles, or the run's limits are reached.
    pub async fn call(&self, request: Request) -> Result<Answer, Skip> {
        let answer = self.call_raw(request).await?;
        if answer.verdict() == Verdict::Throttled { Err(Skip::Throttled(answer.path())) } else { Ok(answer) }
    }

    /// Makes a call and hands back a throttle's refusal like any other answer.
    ///
    /// # Errors
    /// When the server does not answer, or the run's limits are reached.
    pub async fn call_raw(&self, request: Request) -> Result<Answer, Skip> {
        let url = self.target.at(request.path());
        self.send(request, &url).await
    }

    /// Makes a call to another origin of the same host, e.g. without encryption.
    ///
    /// # Errors
    /// As [`Client::call_raw`].
    pub async fn call_at(&self, base: &str, request: Request) -> Result<Answer, Skip> {
        let url = format!("{}{}", base.trim_end_matches('/'), request.path());
        self.send(request, &url).await
    }

    /// Makes a call; where a throttle refuses it, it waits as long as `Retry-After` says, if that is at most
    /// `patience`, and tries once more.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call_patiently(&self, request: Request, patience: Duration) -> Result<Answer, Skip> {
        let answer = self.call_raw(request.clone()).await?;
        if answer.verdict() != Verdict::Throttled {
            return Ok(answer);
        }
        let said = answer.header(RETRY_AFTER.as_str()).and_then(|value| value.parse().ok());
        match said.map_or(UNSAID, Duration::from_secs) + Duration::from_millis(200) {
            wait if wait <= patience && Instant::now() + wait < self.end => {
                sleep(wait).await;
                self.call(request).await
            }
            _ => Err(Skip::Throttled(answer.path())),
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
        let asked = request.summary(&self.redactor);
        let path = self.redactor.path(request.path());
        let failed = |cause: String| Skip::Failed { path: path.clone(), cause };
        let url = Url::parse(url).map_err(|error| failed(error.to_string()))?;
        if !self.target.is_host_of(&url) {
            return Err(failed("it leads to another host than the target".to_owned()));
        }
        let built = request.build(&self.http, url).map_err(failed)?;
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
        let within = timeout_at(self.end.min(start + self.limits.call), exchange).await;
        let (status, headers, body) =
            within.unwrap_or_else(|_| Err("it took too long".to_owned())).map_err(failed)?;
        let redactor = Arc::clone(&self.redactor);
        Ok(Answer { status, headers, body, elapsed: start.elapsed(), asked, redactor })
    }
}

/// The innermost cause, without the URL, which may hold a token.
pub(crate) fn cause(error: reqwest::Error) -> String {
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
