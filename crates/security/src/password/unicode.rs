//! Character classes as Python defines them, since Django's rules are written with them.

use unicode_normalization::char::is_combining_mark;

/// The zeros of every decimal script (general category Nd of Unicode 16): the other nine digits follow
/// each one.
#[rustfmt::skip]
static ZEROS: [u32; 76] = [
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
    0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80,
    0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
    0xFF10, 0x104A0, 0x10D30, 0x10D40, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0,
    0x11650, 0x116C0, 0x116D0, 0x116DA, 0x11730, 0x118E0, 0x11950, 0x11BF0, 0x11C50, 0x11D50, 0x11DA0,
    0x11F50, 0x16130, 0x16A60, 0x16AC0, 0x16B50, 0x16D70, 0x1CCF0, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC,
    0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E5F1, 0x1E950, 0x1FBF0,
];

/// What `str.isdigit` takes beyond decimal digits: superscripts, circled digits and the like.
#[rustfmt::skip]
static OTHER_DIGITS: [(u32, u32); 20] = [
    (0x00B2, 0x00B3), (0x00B9, 0x00B9), (0x1369, 0x1371), (0x19DA, 0x19DA), (0x2070, 0x2070),
    (0x2074, 0x2079), (0x2080, 0x2089), (0x2460, 0x2468), (0x2474, 0x247C), (0x2488, 0x2490),
    (0x24EA, 0x24EA), (0x24F5, 0x24FD), (0x24FF, 0x24FF), (0x2776, 0x277E), (0x2780, 0x2788),
    (0x278A, 0x2792), (0x10A40, 0x10A43), (0x10E60, 0x10E68), (0x11052, 0x1105A), (0x1F100, 0x1F10A),
];

/// Symbols that Unicode calls alphabetic and Python does not: circled and squared Latin letters.
static LETTER_SYMBOLS: [(u32, u32); 4] =
    [(0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)];

/// Whether `character` is a decimal digit of any script: Python's `str.isdecimal`, and `\d` in a pattern.
pub(super) fn is_decimal(character: char) -> bool {
    let code = u32::from(character);
    let after = ZEROS.partition_point(|zero| *zero <= code);
    after.checked_sub(1).is_some_and(|index| code - ZEROS[index] < 10)
}

/// Whether `character` is a digit in the wider sense of Python's `str.isdigit`.
pub(super) fn is_digit(character: char) -> bool {
    is_decimal(character) || within(&OTHER_DIGITS, character)
}

/// Whether `character` is a letter or a number: Python's `str.isalnum`.
///
/// [`char::is_alphanumeric`] also takes vowel signs and circled letters, which Python does not.
pub(super) fn is_alphanumeric(character: char) -> bool {
    let letter =
        character.is_alphabetic() && !is_combining_mark(character) && !within(&LETTER_SYMBOLS, character);
    letter || character.is_numeric()
}

/// Whether `character` is white space: Python's `str.isspace`, which adds four control characters.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

fn within(ranges: &[(u32, u32)], character: char) -> bool {
    let code = u32::from(character);
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&code))
}
