//! What a search is answered with, and the answer that is made here.

use super::Search;
use super::feed::document;
use super::index::Document;
use super::rank::{Found, Mode, Question, rank};
use super::reason::{Meant, reason, stems_of};
use crate::error::{Error, Result};
use crate::model::books::{Column, Entity};
use crate::state::App;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// Books that are looked at.
pub(super) const CANDIDATES: usize = 20;
/// Books that are shown.
pub(super) const SHOWN: usize = 10;
/// A caller has ten searches an hour: one that comes right after the start is worth a wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// The answer to a search.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SearchAnswer {
    /// What was asked.
    pub(super) query: String,
    /// Who answered: `local` (this server) or `anthropic` (Claude, over what this server found).
    #[schema(value_type = String)]
    pub(super) provider: Provider,
    /// A sentence or a few, plain text.
    pub(super) answer: String,
    /// The best first, at most ten.
    pub(super) results: Vec<SearchResult>,
}

/// A book that was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SearchResult {
    /// Its id.
    pub(super) book: i64,
    /// How well it fits, from 0 to 1; to compare books of one answer, not of two.
    pub(super) score: f64,
    /// Why it is there, plain text.
    pub(super) reason: String,
}

/// Who answered a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// This server.
    Local,
    /// Anthropic's API, over what this server found.
    Anthropic,
}

/// A book that may be the answer.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) book: Document,
    pub(super) year: Option<i64>,
    pub(super) result: SearchResult,
}

/// Why this server answers although another was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instead {
    /// The day's budget is used up.
    NoBudget,
    /// It did not answer, or not so that it can be used.
    NoAnswer,
}

/// The books that fit a question, the best first.
pub(super) async fn candidates(app: &App, search: &Search, query: &str) -> Result<Vec<Candidate>> {
    if !search.library.is_ready(PATIENCE).await {
        return Err(Error::Busy(Duration::from_secs(2)));
    }
    search.library.follow().await?;
    let text = query.to_owned();
    let found = search.library.look(move |index, meanings| {
        let question = Question::read(&text, meanings);
        rank(index, &question, Mode::Both, CANDIDATES)
    });
    let found = found.await?;
    let ids = found.iter().map(|found| found.id);
    let mut rows = Entity::find().filter(Column::Id.is_in(ids)).all(app.storage.reader()).await?;
    let in_order = found.iter().filter_map(|found| {
        let place = rows.iter().position(|row| row.id == found.id)?;
        let row = rows.swap_remove(place);
        Some((*found, row.year, document(row)))
    });
    let in_order = in_order.collect();
    explain(search, query, in_order).await
}

async fn explain(
    search: &Search,
    query: &str,
    found: Vec<(Found, Option<i64>, Document)>,
) -> Result<Vec<Candidate>> {
    let query = query.to_owned();
    let explained = search.library.look(move |index, meanings| {
        let question = Question::read(&query, meanings);
        let books: Vec<&Document> = found.iter().map(|(_, _, book)| book).collect();
        let meant = Meant::read(index, &question, &stems_of(index, &books));
        let candidate = |(found, year, book): &(Found, Option<i64>, Document)| {
            let reason = reason(&query, &meant, book, found);
            let result = SearchResult { book: book.id, score: found.score, reason };
            Candidate { book: book.clone(), year: *year, result }
        };
        found.iter().map(candidate).collect()
    });
    explained.await
}

/// The answer of this server.
pub(super) fn local(query: &str, candidates: &[Candidate], instead: Option<Instead>) -> SearchAnswer {
    let results: Vec<SearchResult> =
        candidates.iter().take(SHOWN).map(|candidate| candidate.result.clone()).collect();
    let said = match candidates.first() {
        None => "No book here fits.".to_owned(),
        Some(Candidate { book: Document { title, author, .. }, .. }) => match results.len() - 1 {
            0 => format!("“{title}” by {author} fits best."),
            1 => format!("“{title}” by {author} fits best; one other is near."),
            others => format!("“{title}” by {author} fits best; {others} others are near."),
        },
    };
    let answer = match instead {
        None => said,
        Some(Instead::NoBudget) => {
            format!("Today's searches by Claude are used up; the built-in search says: {said}")
        }
        Some(Instead::NoAnswer) => format!("Claude did not answer; the built-in search says: {said}"),
    };
    SearchAnswer { query: query.to_owned(), provider: Provider::Local, answer, results }
}
