//! What the model says, held against what it was asked.
//!
//! A book's text may have told it what to say. So its first line must rank books that were offered and nothing
//! else, and what follows must be a short plain text without links; anything else is no answer at all.

use super::super::answer::{Candidate, SHOWN};
use super::Failure;
use serde::Deserialize;
use std::collections::HashSet;

/// Characters of the first line, at most.
const MAX_LINE: usize = 2000;
/// Characters of the answer, at most.
const MAX_ANSWER: usize = 1500;

/// A reply that arrives in pieces.
pub(super) struct Reply {
    offered: HashSet<i64>,
    line: String,
    ranking: Option<Vec<(i64, u8)>>,
    answer: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    books: Vec<Ranked>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ranked {
    id: i64,
    score: u8,
}

impl Reply {
    /// A reply about these books.
    pub(super) fn to(candidates: &[Candidate]) -> Self {
        let offered = candidates.iter().map(|candidate| candidate.book.id).collect();
        Self { offered, line: String::new(), ranking: None, answer: String::new() }
    }

    /// The ids and scores, the best first, once they are there.
    pub(super) fn ranking(&self) -> Option<&[(i64, u8)]> {
        self.ranking.as_deref()
    }

    /// Takes a piece; gives what it adds to the answer.
    pub(super) fn read(&mut self, text: &str) -> Result<String, Failure> {
        if self.ranking.is_some() {
            return self.say(text);
        }
        self.line.push_str(text);
        let Some((line, rest)) = self.line.split_once('\n') else {
            return if self.line.len() > MAX_LINE { Err(Failure::Nonsense) } else { Ok(String::new()) };
        };
        if line.trim().is_empty() {
            let rest = rest.to_owned();
            self.line.clear();
            return if rest.is_empty() { Ok(rest) } else { self.read(&rest) };
        }
        self.ranking = Some(self.rank(line)?);
        let rest = rest.to_owned();
        self.say(&rest)
    }

    /// The whole of it.
    pub(super) fn end(self) -> Result<(Vec<(i64, u8)>, String), Failure> {
        let answer = self.answer.trim().to_owned();
        match self.ranking {
            Some(ranking) if !answer.is_empty() => Ok((ranking, answer)),
            _ => Err(Failure::Nonsense),
        }
    }

    fn rank(&self, line: &str) -> Result<Vec<(i64, u8)>, Failure> {
        let Line { books } = serde_json::from_str(line).map_err(|_| Failure::Nonsense)?;
        let mut seen = HashSet::new();
        let is_right =
            |book: &Ranked| self.offered.contains(&book.id) && book.score <= 100 && seen.insert(book.id);
        if books.len() > SHOWN || !books.iter().all(is_right) {
            return Err(Failure::Nonsense);
        }
        let mut ranking: Vec<_> = books.iter().map(|book| (book.id, book.score)).collect();
        ranking.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
        Ok(ranking)
    }

    fn say(&mut self, text: &str) -> Result<String, Failure> {
        let plain = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
        let mut said: String = plain.collect();
        if self.answer.is_empty() {
            said = said.trim_start().to_owned();
        }
        self.answer.push_str(&said);
        let lower = self.answer.to_ascii_lowercase();
        let has_link = ["://", "www.", "<", "]("].iter().any(|sign| lower.contains(sign));
        if has_link || self.answer.chars().count() > MAX_ANSWER {
            return Err(Failure::Nonsense);
        }
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::super::answer::SearchResult;
    use super::super::super::index::Document;
    use super::*;

    fn reply() -> Reply {
        let candidate = |id| Candidate {
            book: Document { id, ..Document::default() },
            year: None,
            result: SearchResult { book: id, score: 0.5, reason: String::new() },
        };
        Reply::to(&[candidate(3), candidate(5)])
    }

    fn whole(text: &str) -> Result<(Vec<(i64, u8)>, String), Failure> {
        let mut reply = reply();
        reply.read(text)?;
        reply.end()
    }

    #[test]
    fn a_ranking_and_an_answer_are_taken_however_they_are_cut() {
        let text =
            "\n{\"books\": [{\"id\": 3, \"score\": 40}, {\"id\": 5, \"score\": 90}]}\n\nThe second\nfits.";
        for size in [1, 5, 1000] {
            let mut reply = reply();
            let mut said = String::new();
            for piece in text.as_bytes().chunks(size) {
                said.push_str(&reply.read(std::str::from_utf8(piece).unwrap()).unwrap());
            }
            assert_eq!(said, "The second fits.");
            assert_eq!(reply.end(), Ok((vec![(5, 90), (3, 40)], said)), "{size}");
        }
        assert_eq!(whole("{\"books\": []}\nNone fits."), Ok((Vec::new(), "None fits.".to_owned())));
    }

    #[test]
    fn anything_else_is_no_answer() {
        let with_answer = |line: &str| format!("{line}\nFine.");
        for line in [
            r#"{"books": [{"id": 4, "score": 90}]}"#,
            r#"{"books": [{"id": 3, "score": 90}, {"id": 3, "score": 80}]}"#,
            r#"{"books": [{"id": 3, "score": 101}]}"#,
            r#"{"books": [{"id": 3, "score": -1}]}"#,
            r#"{"books": [{"id": 3, "score": 1, "url": "x"}]}"#,
            r#"{"books": [{"id": 3, "score": 1}], "more": 1}"#,
            "```json",
            "I think that",
            "[3]",
        ] {
            assert_eq!(whole(&with_answer(line)), Err(Failure::Nonsense), "{line}");
        }
        let good = r#"{"books": [{"id": 3, "score": 1}]}"#;
        let long = "x".repeat(MAX_ANSWER + 1);
        for answer in ["", "  ", "See https://evil.example", "<b>", "[here](x)", "WWW.evil.example", &long] {
            assert_eq!(whole(&format!("{good}\n{answer}")), Err(Failure::Nonsense), "{answer}");
        }
        assert_eq!(whole(good), Err(Failure::Nonsense), "no line's end");
        assert_eq!(whole(&"x".repeat(MAX_LINE + 1)), Err(Failure::Nonsense));
    }
}
