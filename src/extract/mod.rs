//! The doors for input: every body enters through [`Body`], and leaves as a value that is valid.
//!
//! A type says how it is read by [`FromInput`]; all its problems are collected and answered at once.

mod body;
mod input;
mod json;

pub use body::{Body, MAX_BODY, buffered};
pub use input::{FromInput, Input};
