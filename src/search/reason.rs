//! Why a book is there, in a sentence that is true.

use super::index::{Document, Index};
use super::rank::{Found, Question, meant_by};
use super::text::{stem, telling, words};
use std::collections::HashMap;

/// Words that are named.
const MAX_NAMED: usize = 3;
/// How nearly a word has to mean the same to be named.
const NEAR: f32 = 0.15;

/// What the words of a question mean here: for each stem the question's word, and whether it is the word itself.
pub(super) struct Meant(HashMap<String, (String, bool)>);

impl Meant {
    /// Looks them up while the index is at hand.
    pub(super) fn read(index: &Index, question: &Question, stems: &HashMap<u32, String>) -> Self {
        let mut meant = HashMap::new();
        for word in &question.words {
            for (term, weight) in meant_by(index, word, true) {
                if let Some(stem) = stems.get(&term).filter(|_| weight > NEAR) {
                    meant.entry(stem.clone()).or_insert_with(|| (word.text.clone(), false));
                }
            }
        }
        for word in &question.words {
            meant.insert(word.stem.clone(), (word.text.clone(), true));
        }
        Self(meant)
    }
}

/// The numbers of the words of some books, to find out which of them a question means.
pub(super) fn stems_of(index: &Index, books: &[&Document]) -> HashMap<u32, String> {
    let texts = books.iter().flat_map(|book| [&book.title, &book.author, &book.description]);
    let stems = texts.flat_map(|text| telling(text)).map(|word| stem(&word));
    stems.filter_map(|stem| Some((index.term(&stem)?, stem))).collect()
}

/// The sentence.
pub(super) fn reason(query: &str, meant: &Meant, book: &Document, found: &Found) -> String {
    if found.by_number {
        return "It has the ISBN that you asked for.".to_owned();
    }
    if words(query) == words(&book.title) {
        return "This is its title.".to_owned();
    }
    let fields = [("title", &book.title), ("author", &book.author), ("description", &book.description)];
    let exact = fields.map(|(field, text)| (field, matching(meant, text, true)));
    let places: Vec<String> = exact
        .iter()
        .filter(|(_, words)| !words.is_empty())
        .map(|(field, words)| format!("its {field} has {}", listed(words.iter().map(|(word, _)| word))))
        .collect();
    if !places.is_empty() {
        return sentence(&places.join(", "));
    }
    let near = fields.iter().flat_map(|(_, text)| matching(meant, text, false)).next();
    match near {
        Some((word, asked)) => sentence(&format!("it speaks of “{word}”, which is near to “{asked}”")),
        None => "What it is about is near to what you asked for.".to_owned(),
    }
}

/// The words of a text that the question has, or that mean nearly the same: each with the question's.
fn matching(meant: &Meant, text: &str, exact: bool) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for word in telling(text) {
        let Some((asked, is_itself)) = meant.0.get(&stem(&word)) else { continue };
        if *is_itself == exact && found.len() < MAX_NAMED && found.iter().all(|(_, other)| other != asked) {
            found.push((word, asked.clone()));
        }
    }
    found
}

fn listed<'a>(words: impl Iterator<Item = &'a String>) -> String {
    let quoted: Vec<String> = words.map(|word| format!("“{word}”")).collect();
    match quoted.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => quoted.concat(),
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
