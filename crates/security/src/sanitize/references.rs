//! Character references, decoded before a parser sees them.
//!
//! The serialiser of html5ever 0.40 looks through all that follows for each `&` and for each character from
//! U+0080 to U+00BF: 50 KB of `&` take seconds. Those characters go through it in disguise, as characters of a
//! private plane, and are themselves again afterwards.

use super::normal::encode_text;

/// Disguises of U+0000 to U+00BF. Nothing shows these characters, so a text may lose them.
const DISGUISES: std::ops::Range<u32> = 0x10_FE00..0x10_FEC0;

/// References by name that are left to the parser, which knows all of them; later ones are taken for text.
pub(super) const LEFT_TO_PARSER: usize = 100;

/// The longest name of a character is `CounterClockwiseContourIntegral`.
const LONGEST_NAME: usize = 32;

/// Whether a text may not keep a character.
pub(super) fn is_disguise(character: char) -> bool {
    DISGUISES.contains(&u32::from(character))
}

/// Adds a text as a parser has to read it. `left` is how many references may still be left to it.
pub(super) fn push_disguised(text: &str, output: &mut String, left: &mut usize) {
    let mut parts = text.split('&');
    push_characters(parts.next().unwrap_or_default(), output);
    for part in parts {
        let Some((name, rest)) = split_reference(part) else {
            push_characters("&", output);
            push_characters(part, output);
            continue;
        };
        match decode(name) {
            Some(character) => push_characters(character.encode_utf8(&mut [0; 4]), output),
            None if *left > 0 => {
                *left -= 1;
                output.extend(["&", name, ";"]);
            }
            None => {
                push_characters("&", output);
                push_characters(name, output);
                output.push(';');
            }
        }
        push_characters(rest, output);
    }
}

/// Adds the value of an attribute, in which only what begins no reference is encoded.
pub(super) fn push_value(value: &str, output: &mut String) {
    for (index, part) in value.split('&').enumerate() {
        if index > 0 {
            output.push_str(if split_reference(part).is_some() { "&" } else { "&amp;" });
        }
        output.push_str(&part.replace('"', "&quot;"));
    }
}

/// Makes disguised characters themselves again, encoded where they have to be.
pub(super) fn undisguise(html: &str) -> String {
    let mut output = String::with_capacity(html.len());
    for character in html.chars() {
        match u32::from(character).checked_sub(DISGUISES.start).and_then(char::from_u32) {
            Some(original) if is_disguise(character) => {
                encode_text(original.encode_utf8(&mut [0; 4]), &mut output);
            }
            _ => output.push(character),
        }
    }
    output
}

fn push_characters(text: &str, output: &mut String) {
    for character in text.chars() {
        match character {
            '<' => output.push_str("&lt;"),
            '>' => output.push_str("&gt;"),
            '&' | '\u{80}'..='\u{bf}' => {
                output.extend(char::from_u32(DISGUISES.start + u32::from(character)));
            }
            _ => output.push(character),
        }
    }
}

/// The name of a reference and what follows its semicolon, given what follows its `&`.
fn split_reference(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().take(LONGEST_NAME + 1).position(|byte| byte == b';')?;
    let is_all = |bytes: &[u8], is_one: fn(&u8) -> bool| !bytes.is_empty() && bytes.iter().all(is_one);
    let is_reference = match &text.as_bytes()[..end] {
        [b'#', b'x' | b'X', digits @ ..] => is_all(digits, u8::is_ascii_hexdigit),
        [b'#', digits @ ..] => is_all(digits, u8::is_ascii_digit),
        name => is_all(name, u8::is_ascii_alphanumeric),
    };
    is_reference.then(|| (&text[..end], &text[end + 1..]))
}

/// The references that are often used. Numbers from 128 to 159 mean what they mean in windows-1252: the parser
/// knows.
fn decode(name: &str) -> Option<char> {
    let number = match name.as_bytes() {
        [b'#', b'x' | b'X', ..] => u32::from_str_radix(&name[2..], 16).ok(),
        [b'#', ..] => name[1..].parse().ok(),
        _ => None,
    };
    if let Some(number) = number {
        return char::from_u32(number)
            .filter(|character| !character.is_control() && !is_disguise(*character));
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_come_back_as_they_went_in() {
        for (text, html) in [
            ("a&b «c» ä€", "a&amp;b «c» ä€"),
            ("&amp;&lt;&gt;&quot;&nbsp;\u{a0}", "&amp;&lt;&gt;\"&nbsp;&nbsp;"),
            ("&#38;&#x3C;&#169;", "&amp;&lt;©"),
            ("&;&a &#; &#x; &a b;", "&amp;;&amp;a &amp;#; &amp;#x; &amp;a b;"),
        ] {
            let mut disguised = String::new();
            push_disguised(text, &mut disguised, &mut 0);
            assert_eq!(undisguise(&disguised), html);
        }
    }
}
