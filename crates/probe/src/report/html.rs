//! A page.

use super::Report;

/// The report as one self-contained page without a script.
#[must_use]
pub fn html(report: &Report) -> String {
    super::text(report, false)
}
