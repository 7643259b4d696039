//! A room that somebody listens to.

use super::seat::{End, Seat};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Frames that a socket may lag behind, at most.
const MAX_FRAMES: usize = 4096;
/// Bytes that the frames of a room may take, at most.
const MAX_BYTES: usize = 1024 * 1024;
/// Messages that wait to be written, at most; whoever sends more is told to try again.
const MAX_WAITING: usize = 4096;

/// Listeners from which on a busy room gathers messages: each write wakes them all.
const LARGE: usize = 16;
/// A busy room gathers messages for that long.
const PACE: Duration = Duration::from_millis(20);
/// Writes that a large room makes at once before it counts as busy, and how soon it may make another.
const CREDIT: u32 = 10;
const CREDIT_EVERY: Duration = Duration::from_millis(50);

/// A message that waits to be written.
pub struct Waiting {
    /// Who said it.
    pub user_id: i64,
    /// What they are called.
    pub username: String,
    /// What was said.
    pub text: String,
    /// Who is told if it cannot be stored.
    pub seat: Arc<Seat>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// It waits, and somebody writes.
    Waits,
    /// It waits, and nobody writes: the caller has to see to it.
    Begin,
    /// Too many wait.
    Full,
}

/// What there is to send to a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Nothing new.
    Nothing,
    /// Frames, up to this number.
    UpTo(i64),
    /// What comes next is not in memory any more.
    Behind,
}

/// A room that somebody listens to.
pub struct Room {
    id: i64,
    state: Mutex<State>,
}

struct State {
    /// The number of the newest frame. The ring holds it and those before it, without a gap.
    last: i64,
    frames: VecDeque<Utf8Bytes>,
    bytes: usize,
    version: i64,
    seats: HashMap<u64, Arc<Seat>>,
    waiting: Vec<Waiting>,
    is_writing: bool,
    written_at: Option<Instant>,
    credit: u32,
    credited_at: Option<Instant>,
}

impl Room {
    pub(super) fn new(id: i64, last: i64, version: i64) -> Self {
        let state = State {
            last,
            frames: VecDeque::new(),
            bytes: 0,
            version,
            seats: HashMap::new(),
            waiting: Vec::new(),
            is_writing: false,
            written_at: None,
            credit: CREDIT,
            credited_at: None,
        };
        Self { id, state: Mutex::new(state) }
    }

    /// Its id.
    pub const fn id(&self) -> i64 {
        self.id
    }

    /// The number of the newest message that was pushed, or was there when the first seat was taken.
    pub fn last(&self) -> i64 {
        self.lock().last
    }

    /// Adds frames whose numbers begin with `first`, and wakes everybody. Those that it has already are
    /// skipped; false when there is a gap before them: the caller has to read what is missing.
    pub fn push(&self, first: i64, frames: impl IntoIterator<Item = Utf8Bytes>) -> bool {
        let mut state = self.lock();
        if first > state.last + 1 {
            return false;
        }
        let known = usize::try_from(state.last + 1 - first).unwrap_or(0);
        let before = state.last;
        for frame in frames.into_iter().skip(known) {
            state.last += 1;
            state.bytes += frame.len();
            state.frames.push_back(frame);
        }
        while state.frames.len() > MAX_FRAMES || (state.bytes > MAX_BYTES && state.frames.len() > 1) {
            state.bytes -= state.frames.pop_front().map_or(0, |frame| frame.len());
        }
        if state.last > before {
            state.seats.values().for_each(|seat| seat.wake());
        }
        true
    }

    /// Gives a seat that has had everything up to `after` what comes next, at most `limit` frames.
    pub fn read(&self, after: i64, limit: usize, out: &mut Vec<Utf8Bytes>) -> Reading {
        let state = self.lock();
        if after >= state.last {
            return Reading::Nothing;
        }
        let missing = usize::try_from(state.last - after).unwrap_or(usize::MAX);
        let Some(skipped) = state.frames.len().checked_sub(missing) else { return Reading::Behind };
        let before = out.len();
        out.extend(state.frames.range(skipped..).take(limit).cloned());
        Reading::UpTo(after + i64::try_from(out.len() - before).unwrap_or(0))
    }

    /// Whether a seat that has had everything up to `after` lags too far behind.
    pub fn is_behind(&self, after: i64) -> bool {
        let state = self.lock();
        usize::try_from(state.last - after).is_ok_and(|missing| missing > state.frames.len())
    }

    /// Leaves a message to whoever writes.
    pub fn submit(&self, message: Waiting) -> Submitted {
        let mut state = self.lock();
        if state.waiting.len() >= MAX_WAITING {
            return Submitted::Full;
        }
        state.waiting.push(message);
        match std::mem::replace(&mut state.is_writing, true) {
            true => Submitted::Waits,
            false => Submitted::Begin,
        }
    }

    /// Whether something waits, for whoever writes; if not, the writing has ended.
    pub fn goes_on(&self) -> bool {
        let mut state = self.lock();
        state.is_writing = !state.waiting.is_empty();
        if !state.is_writing {
            state.waiting.shrink_to(64);
        }
        state.is_writing
    }

    /// The messages that wait, at most `limit`.
    pub fn take_waiting(&self, limit: usize) -> Vec<Waiting> {
        let mut state = self.lock();
        let count = state.waiting.len().min(limit);
        state.waiting.drain(..count).collect()
    }

    /// How long to gather messages before the next write. A large room that is busy makes fewer and larger
    /// writes: what costs is to wake everybody.
    pub fn pause(&self, now: Instant) -> Duration {
        let mut state = self.lock();
        let earned = state.credited_at.map_or(CREDIT, |at| {
            let periods = now.saturating_duration_since(at).as_nanos() / CREDIT_EVERY.as_nanos();
            u32::try_from(periods).unwrap_or(CREDIT)
        });
        if earned > 0 {
            state.credit = state.credit.saturating_add(earned).min(CREDIT);
            state.credited_at = Some(now);
        }
        let since = state.written_at.map_or(PACE, |at| now.saturating_duration_since(at));
        if state.seats.len() < LARGE || since >= PACE {
            state.written_at = Some(now);
            return Duration::ZERO;
        }
        if let Some(rest) = state.credit.checked_sub(1) {
            state.credit = rest;
            state.written_at = Some(now);
            return Duration::ZERO;
        }
        state.written_at = Some(now + (PACE - since));
        PACE - since
    }

    /// The version of the list of members that the seats were last held against.
    pub fn version(&self) -> i64 {
        self.lock().version
    }

    /// Notes that every seat is a member's by that version.
    pub fn set_version(&self, version: i64) {
        self.lock().version = version;
    }

    /// Ends some of the sockets in it.
    pub fn end(&self, which: impl Fn(&Seat) -> bool, end: End) {
        let state = self.lock();
        state.seats.values().filter(|seat| which(seat)).for_each(|seat| seat.end(end));
    }

    /// Whose sockets are in it.
    pub fn user_ids(&self) -> Vec<i64> {
        let mut ids: Vec<i64> = self.lock().seats.values().map(|seat| seat.user_id()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    pub(super) fn add(&self, seat: &Arc<Seat>) {
        self.lock().seats.insert(seat.id(), seat.clone());
    }

    pub(super) fn remove(&self, seat: &Seat) {
        self.lock().seats.remove(&seat.id());
    }

    pub(super) fn is_idle(&self) -> bool {
        let state = self.lock();
        state.seats.is_empty() && !state.is_writing
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::net::Ipv4Addr;

    fn frames(numbers: std::ops::RangeInclusive<i64>) -> Vec<Utf8Bytes> {
        numbers.map(|number| Utf8Bytes::from(number.to_string())).collect()
    }

    fn read(room: &Room, after: i64, limit: usize) -> (Reading, Vec<Utf8Bytes>) {
        let mut out = Vec::new();
        (room.read(after, limit, &mut out), out)
    }

    #[test]
    fn frames_come_in_order_once_and_never_past_a_gap() {
        let room = Room::new(1, 3, 0);
        assert_eq!(read(&room, 3, 9).0, Reading::Nothing);
        assert_eq!(read(&room, 2, 9).0, Reading::Behind, "what was there before is not in memory");
        assert!(!room.push(5, frames(5..=6)), "4 is missing");
        assert!(room.push(4, frames(4..=5)));
        assert!(room.push(4, frames(4..=7)), "4 and 5 are known");
        assert_eq!(read(&room, 3, 9), (Reading::UpTo(7), frames(4..=7)));
        assert_eq!(read(&room, 5, 1), (Reading::UpTo(6), frames(6..=6)));
        assert!(room.push(1, frames(1..=2)), "all are known");
        assert_eq!(room.last(), 7);
    }

    #[test]
    fn a_room_keeps_so_many_frames_and_so_many_bytes() {
        let room = Room::new(1, 0, 0);
        let most = i64::try_from(MAX_FRAMES).unwrap();
        assert!(room.push(1, frames(1..=most + 10)));
        assert!(!room.is_behind(10) && room.is_behind(9));
        let large = Utf8Bytes::from("x".repeat(MAX_BYTES / 2));
        assert!(room.push(most + 11, [large.clone(), large.clone(), large]));
        assert_eq!(read(&room, most + 11, 9).1.len(), 2);
        assert_eq!(read(&room, most + 10, 9).0, Reading::Behind);
    }

    #[test]
    fn a_large_room_that_is_busy_gathers_messages_and_another_does_not() {
        let room = Arc::new(Room::new(1, 0, 0));
        let mut now = Instant::now();
        let mut waits = |every: u64| {
            now += Duration::from_secs(9);
            let mut write = || {
                now += Duration::from_millis(every);
                !room.pause(now).is_zero()
            };
            (0..100).filter(|_| write()).count()
        };
        assert_eq!(waits(1), 0, "nobody is there");
        for id in 0..100 {
            room.add(&Arc::new(Seat::new(id, 1, Ipv4Addr::LOCALHOST.into(), room.clone())));
        }
        assert!(waits(2) > 50);
        assert_eq!(waits(100), 0, "ten in a second are no load");
    }

    #[test]
    fn one_writes_at_a_time_and_the_next_begins_when_none_waits() {
        let room = Arc::new(Room::new(1, 0, 0));
        let seat = Arc::new(Seat::new(1, 1, Ipv4Addr::LOCALHOST.into(), room.clone()));
        let message =
            || Waiting { user_id: 1, username: String::new(), text: String::new(), seat: seat.clone() };
        assert_eq!(room.submit(message()), Submitted::Begin);
        assert_eq!(room.submit(message()), Submitted::Waits);
        assert!(room.goes_on());
        assert_eq!(room.take_waiting(9).len(), 2);
        assert_eq!(room.submit(message()), Submitted::Waits, "the writer is still there");
        assert!(room.goes_on());
        assert_eq!(room.take_waiting(9).len(), 1);
        assert!(!room.goes_on());
        assert_eq!(room.submit(message()), Submitted::Begin);
    }
}
