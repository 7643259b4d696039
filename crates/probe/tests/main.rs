//! Each probe against a server with exactly its hole, and against one without any.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod active;
mod fixture;
mod passive;
mod reports;
mod secured;
