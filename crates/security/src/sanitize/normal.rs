//! HTML as this library writes it: split into tags and texts, with the five characters that are encoded.

use std::borrow::Cow;

/// A piece of normal HTML.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// From `<` to `>`.
    Tag(&'a str),
    /// Encoded.
    Text(&'a str),
}

/// The pieces; a `>` inside a quoted attribute ends no tag.
pub(super) fn pieces(html: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = html;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let is_tag = rest.starts_with('<');
        let length = if is_tag { tag_length(rest) } else { rest.find('<').unwrap_or(rest.len()) };
        let (piece, after) = rest.split_at(length);
        rest = after;
        Some(if is_tag { Piece::Tag(piece) } else { Piece::Text(piece) })
    })
}

fn tag_length(html: &str) -> usize {
    let mut is_quoted = false;
    let end = html.bytes().position(|byte| {
        is_quoted ^= byte == b'"';
        byte == b'>' && !is_quoted
    });
    end.map_or(html.len(), |index| index + 1)
}

/// The text that encoded text stands for.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let texts = [("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", "\u{a0}"), ("&quot;", "\""), ("&amp;", "&")];
    Cow::Owned(texts.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to)))
}

/// Encodes text between tags, as the serialiser of the HTML standard does (§13.3).
pub(super) fn encode_text(text: &str, output: &mut String) {
    for character in text.chars() {
        match character {
            '&' => output.push_str("&amp;"),
            '<' => output.push_str("&lt;"),
            '>' => output.push_str("&gt;"),
            '\u{a0}' => output.push_str("&nbsp;"),
            _ => output.push(character),
        }
    }
}
