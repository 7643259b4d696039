//! Texts as words: without case and accents, without words that tell nothing, without endings.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Characters of a word that count.
const MAX_WORD: usize = 32;
/// Words of a text that count.
const MAX_WORDS: usize = 2000;

/// Sorted. Words that stand in any question or text about books.
const STOP: [&str; 99] = [
    "a",
    "about",
    "an",
    "and",
    "any",
    "are",
    "as",
    "at",
    "be",
    "been",
    "book",
    "books",
    "by",
    "can",
    "could",
    "d",
    "did",
    "do",
    "does",
    "find",
    "for",
    "from",
    "give",
    "had",
    "has",
    "have",
    "he",
    "her",
    "him",
    "his",
    "how",
    "i",
    "in",
    "into",
    "is",
    "it",
    "its",
    "like",
    "ll",
    "looking",
    "m",
    "me",
    "my",
    "no",
    "not",
    "novel",
    "novels",
    "of",
    "on",
    "one",
    "or",
    "our",
    "over",
    "re",
    "read",
    "reading",
    "s",
    "she",
    "show",
    "so",
    "some",
    "something",
    "stories",
    "story",
    "t",
    "than",
    "that",
    "the",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "this",
    "those",
    "to",
    "up",
    "us",
    "ve",
    "very",
    "want",
    "was",
    "we",
    "were",
    "what",
    "when",
    "where",
    "which",
    "who",
    "whom",
    "why",
    "will",
    "with",
    "would",
    "written",
    "wrote",
    "you",
    "your",
];

/// Endings that are taken off, and what takes their place; the first that fits.
const ENDINGS: [(&str, &str); 9] = [
    ("ies", "y"),
    ("sses", "ss"),
    ("ing", ""),
    ("edly", ""),
    ("ed", ""),
    ("ly", ""),
    ("es", ""),
    ("s", ""),
    ("e", ""),
];

/// The words of a text in their order, without case and accents.
pub(super) fn words(text: &str) -> Vec<String> {
    let plain: String = text.nfkd().filter(|character| !is_combining_mark(*character)).collect();
    let lower = plain.to_lowercase();
    let found = lower.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    found.take(MAX_WORDS).map(|word| word.chars().take(MAX_WORD).collect()).collect()
}

/// Those of the words that tell something; all where none does.
pub(super) fn telling(text: &str) -> Vec<String> {
    let all = words(text);
    let telling: Vec<String> = all.iter().filter(|word| !is_stop(word)).cloned().collect();
    if telling.is_empty() { all } else { telling }
}

fn is_stop(word: &str) -> bool {
    STOP.binary_search(&word).is_ok()
}

/// A word without its ending: crude, but the same for question and book.
pub(super) fn stem(word: &str) -> String {
    let fits = |(ending, _): &&(&str, &str)| {
        let rest = word.len().saturating_sub(ending.len());
        word.ends_with(ending) && rest >= 3 && !(*ending == "s" && word.ends_with("ss"))
    };
    let mut stem = match ENDINGS.iter().find(fits) {
        Some((ending, instead)) => format!("{}{instead}", &word[..word.len() - ending.len()]),
        None => word.to_owned(),
    };
    if stem.len() > 4 && stem.ends_with('e') {
        stem.pop();
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_neither_case_nor_accents() {
        assert_eq!(words("Jane Eyre — by Brontë!"), ["jane", "eyre", "by", "bronte"]);
        assert_eq!(words("« ! »"), Vec::<String>::new());
    }

    #[test]
    fn what_tells_nothing_is_left_out_unless_there_is_nothing_else() {
        assert_eq!(telling("a book about the sea"), ["sea"]);
        assert_eq!(telling("It"), ["it"]);
        assert!(STOP.is_sorted());
    }

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for forms in
            [["burning", "burned", "burns"], ["witches", "witch", "witch"], ["cities", "city", "city"]]
        {
            assert!(forms.iter().all(|form| stem(form) == stem(forms[0])), "{forms:?}");
        }
        assert_eq!(
            (stem("princess").as_str(), stem("gas").as_str(), stem("é").as_str()),
            ("princess", "gas", "é")
        );
    }
}
