//! Rich texts: the tags of guide §11.1, safe links, nothing else.
//!
//! Three passes, each linear. The first splits the input, keeps allowed tags and nests them well, so that
//! nothing that follows is slow. The second parses the result as the HTML standard says and keeps what is on
//! the allow-list ([`ammonia`]): it alone decides what is safe. The third takes off links without a target and
//! links bare addresses.

use super::linkify::{REL, has_scheme, push_linked};
use super::normal::{Piece, decode, pieces};
use super::references::{is_disguise, undisguise};
use super::tree::balance;
use ammonia::{Builder, UrlRelative};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Characters of an input, at most (contract §1 `review_text`).
pub const MAX_LENGTH: usize = 50_000;

/// Paragraphs, lists and items inside each other, at most: a parser's work grows with the square of the depth.
pub const MAX_DEPTH: usize = 128;

/// The tags that stay (guide §11.1).
pub const TAGS: [&str; 9] = ["p", "br", "strong", "em", "u", "a", "ul", "ol", "li"];

/// How a link may begin. `https:x` without slashes would be relative to the page it stands in.
const LINKS: [&str; 3] = ["http://", "https://", "mailto:"];

/// Why an input is not cleaned at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HtmlError {
    /// More than [`MAX_LENGTH`] characters.
    #[error("Ensure this field has no more than {MAX_LENGTH} characters.")]
    TooLong,
    /// More than [`MAX_DEPTH`] elements inside each other, or thousands of them close to that.
    #[error("The text is nested too deeply.")]
    TooDeep,
}

static ALLOWED: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from(TAGS))
        .tag_attributes(HashMap::from([("a", HashSet::from(["href", "title"]))]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some(REL))
        .attribute_filter(|element, attribute, value| match (element, attribute) {
            ("a", "href") => clean_address(value),
            _ => Some(Cow::Borrowed(value)),
        });
    builder
});

/// Makes a stranger's HTML safe to stand between two tags of a page, well nested, with its links marked.
///
/// Kept are the tags [`TAGS`] and of links `href` (http, https and mailto, absolute) and `title`; every link
/// gets `rel="nofollow ugc noopener"`; bare http(s) addresses become links. Other tags go and leave their text,
/// but scripts, styles and other content that is no HTML go whole. The answer to stored XSS (CWE-79, ASVS
/// v5.0.0-1.3.1) and to phishing through relative or disguised links.
///
/// Cleaning twice equals cleaning once, as long as the result is not longer than [`MAX_LENGTH`]: encoding may
/// make it up to ten times as long as the input.
///
/// # Errors
/// [`HtmlError`] when the input is too long or nested too deeply; it is then not looked at any further.
///
/// ```
/// use portcullis_security::sanitize::html::{HtmlError, clean};
///
/// let dirty = "<p onclick=alert(1)>A <em>fine<em> book.<script>alert(1)</script>";
/// assert_eq!(clean(dirty)?, "<p>A <em>fine book.</em></p>");
/// assert_eq!(clean("<a href=javascript:alert(1)>me</a>")?, "me");
/// assert_eq!(
///     clean("https://example.com")?,
///     r#"<a href="https://example.com" rel="nofollow ugc noopener">https://example.com</a>"#,
/// );
/// assert_eq!(clean(&"<ul><li>".repeat(65)), Err(HtmlError::TooDeep));
/// # Ok::<(), HtmlError>(())
/// ```
pub fn clean(input: &str) -> Result<String, HtmlError> {
    // Four bytes are the longest character: most inputs are measured without being counted.
    if input.len() > MAX_LENGTH && input.chars().count() > MAX_LENGTH {
        return Err(HtmlError::TooLong);
    }
    let balanced = balance(&without_controls(input))?;
    let allowed = undisguise(&ALLOWED.clean(&balanced).to_string());
    // Again, since they may come as character references.
    Ok(finish(&without_controls(&allowed)))
}

/// A parser turns carriage returns into line feeds, and nothing shows the other control characters.
fn without_controls(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b'\n' | b'\t' | b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let is_kept = |character: &char| {
        matches!(character, '\n' | '\t') || !(character.is_control() || is_disguise(*character))
    };
    if text.chars().all(|character| is_kept(&character)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n").chars().filter(is_kept).collect())
}

/// What a browser would take the address for: without the space around it and the line ends in it.
fn clean_address(value: &str) -> Option<Cow<'_, str>> {
    let trimmed = value.trim_matches(|character: char| character <= ' ');
    let address: String = trimmed.chars().filter(|character| !character.is_control()).collect();
    has_scheme(&address, &LINKS).then_some(Cow::Owned(address))
}

/// Takes off links without a target, and links the addresses in texts outside links.
fn finish(html: &str) -> String {
    let mut output = String::with_capacity(html.len() + 64);
    let mut text = String::new();
    let mut link = Link::None;
    for piece in pieces(html) {
        match piece {
            Piece::Text(more) if link == Link::Kept => output.push_str(more),
            Piece::Text(more) => text.push_str(more),
            Piece::Tag(tag) => {
                let (next, is_kept) = link.after(tag);
                link = next;
                if is_kept {
                    flush(&mut text, &mut output);
                    output.push_str(tag);
                }
            }
        }
    }
    flush(&mut text, &mut output);
    output
}

fn flush(text: &mut String, output: &mut String) {
    if text.contains("://") {
        push_linked(&decode(text), output);
    } else {
        output.push_str(text);
    }
    text.clear();
}

/// Whether the text is inside a link, and whether that link stays.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    None,
    Kept,
    Dropped,
}

impl Link {
    /// The state after a tag, and whether the tag stays. Links do not stand inside each other.
    fn after(self, tag: &str) -> (Self, bool) {
        match tag {
            "</a>" => (Self::None, self == Self::Kept),
            _ if !tag.starts_with("<a ") => (self, true),
            _ if tag.starts_with("<a href=\"") || tag.contains("\" href=\"") => (Self::Kept, true),
            _ => (Self::Dropped, false),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use proptest::prelude::*;
    use std::time::Instant;

    const LINK: &str = r#"<a href="http://a.example" rel="nofollow ugc noopener">"#;

    #[test]
    fn the_guides_tags_stay_and_others_leave_their_text() {
        for (dirty, cleaned) in [
            ("War & Peace <3", "War &amp; Peace &lt;3"),
            ("AT&amp;T &lt;b&gt; &copy;", "AT&amp;T &lt;b&gt; ©"),
            ("<h1>a</h1><div style=x>b</div><b>c</b>", "abc"),
            ("<P CLASS=x>a<BR/>b</P>", "<p>a<br>b</p>"),
            ("<ul><li>a<li>b</ul>c", "<ul><li>a</li><li>b</li></ul>c"),
            ("<p>a<p>b", "<p>a</p><p>b</p>"),
            ("<p>a<ul><li>b</ul>", "<p>a</p><ul><li>b</li></ul>"),
            ("<strong>a<em>b</strong>c</em>d", "<strong>a<em>b</em></strong><em>c</em>d"),
            ("<em><em>a</em>b</em>", "<em>a</em>b"),
            ("<strong>a<p>b</strong>c</p>", "<strong>a</strong><p>bc</p>"),
            ("<u></u></p></ul><table><td>a", "a"),
            ("<svg><style><img src=x onerror=alert(1)></style>a</svg>", "a"),
            ("a\r\nb&#13;c\0", "a\nb\nc"),
        ] {
            assert_eq!(clean(dirty).unwrap(), cleaned, "{dirty}");
        }
    }

    #[test]
    fn links_lead_to_the_web_or_to_a_mailbox_and_nowhere_else() {
        for href in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:alert(1)",
            "java\tscript:alert(1)",
            "&#106;avascript:alert(1)",
            "&#x6A;avascript&colon;alert(1)",
            "\u{1}javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:http://a.example/x",
            "/relative",
            "//a.example",
            "https:a.example",
            "http:/a.example",
            "http://",
            "http://[",
            "",
            "#x",
            "?x",
            "view-source:http://a.example",
        ] {
            assert_eq!(clean(&format!("<a href=\"{href}\">x</a>")).unwrap(), "x", "{href}");
        }
        let links = [
            ("<a href=http://a.example>x</a>", format!("{LINK}x</a>")),
            ("<a href='\n http://a.exa\tmple '>x</a>", format!("{LINK}x</a>")),
            ("<a href=http://a.example target=_top rel=opener onclick=x()>x</a>", format!("{LINK}x</a>")),
            ("<a href=http://a.example>http://b.example</a>", format!("{LINK}http://b.example</a>")),
            ("<a name=x>http://a.example</a>", format!("{LINK}http://a.example</a>")),
            ("htt<b></b>p://a.example", format!("{LINK}http://a.example</a>")),
            ("<a href=http://a.example>x<p>y", format!("{LINK}x</a><p>y</p>")),
        ];
        for (dirty, cleaned) in links {
            assert_eq!(clean(dirty).unwrap(), cleaned, "{dirty}");
        }
        let mail = clean("<a title='a \"b\" <c>' href=mailto:a@b.example>x</a>").unwrap();
        assert!(
            mail.contains("title=\"a &quot;b&quot; &lt;c&gt;\"") && mail.contains("mailto:a@b.example"),
            "{mail}"
        );
    }

    #[test]
    fn what_is_too_long_or_too_deep_is_refused() {
        assert!(clean(&"ä".repeat(MAX_LENGTH)).is_ok());
        assert_eq!(clean(&"ä".repeat(MAX_LENGTH + 1)), Err(HtmlError::TooLong));
        assert!(clean(&"<ol>".repeat(MAX_DEPTH)).is_ok());
        assert_eq!(clean(&"<ol>".repeat(MAX_DEPTH + 1)), Err(HtmlError::TooDeep));
        assert!(clean(&"<b><font><object><td>".repeat(2000)).is_ok(), "what is left out has no depth");
    }

    /// Inputs on which a parser that follows the standard to the letter is quadratic, or close to it.
    fn costly() -> Vec<String> {
        let fill = |piece: &str| piece.repeat(MAX_LENGTH / piece.len());
        let nested = format!("{}{}", "<ul><li>".repeat(62), "<p>a".repeat(12_000));
        let misnested = format!("<p><strong><em><u><a href=http://a.example>{}", "<p>a".repeat(12_000));
        let attributes: String = (0..9_000).map(|number| format!(" a{number}")).collect();
        let mut inputs = vec![nested, misnested, format!("<a{attributes}>x"), format!("<p {attributes}")];
        let pieces = [
            "<ul><li>",
            "<b>",
            "<p>a",
            "<a ",
            "<a href=http://a.example>",
            "http://a.example ",
            "</p>",
            "<!--",
            "<",
            "&",
            "&amp;",
            "&a",
            "&xx;",
            "&#9999999999;",
            "&#x",
            "&lt",
            "&notit;",
            "&deg;",
            "&half;",
            "»",
            "\u{a0}",
            "&copy;xxxxxxxxxxxxxxxxxxxxxx",
            "&&#38;",
            "<a title=\"",
            "<script>",
            "</script",
            "<svg><style>",
            "<table><td>",
            "<br>",
            "<strong>a</strong>",
            "http://",
            ":",
            "://",
            "http:// ",
            "a.b://c.d/",
            "<li>",
            "<p><em>a</p>",
            "<a href=x>",
            "&#x26;",
            "<p>a</p>",
            "((http://a.example/",
            "<strong><p></strong>",
            "<u><a href=mailto:x>",
        ];
        inputs.extend(pieces.map(fill));
        inputs.push(format!("<a href=\"http://a.example/?{}\">x</a>", "&".repeat(1900)).repeat(25));
        inputs
    }

    /// In release no input takes 10 ms; without optimisation the bound only finds what is not linear.
    #[test]
    fn no_input_of_fifty_kilobytes_takes_long() {
        let mut slow = Vec::new();
        for input in costly() {
            let started = Instant::now();
            let _ = clean(&input);
            let taken = started.elapsed();
            let limit = if cfg!(debug_assertions) { 1000 } else { 10 };
            let start: String = input.chars().take(40).collect();
            println!("{:>7} µs  {start:?}", taken.as_micros());
            if taken.as_millis() >= limit {
                slow.push(start);
            }
        }
        assert!(slow.is_empty(), "{slow:?}");
    }

    fn markup() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "</?(p|br|strong|em|u|a|ul|ol|li|b|div|svg|math|style|script|table|td|title|template)( |/|>)?",
            "( href| title|=|\"|'|>|<|!|--|&#13;|&lt;|&amp;|&|;|javascript:|mailto:|\n|\r|\u{a0}|/)",
            "(http://|https://|http|://|a\\.example|/|\\)|\\(|\\.|,|x| )",
            "(&[a-zA-Z0-9]{1,5};|&#x?[0-9a-f]{1,6};|\\PC{0,4})",
        ];
        proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn cleaning_twice_equals_cleaning_once(dirty in markup()) {
            let once = clean(&dirty).unwrap();
            prop_assert_eq!(clean(&once).unwrap(), once);
        }

        #[test]
        fn what_is_clean_is_on_the_allow_list_by_another_look(dirty in markup()) {
            let once = clean(&dirty).unwrap();
            // The allow-list alone finds nothing to change: no tag, no attribute, no nesting.
            prop_assert_eq!(ALLOWED.clean(&once).to_string(), once.as_str());
            prop_assert_eq!(super::super::corpus::offences(&once), Vec::<String>::new());
        }
    }
}
