//! Django-grade authentication mechanisms for Rust services.
//!
//! Mechanism only: nothing here reads configuration, opens a database or knows a web framework beyond
//! the [`http`] types and [`tower`] layers. Time and randomness are parameters ([`clock`], [`random`]),
//! so every rule can be tested without waiting.
//!
//! | Module | What it is for |
//! |---|---|
//! | [`password`] | policies, hashing, the six Django formats, a pool that bounds memory |
//! | [`token`] | simplejwt-compatible JWTs, signing keys, one-time tokens |
//! | [`permission`] | who may see and change what: one truth table |
//! | [`upload`] | pictures from strangers: told by content, bounded, drawn anew |
//! | [`throttle`] | exact sliding windows ("5/minute") |
//! | [`sanitize`] | rich and plain texts from strangers |
//! | [`seal`] | authenticated encryption of database columns |
//! | [`client_ip`] | the caller's address behind trusted proxies |
//! | [`headers`], [`cors`], [`csrf`] | what a browser is told, and what it must prove |
//! | [`clock`], [`random`], [`secret`] | time, randomness and secrets as values |

pub mod client_ip;
pub mod clock;
pub mod cors;
pub mod csrf;
pub mod headers;
pub mod password;
pub mod permission;
pub mod random;
pub mod sanitize;
pub mod seal;
pub mod secret;
pub mod throttle;
pub mod token;
pub mod upload;
