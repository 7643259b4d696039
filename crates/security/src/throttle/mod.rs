//! Throttles: never more than N calls in any window of the period, exact under parallel fire.
//!
//! A token bucket or a fixed window lets nearly 2 N calls into some window; Django REST framework's
//! log of times does not, and neither does this. All of a call's policies are decided under the locks
//! of their shards at once, so a refused call counts nowhere (ASVS v5.0.0-6.3.1, guide §2.2 and §12).
//!
//! ```
//! use portcullis_security::clock::Timestamp;
//! use portcullis_security::throttle::{Bucket, Limiter, key_of};
//! use std::time::Duration;
//!
//! const AUTH: u8 = 1;
//! let limiter = Limiter::new(1_000_000);
//! let address = key_of(&[0; 32], &[b"ip", b"203.0.113.7"]);
//! let buckets = [Bucket { policy: AUTH, rate: "2/minute".parse()?, key: address }];
//! let now = Timestamp::from_seconds(1_000);
//!
//! assert_eq!(limiter.check(&buckets, now).ok().flatten().map(|quota| quota.remaining), Some(1));
//! assert!(limiter.check(&buckets, now).is_ok());
//! let refused = limiter.check(&buckets, now.plus(Duration::from_secs(20))).err();
//! assert_eq!(refused.map(|refused| refused.retry_after.as_secs()), Some(40));
//! assert!(limiter.check(&buckets, now.plus(Duration::from_secs(60))).is_ok());
//! # Ok::<(), portcullis_security::throttle::RateError>(())
//! ```

mod limiter;
mod quota;
mod rate;
mod shard;
mod window;

pub use limiter::Limiter;
pub use quota::{Quota, Refused, policy_field};
pub use rate::{MAX_COUNT, Rate, RateError};
pub use shard::SnapshotRow;

/// One policy that a call must pass: which, how much, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// A small number that the caller gives each of its policies; it also stands in snapshots.
    pub policy: u8,
    /// What the policy allows.
    pub rate: Rate,
    /// For whom it counts, as [`key_of`] makes it.
    pub key: [u8; 16],
}

/// The key of a bucket: 128 bits of a keyed hash.
///
/// Memory and snapshots thus hold neither addresses nor names, and nobody can choose colliding keys.
/// The first part should name the kind ("ip", "account"), so that no two kinds share a key.
///
/// ```
/// use portcullis_security::throttle::key_of;
///
/// assert_ne!(key_of(&[1; 32], &[b"ip", b"x"]), key_of(&[1; 32], &[b"account", b"x"]));
/// ```
#[must_use]
pub fn key_of(secret: &[u8; 32], parts: &[&[u8]]) -> [u8; 16] {
    let long = crate::token::prf(secret, parts);
    let mut key = [0; 16];
    key.copy_from_slice(&long[..16]);
    key
}
