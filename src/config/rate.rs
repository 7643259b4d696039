//! How often something may be done, in the words of Django REST framework.

use portcullis_security::throttle::MAX_COUNT;
use std::{fmt, time::Duration};

/// So many calls in any window of the period, written `5/minute`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls that are accepted in any one window; at least 1.
    pub count: u32,
    /// The window: a second, a minute, an hour or a day.
    pub period: Duration,
}

impl Rate {
    /// Reads `5/minute`, `100/hour`, `1/s`; `None` for anything else.
    ///
    /// DRF looks at the period's first letter only and so takes `5/month` for five a minute; here the whole
    /// word must be right.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (count, period) = text.split_once('/')?;
        let seconds = match period.trim() {
            "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => 3_600,
            "d" | "day" | "days" => 86_400,
            _ => return None,
        };
        let count: u64 = count.trim().parse().ok().filter(|count| *count > 0)?;
        // What is written beyond that comes to the same: no limit at all.
        let count = u32::try_from(count).unwrap_or(MAX_COUNT).min(MAX_COUNT);
        Some(Self { count, period: Duration::from_secs(seconds) })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = match self.period.as_secs() {
            1 => "second",
            60 => "minute",
            3_600 => "hour",
            _ => "day",
        };
        write!(f, "{}/{period}", self.count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn the_words_of_drf_are_understood() {
        for (text, shown) in [
            ("5/minute", "5/minute"),
            ("100/h", "100/hour"),
            (" 1 / sec ", "1/second"),
            ("9/days", "9/day"),
            ("9000000000/s", "1000000/second"),
        ] {
            assert_eq!(Rate::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn anything_else_is_no_rate() {
        for text in ["", "5", "5/", "/minute", "0/minute", "-1/hour", "5/month", "5/fortnight", "5/minute/2"]
        {
            assert_eq!(Rate::parse(text), None, "{text}");
        }
    }
}
