//! The server: see ARCHITECTURE.md for the map.

pub mod config;
pub mod error;
pub mod mail;
pub mod model;
pub mod storage;
