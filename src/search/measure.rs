//! What the index costs, for the benchmark.

use super::index::{Document, Index};
use super::meaning::Meanings;
use super::rank::{Mode, Question, rank};

/// An index without a database around it.
pub struct Measured {
    meanings: Meanings,
    index: Index,
}

impl Measured {
    /// An index of so many books, each of a title, an author and a description.
    pub fn of(books: usize, book: impl Fn(usize) -> [String; 3]) -> Self {
        let (meanings, mut index) = (Meanings::load(), Index::default());
        for (number, id) in (0..books).zip(1..) {
            let [title, author, description] = book(number);
            index.put(Document { id, title, author, isbn: None, description }.prepare(&meanings), &meanings);
        }
        Self { meanings, index }
    }

    /// Searches; gives how many books were found.
    pub fn search(&self, query: &str) -> usize {
        rank(&self.index, &Question::read(query, &self.meanings), Mode::Both, super::answer::CANDIDATES).len()
    }

    /// Bytes of the index, without what the allocator adds.
    pub fn bytes(&self) -> usize {
        self.index.bytes()
    }
}
