//! Likeness to the user's own data, computed as Django's `UserAttributeSimilarityValidator` does.

use super::UserAttributes;
use super::unicode::is_alphanumeric;

/// From this likeness on a password is refused: Django's default.
const MAX_SIMILARITY: f64 = 0.7;

/// The verbose name of the first attribute that `password` is too similar to.
///
/// Each attribute is compared whole and in its parts (what lies between characters that are neither
/// letters, numbers nor underscores), all in lower case. Work is linear in the lengths: parts far
/// shorter than the password are skipped, as they could never reach the threshold.
pub(super) fn similar_attribute(password: &str, user: &UserAttributes<'_>) -> Option<&'static str> {
    let password = sorted_characters(&password.to_lowercase());
    let named = [
        ("username", user.username),
        ("first name", user.first_name),
        ("last name", user.last_name),
        ("email address", user.email),
    ];
    named.into_iter().find(|(_, value)| is_similar(&password, value)).map(|(name, _)| name)
}

fn is_similar(password: &[char], value: &str) -> bool {
    if value.is_empty() {
        return false;
    }
    let lower = value.to_lowercase();
    let mut parts = lower.split(|character| !(is_alphanumeric(character) || character == '_'));
    parts.any(|part| reaches_threshold(password, part)) || reaches_threshold(password, &lower)
}

fn reaches_threshold(password: &[char], part: &str) -> bool {
    let part = sorted_characters(part);
    !is_too_short_to_matter(password.len(), part.len()) && quick_ratio(password, &part) >= MAX_SIMILARITY
}

/// Django's `exceeds_maximum_length_ratio`.
#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^52, and Django computes in floats")]
fn is_too_short_to_matter(password: usize, part: usize) -> bool {
    password >= 10 * part && (part as f64) < MAX_SIMILARITY / 2.0 * password as f64
}

/// Python's `SequenceMatcher.quick_ratio`: twice the number of characters in common, whatever their
/// order, over the sum of the lengths. Both slices are sorted.
#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^52, and Python computes in floats")]
fn quick_ratio(left: &[char], right: &[char]) -> f64 {
    let total = left.len() + right.len();
    if total == 0 {
        return 1.0;
    }
    let (mut i, mut j, mut matches) = (0, 0, 0_usize);
    while i < left.len() && j < right.len() {
        match left[i].cmp(&right[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, matches) = (i + 1, j + 1, matches + 1),
        }
    }
    2.0 * matches as f64 / total as f64
}

fn sorted_characters(text: &str) -> Vec<char> {
    let mut characters: Vec<char> = text.chars().collect();
    characters.sort_unstable();
    characters
}
