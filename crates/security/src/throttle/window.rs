//! The calls of one key that still count.

use super::Rate;

/// Up to this count each call keeps its own time; beyond it times share slots.
const EXACT: u32 = 64;
/// Into how many slots a period is cut: calls of one slot leave the window together, at the end of it.
const SLOTS: i64 = 64;
/// A clock that stepped back further than this was wrong before, and is believed now.
const REPAIRED: i64 = 86_400_000_000;
/// A steady rate needs 65 marks; this is a bound for rates that change under a window.
const MAX_MARKS: usize = 256;
const VERSION: u8 = 1;

/// A moment and how many calls count from it; never earlier than those calls were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    at: i64,
    count: u32,
}

/// Times of accepted calls in microseconds, oldest first.
///
/// With N ≤ 64 it is an exact log. Above, the calls of one 64th of the period are counted together at
/// the time of the last of them: never more than N are in any window, and a call is allowed at most
/// 1/64 of the period later than by an exact log, in 1 KiB at most.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    marks: Vec<Mark>,
}

impl Window {
    /// Forgets what lies a period back and returns the moment that counts as now.
    ///
    /// A clock that stepped back must not open the gate: time stands still for this key until the clock
    /// has caught up. After a step of more than a day the old times were wrong, and waiting for them
    /// could take years; then the calls count as made now.
    pub(super) fn settle(&mut self, now: i64, rate: Rate) -> i64 {
        let latest = self.marks.last().map_or(now, |mark| mark.at.max(now));
        let now = if latest.saturating_sub(now) <= REPAIRED { latest } else { self.pull_back(now) };
        let gone = self.marks.partition_point(|mark| end(mark.at, rate) <= now);
        self.marks.drain(..gone);
        now
    }

    fn pull_back(&mut self, now: i64) -> i64 {
        for mark in &mut self.marks {
            mark.at = mark.at.min(now);
        }
        now
    }

    /// How many calls count; meaningful once settled.
    pub(super) fn used(&self) -> u32 {
        self.marks.iter().fold(0, |sum, mark| sum.saturating_add(mark.count))
    }

    /// Counts one call at `now`, as [`settle`](Window::settle) gave it.
    pub(super) fn add(&mut self, now: i64, rate: Rate) {
        let width = if rate.count() <= EXACT { 1 } else { slot_width(rate) };
        let full = self.marks.len() >= MAX_MARKS;
        match self.marks.last_mut() {
            Some(last) if full || last.at.div_euclid(width) == now.div_euclid(width) => {
                last.at = now;
                last.count = last.count.saturating_add(1);
            }
            _ => {
                if self.marks.len() == self.marks.capacity() {
                    self.marks.reserve_exact(self.marks.len().max(1));
                }
                self.marks.push(Mark { at: now, count: 1 });
            }
        }
    }

    /// When the oldest call leaves.
    pub(super) fn first_end(&self, rate: Rate) -> i64 {
        self.marks.first().map_or(i64::MIN, |mark| end(mark.at, rate))
    }

    /// When the last call has left and nothing needs to be known any more.
    pub(super) fn last_end(&self, rate: Rate) -> i64 {
        self.marks.last().map_or(i64::MIN, |mark| end(mark.at, rate))
    }

    /// When one more call fits, or nothing if it does at `now`.
    pub(super) fn blocked_until(&self, now: i64, rate: Rate) -> Option<i64> {
        let alive = self.marks.partition_point(|mark| end(mark.at, rate) <= now);
        let mut left = self.marks[alive..].iter().fold(0_u32, |sum, mark| sum.saturating_add(mark.count));
        let mut until = None;
        for mark in &self.marks[alive..] {
            if left < rate.count() {
                break;
            }
            left = left.saturating_sub(mark.count);
            until = Some(end(mark.at, rate));
        }
        until
    }

    /// Takes in what a snapshot knew of the same key; a surplus of marks moves to a later time.
    pub(super) fn merge(&mut self, other: Self) {
        self.marks.extend(other.marks);
        self.marks.sort_by_key(|mark| mark.at);
        let surplus = self.marks.len().saturating_sub(MAX_MARKS);
        let moved = self.marks.drain(..surplus).fold(0, |sum, mark| mark.count.saturating_add(sum));
        if let Some(first) = self.marks.first_mut() {
            first.count = first.count.saturating_add(moved);
        }
    }

    /// The window and its rate in a few bytes: times as differences, numbers in 7-bit groups.
    pub(super) fn encode(&self, rate: Rate) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16 + self.marks.len() * 6);
        bytes.push(VERSION);
        push_number(&mut bytes, u64::from(rate.count()));
        push_number(&mut bytes, u64::from(rate.seconds()));
        let mut previous = 0;
        for mark in &self.marks {
            push_number(&mut bytes, mark.at.saturating_sub(previous).max(0).unsigned_abs());
            push_number(&mut bytes, u64::from(mark.count));
            previous = mark.at;
        }
        bytes
    }

    /// Reads what [`encode`](Window::encode) wrote. Times after `now` come from a clock that was wrong
    /// and count as now.
    pub(super) fn decode(bytes: &[u8], now: i64) -> Option<(Self, Rate)> {
        let (&version, mut rest) = bytes.split_first()?;
        if version != VERSION {
            return None;
        }
        let mut number = || take_number(&mut rest);
        let rate = Rate::new(u32::try_from(number()?).ok()?, u32::try_from(number()?).ok()?).ok()?;
        let (mut marks, mut at) = (Vec::new(), 0_i64);
        while let Some(step) = number() {
            at = at.checked_add_unsigned(step)?;
            let count = u32::try_from(number()?).ok()?;
            if marks.len() == MAX_MARKS {
                return None;
            }
            marks.push(Mark { at: at.min(now), count });
        }
        Some((Self { marks }, rate))
    }
}

const fn slot_width(rate: Rate) -> i64 {
    (rate.period_micros() + SLOTS - 1) / SLOTS
}

const fn end(at: i64, rate: Rate) -> i64 {
    at.saturating_add(rate.period_micros())
}

fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000;
    const DAY: i64 = 86_400 * SECOND;

    fn try_call(window: &mut Window, at: i64, rate: Rate) -> bool {
        let now = window.settle(at, rate);
        let free = window.used() < rate.count();
        assert_eq!(free, window.blocked_until(now, rate).is_none());
        if free {
            window.add(now, rate);
        }
        free
    }

    fn any_rate() -> impl Strategy<Value = Rate> {
        (prop_oneof![1..8_u32, 60..70_u32, 90..300_u32], prop_oneof![Just(1_u32), 50..70_u32, Just(3_600)])
            .prop_map(|(count, seconds)| Rate::new(count, seconds).unwrap())
    }

    /// Times of one day in bursts whose gaps fit the rate, so that the limit is often touched.
    fn any_day() -> impl Strategy<Value = Vec<i64>> {
        prop::collection::vec((0..4_u8, 0..DAY / 400), 1..1_500).prop_map(|steps| {
            let mut at = 1_700_000_000 * SECOND;
            steps
                .into_iter()
                .map(|(kind, gap)| {
                    at += gap / [1_000_000, 10_000, 100, 1][usize::from(kind)];
                    at
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn a_day_never_has_more_than_n_calls_in_any_window(rate in any_rate(), day in any_day()) {
            let (mut window, mut accepted) = (Window::default(), Vec::<i64>::new());
            let late = if rate.count() <= EXACT { 0 } else { slot_width(rate) };
            for at in day {
                let within = |length| accepted.iter().rev().take_while(|time| **time > at - length).count();
                let (exact, at_most) = (within(rate.period_micros()), within(rate.period_micros() + late));
                if try_call(&mut window, at, rate) {
                    prop_assert!(exact < rate.count() as usize);
                    accepted.push(at);
                } else {
                    prop_assert!(at_most >= rate.count() as usize, "refused too early");
                }
                prop_assert!(window.marks.len() <= 65);
            }
        }

        #[test]
        fn a_clock_that_steps_back_never_opens_the_gate(
            rate in any_rate(), day in any_day(), steps in prop::collection::vec(0..DAY / 1_000, 0..20)
        ) {
            let (mut window, mut accepted, mut behind) = (Window::default(), Vec::<i64>::new(), 0);
            let stride = day.len() / (steps.len() + 1) + 1;
            for (index, at) in day.iter().enumerate() {
                if index % stride == stride - 1 {
                    behind += steps.get(index / stride).unwrap_or(&0);
                }
                if try_call(&mut window, at - behind, rate) {
                    accepted.push(*at);
                }
            }
            for slice in accepted.windows(rate.count() as usize + 1) {
                prop_assert!(slice[slice.len() - 1] - slice[0] >= rate.period_micros());
            }
        }

        #[test]
        fn a_window_survives_a_snapshot(rate in any_rate(), day in any_day()) {
            let mut window = Window::default();
            for at in &day {
                try_call(&mut window, *at, rate);
            }
            let bytes = window.encode(rate);
            prop_assert!(bytes.len() <= 800);
            prop_assert_eq!(Window::decode(&bytes, i64::MAX), Some((window, rate)));
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), now: i64) {
            let mut versioned = vec![VERSION];
            versioned.extend(&bytes);
            let _ = Window::decode(&bytes, now);
            if let Some((mut window, rate)) = Window::decode(&versioned, now) {
                window.settle(now, rate);
                window.blocked_until(now, rate);
            }
        }
    }

    #[test]
    fn after_a_clock_was_repaired_a_key_waits_one_period_and_not_years() {
        let (mut window, rate) = (Window::default(), Rate::new(1, 60).unwrap());
        assert!(try_call(&mut window, 4_000_000_000 * SECOND, rate));
        assert!(!try_call(&mut window, 1_700_000_000 * SECOND, rate));
        assert!(!try_call(&mut window, 1_700_000_059 * SECOND, rate));
        assert!(try_call(&mut window, 1_700_000_060 * SECOND, rate));
    }

    #[test]
    fn a_window_that_saw_many_rates_stays_small_and_loses_no_call() {
        let (mut window, exact) = (Window::default(), Rate::new(64, 60).unwrap());
        let mut other = Window::default();
        for call in 0..400 {
            window.add(call, exact);
            other.add(call + 200, exact);
        }
        window.merge(other);
        assert_eq!((window.marks.len(), window.used()), (MAX_MARKS, 800));
        assert!(Window::decode(&window.encode(exact), 1_000).is_some_and(|(copy, _)| copy == window));
    }

    #[test]
    fn a_call_fits_again_exactly_one_period_later() {
        let (mut window, rate) = (Window::default(), Rate::new(1, 60).unwrap());
        assert!(try_call(&mut window, 7, rate));
        assert!(!try_call(&mut window, 60 * SECOND + 6, rate));
        assert!(try_call(&mut window, 60 * SECOND + 7, rate));
    }
}
