//! Wording a letter and handing it over.

use super::letter::{Content, Prepared};
use super::message::{Mail, Origin};
use super::settings::{Settings, SettingsError, Site};
use super::templates::Templates;
use super::transport::{SendError, Transport};
use crate::error::Result;
use portcullis_security::clock::Timestamp;

/// The templates, the sender and the way out.
pub struct Mailer {
    site: Site,
    templates: Templates,
    transport: Transport,
}

impl Mailer {
    /// Checks the settings and words every letter once, so that a mistake shows at start.
    ///
    /// # Errors
    /// [`SettingsError`] says what to mend.
    pub fn new(settings: &Settings, transport: Transport) -> Result<Self, SettingsError> {
        let site = settings.check()?;
        let templates = Templates::load(settings, &site)?;
        Ok(Self { site, templates, transport })
    }

    /// Where mails go.
    pub const fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Sends a test mail at once, past the outbox, and says what is wrong: for an operator at a terminal.
    ///
    /// # Errors
    /// [`SendError`] when the mail was not taken.
    pub async fn send_test(&self, address: &str, now: Timestamp) -> Result<(), SendError> {
        let prepared = Prepared { to: address.trim().to_owned(), username: None, content: Content::Test };
        let origin = Origin { outbox_id: 0, created: now };
        let worded = self.templates.word(&self.site, &prepared);
        let worded = worded.map_err(|_| SendError::Unsuitable("the template \"test\" is broken".into()))?;
        self.transport.send(&Mail::compose(&self.site, &prepared.to, worded, origin)?).await
    }

    pub(super) fn word(&self, prepared: &Prepared, origin: Origin) -> Result<Result<Mail, SendError>> {
        let worded = self.templates.word(&self.site, prepared)?;
        Ok(Mail::compose(&self.site, &prepared.to, worded, origin).map_err(SendError::from))
    }
}
