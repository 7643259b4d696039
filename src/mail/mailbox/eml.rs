//! Reading the `.eml` files that we wrote: enough of MIME (RFC 2045–2047, 5322) for our own mails, and no
//! panic on anybody else's.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Multiparts in multiparts beyond this are not looked into.
const DEPTH: usize = 4;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A mail as a person reads it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    /// Names as they were written, values decoded, in the file's order.
    pub(super) headers: Vec<(String, String)>,
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
}

impl Parsed {
    pub(super) fn read(source: &[u8]) -> Self {
        let (head, body) = split_head(source);
        let headers = read_headers(head);
        let mut parsed = Self { headers, text: None, html: None };
        let top = parsed.headers.clone();
        parsed.collect_parts(&top, body, DEPTH);
        parsed
    }

    /// A header's value, or nothing.
    pub(super) fn header(&self, name: &str) -> &str {
        header(&self.headers, name)
    }

    /// The page that the letter asks to open: the first line of its text that is an address with a token
    /// and nothing else. It holds no character that HTML would have to escape.
    pub(super) fn link(&self) -> Option<&str> {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"<>\"'`&".contains(&byte);
        let mut lines = self.text.as_deref().unwrap_or_default().lines().map(str::trim);
        lines.find(|line| {
            (line.starts_with("http://") || line.starts_with("https://"))
                && line.contains("?token=")
                && line.bytes().all(plain)
        })
    }

    fn collect_parts(&mut self, headers: &[(String, String)], body: &[u8], depth: usize) {
        let content_type = header(headers, "content-type");
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence.starts_with("multipart/") {
            let Some(boundary) = parameter(content_type, "boundary").filter(|_| depth > 0) else { return };
            for part in split_parts(body, &boundary) {
                let (head, body) = split_head(part);
                self.collect_parts(&read_headers(head), body, depth - 1);
            }
            return;
        }
        let slot = match essence.as_str() {
            "text/html" => &mut self.html,
            "text/plain" | "" => &mut self.text,
            _ => return,
        };
        if slot.is_none() {
            let content = decode_body(body, header(headers, "content-transfer-encoding"));
            *slot = Some(String::from_utf8_lossy(&content).replace("\r\n", "\n"));
        }
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
}

/// The part before the first empty line, and the rest.
fn split_head(source: &[u8]) -> (&[u8], &[u8]) {
    let mut start = 0;
    for line in source.split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            return (&source[..start], &source[start + line.len()..]);
        }
        start += line.len();
    }
    (source, &[])
}

fn read_headers(head: &[u8]) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in String::from_utf8_lossy(head).lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    headers.into_iter().map(|(name, value)| (name, decode_words(&value))).collect()
}

/// `=?charset?B or Q?…?=` (RFC 2047); space between two of them is not part of the text.
fn decode_words(value: &str) -> String {
    let mut decoded: Vec<u8> = Vec::new();
    let mut after_word = false;
    let mut rest = value;
    while let Some(at) = rest.find("=?") {
        let (before, tail) = rest.split_at(at);
        let word = decode_word(tail);
        if !(after_word && word.is_some() && before.trim().is_empty()) {
            decoded.extend_from_slice(before.as_bytes());
        }
        after_word = word.is_some();
        let (content, length) = word.unwrap_or_else(|| (b"=?".to_vec(), 2));
        decoded.extend(content);
        rest = &tail[length..];
    }
    decoded.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&decoded).into_owned()
}

fn decode_word(text: &str) -> Option<(Vec<u8>, usize)> {
    let mut fields = text.strip_prefix("=?")?.splitn(3, '?');
    let (charset, encoding, rest) = (fields.next()?, fields.next()?, fields.next()?);
    let (content, _) = rest.split_once("?=")?;
    let length = 2 + charset.len() + 1 + encoding.len() + 1 + content.len() + 2;
    let word = match encoding {
        "b" | "B" => BASE64.decode(content).ok()?,
        "q" | "Q" => decode_quoted(content.replace('_', " ").as_bytes()),
        _ => return None,
    };
    Some((word, length))
}

/// A parameter of a content type, quoted or not.
fn parameter(content_type: &str, wanted: &str) -> Option<String> {
    let found = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"').to_owned())
    })?;
    (!found.is_empty()).then_some(found)
}

/// The parts between the lines `--boundary`; the line break before such a line belongs to it.
fn split_parts<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut begun = None;
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        if let Some(tail) = line.trim_ascii_end().strip_prefix(delimiter.as_bytes())
            && (tail.is_empty() || tail == b"--")
        {
            if let Some(start) = begun {
                parts.push(without_break(&body[start..at]));
            }
            begun = tail.is_empty().then_some(at + line.len());
        }
        at += line.len();
    }
    parts
}

fn without_break(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

fn decode_body(body: &[u8], encoding: &str) -> Vec<u8> {
    match encoding.to_ascii_lowercase().as_str() {
        "base64" => {
            let content: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            BASE64.decode(content).unwrap_or_else(|_| body.to_vec())
        }
        "quoted-printable" => decode_quoted(body),
        _ => body.to_vec(),
    }
}

/// What is no valid escape stays as it is.
fn decode_quoted(content: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(content.len());
    let mut rest = content;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'=', [b'\r', b'\n', after @ ..] | [b'\n', after @ ..]) => rest = after,
            (b'=', [high, low, after @ ..]) => {
                let digits = (char::from(*high).to_digit(16), char::from(*low).to_digit(16));
                if let (Some(high), Some(low)) = digits {
                    decoded.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                    rest = after;
                } else {
                    decoded.push(b'=');
                }
            }
            (byte, _) => decoded.push(*byte),
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use lettre::Message;
    use lettre::message::MultiPart;
    use proptest::prelude::*;

    fn written(subject: &str, text: &str, html: &str) -> Vec<u8> {
        let message = Message::builder()
            .from("Site <no-reply@example.com>".parse().unwrap())
            .to("ann@example.com".parse().unwrap())
            .subject(subject)
            .multipart(MultiPart::alternative_plain_html(text.to_owned(), html.to_owned()));
        message.unwrap().formatted()
    }

    #[test]
    fn a_mail_is_read_back_as_lettre_wrote_it() {
        let subject = "Best\u{e4}tigen Sie Ihre Adresse bei \u{201e}B\u{fc}cher & Freunde\u{201c}, bitte \u{1f4da} sehr bald";
        let long = "\u{e4}=".repeat(200);
        for text in ["plain", "\u{fc}mlaut, and a line\nhttps://a.example/verify-email?token=T", &long] {
            let parsed = Parsed::read(&written(subject, text, "<p>\u{e4} = 1</p>"));
            assert_eq!(parsed.header("Subject"), subject);
            assert_eq!(parsed.header("to"), "ann@example.com");
            assert_eq!(parsed.text.as_deref().map(str::trim_end), Some(text));
            assert_eq!(parsed.html.as_deref().map(str::trim_end), Some("<p>\u{e4} = 1</p>"));
        }
    }

    #[test]
    fn the_link_is_the_line_with_a_token() {
        let text = "see https://a.example/?token=no\njavascript:x?token=no\nhttps://a/?token=\"no\nhttps://a.example/\nhttps://a.example/x?token=T\n";
        assert_eq!(Parsed::read(&written("s", text, "")).link(), Some("https://a.example/x?token=T"));
    }

    #[test]
    fn half_a_mail_is_read_as_far_as_it_goes() {
        let whole = written("Hello", "text", "<p>html</p>");
        for length in 0..whole.len() {
            Parsed::read(&whole[..length]);
        }
        assert_eq!(Parsed::read(b"Subject: =?utf-8?q?a=?= =?x\r\n\r\n=").header("subject"), "a= =?x");
    }

    proptest! {
        #[test]
        fn no_input_makes_the_reader_panic(source in proptest::collection::vec(any::<u8>(), 0..400)) {
            Parsed::read(&source);
            let mut nested = b"Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n".to_vec();
            nested.extend(&source);
            Parsed::read(&nested);
        }

        #[test]
        fn encoded_words_are_the_inverse_of_lettres(subject in "[^\\p{C}]{1,80}") {
            prop_assume!(subject.trim() == subject && !subject.is_empty() && !subject.contains("=?"));
            // Between encoded words a run of spaces is folding, which every reader drops (RFC 2047 §6.2).
            prop_assume!(!subject.contains("  "));
            let parsed = Parsed::read(&written(&subject, "t", "h"));
            prop_assert_eq!(parsed.header("subject"), subject);
        }
    }
}
