//! New hashes: Argon2id in Django's spelling.

use ::argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use thiserror::Error;

use super::arena::Arena;
use super::scheme::{Argon2Variety, Scheme, is_affordable};
use crate::random::Random;
use crate::secret::Secret;

/// Bytes of a hash, as in Django and argon2-cffi.
const HASH_LENGTH: usize = 32;
/// Characters of a salt, as in Django: 22 letters and digits hold 131 bits.
const SALT_LENGTH: usize = 22;
const SALT_ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Why no hash could be made.
///
/// ```
/// use portcullis_security::password::HashError;
///
/// assert_eq!(HashError::OutOfMemory.to_string(), "not enough memory for Argon2");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HashError {
    /// The system has not enough memory for the parameters.
    #[error("not enough memory for Argon2")]
    OutOfMemory,
}

/// Why a cost setting is refused.
///
/// ```
/// use portcullis_security::password::{Argon2Params, ParamsError};
///
/// assert_eq!(Argon2Params::new(8, 1, 2), Err(ParamsError::Impossible));
/// assert_eq!(Argon2Params::new(u32::MAX, 1, 1), Err(ParamsError::TooCostly));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// RFC 9106 §3.1 forbids it.
    #[error(
        "Argon2 needs at least 1 iteration, a parallelism between 1 and 16777215, and 8 KiB of memory for each of it"
    )]
    Impossible,
    /// It lies above the limits in [`Scheme`], so that its hashes could not be verified.
    #[error("Argon2 is limited to 1 GiB of memory, and 16 GiB of memory times iterations")]
    TooCostly,
}

/// The cost of new hashes: Argon2id with this much memory, passes and lanes.
///
/// The default is 19,456 KiB, 2 passes, 1 lane: OWASP's first choice (ASVS v5.0.0-11.4.2).
///
/// ```
/// use portcullis_security::password::Argon2Params;
///
/// assert_eq!(Argon2Params::default(), Argon2Params::new(19_456, 2, 1)?);
/// # Ok::<(), portcullis_security::password::ParamsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Argon2Params {
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
}

impl Default for Argon2Params {
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1 }
    }
}

impl Argon2Params {
    /// A setting of memory in KiB, passes over it and lanes.
    ///
    /// # Errors
    /// [`ParamsError`] for what Argon2 forbids, and for what lies above the limits in [`Scheme`].
    pub fn new(memory_kib: u32, iterations: u32, parallelism: u32) -> Result<Self, ParamsError> {
        let sound = iterations >= Params::MIN_T_COST
            && (Params::MIN_P_COST..=Params::MAX_P_COST).contains(&parallelism)
            && memory_kib / Params::MIN_M_COST >= parallelism;
        match (sound, is_affordable(memory_kib, iterations)) {
            (false, _) => Err(ParamsError::Impossible),
            (true, false) => Err(ParamsError::TooCostly),
            (true, true) => Ok(Self { memory_kib, iterations, parallelism }),
        }
    }

    /// Memory of one computation, in KiB.
    #[must_use]
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn iterations(&self) -> u32 {
        self.iterations
    }

    /// Lanes. They are computed one after the other: a second core is better used for a second login.
    #[must_use]
    pub const fn parallelism(&self) -> u32 {
        self.parallelism
    }

    /// The scheme of the hashes made with this setting.
    ///
    /// ```
    /// use portcullis_security::password::Argon2Params;
    ///
    /// assert_eq!(Argon2Params::default().scheme().to_string(), "argon2id:19456:2:1");
    /// ```
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        Scheme::Argon2 { variety: Argon2Variety::Id, params: *self }
    }
}

/// The salt of one hash: 22 random letters and digits, as Django makes them.
///
/// ```
/// use portcullis_security::password::Salt;
/// use portcullis_security::random::Random;
///
/// let salt = Salt::generate(&Random::system());
/// assert_eq!(salt.as_str().len(), 22);
/// ```
#[derive(Clone, Debug)]
pub struct Salt(String);

impl Salt {
    /// A fresh salt. Use it once.
    #[must_use]
    pub fn generate(random: &Random) -> Self {
        let mut text = String::with_capacity(SALT_LENGTH);
        while text.len() < SALT_LENGTH {
            let bytes: [u8; 2 * SALT_LENGTH] = random.bytes();
            text.extend(bytes.into_iter().filter_map(salt_character).take(SALT_LENGTH - text.len()));
        }
        Self(text)
    }

    /// The characters, whose bytes are the salt.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The salt of a hash that is computed for its time only.
    pub(super) fn of_nobody() -> Self {
        Self("nobody".repeat(4))
    }

    #[cfg(test)]
    pub(super) fn fixed(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// The letter or digit that a random byte stands for; bytes that would favour some of them stand for none.
pub(super) fn salt_character(byte: u8) -> Option<char> {
    let letters = SALT_ALPHABET.len();
    (usize::from(byte) < 256 / letters * letters)
        .then(|| char::from(SALT_ALPHABET[usize::from(byte) % letters]))
}

/// Hashes `password` on this thread, with memory of its own: for command lines and tests.
///
/// A server uses [`PasswordPool::hash`](super::PasswordPool::hash). The result is what Django's
/// `Argon2PasswordHasher` writes: `argon2$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
///
/// # Errors
/// [`HashError::OutOfMemory`].
///
/// ```
/// use portcullis_security::password::{Argon2Params, Salt, hash_password, verify_password};
/// use portcullis_security::random::Random;
/// use portcullis_security::secret::Secret;
///
/// let password = Secret::from("correct horse");
/// let cheap = Argon2Params::new(8, 1, 1)?;
/// let encoded = hash_password(&password, &Salt::generate(&Random::system()), &cheap)?;
/// assert!(encoded.starts_with("argon2$argon2id$v=19$m=8,t=1,p=1$"));
/// assert!(verify_password(&encoded, &password));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn hash_password(password: &Secret, salt: &Salt, params: &Argon2Params) -> Result<String, HashError> {
    let mut arena = Arena::allocate(params.memory_kib)?;
    hash_with_memory(password.expose(), salt, params, arena.blocks())
}

/// Hashes in `blocks`, of which there must be one for each KiB.
pub(super) fn hash_with_memory(
    password: &[u8],
    salt: &Salt,
    params: &Argon2Params,
    blocks: &mut [Block],
) -> Result<String, HashError> {
    let mut hash = [0; HASH_LENGTH];
    Computation { variety: Argon2Variety::Id, version: Version::V0x13, params: *params }.run(
        password,
        salt.0.as_bytes(),
        blocks,
        &mut hash,
    )?;
    Ok(encode(Argon2Variety::Id, params, salt.0.as_bytes(), &hash))
}

/// What Argon2 is told beside password and salt.
#[derive(Clone, Copy)]
pub(super) struct Computation {
    /// Which of the three.
    pub(super) variety: Argon2Variety,
    /// 1.0 (16) or 1.3 (19).
    pub(super) version: Version,
    /// Memory, passes and lanes.
    pub(super) params: Argon2Params,
}

impl Computation {
    /// Fills `hash` from a password and a salt of at least 8 bytes; too few blocks are an error.
    pub(super) fn run(
        &self,
        password: &[u8],
        salt: &[u8],
        blocks: &mut [Block],
        hash: &mut [u8],
    ) -> Result<(), HashError> {
        let algorithm = match self.variety {
            Argon2Variety::Id => Algorithm::Argon2id,
            Argon2Variety::I => Algorithm::Argon2i,
            Argon2Variety::D => Algorithm::Argon2d,
        };
        let Argon2Params { memory_kib, iterations, parallelism } = self.params;
        Params::new(memory_kib, iterations, parallelism, Some(hash.len()))
            .map(|params| Argon2::new(algorithm, self.version, params))
            .and_then(|argon2| argon2.hash_password_into_with_memory(password, salt, hash, blocks))
            .map_err(|_| HashError::OutOfMemory)
    }
}

/// Django's spelling of an Argon2 hash of the current version.
pub(super) fn encode(variety: Argon2Variety, params: &Argon2Params, salt: &[u8], hash: &[u8]) -> String {
    let Argon2Params { memory_kib, iterations, parallelism } = params;
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    format!("argon2${variety}$v=19$m={memory_kib},t={iterations},p={parallelism}${salt}${hash}")
}
