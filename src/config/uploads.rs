//! `[uploads]`: who looks at uploaded files.

use super::{reader::Reader, spec::Spec};

pub(super) const SPECS: &[Spec] = &[Spec::plain(
    "UPLOADS__CLAMAV",
    "",
    "A ClamAV daemon as HOST:PORT or the path of its socket; uploads are scanned when it is set (guide §11.1).",
)];

/// Who looks at uploaded files.
#[derive(Clone, Debug)]
pub struct Uploads {
    /// A ClamAV daemon as `HOST:PORT` or the absolute path of its socket; none.
    pub clamav: Option<String>,
}

impl Uploads {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self { clamav: reader.optional("UPLOADS__CLAMAV") }
    }
}
