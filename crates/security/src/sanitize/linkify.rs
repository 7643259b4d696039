//! Bare addresses in a text become links.
//!
//! Only http and https, only with their scheme: `example.com` may be a sentence without a space, and mail
//! addresses stay text (guide §11.1, `parse_email=False`).

use super::normal::encode_text;
use ammonia::Url;

/// Longer addresses stay text.
const MAX_ADDRESS: usize = 2048;

/// What links of strangers say to search engines and browsers: no endorsement, written by users, and no handle
/// on the page that they were clicked in.
pub const REL: &str = "nofollow ugc noopener";

/// Encodes a plain text as HTML in which bare http(s) addresses are links.
///
/// Punctuation around an address is no part of it. Takes time in proportion to the text.
///
/// ```
/// use portcullis_security::sanitize::linkify::link_addresses;
///
/// assert_eq!(
///     link_addresses("See https://example.com/?a=1&b=2."),
///     r#"See <a href="https://example.com/?a=1&amp;b=2" rel="nofollow ugc noopener">https://example.com/?a=1&amp;b=2</a>."#,
/// );
/// assert_eq!(link_addresses("javascript://x 1 < 2"), "javascript://x 1 &lt; 2");
/// ```
#[must_use]
pub fn link_addresses(text: &str) -> String {
    let mut output = String::with_capacity(text.len() + 64);
    push_linked(text, &mut output);
    output
}

/// An address begins where no word goes on, and ends before a space, a quotation mark or an angle bracket.
///
/// What is cut off at its end is no letter or digit: so a text that stood beside a link has the same addresses
/// when it is read again on its own.
pub(super) fn push_linked(text: &str, output: &mut String) {
    let mut done = 0;
    let mut from = 0;
    while let Some(start) = next_scheme(text, from) {
        let stretch = &text[start..];
        let stretch = &stretch[..stretch.find(ends_address).unwrap_or(stretch.len())];
        from = start + stretch.len();
        let address = without_punctuation(stretch);
        if is_web_address(address) {
            encode_text(&text[done..start], output);
            push_link(address, output);
            done = start + address.len();
            from = done;
        }
    }
    encode_text(&text[done..], output);
}

fn next_scheme(text: &str, from: usize) -> Option<usize> {
    let marks = text[from..].match_indices("://").map(|(index, _)| from + index);
    let starts = marks.filter_map(|mark| {
        let scheme = ["https", "http"].into_iter().find(|scheme| {
            let before = mark.checked_sub(scheme.len()).and_then(|start| text.get(start..mark));
            before.is_some_and(|before| before.eq_ignore_ascii_case(scheme))
        })?;
        Some(mark - scheme.len())
    });
    let begins_word = |start: &usize| !text[..*start].ends_with(char::is_alphanumeric);
    starts.filter(|start| *start >= from).find(begins_word)
}

fn ends_address(character: char) -> bool {
    character.is_whitespace() || character.is_control() || "<>\"`“”„«»‹›".contains(character)
}

/// Without the punctuation at its end, and without a bracket that was opened before the address.
fn without_punctuation(stretch: &str) -> &str {
    let mut address = stretch;
    loop {
        let shorter = address.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_', '~', '’', '…']);
        let is_closed = [('(', ')'), ('[', ']'), ('{', '}')].into_iter().any(|(open, close)| {
            shorter.ends_with(close) && shorter.matches(close).count() > shorter.matches(open).count()
        });
        let shorter = if is_closed { &shorter[..shorter.len() - 1] } else { shorter };
        if shorter.len() == address.len() {
            return address;
        }
        address = shorter;
    }
}

fn push_link(address: &str, output: &mut String) {
    output.push_str("<a href=\"");
    encode_text(address, output);
    output.push_str("\" rel=\"");
    output.push_str(REL);
    output.push_str("\">");
    encode_text(address, output);
    output.push_str("</a>");
}

fn is_web_address(text: &str) -> bool {
    text.len() <= MAX_ADDRESS && Url::parse(text).is_ok()
}

pub(super) fn has_scheme(text: &str, schemes: &[&str]) -> bool {
    let begins =
        |scheme: &&str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    schemes.iter().any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_around_an_address_is_no_part_of_it() {
        for (text, address) in [
            ("(see http://a.example/b_(c))", "http://a.example/b_(c)"),
            ("HTTP://A.example, or", "HTTP://A.example"),
            ("“https://a.example/ü?”", "https://a.example/ü"),
            ("x,http://a.example", "http://a.example"),
            ("<https://a.example>", "https://a.example"),
        ] {
            let linked = link_addresses(text);
            assert!(linked.contains(&format!(r#"<a href="{address}" rel"#)), "{linked}");
        }
    }

    #[test]
    fn what_is_no_web_address_stays_text() {
        for text in [
            "example.com",
            "me@example.com",
            "ftp://example.com",
            "javascript://a.example/%0aalert(1)",
            "http://",
            "xhttp://a.example",
            "http://[",
            "http://?",
        ] {
            assert_eq!(link_addresses(text), text);
        }
    }
}
