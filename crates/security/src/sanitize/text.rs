//! Plain texts: titles, names, biographies.

/// Takes the tags out of a text and keeps all of its other characters.
///
/// A tag is `<`, then a letter, `/`, `!` or `?`, up to the next `>` outside a quoted attribute. Nothing is
/// decoded, since a text that is stored raw would otherwise change with every round: `AT&T` stays `AT&T`,
/// `&lt;b&gt;` stays as it is. What is left over when tags are taken out forms no new tag, and where a tag never ends
/// its quotation marks hide none. Takes time in proportion to the text.
///
/// The result is text, not HTML: encode it where it is shown (guide §11.1 `sanitize_plain_text` encodes when it
/// stores, so that `AT&T` reads `AT&amp;T` in every client that encodes properly).
///
/// ```
/// use portcullis_security::sanitize::text::strip_tags;
///
/// assert_eq!(strip_tags("<b>AT&T</b> & 1 < 2 <3"), "AT&T & 1 < 2 <3");
/// assert_eq!(strip_tags("<<b>script>alert(1)</script>"), "alert(1)");
/// ```
#[must_use]
pub fn strip_tags(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    if let Some(start) = strip(text, &mut output, Quotes::Hide) {
        let rest = output.split_off(start);
        strip(&rest, &mut output, Quotes::AreText);
    }
    output
}

/// Whether a `>` between quotation marks ends a tag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Hide,
    AreText,
}

/// Adds a text without its tags; where the first tag begins that has no end.
fn strip(text: &str, output: &mut String, quotes: Quotes) -> Option<usize> {
    let last = |quote| text.rfind(quote).filter(|_| quotes == Quotes::Hide);
    let (last_double, last_single) = (last('"'), last('\''));
    let mut candidates: Vec<Candidate> = Vec::new();
    for (index, character) in text.char_indices() {
        let begins_tag =
            output.ends_with('<') && (character.is_ascii_alphabetic() || "/!?".contains(character));
        if begins_tag && candidates.last().is_none_or(|candidate| candidate.quote.is_none()) {
            candidates.push(Candidate { start: output.len() - 1, ..Candidate::default() });
        }
        let last_quote = if character == '"' { last_double } else { last_single };
        let Some(candidate) = candidates.last_mut() else {
            output.push(character);
            continue;
        };
        if character == '>' && candidate.quote.is_none() {
            output.truncate(candidate.start);
            candidates.pop();
            continue;
        }
        candidate.advance(character, last_quote.is_some_and(|last| last > index));
        output.push(character);
    }
    candidates.first().map(|candidate| candidate.start)
}

/// A `<` that becomes a tag if its `>` comes.
#[derive(Default)]
struct Candidate {
    start: usize,
    quote: Option<char>,
    after_equals: bool,
}

impl Candidate {
    fn advance(&mut self, character: char, closes_later: bool) {
        match self.quote {
            Some(quote) if quote == character => self.quote = None,
            Some(_) => {}
            None if matches!(character, '"' | '\'') && self.after_equals && closes_later => {
                self.quote = Some(character);
            }
            None => {}
        }
        self.after_equals = character == '=' || (self.after_equals && character.is_whitespace());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_go_and_characters_stay() {
        for (text, stripped) in [
            ("War & Peace", "War & Peace"),
            ("AT&amp;T &lt;b&gt;", "AT&amp;T &lt;b&gt;"),
            ("a <b", "a <b"),
            ("1 < 2 > 0", "1 < 2 > 0"),
            ("<i title=\"a>b\">x</i>", "x"),
            ("<i title='a>b'>don't</i>", "don't"),
            ("<script>alert(1)</script>", "alert(1)"),
            ("<scr<b></b>ipt>x", "x"),
            ("<!-- c -->x<!DOCTYPE y><?z?>", "x"),
            ("<img src=x onerror=alert(1)>", ""),
            ("I <3 it", "I <3 it"),
            ("<b x=\">foo", "foo"),
            ("<b x=\"<i>y</script>\" ", "<b x=\"y\" "),
            ("<<b x='>'<i>y", "<'y"),
        ] {
            assert_eq!(strip_tags(text), stripped, "{text}");
        }
    }

    proptest! {
        #[test]
        fn stripping_twice_equals_stripping_once(text in "[<>a/!?\"'= &é]{0,60}") {
            let once = strip_tags(&text);
            prop_assert_eq!(strip_tags(&once), once);
        }

        #[test]
        fn a_text_without_a_less_than_sign_is_kept(text in "[^<]{0,60}") {
            prop_assert_eq!(strip_tags(&text), text);
        }
    }
}
