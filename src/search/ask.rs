//! The route: who may search, what is asked, who answers.

use super::answer::{Candidate, Instead, SearchAnswer, candidates, local};
use super::budget::Spend;
use super::claude::{Limits, Topic};
use super::stream::{Listener, stream};
use super::{Search, answer::Provider};
use crate::access::CurrentUser;
use crate::error::Result;
use crate::extract::{Body, FromInput, Input};
use crate::state::App;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use std::sync::Arc;
use utoipa::ToSchema;

/// Characters of a question, at most.
const MAX_QUERY: usize = 500;

/// A search.
#[derive(ToSchema)]
#[allow(dead_code, reason = "for the OpenAPI document")]
pub struct SearchRequest {
    /// What one looks for, in words of one's own; a title, an author or an ISBN too. 1 to 500 characters.
    pub query: String,
}

/// A question that can be asked.
pub struct Query(String);

impl FromInput for Query {
    fn from_input(input: &mut Input) -> Option<Self> {
        let query = input.text("query");
        input.parse("query", query, parse_query).map(Self)
    }
}

fn parse_query(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("This field may not be blank.".to_owned());
    }
    if text.chars().count() > MAX_QUERY {
        return Err(format!("Ensure this field has no more than {MAX_QUERY} characters."));
    }
    Ok(text.to_owned())
}

/// Finds books by what they are about, by their words, or by title, author or ISBN.
///
/// With `Accept: text/event-stream` the answer comes in events: `results` (as the answer without its sentence; a
/// later one takes the place of an earlier), `answer` (`{"text"}`, a piece of the sentence), and at last `done`, the
/// whole answer, which takes the place of all before. `error` (as every error) comes instead of it when something is
/// broken here.
#[utoipa::path(post, path = "/ai/search", tag = "search", request_body = SearchRequest, responses(
    (status = 200, description = "The books that fit best.", content(
        (SearchAnswer = "application/json"), (String = "text/event-stream"))),
    (status = 400, description = "The query is missing, blank or too long.")))]
pub async fn search(
    State(app): State<Arc<App>>,
    Extension(search): Extension<Arc<Search>>,
    caller: CurrentUser,
    headers: HeaderMap,
    Body(Query(query)): Body<Query>,
) -> Result<Response> {
    let candidates = candidates(&app, &search, &query).await?;
    let asked = Asked { app, search, user_id: caller.user.id, query, candidates };
    if wants_events(&headers) {
        return Ok(stream(asked));
    }
    Ok(Json(asked.answer(&Listener::none()).await).into_response())
}

fn wants_events(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = values.flat_map(|value| value.split(',')).filter_map(|kind| kind.split(';').next());
    kinds.any(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// A question with the books that may answer it.
pub(super) struct Asked {
    app: Arc<App>,
    search: Arc<Search>,
    user_id: i64,
    query: String,
    candidates: Vec<Candidate>,
}

impl Asked {
    /// Waits for the server's end.
    pub(super) async fn stop(&self) {
        self.search.stop.cancelled().await;
    }

    /// Answers, by Claude if there is a key, a budget and a usable reply.
    pub(super) async fn answer(&self, listener: &Listener) -> SearchAnswer {
        let first = local(&self.query, &self.candidates, None);
        listener.results(&first).await;
        let instead = match self.by_claude(listener).await {
            Ok(answer) => return answer,
            Err(instead) => instead,
        };
        let answer = local(&self.query, &self.candidates, instead);
        listener.piece(&answer.answer).await;
        answer
    }

    async fn by_claude(&self, listener: &Listener) -> Result<SearchAnswer, Option<Instead>> {
        let Some(claude) = self.search.claude.as_ref().filter(|_| !self.candidates.is_empty()) else {
            return Err(None);
        };
        self.spend().await.map_err(Some)?;
        let settings = &self.app.config.search;
        let whole = if listener.is_there() { settings.stream_timeout } else { settings.timeout };
        let limits = Limits { silence: settings.timeout, whole };
        let topic = Topic { query: &self.query, candidates: &self.candidates };
        claude.ask(topic, limits, listener).await.map_err(|failure| {
            metrics::counter!("portcullis_claude_failures_total", "cause" => failure.name()).increment(1);
            tracing::warn!(cause = failure.name(), "Claude did not answer a search");
            Some(Instead::NoAnswer)
        })
    }

    /// A budget that cannot be counted is not spent.
    async fn spend(&self) -> Result<(), Instead> {
        let settings = &self.app.config.search;
        let spend = Spend {
            user_id: self.user_id,
            now: self.app.now(),
            per_user: settings.daily_per_user,
            in_all: settings.daily_total,
        };
        match self.app.storage.write(spend).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Instead::NoBudget),
            Err(error) => {
                tracing::warn!(?error, "a search by Claude was not counted and so not made");
                Err(Instead::NoAnswer)
            }
        }
    }
}

impl SearchAnswer {
    /// The answer of Claude: its ranking of the candidates, and what it says.
    pub(super) fn by_claude(topic: Topic<'_>, ranking: &[(i64, u8)], answer: String) -> Self {
        let result = |(id, score): &(i64, u8)| {
            let candidate = topic.candidates.iter().find(|candidate| candidate.book.id == *id)?;
            let mut result = candidate.result.clone();
            result.score = f64::from(*score) / 100.0;
            Some(result)
        };
        let results = ranking.iter().filter_map(result).collect();
        Self { query: topic.query.to_owned(), provider: Provider::Anthropic, answer, results }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_sent_to_those_alone_who_ask_for_them() {
        let wants = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.extend(accept.parse().ok().map(|value| (header::ACCEPT, value)));
            wants_events(&headers)
        };
        for accept in ["text/event-stream", "application/json;q=0.5, Text/Event-Stream; q=1"] {
            assert!(wants(accept), "{accept}");
        }
        for accept in ["", "*/*", "application/json", "text/event-streams", "text/*"] {
            assert!(!wants(accept), "{accept}");
        }
    }

    #[test]
    fn a_query_is_one_to_five_hundred_characters_without_the_space_around() {
        assert_eq!(parse_query(" sea \n").as_deref(), Ok("sea"));
        assert!(parse_query(&"é".repeat(500)).is_ok() && parse_query(&"é".repeat(501)).is_err());
        assert!(parse_query(" \n").is_err());
    }
}
