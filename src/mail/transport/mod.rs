//! How a mail leaves: to a mail server, into a folder, or into memory.

mod directory;
mod smtp;

use super::message::{Mail, Unaddressable};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Where mails go (`MAIL__URL`).
#[derive(Clone)]
pub enum Transport {
    /// A mail server.
    Smtp(Arc<Smtp>),
    /// A folder, one `.eml` file per mail.
    Directory(Arc<Path>),
    /// The process itself, for tests.
    Memory(Memory),
}

/// A connection to a mail server, kept open between mails.
pub struct Smtp(smtp::Pool);

/// Mails that stay in the process. Clones share them.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Vec<Mail>>>);

/// Why a URL names no transport.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The scheme or form is none that we know. The URL is not repeated, since it may hold a password.
    #[error("PORTCULLIS_MAIL__URL must be smtp://HOST:PORT, smtps://HOST:PORT, file://DIR or memory: {0}")]
    Url(&'static str),
    /// The certificate file that the URL names cannot be used.
    #[error("the certificate file {0} in PORTCULLIS_MAIL__URL cannot be used: {1}")]
    Certificate(PathBuf, String),
    /// The TLS library refuses the host or the certificates.
    #[error("TLS for the mail server cannot be set up: {0}")]
    Tls(String),
}

/// Why a mail was not taken. The words hold no address and nothing the server said, so they can be
/// logged; [`answer`](SendError::answer) has the server's words for an operator at a terminal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The server is not there, or speaks no SMTP, or its certificate is not trusted.
    #[error("the mail server cannot be reached: {0}")]
    Unreachable(String),
    /// The server answered with a code that is no success.
    #[error("the mail server refused with {code}")]
    Refused {
        /// The reply code (RFC 5321 §4.2.1): 4xx may pass later, 5xx will not.
        code: u16,
        /// What the server said.
        answer: String,
    },
    /// The connection broke on the way; the server may or may not have the mail.
    #[error("the connection to the mail server broke")]
    Broken,
    /// The server took longer than 20 s.
    #[error("the mail server took too long")]
    Timeout,
    /// No STARTTLS where it is demanded (RFC 3207), or no way to log in without showing the password.
    #[error("the mail server offers no encryption; see ?tls= in PORTCULLIS_MAIL__URL")]
    NotEncrypted,
    /// The server lacks an extension that the mail or our login needs.
    #[error("the mail server cannot do what is needed: {0}")]
    Unsuitable(String),
    /// The folder cannot be written to.
    #[error("the mail cannot be written to its folder: {0}")]
    Folder(#[from] io::Error),
    /// The recipient's address is none.
    #[error(transparent)]
    Unaddressable(#[from] Unaddressable),
}

impl Transport {
    /// Understands `smtp://[USER:PASSWORD@]HOST[:PORT]`, `smtps://…`, `file://DIR` and `memory`.
    ///
    /// `smtp:` demands STARTTLS, except to a loopback address, where it is not asked for;
    /// `?tls=required`, `opportunistic` or `none` says otherwise, and `?ca=FILE` trusts the PEM
    /// certificates of a file besides the public roots. A password is never sent in the clear to another
    /// machine. Ports are 465 for `smtps:`, 25 for loopback, else 587. `hello` is our name in `EHLO`.
    ///
    /// # Errors
    /// [`TransportError`] says what to mend.
    pub fn open(url: &str, hello: &str) -> Result<Self, TransportError> {
        if url == "memory" || url == "memory:" || url == "memory://" {
            return Ok(Self::Memory(Memory::default()));
        }
        if let Some(folder) = url.strip_prefix("file://") {
            let folder = Some(folder).filter(|folder| !folder.is_empty());
            let folder = folder.ok_or(TransportError::Url("the folder is missing"))?;
            return Ok(Self::Directory(Path::new(folder).into()));
        }
        Ok(Self::Smtp(Arc::new(Smtp(smtp::Pool::new(smtp::Target::parse(url, hello)?)))))
    }

    /// Hands over a mail; returns when it is taken.
    ///
    /// # Errors
    /// [`SendError`]; after [`SendError::Broken`] and [`SendError::Timeout`] it may have been taken.
    pub async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        match self {
            Self::Smtp(smtp) => smtp.0.send(&mail.message).await,
            Self::Directory(folder) => {
                directory::write(folder.clone(), mail.name.clone(), mail.message.formatted()).await
            }
            Self::Memory(memory) => {
                memory.mails().push(mail.clone());
                Ok(())
            }
        }
    }

    /// Says whether the mail server answers, without sending anything.
    ///
    /// # Errors
    /// [`SendError`] when it does not.
    pub async fn probe(&self) -> Result<(), SendError> {
        match self {
            Self::Smtp(smtp) => smtp.0.probe().await,
            Self::Directory(_) | Self::Memory(_) => Ok(()),
        }
    }

    /// The folder, when mails go to one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Directory(folder) => Some(folder),
            Self::Smtp(_) | Self::Memory(_) => None,
        }
    }
}

impl Memory {
    /// The mails so far, oldest first.
    pub fn messages(&self) -> Vec<Mail> {
        self.mails().clone()
    }

    /// Takes the mails out.
    pub fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut self.mails())
    }

    fn mails(&self) -> std::sync::MutexGuard<'_, Vec<Mail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SendError {
    /// What the server said when it refused; it may hold the address, so it is not for logs.
    pub fn answer(&self) -> Option<&str> {
        match self {
            Self::Refused { answer, .. } => Some(answer),
            _ => None,
        }
    }
}
