//! Numbers of books (ISO 2108).

/// Reads an ISBN-10 or ISBN-13, with or without hyphens and spaces, as the digits of an ISBN-13.
///
/// Both forms of one number become the same text, so that a unique column holds one book for both. A number whose
/// check digit is wrong is kept as it is: books are sold with misprinted ones.
///
/// # Errors
/// A sentence when it has another form.
pub fn parse_isbn(text: &str) -> Result<String, String> {
    let characters: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'-' | b' ')).collect();
    let number = match characters.as_slice() {
        [all @ .., _] if !all.iter().all(u8::is_ascii_digit) => None,
        [nine @ .., last @ (b'0'..=b'9' | b'X' | b'x')] if nine.len() == 9 => from_old_form(nine, *last),
        [twelve @ .., b'0'..=b'9'] if twelve.len() == 12 => String::from_utf8(characters).ok(),
        _ => None,
    };
    number.ok_or_else(|| "Enter a valid ISBN-10 or ISBN-13.".to_owned())
}

fn from_old_form(nine: &[u8], last: u8) -> Option<String> {
    let weighted = nine.iter().zip((2..=10).rev()).map(|(digit, weight)| u32::from(digit - b'0') * weight);
    let expected = match (11 - weighted.sum::<u32>() % 11) % 11 {
        10 => b'X',
        number => digit(number),
    };
    let last = last.to_ascii_uppercase();
    if last != expected {
        return String::from_utf8([nine, &[last]].concat()).ok();
    }
    let mut all: Vec<u8> = b"978".iter().chain(nine).copied().collect();
    all.push(check_digit(&all));
    String::from_utf8(all).ok()
}

fn check_digit(twelve: &[u8]) -> u8 {
    let weights = [1, 3].into_iter().cycle();
    let sum: u32 = twelve.iter().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    digit((10 - sum % 10) % 10)
}

fn digit(number: u32) -> u8 {
    char::from_digit(number, 10).map_or(b'?', |character| character as u8)
}

#[cfg(test)]
mod tests {
    use super::parse_isbn;

    #[test]
    fn both_forms_of_a_number_are_the_same_text() {
        // Examples of the ISBN Users' Manual and of ISO 2108.
        for text in ["0-306-40615-2", "0306406152", "978-0-306-40615-7", "978 0 306 40615 7"] {
            assert_eq!(parse_isbn(text).as_deref(), Ok("9780306406157"), "{text}");
        }
        assert_eq!(parse_isbn("0-8044-2957-x").as_deref(), Ok("9780804429573"));
        assert!(parse_isbn("979-10-90636-07-1").is_ok());
    }

    #[test]
    fn a_misprinted_number_is_kept() {
        assert_eq!(parse_isbn("0-306-40615-3").as_deref(), Ok("0306406153"));
        assert_eq!(parse_isbn("030640615x").as_deref(), Ok("030640615X"));
        assert_eq!(parse_isbn("978-0306406158").as_deref(), Ok("9780306406158"));
    }

    #[test]
    fn what_is_no_number_of_a_book_is_refused() {
        for text in
            ["", "X306406152", "978030640615X", "123", "97803064061577", "é306406152", "0-306-40615-²", "---"]
        {
            assert!(parse_isbn(text).is_err(), "{text}");
        }
    }
}
