//! Splits hostile HTML into texts and tags, as the tokenizer of the HTML standard does (§13.2.5), in one pass.
//!
//! It decides what a reader sees, not what is safe: a parser that follows the whole standard looks at the
//! result again. What it adds is a bound: at most two attributes are kept of a tag, however many it has.

/// Tags that never end, of which the `<` is taken as a character instead; after that many the rest is dropped,
/// since each costs a look at all that follows.
const RETRIES: usize = 16;

/// A piece of the input. Character references are not decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Text(&'a str),
    /// A `<` that begins no tag.
    LessThan,
    Start {
        name: &'a str,
        href: Option<&'a str>,
        title: Option<&'a str>,
    },
    End {
        name: &'a str,
    },
}

/// The tokens of an input.
pub(super) struct Scanner<'a> {
    rest: &'a str,
    retries: usize,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(input: &'a str) -> Self {
        Self { rest: input, retries: RETRIES }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn drop_rest(&mut self) {
        self.rest = "";
    }

    /// Something that begins with `<`; `None` when nothing of it is seen by a reader.
    fn markup(&mut self) -> Option<Token<'a>> {
        let after = &self.rest.as_bytes()[1..];
        match after {
            [b'!', b'-', b'-', ..] => self.comment(),
            [b'!' | b'?', ..] => self.bogus_comment(),
            [b'/', letter, ..] if letter.is_ascii_alphabetic() => return self.tag(2),
            [b'/', _, ..] => self.bogus_comment(),
            [letter, ..] if letter.is_ascii_alphabetic() => return self.tag(1),
            _ => {
                self.take(1);
                return Some(Token::LessThan);
            }
        }
        None
    }

    fn comment(&mut self) {
        let body = &self.rest[4..];
        let at_once = [">", "->"].iter().find(|end| body.starts_with(**end)).map(|end| end.len());
        let normal = || body.find("-->").map(|index| index + 3);
        let sloppy = || body.find("--!>").map(|index| index + 4);
        let end = at_once.or_else(|| match (normal(), sloppy()) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        });
        match end {
            Some(end) => _ = self.take(4 + end),
            None => self.drop_rest(),
        }
    }

    fn bogus_comment(&mut self) {
        match self.rest.find('>') {
            Some(index) => _ = self.take(index + 1),
            None => self.drop_rest(),
        }
    }

    /// A tag whose name begins at `start`.
    fn tag(&mut self, start: usize) -> Option<Token<'a>> {
        let Some(tag) = Tag::read(self.rest, start) else {
            if self.retries == 0 {
                self.drop_rest();
                return None;
            }
            self.retries -= 1;
            self.take(1);
            return Some(Token::LessThan);
        };
        self.take(tag.length);
        if start == 2 {
            return Some(Token::End { name: tag.name });
        }
        if let Some(name) = RAW.iter().find(|name| tag.name.eq_ignore_ascii_case(name)) {
            self.skip_raw(name);
            return None;
        }
        Some(Token::Start { name: tag.name, href: tag.href, title: tag.title })
    }

    /// Leaves out an element whose content is no HTML, with its end tag.
    fn skip_raw(&mut self, name: &str) {
        let bytes = self.rest.as_bytes();
        let is_end = |index: usize| {
            let Some(found) = bytes.get(index + 2..index + 2 + name.len()) else { return false };
            let next = bytes.get(index + 2 + name.len());
            found.eq_ignore_ascii_case(name.as_bytes())
                && next.is_some_and(|byte| is_space(*byte) || matches!(byte, b'/' | b'>'))
        };
        let end = self.rest.match_indices("</").map(|(index, _)| index).find(|index| is_end(*index));
        match end {
            Some(index) => _ = self.take(index),
            None => self.drop_rest(),
        }
    }
}

/// Elements whose content is no HTML: a browser shows none of it, or shows it as it is written.
const RAW: &[&str] = &["script", "style", "iframe", "noembed", "noframes", "xmp", "textarea", "title"];

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        while !self.rest.is_empty() {
            match self.rest.find('<') {
                Some(0) => {
                    if let Some(token) = self.markup() {
                        return Some(token);
                    }
                }
                Some(index) => return Some(Token::Text(self.take(index))),
                None => return Some(Token::Text(self.take(self.rest.len()))),
            }
        }
        None
    }
}

struct Tag<'a> {
    name: &'a str,
    href: Option<&'a str>,
    title: Option<&'a str>,
    length: usize,
}

impl<'a> Tag<'a> {
    /// `None` when the input ends before the tag does.
    fn read(input: &'a str, start: usize) -> Option<Self> {
        let bytes = input.as_bytes();
        let until = |from: usize, stop: fn(u8) -> bool| {
            bytes[from..].iter().position(|byte| stop(*byte)).map(|length| from + length)
        };
        let mut at = until(start, |byte| is_space(byte) || matches!(byte, b'/' | b'>'))?;
        let mut tag = Self { name: &input[start..at], href: None, title: None, length: 0 };
        loop {
            at = until(at, |byte| !is_space(byte) && byte != b'/')?;
            if bytes[at] == b'>' {
                tag.length = at + 1;
                return Some(tag);
            }
            // A `=` that begins a name is part of it.
            let end = until(at + 1, |byte| is_space(byte) || matches!(byte, b'/' | b'>' | b'='))?;
            let name = &input[at..end];
            at = until(end, |byte| !is_space(byte))?;
            if bytes[at] != b'=' {
                continue;
            }
            at = until(at + 1, |byte| !is_space(byte))?;
            let value_end;
            (at, value_end) = match bytes[at] {
                b'"' => (at + 1, until(at + 1, |byte| byte == b'"')?),
                b'\'' => (at + 1, until(at + 1, |byte| byte == b'\'')?),
                _ => (at, until(at, |byte| is_space(byte) || byte == b'>')?),
            };
            tag.keep(name, &input[at..value_end]);
            let is_quoted = matches!(bytes[value_end], b'"' | b'\'');
            at = value_end + usize::from(is_quoted);
        }
    }

    /// The first of two attributes with one name counts.
    fn keep(&mut self, name: &str, value: &'a str) {
        let place = if name.eq_ignore_ascii_case("href") {
            &mut self.href
        } else if name.eq_ignore_ascii_case("title") {
            &mut self.title
        } else {
            return;
        };
        place.get_or_insert(value);
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(input: &str) -> String {
        let texts = Scanner::new(input).filter_map(|token| match token {
            Token::Text(text) => Some(text),
            Token::LessThan => Some("<"),
            _ => None,
        });
        texts.collect()
    }

    #[test]
    fn attributes_are_read_as_browsers_read_them() {
        let link = |input| match Scanner::new(input).next() {
            Some(Token::Start { name, href, title }) => (name, href, title),
            other => ("", other.map(|_| "no start tag"), None),
        };
        assert_eq!(link("<a href=x title='y z'>"), ("a", Some("x"), Some("y z")));
        assert_eq!(link("<A\nHREF = \"a>b\"/title=t>"), ("A", Some("a>b"), Some("t")));
        assert_eq!(link("<a href=1 href=2>"), ("a", Some("1"), None));
        assert_eq!(link("<a =\" href=x>"), ("a", Some("x"), None), "a name may begin with =");
        assert_eq!(link("<a href>"), ("a", None, None));
        assert_eq!(link("<a/href=x/y>"), ("a", Some("x/y"), None));
        assert_eq!(link("<a href=x\"y'>"), ("a", Some("x\"y'"), None));
    }

    #[test]
    fn what_is_no_markup_stays_and_what_is_no_text_goes() {
        assert_eq!(texts("1 < 2 <3 a<b"), "1 < 2 <3 a<b");
        assert_eq!(texts("a<!-- b -->c<!-->d<!doctype e>f<?g?>h</ i>j"), "acdfhj");
        assert_eq!(texts("a<script>b</script >c<style><!--</style>d<title></script></title>e"), "acde");
        assert_eq!(texts("a<script>b"), "a");
        assert_eq!(texts("a<!-- b"), "a");
        assert_eq!(texts("<a title=\"never ends <b>c</b>"), "<a title=\"never ends c");
    }
}
