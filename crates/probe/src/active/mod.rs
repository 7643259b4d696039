//! Probes that make accounts.

use crate::probe::{Context, Probe};

/// The active probes, by file.
pub(crate) const PROBES: &[&[Probe]] = &[];

/// What the active probes share: the accounts that were made.
#[derive(Default)]
pub(crate) struct Accounts {}

/// Deletes what the probes have made, where the server has a way.
pub(crate) async fn clean_up(_ctx: &Context) {}
