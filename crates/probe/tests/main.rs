//! Each probe against a server with exactly its hole, and against one without any.

mod active;
mod fixture;
mod passive;
mod reports;
mod secured;
