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

    /// Whether mails may cross a network in the clear.
    #[must_use]
    pub fn may_be_overheard(&self) -> bool {
        matches!(self, Self::Smtp(smtp) if smtp.0.may_be_overheard())
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::mail::mailbox;
    use crate::mail::smtp_sink::{Behaviour, SmtpSink};
    use crate::mail::{Mailer, Settings};
    use portcullis_security::clock::Timestamp;
    use std::os::unix::fs::PermissionsExt;

    fn mailer(url: &str) -> Mailer {
        let settings = Settings {
            site_name: "B\u{fc}cher".into(),
            public_url: "http://127.0.0.1:8000".into(),
            links_url: "http://127.0.0.1:8000".into(),
            from: "no-reply@example.com".into(),
            templates_dir: None,
        };
        Mailer::new(&settings, Transport::open(url, "localhost").unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_folder_gets_one_private_file_per_mail_in_the_order_of_time() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("data/mail");
        let mailer = mailer(&format!("file://{}", folder.display()));
        for seconds in [1_767_225_600, 1_767_225_601, 1_767_225_602] {
            mailer.send_test("ann@example.com", Timestamp::from_seconds(seconds)).await.unwrap();
        }
        let mut names: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        assert_eq!(names.len(), 3);
        assert!(names[0].ends_with("20260101T000000.000000Z-000000000000.eml"), "{names:?}");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&names[0])), (0o700, 0o600));

        let listed = mailbox::summaries(&folder).await.unwrap();
        assert_eq!(listed[0].date.as_deref(), Some("2026-01-01T00:00:02.000000Z"));
        assert_eq!(listed[0].subject, "Test mail from B\u{fc}cher");
        assert_eq!(listed[0].to, "ann@example.com");
    }

    #[test]
    fn mails_may_be_overheard_on_a_network_without_encryption_alone() {
        for (url, expected) in [
            ("smtp://127.0.0.1:25?tls=none", false),
            ("smtp://u:tls=none@192.0.2.1:587", false),
            ("smtps://192.0.2.1", false),
            ("smtp://192.0.2.1?tls=none", true),
            ("smtp://192.0.2.1?tls=opportunistic", true),
            ("memory", false),
        ] {
            assert_eq!(Transport::open(url, "localhost").unwrap().may_be_overheard(), expected, "{url}");
        }
    }

    #[test]
    fn a_url_that_is_wrong_or_would_show_a_password_is_refused_without_repeating_it() {
        let refused = [
            "",
            "file://",
            "http://mail.example.com",
            "smtp://",
            "smtp://mail.example.com?tls=maybe",
            "smtp://mail.example.com?starttls=required",
            "smtp://ann:hunter2@mail.example.com?tls=none",
            "smtp://ann@mail.example.com",
            "smtp://ann:hunter2%@mail.example.com",
            "smtps://mail.example.com?tls=none",
            "smtps://mail.example.com?ca=/does/not/exist",
        ];
        for url in refused {
            let error = Transport::open(url, "localhost").err().expect(url).to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        let accepted = [
            "memory",
            "smtp://127.0.0.1:2525",
            "smtp://ann:p%40ss@localhost",
            "smtp://ann:pass@mail.example.com:25",
            "smtp://mail:1025?tls=none",
            "smtp://[::1]:25",
            "smtps://ann:pass@mail.example.com",
        ];
        for url in accepted {
            assert!(Transport::open(url, "localhost").is_ok(), "{url}");
        }
    }

    #[tokio::test]
    async fn no_mail_goes_in_the_clear_where_encryption_is_demanded() {
        let sink = SmtpSink::start().await;
        let mailer = mailer(&format!("{}?tls=required", sink.url()));
        let refused = mailer.send_test("ann@example.com", Timestamp::from_seconds(1)).await;
        assert!(matches!(refused, Err(SendError::NotEncrypted)), "{refused:?}");
        assert_eq!(sink.received(), []);
    }

    #[tokio::test]
    async fn what_goes_to_the_log_holds_neither_the_address_nor_the_servers_words() {
        let sink = SmtpSink::start().await;
        sink.behave(Behaviour::RefuseRecipient(550));
        let mailer = mailer(&sink.url());
        let error = mailer.send_test("ann@example.com", Timestamp::from_seconds(1)).await.unwrap_err();
        assert_eq!(error.to_string(), "the mail server refused with 550");
        assert!(error.answer().unwrap().contains("ann@example.com"), "{:?}", error.answer());
    }

    #[tokio::test]
    async fn a_kept_connection_that_broke_is_replaced() {
        let mut sink = SmtpSink::start().await;
        let mailer = mailer(&sink.url());
        for second in 1..4 {
            mailer.send_test("ann@example.com", Timestamp::from_seconds(second)).await.unwrap();
            sink.restart().await;
        }
        assert_eq!(sink.received().len(), 3);
        sink.stop().await;
        let error = mailer.send_test("ann@example.com", Timestamp::from_seconds(4)).await.unwrap_err();
        assert!(matches!(error, SendError::Unreachable(_)), "{error:?}");
    }
}
