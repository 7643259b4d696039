//! Anthropic's Messages API: asked to rank what was found here and to answer over it.
//!
//! The question and the books go out as JSON inside one message; what comes back is taken only if it names no other
//! books. Everything that goes wrong is a [`Failure`], after which this server answers alone.

mod events;
mod reply;
mod request;

pub(super) use request::Topic;

use super::answer::SearchAnswer;
use super::stream::Listener;
use crate::config;
use events::{Events, Heard};
use portcullis_security::random::Random;
use portcullis_security::secret::Secret;
use reply::Reply;
use reqwest::header::{HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const VERSION: &str = "2023-06-01";
const ATTEMPTS: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a reply: some hundred times what is asked for.
const MAX_REPLY: usize = 512 * 1024;

/// The API, with the key to it.
pub(super) struct Claude {
    client: Client,
    url: String,
    key: Secret,
    model: String,
    random: Arc<Random>,
}

/// How long an answer may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Until something comes, and then until more of it comes.
    pub(super) silence: Duration,
    /// In all, retries too.
    pub(super) whole: Duration,
}

/// Why there is no answer. It holds nothing of the question, the books or the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// No connection, or one that broke before the answer.
    Network,
    /// The API refuses the key.
    Key,
    /// It asks us to come back later, or is broken itself.
    Busy,
    /// It refuses the call in another way.
    Refused,
    /// It takes too long.
    Silence,
    /// The answer has no end.
    Cut,
    /// The answer is none, or speaks of books that were not offered.
    Nonsense,
}

impl Failure {
    /// For the log and the metrics.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Key => "key refused",
            Self::Busy => "busy",
            Self::Refused => "refused",
            Self::Silence => "silence",
            Self::Cut => "cut",
            Self::Nonsense => "nonsense",
        }
    }
}

impl Claude {
    /// The API of the settings; none without a key.
    pub(super) fn new(settings: &config::Search, random: Arc<Random>) -> Result<Option<Self>, String> {
        let Some(key) = settings.anthropic_api_key.clone() else { return Ok(None) };
        // A redirect would carry the key elsewhere.
        let client =
            Client::builder().redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT_TIMEOUT);
        let client = client.build().map_err(|error| format!("Anthropic's API cannot be called: {error}"))?;
        let url = format!("{}/v1/messages", settings.anthropic_base_url.as_str());
        Ok(Some(Self { client, url, key, model: settings.anthropic_model.clone(), random }))
    }

    /// Ranks and answers; the listener hears of it as it comes.
    pub(super) async fn ask(
        &self,
        topic: Topic<'_>,
        limits: Limits,
        listener: &Listener,
    ) -> Result<SearchAnswer, Failure> {
        let deadline = Instant::now() + limits.whole;
        let conversation = Box::pin(async {
            let response = self.send(topic.body(&self.model)?, limits.silence, deadline).await?;
            listen(response, topic, limits.silence, listener).await
        });
        tokio::time::timeout_at(deadline, conversation).await.map_err(|_| Failure::Silence)?
    }

    /// Sends, and again after a while where that may help.
    async fn send(&self, body: Vec<u8>, silence: Duration, deadline: Instant) -> Result<Response, Failure> {
        let mut attempt = 1;
        loop {
            let (failure, wait) = match self.send_once(body.clone(), silence).await {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) => (failure_of(response.status()), retry_after(&response)),
                Err(failure) => (failure, None),
            };
            let wait = wait.unwrap_or_else(|| self.back_off(attempt));
            let may_help = matches!(failure, Failure::Busy | Failure::Network);
            if !may_help || attempt == ATTEMPTS || Instant::now() + wait >= deadline {
                return Err(failure);
            }
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn send_once(&self, body: Vec<u8>, silence: Duration) -> Result<Response, Failure> {
        let mut key = HeaderValue::from_bytes(self.key.expose()).map_err(|_| Failure::Key)?;
        key.set_sensitive(true);
        let request =
            self.client.post(&self.url).header("x-api-key", key).header("anthropic-version", VERSION);
        let request = request.header("content-type", "application/json").body(body);
        let sent = tokio::time::timeout(silence, request.send()).await;
        sent.map_err(|_| Failure::Silence)?.map_err(|_| Failure::Network)
    }

    /// Doubled each time, and between half and all of it, so that many callers do not come back together.
    fn back_off(&self, attempt: u32) -> Duration {
        let [part] = self.random.bytes::<1>();
        let longest = FIRST_WAIT * 2_u32.pow(attempt - 1);
        longest / 2 + longest / 2 * u32::from(part) / 255
    }
}

const fn failure_of(status: StatusCode) -> Failure {
    match status.as_u16() {
        401 | 403 => Failure::Key,
        408 | 429 | 500..=599 => Failure::Busy,
        _ => Failure::Refused,
    }
}

/// Whole seconds; a date is not waited for.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

async fn listen(
    mut response: Response,
    topic: Topic<'_>,
    silence: Duration,
    listener: &Listener,
) -> Result<SearchAnswer, Failure> {
    let (mut events, mut reply) = (Events::default(), Reply::to(topic.candidates));
    let mut size = 0;
    loop {
        let chunk = tokio::time::timeout(silence, response.chunk()).await.map_err(|_| Failure::Silence)?;
        let Some(chunk) = chunk.map_err(|_| Failure::Cut)? else { return Err(Failure::Cut) };
        size += chunk.len();
        if size > MAX_REPLY {
            return Err(Failure::Nonsense);
        }
        for heard in events.read(&chunk)? {
            match heard {
                Heard::Text(text) => tell(&mut reply, &text, topic, listener).await?,
                Heard::Broken => return Err(Failure::Busy),
                Heard::End => {
                    let (ranking, answer) = reply.end()?;
                    return Ok(SearchAnswer::by_claude(topic, &ranking, answer));
                }
            }
        }
    }
}

/// Passes on what has become known by a piece of text.
async fn tell(reply: &mut Reply, text: &str, topic: Topic<'_>, listener: &Listener) -> Result<(), Failure> {
    let was_ranked = reply.ranking().is_some();
    let said = reply.read(text)?;
    if let (false, Some(ranking)) = (was_ranked, reply.ranking()) {
        listener.results(&SearchAnswer::by_claude(topic, ranking, String::new())).await;
    }
    if !said.is_empty() {
        listener.piece(&said).await;
    }
    Ok(())
}
