//! Each probe against a server with exactly its hole, and against one without any.

mod fixture;
mod passive;
mod reports;
mod secured;
