//! `[mail]`: how mails leave and who they are from.

use super::{credentials, reader::Reader, spec::Spec, storage::file_path};
use portcullis_security::secret::Secret;
use std::path::PathBuf;

pub(super) const SPECS: &[Spec] = &[
    Spec::url(
        "MAIL__URL",
        "file://{STORAGE__DATA_DIR}/mail",
        "smtp://USER:PASSWORD@HOST:PORT, smtps://…, file://DIR or memory. Files by default: a first try needs no \
         mail server.",
    ),
    Spec::plain(
        "MAIL__FROM",
        "Portcullis <noreply@localhost>",
        "The sender of every mail, as NAME <ADDRESS>.",
    ),
    Spec::plain(
        "MAIL__TEMPLATES",
        "",
        "Directory of templates that replace the built-in ones of the same name.",
    ),
];

/// How mails leave and who they are from.
#[derive(Clone)]
pub struct Mail {
    /// `smtp://`, `smtps://`, `file://DIR` or `memory`; by default files in the data directory, so that a first
    /// try needs no mail server.
    pub url: Secret,
    /// The sender as `NAME <ADDRESS>`; an address that reaches nobody, since there is none that is right.
    pub from: String,
    /// Directory of templates that replace built-in ones; none.
    pub templates: Option<PathBuf>,
}

impl Mail {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            url: reader.required("MAIL__URL"),
            from: reader.required("MAIL__FROM"),
            templates: reader.optional("MAIL__TEMPLATES"),
        }
    }

    /// The password that the mail server is told.
    #[must_use]
    pub fn password(&self) -> Option<Secret> {
        credentials::password_of(self.url.expose_text())
    }

    /// The directory that mails are written to; `None` when the URL is not `file://DIR`.
    #[must_use]
    pub fn directory(&self) -> Option<PathBuf> {
        file_path(&self.url)
    }
}
