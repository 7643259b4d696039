//! The memory that Argon2 works in.

use ::argon2::Block;
use std::time::{Duration, Instant};

use super::argon2::HashError;
use zeroize::Zeroize;

/// Blocks for which address space is reserved at least, though only those in use are touched.
///
/// glibc answers requests above 32 MiB with pages of their own and gives these back when they are
/// freed. Smaller ones it keeps after the second time, up to twice their size: an idle server would
/// hold on to them.
const MIN_RESERVED_BLOCKS: usize = 33 * 1024;

/// Blocks of 1 KiB that are used for one hash after the other.
///
/// Reuse saves the page faults of fresh memory, which cost as much as the hash itself. Each hash writes every
/// block before it reads it, so what the one before left needs no wiping in between; it is wiped at the end.
pub(super) struct Arena {
    blocks: Vec<Block>,
    idle_since: Instant,
}

impl Arena {
    /// An arena of `kib` zeroed blocks.
    pub(super) fn allocate(kib: u32) -> Result<Self, HashError> {
        let count = usize::try_from(kib).map_err(|_| HashError::OutOfMemory)?;
        if count == 0 {
            return Ok(Self::empty());
        }
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(count.max(MIN_RESERVED_BLOCKS)).map_err(|_| HashError::OutOfMemory)?;
        blocks.resize(count, Block::new());
        Ok(Self { blocks, idle_since: Instant::now() })
    }

    /// An arena for work that needs none.
    pub(super) fn empty() -> Self {
        Self { blocks: Vec::new(), idle_since: Instant::now() }
    }

    /// The memory itself.
    pub(super) fn blocks(&mut self) -> &mut [Block] {
        &mut self.blocks
    }

    /// Its size in KiB.
    pub(super) fn kib(&self) -> usize {
        self.blocks.len()
    }

    /// Starts the time of idleness.
    pub(super) fn rest(&mut self) {
        self.idle_since = Instant::now();
    }

    /// How long nobody used it.
    pub(super) fn idle(&self) -> Duration {
        self.idle_since.elapsed()
    }

    /// Overwrites what a hash left behind.
    pub(super) fn wipe(&mut self) {
        for block in &mut self.blocks {
            block.zeroize();
        }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.wipe();
    }
}
