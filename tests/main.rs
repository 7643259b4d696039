//! Black-box tests: a real server on a real port, over HTTP, on every database that is here.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod accounts;
mod api_docs;
mod asvs;
mod avatars;
mod avatars_elsewhere;
mod backup;
mod books;
mod chat;
mod check_deploy;
mod check_url;
mod community;
mod connections;
mod corpora;
mod crash;
mod events;
mod guide_flow;
mod hanging_up;
mod harness;
mod health;
mod hostile_bodies;
mod hostile_tokens;
mod input;
mod invite;
mod keys;
mod lifetimes;
mod operators;
mod outage;
mod people;
mod reviews;
mod search;
mod secrets;
mod slow_clients;
mod throttles;
mod tidy;
mod timing;
mod tokens;
mod verbs;
mod watching;
mod web;
mod who_sees_reviews;
