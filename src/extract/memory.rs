//! Memory that strangers fill, shared out as their bytes arrive: a slow sender holds no more than was sent.

use crate::error::{Error, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

const COME_BACK: Duration = Duration::from_secs(2);

/// So many KiB for all who send at once.
#[derive(Clone)]
pub struct Memory(Arc<Semaphore>);

/// What one sender holds of it, until it is dropped.
pub struct Share {
    memory: Arc<Semaphore>,
    kib: usize,
}

impl Memory {
    /// All of it is free.
    pub fn new(kib: usize) -> Self {
        Self(Arc::new(Semaphore::new(kib)))
    }

    /// A share of nothing yet.
    pub fn share(&self) -> Share {
        Share { memory: self.0.clone(), kib: 0 }
    }

    /// How many KiB nobody holds.
    #[cfg(test)]
    pub fn free(&self) -> usize {
        self.0.available_permits()
    }
}

impl Share {
    /// Takes what is missing to so many bytes.
    ///
    /// # Errors
    /// 503 and when to come back, while others hold the rest.
    pub fn grow_to(&mut self, bytes: usize) -> Result<()> {
        let missing = bytes.div_ceil(1024).saturating_sub(self.kib);
        if missing > 0 {
            let wanted = u32::try_from(missing).map_err(Error::internal)?;
            self.memory.try_acquire_many(wanted).map_err(|_| Error::Busy(COME_BACK))?.forget();
            self.kib += missing;
        }
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.memory.add_permits(self.kib);
    }
}

/// KiB of a body that count as small: more than any login, token or message needs.
const SMALL: usize = 16;
/// KiB of small bodies, and of the first part of large ones, that are here at once.
const ALL_SMALL: usize = 128 * 1024;
/// KiB of the rest of large ones.
const ALL_LARGE: usize = 64 * 1024;

/// The memory for JSON bodies, which anybody may send before any throttle. Large ones have their own, so that
/// whoever fills it keeps nobody from logging in.
#[derive(Clone)]
pub struct BodyMemory {
    small: Memory,
    large: Memory,
}

/// What one body holds of it.
pub(super) struct BodyShare {
    small: Share,
    large: Share,
}

impl Default for BodyMemory {
    fn default() -> Self {
        Self { small: Memory::new(ALL_SMALL), large: Memory::new(ALL_LARGE) }
    }
}

impl BodyMemory {
    pub(super) fn share(&self) -> BodyShare {
        BodyShare { small: self.small.share(), large: self.large.share() }
    }
}

impl BodyShare {
    pub(super) fn grow_to(&mut self, bytes: usize) -> Result<()> {
        self.small.grow_to(bytes.min(SMALL * 1024))?;
        self.large.grow_to(bytes.saturating_sub(SMALL * 1024))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_share_grows_to_what_is_free_and_goes_back_whole() {
        let memory = Memory::new(10);
        let (mut first, mut second) = (memory.share(), memory.share());
        first.grow_to(6 * 1024).unwrap();
        first.grow_to(1).unwrap();
        second.grow_to(3 * 1024 + 1).unwrap();
        assert!(matches!(second.grow_to(4 * 1024 + 1), Err(Error::Busy(_))));
        assert_eq!(memory.free(), 0);
        drop(first);
        second.grow_to(4 * 1024 + 1).unwrap();
        drop(second);
        assert_eq!(memory.free(), 10);
    }

    #[test]
    fn large_bodies_leave_room_for_small_ones() {
        let memory = BodyMemory::default();
        let mut held = Vec::new();
        loop {
            let mut share = memory.share();
            if share.grow_to(1024 * 1024).is_err() {
                break;
            }
            held.push(share);
        }
        assert_eq!(held.len(), ALL_LARGE / (1024 - SMALL));
        memory.share().grow_to(SMALL * 1024).unwrap();
    }
}
