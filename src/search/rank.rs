//! Which books answer a question best.
//!
//! Meaning leads: the angle between what the question and what the book is about. Words add to it (BM25): those
//! of the question, and less those that mean nearly the same. A number, a title or a name that is asked for as it
//! is written comes first.

use super::index::{Index, direction_of, hash};
use super::meaning::{Meanings, Vector};
use super::text::{stem, telling, words};

/// Words of a question that count as words; its meaning is that of all.
const MAX_WORDS: usize = 16;
/// Words of a question for which others are looked up, the most telling first: each costs a walk over all words.
const MAX_NEAR_WORDS: usize = 6;
/// Words that are taken for one of the question, at most.
const NEAR: usize = 16;
/// The cosine above which a word means nearly the same.
const NEAR_COSINE: f32 = 0.3;
/// BM25's usual: how soon more of the same word counts less, and how much a long text counts less.
const K1: f32 = 1.2;
const B: f32 = 0.75;
const WORDS_WEIGHT: f32 = 0.5;
const NAME_WEIGHT: f32 = 0.15;
const WHOLE_NAME: f32 = 1.0;
const EXACT_TITLE: f32 = 1.0;
const SAME_NUMBER: f32 = 5.0;
/// Books below are no answer, since every text is a little like every other; unless their title or author has this
/// share of the question.
const LEAST: f32 = 0.25;
const NAMED_SHARE: f32 = 0.3;

/// A question, read.
pub(super) struct Question {
    /// Each telling word once.
    pub(super) words: Vec<Word>,
    meaning: Option<Vector>,
    title: u64,
    numbers: Vec<Number>,
}

/// A word of a question.
pub(super) struct Word {
    pub(super) text: String,
    pub(super) stem: String,
    direction: Option<Vector>,
}

/// What could be an ISBN.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Number {
    Thirteen(u64),
    /// The nine digits of an ISBN-10 before its check digit.
    Nine(u64),
}

/// Whether meaning takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// As it is served.
    Both,
    /// For comparison: words alone.
    #[cfg_attr(not(test), expect(dead_code, reason = "the figures of docs/search.md are held against it"))]
    WordsAlone,
}

/// A book that answers a question.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) id: i64,
    /// From 0 to 1.
    pub(super) score: f64,
    /// The ISBN was asked for.
    pub(super) by_number: bool,
}

impl Question {
    /// Reads a question.
    pub(super) fn read(text: &str, meanings: &Meanings) -> Self {
        let mut read: Vec<Word> = Vec::new();
        for word in telling(text) {
            let stem = stem(&word);
            if read.len() < MAX_WORDS && read.iter().all(|other| other.stem != stem) {
                read.push(Word { direction: direction_of(meanings, &word), text: word, stem });
            }
        }
        let meaning = meanings.of_text(text).direction();
        Self { words: read, meaning, title: hash(&words(text)), numbers: numbers(text) }
    }

    fn asks_for(&self, isbn: u64) -> bool {
        isbn != 0
            && self.numbers.iter().any(|number| match number {
                Number::Thirteen(digits) => *digits == isbn,
                Number::Nine(digits) => isbn / 10_000_000_000 == 978 && isbn / 10 % 1_000_000_000 == *digits,
            })
    }
}

/// What looks like an ISBN: digits, hyphens and spaces, with 13 digits or with 9 and a check digit.
fn numbers(text: &str) -> Vec<Number> {
    let is_part = |letter: char| letter.is_ascii_digit() || matches!(letter, '-' | ' ' | 'x' | 'X');
    let runs = text.split(|letter| !is_part(letter));
    let digits =
        runs.map(|run| run.chars().filter(|letter| !matches!(letter, '-' | ' ')).collect::<String>());
    let number = |digits: String| match digits.len() {
        13 => digits.parse().ok().map(Number::Thirteen),
        10 => digits.get(..9).and_then(|nine| nine.parse().ok()).map(Number::Nine),
        _ => None,
    };
    digits.filter_map(number).collect()
}

/// What each book's words say.
struct Words {
    /// BM25, as a share of what is possible.
    near: Vec<f32>,
    /// Which share of the question stands in title and author.
    named: Vec<f32>,
}

/// The best books, the best first.
pub(super) fn rank(index: &Index, question: &Question, mode: Mode, limit: usize) -> Vec<Found> {
    let said = weigh_words(index, question, mode);
    let mut best: Vec<(f32, usize)> = Vec::with_capacity(limit + 1);
    let least = if mode == Mode::Both { LEAST } else { f32::MIN_POSITIVE };
    let mut consider = |slot: usize, meaning: f32| {
        if !index.slots[slot].is_alive {
            return;
        }
        let total = total(index, question, &said, slot, meaning);
        let is_answer = total >= least || said.named[slot] > NAMED_SHARE;
        if !is_answer || (best.len() == limit && best.last().is_some_and(|last| total <= last.0)) {
            return;
        }
        let place = best.partition_point(|other| other.0 >= total);
        best.insert(place, (total, slot));
        best.truncate(limit);
    };
    match (&question.meaning, mode) {
        (Some(vector), Mode::Both) => {
            index
                .vectors
                .cosines(vector)
                .enumerate()
                .for_each(|(slot, cosine)| consider(slot, cosine.max(0.0)));
        }
        _ => (0..index.slots.len()).for_each(|slot| consider(slot, 0.0)),
    }
    let found = |(total, slot): (f32, usize)| {
        let slot = &index.slots[slot];
        let score = f64::from(1.0 - (-1.5 * total).exp());
        Found {
            id: slot.id,
            score: (score * 1000.0).round() / 1000.0,
            by_number: question.asks_for(slot.isbn),
        }
    };
    best.into_iter().map(found).collect()
}

fn total(index: &Index, question: &Question, said: &Words, place: usize, meaning: f32) -> f32 {
    let slot = &index.slots[place];
    let named = said.named[place];
    let mut total = meaning + WORDS_WEIGHT * said.near[place] + NAME_WEIGHT * named;
    if named > 0.99 {
        total += WHOLE_NAME;
    }
    if slot.title == question.title {
        total += EXACT_TITLE;
    }
    if !question.numbers.is_empty() && question.asks_for(slot.isbn) {
        total += SAME_NUMBER;
    }
    total
}

fn weigh_words(index: &Index, question: &Question, mode: Mode) -> Words {
    let count = index.slots.len();
    let mut said = Words { near: vec![0.0; count], named: vec![0.0; count] };
    let rarity = |word: &Word| index.rarity(index.term(&word.stem));
    let whole: f32 = question.words.iter().map(rarity).sum();
    if whole <= 0.0 {
        return said;
    }
    let mut by_rarity: Vec<&Word> = question.words.iter().collect();
    by_rarity.sort_by(|left, right| rarity(right).total_cmp(&rarity(left)));
    let lengths = lengths(index);
    let (mut best, mut touched) = (vec![0.0_f32; count], Vec::new());
    for (place, word) in by_rarity.into_iter().enumerate() {
        let share = rarity(word) / whole;
        let looks_around = mode == Mode::Both && place < MAX_NEAR_WORDS;
        for (term, weight) in meant_by(index, word, looks_around) {
            let is_itself = index.term(&word.stem) == Some(term);
            for posting in index.postings(term) {
                // BM25's weight of a word that stands so often in a book; below one.
                let value = weight * posting.count / (posting.count + lengths[posting.slot]);
                if best[posting.slot] == 0.0 {
                    touched.push(posting.slot);
                }
                best[posting.slot] = best[posting.slot].max(value);
                if is_itself && posting.is_named {
                    said.named[posting.slot] += share;
                }
            }
        }
        for slot in touched.drain(..) {
            said.near[slot] += share * best[slot];
            best[slot] = 0.0;
        }
    }
    said
}

/// What the length of each book takes from its words.
fn lengths(index: &Index) -> Vec<f32> {
    let mean = index.mean_length();
    index.slots.iter().map(|slot| K1 * (1.0 - B + B * slot.length / mean)).collect()
}

/// The word itself, and those that mean nearly the same with how nearly.
pub(super) fn meant_by(index: &Index, word: &Word, looks_around: bool) -> Vec<(u32, f32)> {
    let itself = index.term(&word.stem);
    let near = match &word.direction {
        Some(direction) if looks_around => index.near(direction, NEAR_COSINE, NEAR),
        _ => Vec::new(),
    };
    let near = near.into_iter().filter(|(term, _)| Some(*term) != itself);
    let near = near.map(|(term, cosine)| (term, (cosine - NEAR_COSINE) / (1.0 - NEAR_COSINE)));
    itself.map(|term| (term, 1.0)).into_iter().chain(near).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::index::Document;
    use super::*;
    use std::collections::HashMap;

    const BOOKS: &str = include_str!("../../tests/fixtures/search/books.csv");
    const QUERIES: &str = include_str!("../../tests/fixtures/search/queries.tsv");
    const TUNING: &str = include_str!("../../tests/fixtures/search/tuning.tsv");
    const DOCS: &str = include_str!("../../docs/search.md");

    /// Title, author, ISBN, description of a line; the year before it is passed over.
    fn document(id: i64, line: &str) -> Document {
        let mut cells = vec![String::new()];
        let mut is_quoted = false;
        for letter in line.chars() {
            match letter {
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => cells.push(String::new()),
                letter => cells.last_mut().unwrap().push(letter),
            }
        }
        let [title, author, isbn, _, description] = cells.try_into().expect("five cells");
        Document { id, title, author, isbn: Some(isbn).filter(|isbn| !isbn.is_empty()), description }
    }

    struct Library {
        meanings: Meanings,
        index: Index,
        titles: HashMap<i64, String>,
    }

    fn library() -> Library {
        let (meanings, mut index, mut titles) = (Meanings::load(), Index::default(), HashMap::new());
        for (id, line) in (1..).zip(BOOKS.lines().skip(1)) {
            let book = document(id, line);
            titles.insert(id, book.title.clone());
            index.put(book.prepare(&meanings), &meanings);
        }
        Library { meanings, index, titles }
    }

    impl Library {
        fn ask(&self, query: &str, mode: Mode) -> Vec<&str> {
            let question = Question::read(query, &self.meanings);
            let found = rank(&self.index, &question, mode, 10);
            found.iter().map(|found| self.titles[&found.id].as_str()).collect()
        }
    }

    /// How many of the questions find a book that is expected among the first three.
    fn hits(library: &Library, questions: &str, mode: Mode) -> usize {
        let is_hit = |line: &str| {
            let [name, query, expected] =
                line.split('\t').collect::<Vec<_>>().try_into().expect("three cells");
            let found = library.ask(query, mode);
            let first = &found[..found.len().min(3)];
            let is_hit = expected.split('|').any(|title| first.contains(&title));
            if !is_hit {
                println!("{mode:?}: {name}: {first:?}");
            }
            is_hit
        };
        questions.lines().skip(1).filter(|line| is_hit(line)).count()
    }

    #[test]
    fn of_thirty_questions_25_find_their_book_among_the_first_three_and_without_meaning_18() {
        let library = library();
        let (both, words_alone) =
            (hits(&library, QUERIES, Mode::Both), hits(&library, QUERIES, Mode::WordsAlone));
        let tuned = hits(&library, TUNING, Mode::Both);
        println!("top 3 of 30: {both} with meaning, {words_alone} by words alone; {tuned} of 50 others");
        assert_eq!((QUERIES.lines().count(), TUNING.lines().count()), (31, 51));
        assert!(both * 10 >= 30 * 8, "{both} of 30");
        assert_eq!((both, words_alone, tuned), (25, 18, 39));
        for figure in [format!("{both} of 30"), format!("{words_alone} of 30"), format!("{tuned} find")] {
            assert!(DOCS.contains(&figure), "docs/search.md does not say {figure}");
        }
    }

    #[test]
    fn what_is_asked_for_by_name_or_number_comes_first() {
        let library = library();
        for (query, title) in [
            ("Dune", "Dune"),
            ("dune messiah", "Dune Messiah"),
            ("978-0-441-17271-9", "Dune"),
            ("ISBN 0441172717?", "Dune"),
            ("WE", "We"),
            ("the catcher in the rye salinger", "The Catcher in the Rye"),
            ("Les Miserables", "Les Misérables"),
        ] {
            for mode in [Mode::Both, Mode::WordsAlone] {
                assert_eq!(library.ask(query, mode).first(), Some(&title), "{query} {mode:?}");
            }
        }
    }

    #[test]
    fn scores_fall_from_one_to_zero_and_nonsense_finds_nothing() {
        let library = library();
        let ask = |query| rank(&library.index, &Question::read(query, &library.meanings), Mode::Both, 20);
        for query in ["Dune", "whale", "a sad love", "9780441172719"] {
            let found = ask(query);
            assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score), "{query}");
            assert!(found.iter().all(|found| (0.0..=1.0).contains(&found.score)), "{query}");
        }
        for nothing in ["xqzzv", "!!!", "", "9780000000000"] {
            assert!(ask(nothing).is_empty(), "{nothing}");
        }
        assert_eq!(
            rank(&Index::default(), &Question::read("Dune", &library.meanings), Mode::Both, 20).len(),
            0
        );
    }
}
