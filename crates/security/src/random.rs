//! Randomness as a value: the operating system's, or a seeded stream for tests.

use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of random bytes.
///
/// ```
/// use portcullis_security::random::Random;
///
/// let key: [u8; 32] = Random::system().bytes();
/// let same: [[u8; 8]; 2] = [Random::seeded(7).bytes(), Random::seeded(7).bytes()];
/// assert_ne!(key, [0; 32]);
/// assert_eq!(same[0], same[1]);
/// ```
#[derive(Debug)]
pub struct Random(Source);

#[derive(Debug)]
enum Source {
    System,
    Seeded { seed: u64, block: AtomicU64 },
}

impl Random {
    /// The operating system's generator: the only one fit for secrets (ASVS v5.0.0-11.5.1).
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A repeatable stream for tests. Never use it for a secret.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self(Source::Seeded { seed, block: AtomicU64::new(0) })
    }

    /// Fills `target` with random bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness: going on would make secrets that can be guessed.
    pub fn fill(&self, target: &mut [u8]) {
        match &self.0 {
            #[expect(clippy::panic, reason = "fail closed: a guessable secret is worse than a stop")]
            Source::System => {
                if let Err(error) = getrandom::fill(target) {
                    panic!("the operating system gives no random bytes: {error}");
                }
            }
            Source::Seeded { seed, block } => {
                for chunk in target.chunks_mut(32) {
                    let counter = block.fetch_add(1, Ordering::SeqCst);
                    let mut hash = Sha256::new();
                    hash.update(seed.to_le_bytes());
                    hash.update(counter.to_le_bytes());
                    chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
                }
            }
        }
    }

    /// `N` random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}
