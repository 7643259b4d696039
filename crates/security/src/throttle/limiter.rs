//! All keys of all policies, in memory.

use super::shard::{Name, Shard, SnapshotRow};
use super::{Bucket, Quota, Refused};
use crate::clock::Timestamp;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

const MAX_SHARDS: usize = 256;
/// Shards smaller than this would fill unevenly.
const KEYS_PER_SHARD: usize = 1_024;
/// How many parts a round of cleaning has.
const SWEEPS_PER_ROUND: usize = 16;

/// Counts calls in sliding windows; decides several policies at once.
///
/// Sharded by key: a call locks the shards of its buckets in order, decides, counts and lets go, so
/// parallel calls cannot pass together where only one fits, and cannot deadlock. Nothing is written to
/// a database here: [`dirty`](Limiter::dirty) gives what changed and [`restore`](Limiter::restore)
/// takes it back after a restart.
///
/// A key costs about 130 bytes with one call in its window. At most `capacity` are kept: then expired
/// keys go, then the oldest that are not exhausted. An exhausted key is never forgotten; when all are,
/// new keys are refused.
pub struct Limiter {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    next_sweep: AtomicUsize,
    next_dirty: AtomicUsize,
}

impl Limiter {
    /// An empty limiter for at most `capacity` keys; 1,000,000 is a good number.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let count = (capacity / KEYS_PER_SHARD).clamp(1, MAX_SHARDS);
        let shard = || Mutex::new(Shard::new(capacity.div_ceil(count).max(1)));
        Self {
            shards: (0..count).map(|_| shard()).collect(),
            hasher: RandomState::new(),
            next_sweep: AtomicUsize::new(0),
            next_dirty: AtomicUsize::new(0),
        }
    }

    /// Counts a call in all buckets, or in none.
    ///
    /// A bucket that is named twice counts once. Without buckets there is no quota to tell of.
    ///
    /// # Errors
    /// At least one bucket is full: the refusal with the longest wait.
    pub fn check(&self, buckets: &[Bucket], now: Timestamp) -> Result<Option<Quota>, Refused> {
        let now = now.micros();
        let mut locked = self.lock_all(buckets);
        let mut longest: Option<Refused> = None;
        for shard in &mut locked {
            if let Err(refused) = shard.admit(now)
                && longest.is_none_or(|longest| longest.retry_after < refused.retry_after)
            {
                longest = Some(refused);
            }
        }
        if let Some(refused) = longest {
            return Err(refused);
        }
        let quotas = locked.iter_mut().flat_map(|shard| shard.count(now));
        Ok(quotas.min_by_key(|quota| (quota.remaining, std::cmp::Reverse(quota.reset))))
    }

    /// Locks the shards of the buckets in ascending order, each once.
    fn lock_all<'a>(&'a self, buckets: &'a [Bucket]) -> Vec<Locked<'a>> {
        let mut places: Vec<_> =
            buckets.iter().map(|bucket| (self.place((bucket.policy, bucket.key)), bucket)).collect();
        places.sort_unstable_by_key(|(index, bucket)| (*index, bucket.policy, bucket.key));
        places.dedup_by_key(|(_, bucket)| (bucket.policy, bucket.key));
        let mut locked: Vec<Locked<'a>> = Vec::with_capacity(places.len());
        let mut previous = None;
        for (index, bucket) in places {
            match locked.last_mut() {
                Some(last) if previous == Some(index) => last.buckets.push(bucket),
                _ => locked.push(Locked { shard: self.lock(index), buckets: vec![bucket] }),
            }
            previous = Some(index);
        }
        locked
    }

    /// Forgets expired keys in a sixteenth of the shards: call it once a second.
    ///
    /// One shard is locked at a time, for about 0.2 ms with a million keys.
    pub fn sweep(&self, now: Timestamp) {
        for _ in 0..self.shards.len().div_ceil(SWEEPS_PER_ROUND) {
            let index = self.next_sweep.fetch_add(1, Ordering::Relaxed) % self.shards.len();
            self.lock(index).sweep(now.micros());
        }
    }

    /// Up to `max` keys that changed since they were last given out, to be written by policy and key.
    ///
    /// Call it until it gives fewer than `max`. If the write fails, give the rows to
    /// [`mark_dirty`](Limiter::mark_dirty).
    #[must_use]
    pub fn dirty(&self, max: usize) -> Vec<SnapshotRow> {
        let mut rows = Vec::new();
        for _ in 0..self.shards.len() {
            if rows.len() >= max {
                break;
            }
            let index = self.next_dirty.fetch_add(1, Ordering::Relaxed) % self.shards.len();
            let wanted = max - rows.len();
            self.lock(index).drain_dirty(wanted, &mut rows);
        }
        rows
    }

    /// Puts rows that could not be written among the changed ones again.
    pub fn mark_dirty(&self, rows: &[SnapshotRow]) {
        for row in rows {
            let name = (row.policy, row.key);
            self.lock(self.place(name)).mark_dirty(name);
        }
    }

    /// Takes in rows from before a restart; returns how many still said something.
    ///
    /// Damaged rows are skipped: a snapshot must not keep a server from starting.
    pub fn restore(&self, rows: &[SnapshotRow], now: Timestamp) -> usize {
        let restores =
            |row: &&SnapshotRow| self.lock(self.place((row.policy, row.key))).restore(row, now.micros());
        rows.iter().filter(restores).count()
    }

    /// How many keys are known, for a metric.
    #[must_use]
    pub fn len(&self) -> usize {
        (0..self.shards.len()).map(|index| self.lock(index).len()).sum()
    }

    /// Whether no key is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn place(&self, name: Name) -> usize {
        let hash = self.hasher.hash_one(name);
        (hash % self.shards.len() as u64) as usize
    }

    /// A panic elsewhere leaves a shard whole enough to go on: at worst a call counts in one bucket
    /// and not in the next.
    fn lock(&self, index: usize) -> MutexGuard<'_, Shard> {
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A shard in hand, and what a call wants of it.
struct Locked<'a> {
    shard: MutexGuard<'a, Shard>,
    buckets: Vec<&'a Bucket>,
}

impl Locked<'_> {
    /// Whether all buckets of this shard have room; makes room for new keys, and counts nothing.
    fn admit(&mut self, now: i64) -> Result<(), Refused> {
        let mut newcomers = Vec::new();
        let mut longest: Option<Refused> = None;
        for bucket in &self.buckets {
            match self.shard.look(bucket, now) {
                Ok(true) => newcomers.push(*bucket),
                Ok(false) => {}
                Err(refused) if longest.is_some_and(|longest| longest.retry_after >= refused.retry_after) => {
                }
                Err(refused) => longest = Some(refused),
            }
        }
        match (longest, newcomers.last()) {
            (Some(refused), _) => Err(refused),
            (None, None) => Ok(()),
            (None, Some(bucket)) => self.shard.make_room(newcomers.len(), bucket, now),
        }
    }

    fn count(&mut self, now: i64) -> impl Iterator<Item = Quota> {
        let Self { shard, buckets } = self;
        buckets.iter().map(move |bucket| shard.count(bucket, now))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::Rate;
    use super::*;
    use std::time::Duration;

    const START: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn bucket(policy: u8, rate: &str, key: u32) -> Bucket {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&key.to_le_bytes());
        Bucket { policy, rate: Rate::parse(rate).unwrap(), key: bytes }
    }

    fn after(seconds: u64) -> Timestamp {
        START.plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_call_that_one_policy_refuses_counts_in_no_other() {
        let limiter = Limiter::new(1_000_000);
        let (narrow, wide) = (bucket(1, "1/minute", 1), bucket(2, "3/hour", 2));
        limiter.check(&[narrow, wide], START).unwrap();
        for _ in 0..10 {
            assert_eq!(limiter.check(&[wide, narrow], START).unwrap_err().policy, 1);
        }
        assert_eq!(limiter.check(&[wide], START).unwrap().unwrap().remaining, 1);
    }

    #[test]
    fn the_longest_wait_and_the_tightest_quota_are_told() {
        let limiter = Limiter::new(10);
        let (minute, hour) = (bucket(1, "1/minute", 1), bucket(2, "2/hour", 1));
        let quota = limiter.check(&[hour, minute], START).unwrap().unwrap();
        assert_eq!((quota.policy, quota.remaining, quota.reset), (1, 0, Duration::from_secs(60)));
        limiter.check(&[hour], after(30)).unwrap();
        let refused = limiter.check(&[minute, hour], after(30)).unwrap_err();
        assert_eq!((refused.policy, refused.retry_after_seconds()), (2, 3_570));
        assert_eq!(limiter.check(&[], START), Ok(None));
    }

    #[test]
    fn a_bucket_named_twice_counts_once() {
        let limiter = Limiter::new(1_000_000);
        let twice = [bucket(1, "2/minute", 1); 2];
        assert_eq!(limiter.check(&twice, START).unwrap().unwrap().remaining, 1);
    }

    #[test]
    fn parallel_calls_pass_exactly_n_times() {
        let limiter = Limiter::new(1_000_000);
        for rate in ["5/minute", "500/hour"] {
            let limit = Rate::parse(rate).unwrap().count();
            let passed = AtomicUsize::new(0);
            std::thread::scope(|scope| {
                for thread in 0..8_u32 {
                    let (limiter, passed) = (&limiter, &passed);
                    scope.spawn(move || {
                        for call in 0..limit {
                            let own = bucket(9, "1000/second", thread);
                            let buckets = [own, bucket(limit as u8, rate, 7), bucket(8, "9999/day", call)];
                            let skewed = START.plus(Duration::from_micros(u64::from(thread ^ call)));
                            passed.fetch_add(
                                usize::from(limiter.check(&buckets, skewed).is_ok()),
                                Ordering::SeqCst,
                            );
                        }
                    });
                }
            });
            assert_eq!(passed.into_inner(), limit as usize, "{rate}");
        }
    }

    #[test]
    fn a_flood_of_new_keys_never_frees_an_exhausted_one() {
        let limiter = Limiter::new(10);
        let victim = bucket(1, "1/hour", 0);
        limiter.check(&[victim], START).unwrap();
        for key in 1..1_000 {
            limiter.check(&[bucket(1, "2/hour", key)], after(1)).unwrap();
        }
        assert_eq!(limiter.len(), 10);
        assert!(limiter.check(&[victim], after(2)).is_err());
    }

    #[test]
    fn the_oldest_key_that_is_not_exhausted_is_forgotten_first() {
        let limiter = Limiter::new(2);
        let call =
            |key, seconds| limiter.check(&[bucket(1, "5/hour", key)], after(seconds)).unwrap().unwrap();
        call(1, 0);
        call(2, 1);
        call(1, 2);
        call(3, 3);
        assert_eq!(call(1, 4).remaining, 2);
        assert_eq!(call(2, 5).remaining, 4);
    }

    #[test]
    fn when_all_keys_are_exhausted_new_ones_wait_for_the_first() {
        let limiter = Limiter::new(3);
        for key in 0..3 {
            limiter.check(&[bucket(1, "1/minute", key)], after(u64::from(key))).unwrap();
        }
        for _ in 0..2 {
            let refused = limiter.check(&[bucket(1, "1/minute", 9)], after(10)).unwrap_err();
            assert_eq!(refused.retry_after, Duration::from_secs(50));
        }
        limiter.check(&[bucket(1, "1/minute", 9)], after(60)).unwrap();
    }

    #[test]
    fn a_restart_forgets_nothing_and_damaged_rows_are_skipped() {
        let before = Limiter::new(1_000_000);
        let (small, large) = (bucket(1, "2/minute", 1), bucket(2, "100/hour", 2));
        before.check(&[small, large], START).unwrap();
        before.check(&[small, large], after(1)).unwrap();
        let mut rows = before.dirty(100);
        assert_eq!((rows.len(), before.dirty(100).len()), (2, 0));
        before.mark_dirty(&rows);
        assert_eq!(before.dirty(1).len() + before.dirty(100).len(), 2);
        assert!(rows.iter().any(|row| row.expires == after(61)));
        rows.push(SnapshotRow { policy: 3, key: [3; 16], payload: vec![9], expires: START });

        let later = Limiter::new(1_000_000);
        assert_eq!(later.restore(&rows, after(2)), 2);
        assert_eq!(later.check(&[small], after(2)).unwrap_err().retry_after, Duration::from_secs(58));
        assert_eq!(later.check(&[large], after(2)).unwrap().unwrap().remaining, 97);
        assert_eq!(Limiter::new(9).restore(&rows, after(7_200)), 0);
    }

    #[test]
    fn a_changed_rate_judges_the_same_calls() {
        let limiter = Limiter::new(10);
        for _ in 0..3 {
            limiter.check(&[bucket(1, "100/hour", 1)], START).unwrap();
        }
        assert!(limiter.check(&[bucket(1, "3/hour", 1)], after(1)).is_err());
        assert_eq!(limiter.check(&[bucket(1, "5/hour", 1)], after(1)).unwrap().unwrap().remaining, 1);
    }

    #[test]
    fn sweeping_forgets_what_has_expired_and_only_that() {
        let limiter = Limiter::new(100_000);
        for key in 0..2_000 {
            let rate = if key % 2 == 0 { "5/minute" } else { "5/hour" };
            limiter.check(&[bucket(1, rate, key)], START).unwrap();
        }
        for _ in 0..SWEEPS_PER_ROUND {
            limiter.sweep(after(60));
        }
        assert_eq!(limiter.len(), 1_000);
    }
}
