//! Black-box tests: a real server on a real port, over HTTP, on every database that is here.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod accounts;
mod api_docs;
mod backup;
mod harness;
mod input;
mod invite;
mod keys;
mod throttles;
mod tidy;
mod tokens;
mod verbs;
