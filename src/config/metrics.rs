//! `[metrics]`: who may read the figures.

use super::{reader::Reader, spec::Spec};
use portcullis_security::secret::Secret;

pub(super) const SPECS: &[Spec] = &[Spec::secret(
    "METRICS__TOKEN",
    "The Bearer token that opens /metrics from elsewhere; without one only this machine may read it.",
)];

/// Who may read the figures.
#[derive(Clone)]
pub struct Metrics {
    /// The token that opens `/metrics` from elsewhere; none, only loopback may read it.
    pub token: Option<Secret>,
}

impl Metrics {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self { token: reader.optional("METRICS__TOKEN") }
    }
}
