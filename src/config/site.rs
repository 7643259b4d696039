//! `[site]`: what the place is called.

use super::{reader::Reader, spec::Spec};

pub(super) const SPECS: &[Spec] =
    &[Spec::plain("SITE__NAME", "Portcullis", "The name in mails and at the head of pages.")];

/// What the place is called.
#[derive(Clone, Debug)]
pub struct Site {
    /// The name in mails and at the head of pages; Portcullis.
    pub name: String,
}

impl Site {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self { name: reader.required("SITE__NAME") }
    }
}
