//! `[community]`: whether there is more than accounts.

use super::{reader::Reader, spec::Spec};

pub(super) const SPECS: &[Spec] = &[Spec::plain(
    "COMMUNITY__ENABLED",
    "true",
    "Profiles, books, reviews, rooms and search; false makes an account server alone.",
)];

/// Whether there is more than accounts.
#[derive(Clone, Copy, Debug)]
pub struct Community {
    /// Whether profiles, books, reviews, rooms and search are served; true.
    pub enabled: bool,
}

impl Community {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self { enabled: reader.required("COMMUNITY__ENABLED") }
    }
}
