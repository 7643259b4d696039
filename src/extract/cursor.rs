//! A place in a list, as an opaque text.

use super::page::Key;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// Longer texts are not ours: the longest value of an ordering has 200 characters.
const MAX_LENGTH: usize = 4096;

/// A place between two rows. It holds nothing but what the list itself shows, so a forged one only begins
/// elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Whether rows before the place are asked for.
    pub(super) is_backwards: bool,
    /// The ordering that it belongs to, with its sign.
    pub(super) ordering: String,
    /// The value of the ordering.
    pub(super) key: Key,
    /// The id.
    pub(super) id: i64,
}

impl Cursor {
    /// As it stands in a URL.
    pub(super) fn encode(&self) -> String {
        let parts = serde_json::json!([self.is_backwards, self.ordering, self.key, self.id]);
        BASE64_URL_SAFE_NO_PAD.encode(parts.to_string())
    }

    /// Reads what [`Cursor::encode`] wrote.
    pub(super) fn decode(text: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let json = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (is_backwards, ordering, key, id) = serde_json::from_slice(&json).ok()?;
        let has_nul = matches!(&key, Key::Text(text) if text.contains('\0'));
        (!has_nul).then_some(Self { is_backwards, ordering, key, id })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_comes_back_as_it_was(is_backwards: bool, ordering in "-?[a-z_]{1,20}", number: i64, text in "[^\\x00]{0,200}", kind in 0..3, id: i64) {
            let key = match kind {
                0 => Key::None,
                1 => Key::Integer(number),
                _ => Key::Text(text),
            };
            let cursor = Cursor { is_backwards, ordering, key, id };
            let encoded = cursor.encode();
            prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            prop_assert_eq!(Cursor::decode(&encoded), Some(cursor));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Cursor::decode(&text);
            let _ = Cursor::decode(&BASE64_URL_SAFE_NO_PAD.encode(bytes));
        }
    }
}
