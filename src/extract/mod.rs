//! The doors for input: every body enters through [`Body`], and leaves as a value that is valid.
//!
//! A type says how it is read by [`FromInput`]; all its problems are collected and answered at once.
//! What a list is asked for enters through [`ListQuery`].

mod body;
mod cursor;
mod include;
mod input;
mod json;
mod lent;
mod listing;
mod memory;
mod page;
mod parameter;
mod search;

pub use body::{Body, MAX_BODY, buffered};
pub use include::Include;
pub use input::{FromInput, Input};
pub use lent::Leftover;
pub use listing::Listing;
pub use memory::{BodyMemory, Memory, Share};
pub use page::{Key, ListQuery, Ordering, Page, PageParameters};
pub use parameter::Parameter;
pub use search::{Search, WordTable, delete_words, insert_words, words};
