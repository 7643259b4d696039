//! Algorithm and cost of a stored hash, as a value.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

use super::argon2::{Argon2Params, ParamsError};
use super::encoded::Encoded;

/// 1 GiB: more memory than any of the six hashers is set to in practice.
const MAX_MEMORY_KIB: u32 = 1 << 20;
/// Memory times passes, in KiB: about seven seconds of Argon2 or scrypt.
const MAX_MEMORY_WORK: u64 = 1 << 24;
/// About two seconds; Django 6 writes 1,200,000.
const MAX_PBKDF2_ITERATIONS: u32 = 10_000_000;
/// About four seconds; Django writes 12.
const MAX_BCRYPT_COST: u32 = 16;

/// Why a text is not a hash that can be verified.
///
/// ```
/// use portcullis_security::password::{FormatError, Scheme};
///
/// assert_eq!(Scheme::parse_encoded("md5$salt$hash"), Err(FormatError::UnknownAlgorithm));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// It begins with `!`: Django's mark for accounts that have no password.
    #[error("the account has no usable password")]
    Unusable,
    /// Its first part names none of the six algorithms.
    #[error("unknown password algorithm")]
    UnknownAlgorithm,
    /// It is not what Django writes for its algorithm.
    #[error("malformed password hash")]
    Malformed,
    /// Its cost lies above the limits in [`Scheme`]: verifying it would be an attack on the server.
    #[error("the cost of the password hash is above the limit")]
    TooCostly,
}

impl From<ParamsError> for FormatError {
    fn from(error: ParamsError) -> Self {
        match error {
            ParamsError::Impossible => Self::Malformed,
            ParamsError::TooCostly => Self::TooCostly,
        }
    }
}

/// The three ways in which Argon2 walks its memory (RFC 9106 §1).
///
/// ```
/// assert_eq!(portcullis_security::password::Argon2Variety::Id.to_string(), "argon2id");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Argon2Variety {
    /// Half and half: the one to use.
    Id,
    /// Independent of the password: Django before 3.2.
    I,
    /// Dependent on the password: open to timing by a neighbour.
    D,
}

impl fmt::Display for Argon2Variety {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Id => "argon2id",
            Self::I => "argon2i",
            Self::D => "argon2d",
        })
    }
}

/// Algorithm and cost of a stored hash, without its salt and hash.
///
/// As text it has at most 64 characters (`argon2id:19456:2:1`, `pbkdf2_sha256:870000`, `unusable`): it is
/// made for a database column that is counted, so that [`dummy_hash`](super::dummy_hash) can imitate what
/// is stored. Limits, above which a hash is refused as [`FormatError::TooCostly`]: Argon2 and scrypt 1 GiB
/// of memory and 16 GiB of memory times passes, PBKDF2 10,000,000 iterations, bcrypt cost 16.
///
/// ```
/// use portcullis_security::password::Scheme;
///
/// let scheme = Scheme::of_encoded("pbkdf2_sha256$1$salt$T7sNwvZqrRZ8OUQqZL4C5pn6RqJ7q1oMNVcAJ4EqlGE=");
/// assert_eq!(scheme, Scheme::Pbkdf2Sha256 { iterations: 1 });
/// assert_eq!(scheme.to_string(), "pbkdf2_sha256:1");
/// assert_eq!("pbkdf2_sha256:1".parse(), Ok(scheme));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `argon2$…`
    Argon2 {
        /// Which of the three.
        variety: Argon2Variety,
        /// Memory, passes and lanes.
        params: Argon2Params,
    },
    /// `pbkdf2_sha256$…`
    Pbkdf2Sha256 {
        /// Rounds of HMAC.
        iterations: u32,
    },
    /// `pbkdf2_sha1$…`
    Pbkdf2Sha1 {
        /// Rounds of HMAC.
        iterations: u32,
    },
    /// `bcrypt_sha256$…`: bcrypt of the SHA-256 in hex.
    BcryptSha256 {
        /// The logarithm of the number of rounds.
        cost: u32,
    },
    /// `bcrypt$…`: bcrypt of the first 72 bytes.
    Bcrypt {
        /// The logarithm of the number of rounds.
        cost: u32,
    },
    /// `scrypt$…`
    Scrypt {
        /// N, a power of two.
        work_factor: u32,
        /// r.
        block_size: u32,
        /// p; computed one after the other here.
        parallelism: u32,
    },
    /// `!…` and whatever cannot be read: no password matches.
    Unusable,
}

impl Scheme {
    /// The scheme of an encoded hash; what cannot be verified is [`Scheme::Unusable`].
    ///
    /// ```
    /// use portcullis_security::password::Scheme;
    ///
    /// assert_eq!(Scheme::of_encoded("!r4nd0m"), Scheme::Unusable);
    /// ```
    #[must_use]
    pub fn of_encoded(encoded: &str) -> Self {
        Self::parse_encoded(encoded).unwrap_or(Self::Unusable)
    }

    /// The scheme of an encoded hash, for an import that must report bad rows.
    ///
    /// # Errors
    /// [`FormatError`] when it cannot be verified; `!…` is no error but [`Scheme::Unusable`].
    ///
    /// ```
    /// use portcullis_security::password::{FormatError, Scheme};
    ///
    /// assert_eq!(Scheme::parse_encoded("!"), Ok(Scheme::Unusable));
    /// assert_eq!(Scheme::parse_encoded("scrypt$3$salt$8$1$"), Err(FormatError::Malformed));
    /// ```
    pub fn parse_encoded(encoded: &str) -> Result<Self, FormatError> {
        match Encoded::parse(encoded) {
            Ok(parsed) => Ok(parsed.scheme),
            Err(FormatError::Unusable) => Ok(Self::Unusable),
            Err(error) => Err(error),
        }
    }

    /// The memory that one computation needs, in KiB and at least 1: what a pool charges for it.
    ///
    /// ```
    /// use portcullis_security::password::Scheme;
    ///
    /// let scheme: Scheme = "scrypt:16384:8:1".parse()?;
    /// assert_eq!(scheme.memory_kib(), 16_386);
    /// # Ok::<(), portcullis_security::password::FormatError>(())
    /// ```
    #[must_use]
    pub fn memory_kib(self) -> u32 {
        let kib = match self {
            Self::Argon2 { params, .. } => u64::from(params.memory_kib()),
            Self::Scrypt { work_factor, block_size, parallelism } => {
                let blocks = u64::from(work_factor) + u64::from(parallelism) + 1;
                blocks.saturating_mul(128 * u64::from(block_size)).div_ceil(1024)
            }
            _ => 1,
        };
        u32::try_from(kib).unwrap_or(u32::MAX)
    }

    /// The scheme itself, when it is well-formed and within the limits.
    pub(super) fn checked(self) -> Result<Self, FormatError> {
        let (sound, affordable) = match self {
            Self::Argon2 { .. } | Self::Unusable => (true, true),
            Self::Pbkdf2Sha256 { iterations } | Self::Pbkdf2Sha1 { iterations } => {
                (iterations > 0, iterations <= MAX_PBKDF2_ITERATIONS)
            }
            Self::BcryptSha256 { cost } | Self::Bcrypt { cost } => {
                ((4..=31).contains(&cost), cost <= MAX_BCRYPT_COST)
            }
            Self::Scrypt { work_factor, block_size, parallelism } => (
                work_factor > 1 && work_factor.is_power_of_two() && block_size > 0 && parallelism > 0,
                is_affordable(self.memory_kib(), parallelism),
            ),
        };
        match (sound, affordable) {
            (false, _) => Err(FormatError::Malformed),
            (true, false) => Err(FormatError::TooCostly),
            (true, true) => Ok(self),
        }
    }
}

/// Whether this many passes over this much memory lie within the limits.
pub(super) fn is_affordable(memory_kib: u32, passes: u32) -> bool {
    memory_kib <= MAX_MEMORY_KIB && u64::from(memory_kib) * u64::from(passes) <= MAX_MEMORY_WORK
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argon2 { variety, params } => {
                let (memory, passes) = (params.memory_kib(), params.iterations());
                write!(formatter, "{variety}:{memory}:{passes}:{}", params.parallelism())
            }
            Self::Pbkdf2Sha256 { iterations } => write!(formatter, "pbkdf2_sha256:{iterations}"),
            Self::Pbkdf2Sha1 { iterations } => write!(formatter, "pbkdf2_sha1:{iterations}"),
            Self::BcryptSha256 { cost } => write!(formatter, "bcrypt_sha256:{cost}"),
            Self::Bcrypt { cost } => write!(formatter, "bcrypt:{cost}"),
            Self::Scrypt { work_factor, block_size, parallelism } => {
                write!(formatter, "scrypt:{work_factor}:{block_size}:{parallelism}")
            }
            Self::Unusable => formatter.write_str("unusable"),
        }
    }
}

impl FromStr for Scheme {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let costs: Vec<u32> = parts.map(decimal).collect::<Result<_, _>>()?;
        let scheme = match (name, costs.as_slice()) {
            ("unusable", []) => Self::Unusable,
            ("pbkdf2_sha256", &[iterations]) => Self::Pbkdf2Sha256 { iterations },
            ("pbkdf2_sha1", &[iterations]) => Self::Pbkdf2Sha1 { iterations },
            ("bcrypt_sha256", &[cost]) => Self::BcryptSha256 { cost },
            ("bcrypt", &[cost]) => Self::Bcrypt { cost },
            ("scrypt", &[work_factor, block_size, parallelism]) => {
                Self::Scrypt { work_factor, block_size, parallelism }
            }
            (_, &[memory_kib, iterations, parallelism]) => Self::Argon2 {
                variety: parse_variety(name)?,
                params: Argon2Params::new(memory_kib, iterations, parallelism)?,
            },
            _ => return Err(FormatError::UnknownAlgorithm),
        };
        scheme.checked()
    }
}

/// The variety of that name.
pub(super) fn parse_variety(name: &str) -> Result<Argon2Variety, FormatError> {
    match name {
        "argon2id" => Ok(Argon2Variety::Id),
        "argon2i" => Ok(Argon2Variety::I),
        "argon2d" => Ok(Argon2Variety::D),
        _ => Err(FormatError::UnknownAlgorithm),
    }
}

/// A number as Python's `%d` writes it: no sign, no leading zero, nothing around it.
pub(super) fn decimal(text: &str) -> Result<u32, FormatError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || (text.len() > 1 && text.starts_with('0')) {
        return Err(FormatError::Malformed);
    }
    text.parse().map_err(|_| FormatError::Malformed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn absurd_costs_are_refused_and_never_computed() {
        for text in [
            "argon2id:4294967295:1:1",
            "argon2id:1048576:17:1",
            "argon2d:8:4294967295:1",
            "pbkdf2_sha256:10000001",
            "bcrypt:31",
            "scrypt:2147483648:8:1",
            "scrypt:2:4294967295:4294967295",
            "scrypt:1024:8:4294967295",
        ] {
            assert_eq!(text.parse::<Scheme>(), Err(FormatError::TooCostly), "{text}");
        }
    }

    #[test]
    fn impossible_costs_are_malformed() {
        for text in [
            "argon2id:7:1:1",
            "argon2id:64:1:9",
            "argon2id:8:0:1",
            "argon2id:8:1:0",
            "pbkdf2_sha1:0",
            "bcrypt:3",
            "bcrypt:32",
            "scrypt:1:8:1",
            "scrypt:1000:8:1",
            "scrypt:0:8:1",
            "scrypt:16:0:1",
            "pbkdf2_sha1:+1",
            "pbkdf2_sha1:01",
            "pbkdf2_sha1:",
            "pbkdf2_sha1:4294967296",
        ] {
            assert_eq!(text.parse::<Scheme>(), Err(FormatError::Malformed), "{text}");
        }
        for text in ["", "bcrypt", "bcrypt:4:4", "argon2x:8:1:1", "unusable:1", "Bcrypt:4"] {
            assert_eq!(text.parse::<Scheme>(), Err(FormatError::UnknownAlgorithm), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_parses_is_written_back_the_same_and_fits_its_column(text in "[a-z0-9_]{1,14}(:[0-9]{1,10}){0,3}") {
            if let Ok(scheme) = text.parse::<Scheme>() {
                prop_assert_eq!(scheme.to_string(), text);
            }
        }

        #[test]
        fn a_written_scheme_fits_its_column_and_is_read_back(numbers: [u32; 3], which in 0..7) {
            let [first, second, third] = numbers;
            let scheme = match which {
                0 => Scheme::Pbkdf2Sha256 { iterations: first },
                1 => Scheme::Pbkdf2Sha1 { iterations: first },
                2 => Scheme::Bcrypt { cost: first % 32 },
                3 => Scheme::BcryptSha256 { cost: first % 32 },
                4 => Scheme::Scrypt { work_factor: 1 << (first % 32), block_size: second, parallelism: third },
                5 => Scheme::Unusable,
                _ => Scheme::Argon2 {
                    variety: Argon2Variety::I,
                    params: Argon2Params::new(256 + first % 2048, 1 + second % 64, 1 + third % 32).unwrap(),
                },
            };
            prop_assert!(scheme.to_string().len() <= 64);
            prop_assert_eq!(scheme.to_string().parse(), scheme.checked());
        }
    }
}
