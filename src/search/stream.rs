//! An answer as Server-Sent Events, while it is being made.

use super::answer::{Provider, SearchAnswer, SearchResult};
use super::ask::Asked;
use crate::error::Error;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use serde::Serialize;
use serde_json::json;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;

/// Events that wait for a slow reader.
const QUEUE: usize = 32;
/// A comment now and then, so that no proxy takes silence for an end.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Who hears of an answer before it is whole.
pub(super) struct Listener(Option<mpsc::Sender<Told>>);

/// An event, and whether it is the last.
struct Told {
    event: Event,
    is_last: bool,
}

#[derive(Serialize)]
struct Results<'a> {
    query: &'a str,
    provider: Provider,
    results: &'a [SearchResult],
}

impl Listener {
    /// Nobody.
    pub(super) const fn none() -> Self {
        Self(None)
    }

    pub(super) const fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// The books that are found so far; they take the place of those before.
    pub(super) async fn results(&self, answer: &SearchAnswer) {
        let SearchAnswer { query, provider, results, .. } = answer;
        self.send("results", &Results { query, provider: *provider, results }, false).await;
    }

    /// A piece of the answer's sentence.
    pub(super) async fn piece(&self, text: &str) {
        self.send("answer", &json!({ "text": text }), false).await;
    }

    async fn send(&self, name: &str, data: &impl Serialize, is_last: bool) {
        // Somebody who has gone away ends the work from outside.
        if let (Some(sender), Some(event)) = (&self.0, event(name, data)) {
            let _ = sender.send(Told { event, is_last }).await;
        }
    }
}

fn event(name: &str, data: &impl Serialize) -> Option<Event> {
    Event::default().event(name).json_data(data).ok()
}

/// Begins to answer.
pub(super) fn stream(asked: Asked) -> Response {
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        let listener = Listener(Some(sender.clone()));
        tokio::select! {
            () = sender.closed() => {}
            () = asked.stop() => {}
            answer = asked.answer(&listener) => listener.send("done", &answer, true).await,
        }
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    let headers = [("cache-control", "no-store"), ("x-accel-buffering", "no")];
    (headers, Sse::new(events(receiver)).keep_alive(keep_alive)).into_response()
}

/// What is sent, and an error in place of an end that does not come.
fn events(receiver: mpsc::Receiver<Told>) -> impl Stream<Item = Result<Event, Infallible>> {
    futures_util::stream::unfold(Some(receiver), |state| async move {
        let mut receiver = state?;
        match receiver.recv().await {
            Some(Told { event, is_last }) => Some((Ok(event), (!is_last).then_some(receiver))),
            None => {
                let broken = Error::internal("a search ended without an answer");
                event("error", &broken.body()).map(|event| (Ok(event), None))
            }
        }
    })
}
