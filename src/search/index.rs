//! The books in memory: which words each has, and what each is about.
//!
//! A book that changes gets a new slot and its old one dies; the dead are swept out when they are many.

use super::meaning::{Meanings, Sum, Vector, Vectors};
use super::text::{stem, telling, words};
use std::collections::HashMap;

/// How much more often a word counts that stands in a title or an author's name.
const NAME_WEIGHT: u32 = 2;
/// What a title says of a book, against what its description says.
const TITLE_SHARE: f32 = 0.5;
/// The bits of a posting: 24 for the slot, one for "in title or author", seven for how often.
const COUNT_BITS: u32 = 7;
const MAX_COUNT: u32 = (1 << COUNT_BITS) - 1;
const NAMED: u32 = 1 << COUNT_BITS;
const SLOT_SHIFT: u32 = COUNT_BITS + 1;
/// Slots that a posting can name.
pub(super) const MAX_BOOKS: usize = 1 << (32 - SLOT_SHIFT);
/// So many dead slots are always left.
const SPARE: usize = 1000;

/// What is indexed of a book.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) author: String,
    pub(super) isbn: Option<String>,
    pub(super) description: String,
}

/// A book made ready, which takes longer than putting it in.
pub(super) struct Prepared {
    slot: Slot,
    vector: Option<Vector>,
    terms: Vec<Term>,
}

struct Term {
    stem: String,
    count: u32,
    is_named: bool,
    /// As the book has it.
    word: String,
}

/// What is known of a book without looking at its words.
#[derive(Clone)]
pub(super) struct Slot {
    pub(super) id: i64,
    /// Of the title's words.
    pub(super) title: u64,
    /// ISBN-13, or 0.
    pub(super) isbn: u64,
    /// Words, as they count.
    pub(super) length: f32,
    pub(super) is_alive: bool,
}

/// All books.
#[derive(Default)]
pub(super) struct Index {
    pub(super) slots: Vec<Slot>,
    pub(super) vectors: Vectors,
    places: HashMap<i64, u32>,
    terms: HashMap<Box<str>, u32>,
    postings: Vec<Vec<u32>>,
    /// The terms whose meaning is known, and their meanings.
    known: Vec<u32>,
    known_vectors: Vectors,
    total_length: f64,
}

/// Where a word stands in a book.
#[derive(Clone, Copy)]
pub(super) struct Posting {
    pub(super) slot: usize,
    pub(super) count: f32,
    pub(super) is_named: bool,
}

impl Document {
    /// Makes the book ready for the index.
    pub(super) fn prepare(&self, meanings: &Meanings) -> Prepared {
        let [title, author, description] =
            [&self.title, &self.author, &self.description].map(|text| telling(text));
        let mut about = meanings.of_words(&description);
        if let Some(title) = meanings.of_words(&title).direction() {
            about = sum_of(about.direction().as_ref(), &title);
        }
        let mut terms: HashMap<String, Term> = HashMap::new();
        for (words, weight, is_named) in
            [(title, NAME_WEIGHT, true), (author, NAME_WEIGHT, true), (description, 1, false)]
        {
            for word in words {
                let stem = stem(&word);
                let term = terms.entry(stem).or_insert_with_key(|stem| Term {
                    stem: stem.clone(),
                    count: 0,
                    is_named,
                    word,
                });
                term.count += weight;
                term.is_named |= is_named;
            }
        }
        let length: u32 = terms.values().map(|term| term.count).sum();
        let isbn = self.isbn.as_ref().and_then(|isbn| isbn.parse().ok()).unwrap_or(0);
        let slot = Slot {
            id: self.id,
            title: hash(&words(&self.title)),
            isbn,
            length: length as f32,
            is_alive: true,
        };
        Prepared { slot, vector: about.direction(), terms: terms.into_values().collect() }
    }
}

fn sum_of(description: Option<&Vector>, title: &Vector) -> Sum {
    let mut sum = Sum::zero();
    if let Some(description) = description {
        sum.add(description, 1.0);
    }
    sum.add(title, TITLE_SHARE);
    sum
}

/// What one word means, whatever its weight.
pub(super) fn direction_of(meanings: &Meanings, word: &str) -> Option<Vector> {
    let mut sum = Sum::zero();
    sum.add(&meanings.of_word(word)?, 1.0);
    sum.direction()
}

/// A number for a row of words (FNV-1a); two rows may share one, which only moves a book up that is near anyway.
pub(super) fn hash(words: &[String]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Index {
    /// Puts a book in, in place of what was there under its id.
    pub(super) fn put(&mut self, book: Prepared, meanings: &Meanings) {
        self.remove(book.slot.id);
        if self.slots.len() >= MAX_BOOKS {
            return;
        }
        let place = self.slots.len() as u32;
        for term in book.terms {
            let count = term.count.min(MAX_COUNT);
            let named = if term.is_named { NAMED } else { 0 };
            let number = self.number_of(term, meanings);
            self.postings[number as usize].push(place << SLOT_SHIFT | named | count);
        }
        self.total_length += f64::from(book.slot.length);
        self.places.insert(book.slot.id, place);
        self.vectors.push(book.vector.as_ref());
        self.slots.push(book.slot);
    }

    fn number_of(&mut self, term: Term, meanings: &Meanings) -> u32 {
        if let Some(number) = self.terms.get(term.stem.as_str()) {
            return *number;
        }
        let number = self.postings.len() as u32;
        self.postings.push(Vec::new());
        if let Some(direction) = direction_of(meanings, &term.word) {
            self.known.push(number);
            self.known_vectors.push(Some(&direction));
        }
        self.terms.insert(term.stem.into_boxed_str(), number);
        number
    }

    /// Takes a book out.
    pub(super) fn remove(&mut self, id: i64) {
        let Some(place) = self.places.remove(&id) else { return };
        if let Some(slot) = self.slots.get_mut(place as usize) {
            slot.is_alive = false;
            self.total_length -= f64::from(slot.length);
        }
        if self.slots.len() - self.places.len() > self.places.len() / 4 + SPARE {
            self.sweep();
        }
    }

    /// Takes the dead slots out and moves the others together.
    fn sweep(&mut self) {
        let mut next = 0;
        let moved: Vec<Option<u32>> = (self.slots.iter())
            .map(|slot| {
                slot.is_alive.then(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        let new_place = |posting: u32| moved.get((posting >> SLOT_SHIFT) as usize).copied().flatten();
        for postings in &mut self.postings {
            postings.retain_mut(|posting| match new_place(*posting) {
                Some(place) => {
                    *posting = place << SLOT_SHIFT | (*posting & (NAMED | MAX_COUNT));
                    true
                }
                None => false,
            });
        }
        self.vectors.retain(|place| moved[place].is_some());
        self.slots.retain(|slot| slot.is_alive);
        self.places = self.slots.iter().zip(0..).map(|(slot, place)| (slot.id, place)).collect();
    }

    /// How many books there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The mean number of words of a book.
    pub(super) fn mean_length(&self) -> f32 {
        (self.total_length / self.len().max(1) as f64).max(1.0) as f32
    }

    /// The number of a word.
    pub(super) fn term(&self, stem: &str) -> Option<u32> {
        self.terms.get(stem).copied()
    }

    /// How telling a word is: the fewer books have it, the more.
    pub(super) fn rarity(&self, term: Option<u32>) -> f32 {
        let books = self.len() as f32;
        match term.and_then(|term| self.postings.get(term as usize)) {
            Some(postings) => {
                let having = (postings.len() as f32).min(books);
                ((books - having + 0.5) / (having + 0.5)).ln_1p()
            }
            // A word that no book has says that something is missing, but not all.
            None => books.ln_1p() * 0.8,
        }
    }

    /// Where a word stands.
    pub(super) fn postings(&self, term: u32) -> impl Iterator<Item = Posting> + '_ {
        self.postings.get(term as usize).into_iter().flatten().map(|posting| Posting {
            slot: (posting >> SLOT_SHIFT) as usize,
            count: (posting & MAX_COUNT) as f32,
            is_named: posting & NAMED != 0,
        })
    }

    /// The words that mean nearly the same, the nearest first: their cosines, above a least one.
    pub(super) fn near(&self, vector: &Vector, least: f32, limit: usize) -> Vec<(u32, f32)> {
        let all = self.known.iter().copied().zip(self.known_vectors.cosines(vector));
        let mut near: Vec<(u32, f32)> = all.filter(|(_, cosine)| *cosine > least).collect();
        near.sort_unstable_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
        near.truncate(limit);
        near
    }

    /// Bytes of memory, without what the allocator adds.
    pub(super) fn bytes(&self) -> usize {
        let postings: usize = self.postings.iter().map(|postings| postings.capacity() * 4 + 24).sum();
        let terms: usize = self.terms.keys().map(|stem| stem.len() + 32).sum();
        let slots = self.slots.capacity() * size_of::<Slot>() + self.places.capacity() * 17;
        postings
            + terms
            + slots
            + self.vectors.bytes()
            + self.known_vectors.bytes()
            + self.known.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn book(id: i64, title: &str) -> Document {
        Document { id, title: title.to_owned(), ..Document::default() }
    }

    fn having(index: &Index, word: &str) -> Vec<i64> {
        let term = index.term(&stem(word)).unwrap();
        let slots = index.postings(term).map(|posting| &index.slots[posting.slot]);
        slots.filter(|slot| slot.is_alive).map(|slot| slot.id).collect()
    }

    #[test]
    fn a_changed_book_is_found_by_its_new_words_alone() {
        let (meanings, mut index) = (Meanings::load(), Index::default());
        index.put(book(7, "Whales").prepare(&meanings), &meanings);
        index.put(book(8, "Whales and seals").prepare(&meanings), &meanings);
        index.put(book(7, "Seals").prepare(&meanings), &meanings);
        assert_eq!((having(&index, "whale"), having(&index, "seals")), (vec![8], vec![8, 7]));
        index.remove(8);
        index.remove(9);
        assert_eq!((having(&index, "whale"), index.len()), (Vec::new(), 1));
    }

    #[test]
    fn sweeping_moves_the_living_and_forgets_the_dead() {
        let (meanings, mut index) = (Meanings::load(), Index::default());
        for round in 0..1200 {
            index.put(
                book(round % 3, ["One whale", "Two seals", "Three boats"][(round % 3) as usize])
                    .prepare(&meanings),
                &meanings,
            );
        }
        assert!(index.slots.len() < 1100, "{} slots", index.slots.len());
        assert_eq!((index.len(), having(&index, "seals"), having(&index, "boat")), (3, vec![1], vec![2]));
        let whale = direction_of(&meanings, "whale").unwrap();
        let cosines: Vec<f32> = index.vectors.cosines(&whale).collect();
        let best = cosines.iter().zip(&index.slots).max_by(|left, right| left.0.total_cmp(right.0)).unwrap();
        assert_eq!((cosines.len(), best.1.id), (index.slots.len(), 0));
    }
}
