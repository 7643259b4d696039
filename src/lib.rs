//! The server: see ARCHITECTURE.md for the map.

pub mod access;
pub mod accounts;
pub mod admin;
pub mod api_docs;
pub mod app;
pub mod audit;
pub mod backup;
pub mod books;
pub mod calibrate;
pub mod config;
pub mod edge;
pub mod error;
pub mod extract;
pub mod health;
pub mod load;
pub mod log;
pub mod mail;
pub mod model;
pub mod profiles;
pub mod reviews;
pub mod routes;
pub mod serve;
pub mod state;
pub mod storage;
pub mod uploads;
pub mod web;
