//! What a caller is told: how much is left, or when to come back.

use super::Rate;
use std::time::Duration;

/// What is left of the tightest policy after an accepted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The policy with the fewest calls left.
    pub policy: u8,
    /// What it allows.
    pub rate: Rate,
    /// How many calls are left now.
    pub remaining: u32,
    /// In how long the oldest counted call leaves the window, so that one more is allowed.
    pub reset: Duration,
}

/// A call that was refused, and so counted nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many calls: try again in {} seconds", seconds_up(self.retry_after))]
pub struct Refused {
    /// The policy with the longest wait.
    pub policy: u8,
    /// The full bucket of that policy.
    pub key: [u8; 16],
    /// What it allows.
    pub rate: Rate,
    /// The shortest wait after which the call can pass, if nobody else uses the bucket meanwhile.
    pub retry_after: Duration,
}

impl Quota {
    /// The value of the `RateLimit` field (draft-ietf-httpapi-ratelimit-headers-10 §4.1).
    ///
    /// ```
    /// use portcullis_security::throttle::{Quota, Rate, policy_field};
    /// use std::time::Duration;
    ///
    /// let rate = Rate::parse("5/minute")?;
    /// let quota = Quota { policy: 1, rate, remaining: 4, reset: Duration::from_millis(29_100) };
    /// assert_eq!(quota.field("auth"), r#""auth";r=4;t=30"#);
    /// assert_eq!(policy_field("auth", rate), r#""auth";q=5;w=60"#);
    /// # Ok::<(), portcullis_security::throttle::RateError>(())
    /// ```
    #[must_use]
    pub fn field(&self, name: &str) -> String {
        format!("\"{name}\";r={};t={}", self.remaining, seconds_up(self.reset))
    }
}

impl Refused {
    /// The value of `Retry-After`: whole seconds, rounded up, at least 1 (RFC 9110 §10.2.3).
    #[must_use]
    pub fn retry_after_seconds(&self) -> u64 {
        seconds_up(self.retry_after)
    }

    /// The value of the `RateLimit` field: nothing is left.
    #[must_use]
    pub fn field(&self, name: &str) -> String {
        format!("\"{name}\";r=0;t={}", self.retry_after_seconds())
    }
}

/// The value of the `RateLimit-Policy` field (draft-ietf-httpapi-ratelimit-headers-10 §3); several
/// policies are joined with a comma. The name must hold neither quotes nor backslashes.
#[must_use]
pub fn policy_field(name: &str, rate: Rate) -> String {
    format!("\"{name}\";q={};w={}", rate.count(), rate.seconds())
}

fn seconds_up(duration: Duration) -> u64 {
    let up = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    up.max(1)
}
