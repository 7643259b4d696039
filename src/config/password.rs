//! `[password]`: what a password must be and what its hash costs.

use super::{parse::Parse, reader::Reader, spec::Spec};

pub(super) const SPECS: &[Spec] = &[
    Spec::plain(
        "PASSWORD__POLICY",
        "guide",
        "guide (8 to 128 characters of four classes) or nist (15 characters or more, any, not on the blocklist).",
    ),
    Spec::plain(
        "PASSWORD__MEMORY_KIB",
        "19456",
        "Memory of one Argon2id hash in KiB; OWASP's minimum, which a small server can bear.",
    ),
    Spec::plain("PASSWORD__ITERATIONS", "2", "Passes over that memory."),
    Spec::plain("PASSWORD__PARALLELISM", "1", "Lanes of one hash; more only help an attacker's many cores."),
    Spec::plain(
        "PASSWORD__MEMORY_BUDGET_MIB",
        "128",
        "Memory in MiB for all hashes at once; when it is used up, logins wait in a queue.",
    ),
];

/// What a password must be and what its hash costs.
#[derive(Clone, Copy, Debug)]
pub struct Password {
    /// The rules for new passwords; the guide's (§4.1).
    pub policy: PasswordPolicy,
    /// Argon2id's memory in KiB; 19456, OWASP's minimum.
    pub memory_kib: u32,
    /// Argon2id's passes; 2, which belongs to that memory.
    pub iterations: u32,
    /// Argon2id's lanes; 1, since more help an attacker's many cores more than ours.
    pub parallelism: u32,
    /// Memory in MiB for all hashes at once; 128, which holds six and one imported from Django (100 MiB).
    pub memory_budget_mib: u32,
}

/// The rules for new passwords.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordPolicy {
    /// The guide's (§4.1): Django's validators and four classes of characters.
    #[default]
    Guide,
    /// NIST SP 800-63B-4: length and a blocklist, no composition.
    Nist,
}

impl Parse for PasswordPolicy {
    const EXPECTED: &'static str = "guide or nist";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "guide" => Some(Self::Guide),
            "nist" => Some(Self::Nist),
            _ => None,
        }
    }

    fn stand_in() -> Self {
        Self::default()
    }
}

impl Password {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            policy: reader.required("PASSWORD__POLICY"),
            memory_kib: reader.required("PASSWORD__MEMORY_KIB"),
            iterations: reader.required("PASSWORD__ITERATIONS"),
            parallelism: reader.required("PASSWORD__PARALLELISM"),
            memory_budget_mib: reader.required("PASSWORD__MEMORY_BUDGET_MIB"),
        }
    }
}
