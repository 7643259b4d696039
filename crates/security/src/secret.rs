//! Secrets as values that cannot be printed by accident.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A password, key or token: zeroed when dropped, compared in constant time.
///
/// It has neither `Debug` nor `Serialize`, so a log line or an answer cannot hold it unless somebody
/// calls [`expose`](Secret::expose) (ASVS v5.0.0-16.2.5).
///
/// ```
/// use portcullis_security::secret::Secret;
///
/// let password = Secret::from("correct horse");
/// assert!(password == Secret::from("correct horse"));
/// assert_eq!(password.expose_text(), "correct horse");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes bytes into custody.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves: the one door out.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The secret as text; empty when it is not UTF-8.
    #[must_use]
    pub fn expose_text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes().to_vec())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}
