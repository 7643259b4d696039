//! Black-box tests: a real server on a real port, over HTTP, on every database that is here.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod accounts;
mod backup;
mod books;
mod community;
mod harness;
mod input;
mod invite;
mod keys;
mod reviews;
mod throttles;
mod tidy;
mod tokens;
mod verbs;
