//! Answers that are the same for everybody, kept until something is written.

use crate::error::Result;
use bytes::Bytes;
use moka::sync::Cache;
use portcullis_security::clock::{Clock, Timestamp};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What other processes write is seen after that long.
const LIFETIME: Duration = Duration::from_secs(1);
/// Bytes of all pages, at most: callers choose how many different ones there are.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The first pages of lists as anonymous callers see them.
///
/// Every change that this process makes drops all of them; a change by another process is seen within a second.
pub struct PublicPages {
    clock: Clock,
    /// How many changes were made here.
    changes: AtomicU64,
    pages: Cache<String, Kept>,
}

#[derive(Clone)]
struct Kept {
    moment: Moment,
    body: Bytes,
}

/// When a page was read.
#[derive(Clone, Copy)]
struct Moment {
    at: Timestamp,
    changes: u64,
}

impl PublicPages {
    /// An empty cache.
    pub fn new(clock: Clock) -> Self {
        let size = |key: &String, kept: &Kept| u32::try_from(key.len() + kept.body.len()).unwrap_or(u32::MAX);
        let pages = Cache::builder().weigher(size).max_capacity(MAX_BYTES).build();
        Self { clock, changes: AtomicU64::new(0), pages }
    }

    fn moment(&self) -> Moment {
        Moment { at: self.clock.now(), changes: self.changes.load(Ordering::SeqCst) }
    }

    /// The page of a key: as it is kept, where it is still true; else as it is read now, and kept. Without a
    /// key it is for one caller alone, and is read.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn find_or(
        &self,
        key: Option<String>,
        read: impl Future<Output = Result<Bytes>>,
    ) -> Result<Bytes> {
        let Some(key) = key else { return read.await };
        if let Some(page) = self.find(&key) {
            return Ok(page);
        }
        // Before it is read: what changes meanwhile counts.
        let moment = self.moment();
        let body = read.await?;
        self.keep(key, moment, body.clone());
        Ok(body)
    }

    fn find(&self, key: &str) -> Option<Bytes> {
        let now = self.moment();
        let kept = self.pages.get(key)?;
        let is_true = kept.moment.changes == now.changes && now.at.since(kept.moment.at) < LIFETIME;
        is_true.then_some(kept.body)
    }

    fn keep(&self, key: String, moment: Moment, body: Bytes) {
        self.pages.insert(key, Kept { moment, body });
    }

    /// Something was written, after its commit.
    pub fn drop_all(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_kept_until_something_is_written_or_a_second_has_passed() {
        let clock = Clock::manual(Timestamp::from_seconds(1_000));
        let pages = PublicPages::new(clock.clone());
        let body = Bytes::from_static(b"page");
        pages.keep("a".to_owned(), pages.moment(), body.clone());
        assert_eq!((pages.find("a"), pages.find("b")), (Some(body.clone()), None));
        pages.drop_all();
        assert_eq!(pages.find("a"), None);
        let before = pages.moment();
        pages.drop_all();
        pages.keep("a".to_owned(), before, body.clone());
        assert_eq!(pages.find("a"), None, "it was read before the change");
        pages.keep("a".to_owned(), pages.moment(), body);
        clock.advance(LIFETIME);
        assert_eq!(pages.find("a"), None);
    }
}
