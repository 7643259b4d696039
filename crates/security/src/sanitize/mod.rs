//! Texts from strangers, made harmless once, when they are written.
//!
//! | Module | For |
//! |---|---|
//! | [`html`] | rich texts: an allow-list of tags, safe links, balanced |
//! | [`text`] | plain texts: tags lost, characters kept |
//! | [`linkify`] | bare http(s) addresses become links |
//!
//! What comes out of [`html::clean`] may stand between two tags of a page. What comes out of [`text::strip_tags`]
//! is plain text: whoever puts it into a page still encodes it.

#[cfg(test)]
mod corpus;
pub mod html;
pub mod linkify;
mod normal;
mod references;
mod scan;
pub mod text;
mod tree;
