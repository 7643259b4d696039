//! A part of the limiter that has one lock.

use super::window::Window;
use super::{Bucket, Quota, Rate, Refused};
use crate::clock::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// One key's calls, as they are kept in a database over a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRow {
    /// The policy's number.
    pub policy: u8,
    /// The key; with the policy it is the row's primary key.
    pub key: [u8; 16],
    /// The times, in a private form of 10 to 800 bytes.
    pub payload: Vec<u8>,
    /// When the row says nothing any more and can be deleted.
    pub expires: Timestamp,
}

pub(super) type Name = (u8, [u8; 16]);

struct Entry {
    window: Window,
    rate: Rate,
    /// Waits in `Shard::dirty` to be written.
    dirty: bool,
    /// Was used since the queue last looked at it.
    touched: bool,
}

/// Keys and their windows, in the order in which they came or were last looked at.
pub(super) struct Shard {
    entries: HashMap<Name, Entry>,
    /// Each key once; the front is evicted first, unless it was used meanwhile or is exhausted.
    queue: VecDeque<Name>,
    dirty: Vec<Name>,
    capacity: usize,
    /// From when to when all keys are known to be exhausted.
    closed: Option<(i64, i64)>,
}

impl Shard {
    pub(super) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), queue: VecDeque::new(), dirty: Vec::new(), capacity, closed: None }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the bucket has room for one more call, without counting it. `Ok(true)` is a new key.
    pub(super) fn look(&mut self, bucket: &Bucket, now: i64) -> Result<bool, Refused> {
        let Some(entry) = self.entries.get_mut(&(bucket.policy, bucket.key)) else {
            return Ok(true);
        };
        entry.rate = bucket.rate;
        entry.touched = true;
        let settled = entry.window.settle(now, bucket.rate);
        match entry.window.blocked_until(settled, bucket.rate) {
            None => Ok(false),
            Some(until) => Err(refused(bucket, until, now)),
        }
    }

    /// Makes room for `wanted` new keys: expired keys go, then the oldest that are not exhausted.
    ///
    /// Forgetting an exhausted key would let its owner in again, so a flood of new keys must not be able
    /// to; when only exhausted ones are left, new keys are refused until the first of them is free.
    pub(super) fn make_room(&mut self, wanted: usize, bucket: &Bucket, now: i64) -> Result<(), Refused> {
        if self.entries.len() + wanted <= self.capacity {
            return Ok(());
        }
        if let Some((from, until)) = self.closed
            && (from..until).contains(&now)
        {
            return Err(refused(bucket, until, now));
        }
        let mut soonest = i64::MAX;
        // The first round may only find out which keys were used since the last one.
        for _ in 0..2 * self.queue.len() {
            if let Some(until) = self.evict_front(now) {
                soonest = soonest.min(until);
            }
            if self.entries.len() + wanted <= self.capacity || self.entries.is_empty() {
                return Ok(());
            }
        }
        self.closed = Some((now, soonest));
        Err(refused(bucket, soonest, now))
    }

    /// Drops the front of the queue or gives it another round; returns when it is free, if exhausted.
    fn evict_front(&mut self, now: i64) -> Option<i64> {
        let name = self.queue.pop_front()?;
        let entry = self.entries.get_mut(&name)?;
        let blocked = entry.window.blocked_until(now, entry.rate);
        let stays = blocked.is_some() || entry.touched;
        if stays && entry.window.last_end(entry.rate) > now {
            entry.touched = false;
            self.queue.push_back(name);
            return blocked;
        }
        self.entries.remove(&name);
        None
    }

    /// Counts a call that passed everywhere.
    pub(super) fn count(&mut self, bucket: &Bucket, now: i64) -> Quota {
        let name = (bucket.policy, bucket.key);
        let entry = self.entries.entry(name).or_insert_with(|| {
            self.queue.push_back(name);
            Entry { window: Window::default(), rate: bucket.rate, dirty: false, touched: false }
        });
        let settled = entry.window.settle(now, bucket.rate);
        entry.window.add(settled, bucket.rate);
        if !entry.dirty {
            entry.dirty = true;
            self.dirty.push(name);
        }
        Quota {
            policy: bucket.policy,
            rate: bucket.rate,
            remaining: bucket.rate.count().saturating_sub(entry.window.used()),
            reset: wait(entry.window.first_end(bucket.rate), now),
        }
    }

    /// Forgets the keys that say nothing any more.
    pub(super) fn sweep(&mut self, now: i64) {
        let entries = &mut self.entries;
        self.queue.retain(|name| {
            let alive = entries.get(name).is_some_and(|entry| entry.window.last_end(entry.rate) > now);
            if !alive {
                entries.remove(name);
            }
            alive
        });
        if entries.len() < entries.capacity() / 4 {
            entries.shrink_to(entries.len() * 2);
            self.queue.shrink_to(self.queue.len() * 2);
        }
    }

    /// Appends up to `max` changed keys to `rows` and takes them for written.
    pub(super) fn drain_dirty(&mut self, max: usize, rows: &mut Vec<SnapshotRow>) {
        let rest = self.dirty.len().saturating_sub(max);
        for name in self.dirty.drain(rest..) {
            let Some(entry) = self.entries.get_mut(&name) else {
                continue;
            };
            entry.dirty = false;
            rows.push(SnapshotRow {
                policy: name.0,
                key: name.1,
                payload: entry.window.encode(entry.rate),
                expires: Timestamp::from_micros(entry.window.last_end(entry.rate)),
            });
        }
    }

    pub(super) fn mark_dirty(&mut self, name: Name) {
        if let Some(entry) = self.entries.get_mut(&name)
            && !entry.dirty
        {
            entry.dirty = true;
            self.dirty.push(name);
        }
    }

    /// Takes in a row; returns whether it still said something and there was room.
    pub(super) fn restore(&mut self, row: &SnapshotRow, now: i64) -> bool {
        let Some((mut window, rate)) = Window::decode(&row.payload, now) else {
            return false;
        };
        window.settle(now, rate);
        let name = (row.policy, row.key);
        match self.entries.get_mut(&name) {
            _ if window.used() == 0 => false,
            Some(entry) => {
                entry.window.merge(window);
                true
            }
            None => {
                let bucket = Bucket { policy: row.policy, rate, key: row.key };
                let room = self.make_room(1, &bucket, now).is_ok();
                if room {
                    self.queue.push_back(name);
                    self.entries.insert(name, Entry { window, rate, dirty: false, touched: false });
                }
                room
            }
        }
    }
}

fn refused(bucket: &Bucket, until: i64, now: i64) -> Refused {
    Refused { policy: bucket.policy, key: bucket.key, rate: bucket.rate, retry_after: wait(until, now) }
}

fn wait(until: i64, now: i64) -> Duration {
    Duration::from_micros(until.saturating_sub(now).max(0).unsigned_abs())
}
