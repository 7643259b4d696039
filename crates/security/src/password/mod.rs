//! Passwords: what a good one is, how it is stored, and how hashing is kept from eating the machine.
//!
//! | Part | What it is for |
//! |---|---|
//! | [`Policy`] | the rules a new password must pass, in Django's words |
//! | [`Argon2Params`], [`hash_password`] | new hashes: Argon2id in Django's spelling |
//! | [`verify_password`], [`is_obsolete`] | the six formats that a Django database can hold |
//! | [`Scheme`] | algorithm and cost of a stored hash, small enough for a database column |
//! | [`PasswordPool`] | the same work on threads of its own, with bounded memory and a bounded queue |
//! | [`dummy_hash`] | what to verify against when nobody has that name |
//!
//! A server uses the pool; the free functions are for command lines and tests, since they block.

mod arena;
mod argon2;
mod common;
mod dummy;
mod encoded;
mod policy;
mod pool;
mod queue;
mod scheme;
mod similarity;
mod unicode;

pub use self::argon2::{Argon2Params, HashError, ParamsError, Salt, hash_password};
pub use self::dummy::dummy_hash;
pub use self::encoded::{is_obsolete, memory_kib, verify_password};
pub use self::policy::{Policy, UserAttributes, Violation};
pub use self::pool::{PasswordPool, PoolConfig, PoolError, StartError, Verified};
pub use self::queue::PoolStats;
pub use self::scheme::{Argon2Variety, FormatError, Scheme};
