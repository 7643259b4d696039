//! Time as a value: a microsecond timestamp, and a clock that tests can move.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// A moment in UTC, in microseconds since 1970.
///
/// Microseconds are what Django stores and shows; an `i64` of them lasts for 292,000 years and sorts
/// in every database. [`Display`](fmt::Display) writes RFC 3339 with six digits and a `Z`.
///
/// ```
/// use portcullis_security::clock::Timestamp;
/// use std::time::Duration;
///
/// let moment = Timestamp::from_micros(1_767_225_600_000_001);
/// assert_eq!(moment.to_string(), "2026-01-01T00:00:00.000001Z");
/// assert_eq!(moment.plus(Duration::from_secs(60)).seconds(), moment.seconds() + 60);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment that lies `micros` microseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The moment that lies `seconds` seconds after 1970-01-01T00:00:00Z; saturates at the ends of time.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down: the unit of JWT claims (RFC 7519 §2, NumericDate).
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// The moment `duration` later; saturates at the end of time.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros_of(duration)))
    }

    /// The moment `duration` earlier; saturates at the beginning of time.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(micros_of(duration)))
    }

    /// How long ago `earlier` was, or zero when it lies in the future.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0).max(0);
        Duration::from_micros(micros.unsigned_abs())
    }
}

fn micros_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_date(self.seconds().div_euclid(SECONDS_PER_DAY));
        let second_of_day = self.seconds().rem_euclid(SECONDS_PER_DAY);
        let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
        let micros = self.0.rem_euclid(MICROS_PER_SECOND);
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

/// Days since 1970 as year, month and day of the proleptic Gregorian calendar: the year is taken to
/// begin in March, so that the leap day is its last one and months have a closed form.
fn civil_date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Where "now" comes from: the system, or a hand that a test moves.
///
/// Clones of a manual clock share their hand.
///
/// ```
/// use portcullis_security::clock::{Clock, Timestamp};
/// use std::time::Duration;
///
/// let clock = Clock::manual(Timestamp::from_seconds(1_000));
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.now(), Timestamp::from_seconds(1_005));
/// ```
#[derive(Clone, Debug)]
pub struct Clock(Hand);

#[derive(Clone, Debug)]
enum Hand {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The clock of the machine.
    #[must_use]
    pub const fn system() -> Self {
        Self(Hand::System)
    }

    /// A clock that stands at `start` until it is moved.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Hand::Manual(Arc::new(AtomicI64::new(start.micros()))))
    }

    /// The present moment, cut to microseconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
            Hand::System => Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, micros_of)),
            Hand::Manual(micros) => Timestamp(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock forward; the system's clock is left alone.
    pub fn advance(&self, duration: Duration) {
        if let Hand::Manual(micros) = &self.0 {
            micros.fetch_add(micros_of(duration), Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_written_as_rfc_3339_on_leap_days_and_before_1970() {
        let written = |micros| Timestamp::from_micros(micros).to_string();
        assert_eq!(written(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(written(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(written(951_782_400_000_000), "2000-02-29T00:00:00.000000Z");
        assert_eq!(written(4_107_542_400_123_456), "2100-03-01T00:00:00.123456Z");
    }
}
