//! Holes of encryption.
