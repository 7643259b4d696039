//! Authenticated encryption of columns: mail bodies, TOTP seeds, stored keys (ASVS v5.0.0-11.3.2).

use crate::random::Random;
use crate::token::KeyChain;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const ID_LABEL: &[u8] = b"portcullis seal key v1\0";
const ID_LENGTH: usize = 4;
const HEADER_LENGTH: usize = 1 + ID_LENGTH;
const TAG_LENGTH: usize = 16;

/// How many bytes a cell has beside its text.
pub const OVERHEAD: usize = HEADER_LENGTH + NONCE_LEN + TAG_LENGTH;

/// Why a cell cannot be opened or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Too short, or of another version.
    #[error("the cell is not sealed in a known form")]
    Malformed,
    /// The key that the cell names is not in the ring.
    #[error("the cell was sealed with a key that is not known")]
    UnknownKey,
    /// The cell was changed, or belongs to another column or row.
    #[error("the cell was altered or stands in the wrong place")]
    Altered,
    /// The text is too long to be sealed: over 256 GiB.
    #[error("the text is too long")]
    TooLong,
}

/// Keys that open, one of which seals.
///
/// A cell is version (1 byte), key id (4), nonce (12), ciphertext and tag (16): ChaCha20-Poly1305
/// (RFC 8439). Header and context are authenticated, so a cell that is moved to another column, or
/// another row if the context names it, does not open. Nonces are random: change the key before 2³²
/// cells.
///
/// ```
/// use portcullis_security::random::Random;
/// use portcullis_security::seal::{KeyRing, SealError};
///
/// let old = KeyRing::new(&[1; 32], &[]);
/// let cell = old.seal(b"Dear Ann", "outbox.body", &Random::system())?;
/// assert_eq!(old.open(&cell, "outbox.body")?.as_slice(), b"Dear Ann");
/// assert_eq!(old.open(&cell, "users.totp").err(), Some(SealError::Altered));
///
/// let rotated = KeyRing::new(&[2; 32], &[[1; 32]]);
/// assert!(rotated.is_stale(&cell));
/// assert_eq!(rotated.open(&cell, "outbox.body")?.as_slice(), b"Dear Ann");
/// # Ok::<(), SealError>(())
/// ```
pub struct KeyRing {
    active: SealKey,
    older: Vec<SealKey>,
}

struct SealKey {
    id: [u8; ID_LENGTH],
    cipher: LessSafeKey,
}

impl SealKey {
    /// # Panics
    /// Never: the cipher takes exactly 32 bytes.
    #[expect(clippy::expect_used, reason = "without a cipher nothing may be stored")]
    fn new(key: &[u8; 32]) -> Self {
        let unbound = UnboundKey::new(&CHACHA20_POLY1305, key).expect("the cipher takes 32 bytes");
        Self { id: key_id(key), cipher: LessSafeKey::new(unbound) }
    }
}

/// The public name of a key, as it stands in a cell: four bytes of a labelled SHA-256.
fn key_id(key: &[u8; 32]) -> [u8; ID_LENGTH] {
    let digest = Sha256::new().chain_update(ID_LABEL).chain_update(key).finalize();
    let mut id = [0; ID_LENGTH];
    id.copy_from_slice(&digest[..ID_LENGTH]);
    id
}

impl KeyRing {
    /// A ring that seals with `active` and also opens with `older`. Keys name themselves by a hash.
    #[must_use]
    pub fn new(active: &[u8; 32], older: &[[u8; 32]]) -> Self {
        Self { active: SealKey::new(active), older: older.iter().map(SealKey::new).collect() }
    }

    /// A ring of the keys that grow from a root and its fallback.
    #[must_use]
    pub fn of(chain: &KeyChain) -> Self {
        let older = chain.all().skip(1).map(SealKey::new).collect();
        Self { active: SealKey::new(chain.active()), older }
    }

    /// Seals a text for one place, such as `outbox.body`.
    ///
    /// # Errors
    /// A text over 256 GiB.
    pub fn seal(&self, text: &[u8], context: &str, random: &Random) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; NONCE_LEN] = random.bytes();
        let mut cell = Vec::with_capacity(OVERHEAD + text.len());
        cell.push(VERSION);
        cell.extend_from_slice(&self.active.id);
        let aad = associated_data(&cell, context);
        cell.extend_from_slice(&nonce);
        cell.extend_from_slice(text);
        let body = &mut cell[HEADER_LENGTH + NONCE_LEN..];
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.active.cipher.seal_in_place_separate_tag(nonce, Aad::from(aad), body);
        cell.extend_from_slice(tag.map_err(|_| SealError::TooLong)?.as_ref());
        Ok(cell)
    }

    /// Opens a cell in the place for which it was sealed.
    ///
    /// # Errors
    /// A cell of another form, of an unknown key, altered, or from another place.
    pub fn open(&self, cell: &[u8], context: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        if cell.len() < OVERHEAD || cell[0] != VERSION {
            return Err(SealError::Malformed);
        }
        let (header, rest) = cell.split_at(HEADER_LENGTH);
        let (nonce, body) = rest.split_at(NONCE_LEN);
        // Two keys may share an id by chance, so each that has it is tried.
        let mut keys = std::iter::once(&self.active).chain(&self.older).filter(|key| key.id == header[1..]);
        let mut failure = SealError::UnknownKey;
        keys.find_map(|key| {
            failure = SealError::Altered;
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut text = Zeroizing::new(body.to_vec());
            let aad = Aad::from(associated_data(header, context));
            let length = key.cipher.open_in_place(nonce, aad, &mut text).ok()?.len();
            text.truncate(length);
            Some(text)
        })
        .ok_or(failure)
    }

    /// Whether a cell should be sealed anew, since its key no longer seals.
    #[must_use]
    pub fn is_stale(&self, cell: &[u8]) -> bool {
        cell.get(1..HEADER_LENGTH) != Some(&self.active.id[..])
    }
}

/// Header and context; the header's length is fixed, so the two cannot run into each other.
fn associated_data(header: &[u8], context: &str) -> Vec<u8> {
    [header, context.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn ring() -> KeyRing {
        KeyRing::new(&[7; 32], &[])
    }

    #[test]
    fn equal_texts_are_sealed_differently() {
        let random = Random::seeded(1);
        let [one, two] = [(); 2].map(|()| ring().seal(b"same", "a", &random).unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), OVERHEAD + 4);
    }

    #[test]
    fn a_rotated_ring_opens_old_cells_until_the_key_is_dropped() {
        let cell = ring().seal(b"text", "a", &Random::seeded(1)).unwrap();
        assert!(!ring().is_stale(&cell));
        let rotated = KeyRing::new(&[8; 32], &[[7; 32]]);
        assert!(rotated.is_stale(&cell));
        assert_eq!(rotated.open(&cell, "a").unwrap().as_slice(), b"text");
        assert_eq!(KeyRing::new(&[8; 32], &[]).open(&cell, "a").unwrap_err(), SealError::UnknownKey);
    }

    proptest! {
        #[test]
        fn any_text_opens_in_its_place_only(text: Vec<u8>, place in "[a-z.]{0,12}", other in "[a-z.]{0,12}") {
            let cell = ring().seal(&text, &place, &Random::seeded(3)).unwrap();
            let opened = ring().open(&cell, &place).unwrap();
            prop_assert_eq!(opened.as_slice(), text.as_slice());
            prop_assert_eq!(ring().open(&cell, &other).is_ok(), place == other);
        }

        #[test]
        fn a_cell_with_one_bit_changed_does_not_open(position in 0..OVERHEAD + 5, bit in 0..8_u8) {
            let mut cell = ring().seal(b"hello", "a", &Random::seeded(4)).unwrap();
            cell[position] ^= 1 << bit;
            prop_assert!(ring().open(&cell, "a").is_err());
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            prop_assert!(ring().open(&bytes, "a").is_err());
            let versioned = [&[VERSION][..], &key_id(&[7; 32]), &bytes].concat();
            prop_assert!(ring().open(&versioned, "a").is_err());
        }
    }
}
