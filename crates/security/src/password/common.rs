//! The list of common passwords: Django's, searched where it lies.

use super::unicode::is_space;

/// Lower case, sorted by bytes, one a line; see `data/README.md` for source and licence.
static LIST: &str = include_str!("../../data/common-passwords.txt");

/// Whether `password`, in lower case and without white space around it, is on the list, as Django's
/// `CommonPasswordValidator` asks (ASVS v5.0.0-6.2.4).
pub(super) fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    holds_line(LIST.as_bytes(), lower.trim_matches(is_space).as_bytes())
}

/// A binary search over lines: `low` and `high` always stand at the beginning of one.
fn holds_line(list: &[u8], wanted: &[u8]) -> bool {
    let (mut low, mut high) = (0, list.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = list[low..middle].iter().rposition(|byte| *byte == b'\n').map_or(low, |at| low + at + 1);
        let end = list[start..].iter().position(|byte| *byte == b'\n').map_or(list.len(), |at| start + at);
        match list[start..end].cmp(wanted) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = list.len().min(end + 1),
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_is_found_and_the_list_is_sorted() {
        assert!(LIST.lines().is_sorted());
        assert!(LIST.lines().all(|line| holds_line(LIST.as_bytes(), line.as_bytes())));
        assert_eq!(LIST.lines().count(), 19_640);
    }

    #[test]
    fn neighbours_of_a_line_are_not_found() {
        for absent in ["", "\n", "password\n", "passwor", "password\npassword1", "zzzzzzzzzzzzzz", "\u{0}"] {
            assert!(!holds_line(LIST.as_bytes(), absent.as_bytes()), "{absent:?}");
        }
        assert!(!holds_line(b"", b"a"));
        assert!(holds_line(b"a\nb", b"b"));
    }

    #[test]
    fn case_and_white_space_around_do_not_hide_a_common_password() {
        assert!(is_common(" \u{1c}PassWord\u{a0}\n"));
        assert!(!is_common("pass word"));
    }
}
