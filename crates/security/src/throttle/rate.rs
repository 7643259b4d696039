//! How much is allowed: "5/minute".

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The most calls that a rate may name.
pub const MAX_COUNT: u32 = 1_000_000;
const MAX_SECONDS: u32 = 30 * 86_400;

/// A number of calls in a period of whole seconds.
///
/// Written as in Django REST framework, `count/unit` with the units `s`, `sec`, `second`, `m`, `min`,
/// `minute`, `h`, `hour`, `d`, `day`, also in the plural; the unit may carry a number: `5/10m`.
///
/// ```
/// use portcullis_security::throttle::Rate;
///
/// let rate = Rate::parse("5/minute")?;
/// assert_eq!((rate.count(), rate.period().as_secs()), (5, 60));
/// assert_eq!(Rate::parse("5/60s")?, rate);
/// assert_eq!(rate.to_string(), "5/minute");
/// assert!(Rate::parse("0/minute").is_err());
/// # Ok::<(), portcullis_security::throttle::RateError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    count: u32,
    seconds: u32,
}

/// Why a text is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RateError {
    /// Not `count/unit`.
    #[error("write a rate as count/unit, such as 5/minute, 100/hour or 5/10m")]
    Shape,
    /// The count must be 1 to 1,000,000.
    #[error("the count of a rate must lie between 1 and 1,000,000")]
    Count,
    /// The period must be 1 second to 30 days.
    #[error("the period of a rate must lie between 1 second and 30 days")]
    Period,
}

impl Rate {
    /// A rate from its numbers.
    ///
    /// # Errors
    /// A count of zero or over 1,000,000, a period of zero or over 30 days.
    pub const fn new(count: u32, seconds: u32) -> Result<Self, RateError> {
        if count == 0 || count > MAX_COUNT {
            return Err(RateError::Count);
        }
        if seconds == 0 || seconds > MAX_SECONDS {
            return Err(RateError::Period);
        }
        Ok(Self { count, seconds })
    }

    /// A rate from its text.
    ///
    /// # Errors
    /// Another shape, an unknown unit, or numbers that [`new`](Rate::new) refuses.
    pub fn parse(text: &str) -> Result<Self, RateError> {
        let (count, period) = text.split_once('/').ok_or(RateError::Shape)?;
        let count = number(count.trim())?.ok_or(RateError::Shape)?;
        let period = period.trim();
        let unit = period.trim_start_matches(|character: char| character.is_ascii_digit());
        let times = number(&period[..period.len() - unit.len()])?.unwrap_or(1);
        let seconds = times.checked_mul(unit_seconds(unit)?).ok_or(RateError::Period)?;
        Self::new(count, seconds)
    }

    /// So many times the calls in the same period; 1,000,000 at most.
    ///
    /// ```
    /// use portcullis_security::throttle::Rate;
    ///
    /// assert_eq!(Rate::parse("5/minute")?.times(6), Rate::parse("30/minute")?);
    /// # Ok::<(), portcullis_security::throttle::RateError>(())
    /// ```
    #[must_use]
    pub const fn times(self, factor: u32) -> Self {
        let count = self.count.saturating_mul(factor);
        Self { count: if count > MAX_COUNT { MAX_COUNT } else { count }, ..self }
    }

    /// How many calls are allowed in a period.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count
    }

    /// The length of the sliding window.
    #[must_use]
    pub const fn period(self) -> Duration {
        Duration::from_secs(self.seconds as u64)
    }

    pub(super) const fn seconds(self) -> u32 {
        self.seconds
    }

    pub(super) const fn period_micros(self) -> i64 {
        self.seconds as i64 * 1_000_000
    }
}

fn number(digits: &str) -> Result<Option<u32>, RateError> {
    if digits.is_empty() {
        return Ok(None);
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(RateError::Shape);
    }
    digits.parse().map(Some).map_err(|_| RateError::Count)
}

fn unit_seconds(unit: &str) -> Result<u32, RateError> {
    match unit {
        "s" | "sec" | "second" | "seconds" => Ok(1),
        "m" | "min" | "minute" | "minutes" => Ok(60),
        "h" | "hour" | "hours" => Ok(3_600),
        "d" | "day" | "days" => Ok(86_400),
        _ => Err(RateError::Shape),
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        Self::parse(text)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds {
            1 => write!(formatter, "{}/second", self.count),
            60 => write!(formatter, "{}/minute", self.count),
            3_600 => write!(formatter, "{}/hour", self.count),
            86_400 => write!(formatter, "{}/day", self.count),
            seconds => write!(formatter, "{}/{seconds}s", self.count),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_words_of_the_rest_framework_are_understood() {
        for (text, seconds) in
            [("7/s", 1), ("7/sec", 1), ("7/min", 60), ("7/h", 3_600), ("7/day", 86_400), (" 7 / 2h", 7_200)]
        {
            assert_eq!(Rate::parse(text), Rate::new(7, seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused_with_a_reason() {
        for (text, error) in [
            ("", RateError::Shape),
            ("5", RateError::Shape),
            ("/m", RateError::Shape),
            ("5/", RateError::Shape),
            ("5/fortnight", RateError::Shape),
            ("5/m/m", RateError::Shape),
            ("-5/m", RateError::Shape),
            ("+5/m", RateError::Shape),
            ("5.0/m", RateError::Shape),
            ("0/m", RateError::Count),
            ("99999999999/m", RateError::Count),
            ("5/0s", RateError::Period),
            ("5/99999d", RateError::Period),
        ] {
            assert_eq!(Rate::parse(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_rate_reads_back_what_it_writes(count in 1..=MAX_COUNT, seconds in 1..=MAX_SECONDS) {
            let rate = Rate::new(count, seconds).unwrap();
            prop_assert_eq!(Rate::parse(&rate.to_string()), Ok(rate));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*") {
            let _ = Rate::parse(&text);
        }
    }
}
