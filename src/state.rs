//! What handlers share: one concrete value, made once at the start.

use crate::access::{Access, DeviceCookies, GuardContext, Passwords, Watch};
use crate::config::{Config, Profile};
use crate::error::{Error, Result};
use crate::export::Export;
use crate::extract::BodyMemory;
use crate::hub::Hub;
use crate::mail::{Memory, Outbox, Transport};
use crate::storage::{FileName, Files, PublicPages, Storage, Write};
use crate::uploads::Uploads;
use axum::extract::FromRef;
use futures_util::future::BoxFuture;
use portcullis_security::clock::{Clock, Timestamp};
use portcullis_security::csrf::CsrfGuard;
use portcullis_security::random::Random;
use portcullis_security::token::KeyChain;
use sea_orm::DatabaseTransaction;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The server's state.
pub struct App {
    /// The settings.
    pub config: Config,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub random: Arc<Random>,
    /// Rows.
    pub storage: Arc<Storage>,
    /// Uploaded files.
    pub files: Files,
    /// Where uploads are received and made harmless.
    pub uploads: Uploads,
    /// Tokens and sessions.
    pub access: Arc<Access>,
    /// Passwords.
    pub passwords: Passwords,
    /// Signs of attacks.
    pub watch: Watch,
    /// Device cookies.
    pub devices: Arc<DeviceCookies>,
    /// What cookie calls must prove.
    pub csrf: CsrfGuard,
    /// Mails to be sent.
    pub outbox: Outbox,
    /// Where mails go.
    pub transport: Transport,
    /// Makes the hashes of mailed codes, which are too short for a plain one.
    pub code_key: Zeroizing<[u8; 32]>,
    /// Authenticates links that unsubscribe from mails.
    pub unsubscribe_keys: KeyChain,
    /// Open sockets.
    pub hub: Arc<Hub>,
    /// Lists as anonymous callers see them.
    pub pages: PublicPages,
    /// Shared by the guards of all routes.
    pub guard: Arc<GuardContext>,
    /// What accounts ask of every feature, since features do not know each other.
    pub features: &'static [Feature],
}

/// What a feature knows about a user. It is asked whether or not the feature is switched on: rows stay.
#[derive(Clone, Copy)]
pub struct Feature {
    /// Writes what it stores about the user, for the user to read, under a name of its own.
    pub export: for<'a> fn(&'a App, i64, &'a mut Export) -> BoxFuture<'a, Result<()>>,
    /// Removes all of it, in the transaction that removes the account. The account and its profile are
    /// still there.
    pub erase: for<'a> fn(&'a DatabaseTransaction, i64) -> BoxFuture<'a, Result<()>>,
}

impl App {
    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether cookies are `Secure` and carry the `__Host-` prefix: they follow the public URL's scheme.
    pub fn secure_cookies(&self) -> bool {
        self.config.server.public_url.is_https()
    }

    /// Whether this is the development profile.
    pub fn is_development(&self) -> bool {
        self.config.profile == Profile::Development
    }

    /// The mails of a test, where `MAIL__URL` is `memory`.
    pub fn mail_memory(&self) -> Option<Memory> {
        match &self.transport {
            Transport::Memory(memory) => Some(memory.clone()),
            _ => None,
        }
    }

    /// Where a file is seen from outside, by its name in a row.
    pub fn media_url(&self, name: Option<&str>) -> Option<String> {
        name.map(|name| format!("{}/media/{name}", self.config.server.public_url.as_str()))
    }

    /// Removes a file that no row names any more. Nobody can be told when it does not go: it is out of
    /// sight, and the log says which it is.
    pub async fn discard(&self, name: Option<&str>) {
        let Some(name) = name.and_then(FileName::parse) else { return };
        if let Err(error) = self.files.remove(&name).await {
            tracing::warn!(file = %name, ?error, "a file that is no longer used was not removed");
        }
    }

    /// Makes a change that may have put letters into the outbox or changed what others see.
    ///
    /// # Errors
    /// As [`Storage::write`].
    pub async fn write<W: Write>(&self, write: W) -> Result<W::Output> {
        let outcome = self.storage.write(write).await;
        // What was refused is not there; what failed may be, when its commit was not answered.
        if !matches!(outcome, Err(Error::Refused(_) | Error::Invalid(_))) {
            self.pages.drop_all();
            self.outbox.wake();
        }
        outcome
    }
}

impl FromRef<Arc<App>> for BodyMemory {
    fn from_ref(app: &Arc<App>) -> Self {
        app.guard.bodies.clone()
    }
}
