//! How often a socket may send.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Frames in any window, at most; more are answered with an error.
const LIMIT: usize = 60;
/// From so many on the socket is closed.
const END: usize = 2 * LIMIT;
/// The window (contract §3).
const WINDOW: Duration = Duration::from_secs(10);

/// What is done with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is heard.
    Pass,
    /// It is one too many, and answered with an error.
    Refuse,
    /// The socket ends.
    End,
}

/// The frames of a window, refused ones too, as milliseconds since the socket was opened: half a kilobyte for one
/// that sends all the time, nothing for one that only listens.
pub(super) struct Flood {
    opened: Instant,
    times: VecDeque<u32>,
}

impl Flood {
    pub(super) const fn new(now: Instant) -> Self {
        Self { opened: now, times: VecDeque::new() }
    }

    pub(super) fn count(&mut self, now: Instant) -> Verdict {
        let millis = |duration: Duration| u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        let now = millis(now.saturating_duration_since(self.opened));
        while self.times.front().is_some_and(|at| now.saturating_sub(*at) >= millis(WINDOW)) {
            self.times.pop_front();
        }
        self.times.push_back(now);
        match self.times.len() {
            END.. => Verdict::End,
            count if count > LIMIT => Verdict::Refuse,
            _ => Verdict::Pass,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_frames_pass_in_ten_seconds_and_a_hundred_and_twenty_end_it() {
        let start = Instant::now();
        let mut flood = Flood::new(start);
        let verdicts: Vec<_> = (0..120).map(|_| flood.count(start)).collect();
        assert!(verdicts[..60].iter().all(|verdict| *verdict == Verdict::Pass));
        assert!(verdicts[60..119].iter().all(|verdict| *verdict == Verdict::Refuse));
        assert_eq!(verdicts[119], Verdict::End);
    }

    #[test]
    fn no_window_of_ten_seconds_has_more_than_sixty() {
        let start = Instant::now();
        let mut flood = Flood::new(start);
        // Six a second pass for ever.
        for number in 0..600 {
            let at = start + Duration::from_millis(number * 1000 / 6 + 1);
            assert_eq!(flood.count(at), Verdict::Pass, "{number}");
        }
        let mut flood = Flood::new(start);
        let late = start + Duration::from_millis(9_999);
        assert!((0..60).all(|_| flood.count(late) == Verdict::Pass));
        assert_eq!(flood.count(start + Duration::from_millis(19_998)), Verdict::Refuse);
        assert_eq!(flood.count(start + Duration::from_millis(29_997)), Verdict::Pass);
    }
}
