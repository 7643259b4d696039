//! The doors for input: every body enters through [`Body`], and leaves as a value that is valid.
//!
//! A type says how it is read by [`FromInput`]; all its problems are collected and answered at once.

mod body;
mod input;
mod json;
mod lent;
mod parameter;

pub use body::{Body, MAX_BODY, buffered};
pub use input::{FromInput, Input};
pub use lent::Leftover;
pub use parameter::Parameter;
