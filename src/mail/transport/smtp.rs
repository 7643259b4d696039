//! SMTP submission: a few kept connections, a deadline for everything.
//!
//! lettre's own pool takes a connection back even when a send was given up halfway, and its timeouts end
//! with the connect. Here a connection returns only after a mail was taken on it.

use super::{SendError, TransportError};
use crate::config::{is_this_machine, percent_decoded};
use axum::http::Uri;
use lettre::Message;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const SEND_TIMEOUT: Duration = Duration::from_secs(20);
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE_CONNECTIONS: usize = 8;
const IDLE_TIME: Duration = Duration::from_secs(30);

/// A mail server, and how to speak to it.
pub(super) struct Target {
    host: String,
    port: u16,
    hello: ClientId,
    credentials: Option<Credentials>,
    encryption: Encryption,
    /// A password may be shown on this machine, never on the way to another.
    loopback: bool,
}

enum Encryption {
    None,
    Opportunistic(TlsParameters),
    Required(TlsParameters),
    FromTheStart(TlsParameters),
}

/// Connections that were good a moment ago.
pub(super) struct Pool {
    target: Target,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl Target {
    pub(super) fn parse(url: &str, hello: &str) -> Result<Self, TransportError> {
        let wrong = TransportError::Url;
        let uri: Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
        let authority = uri.authority().ok_or(wrong("the host is missing"))?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let loopback = is_this_machine(&host);
        let credentials = credentials(authority.as_str())?;
        let (tls, ca) = options(uri.query().unwrap_or_default())?;
        let tls_parameters = || tls_parameters(&host, ca.clone());
        let encryption = match (uri.scheme_str(), tls.as_deref()) {
            (Some("smtps"), None | Some("required")) => Encryption::FromTheStart(tls_parameters()?),
            (Some("smtp"), Some("required")) => Encryption::Required(tls_parameters()?),
            (Some("smtp"), None) if !loopback => Encryption::Required(tls_parameters()?),
            (Some("smtp"), Some("opportunistic")) => Encryption::Opportunistic(tls_parameters()?),
            (Some("smtp"), None | Some("none")) => Encryption::None,
            (Some("smtp" | "smtps"), _) => return Err(wrong("tls is required, opportunistic or none")),
            _ => return Err(wrong("the scheme is unknown")),
        };
        if credentials.is_some() && !loopback && matches!(encryption, Encryption::None) {
            return Err(wrong("a password needs tls"));
        }
        let default_port = match encryption {
            Encryption::FromTheStart(_) => 465,
            Encryption::None => 25,
            Encryption::Required(_) | Encryption::Opportunistic(_) => 587,
        };
        let port = authority.port_u16().unwrap_or(default_port);
        let hello = ClientId::Domain(hello.to_owned());
        Ok(Self { host, port, hello, credentials, encryption, loopback })
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let from_the_start = match &self.encryption {
            Encryption::FromTheStart(tls) => Some(tls.clone()),
            _ => None,
        };
        let address = (self.host.as_str(), self.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(
            address,
            Some(CONNECT_TIMEOUT),
            &self.hello,
            from_the_start,
            None,
        );
        let mut connection = connecting.await.map_err(|error| unreachable(&error))?;
        let starttls = match &self.encryption {
            Encryption::Required(tls) => Some(tls),
            Encryption::Opportunistic(tls) => Some(tls).filter(|_| connection.can_starttls()),
            Encryption::None | Encryption::FromTheStart(_) => None,
        };
        if let Some(tls) = starttls {
            if !connection.can_starttls() {
                return Err(SendError::NotEncrypted);
            }
            connection.starttls(tls.clone(), &self.hello).await.map_err(|error| unreachable(&error))?;
        }
        self.log_in(&mut connection).await?;
        Ok(connection)
    }

    async fn log_in(&self, connection: &mut AsyncSmtpConnection) -> Result<(), SendError> {
        let Some(credentials) = &self.credentials else { return Ok(()) };
        if !self.loopback && !connection.is_encrypted() {
            return Err(SendError::NotEncrypted);
        }
        connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(|error| refused(&error))?;
        Ok(())
    }
}

impl Pool {
    pub(super) const fn new(target: Target) -> Self {
        Self { target, idle: Mutex::new(Vec::new()) }
    }

    pub(super) const fn may_be_overheard(&self) -> bool {
        let is_open = matches!(self.target.encryption, Encryption::None | Encryption::Opportunistic(_));
        is_open && !self.target.loopback
    }

    pub(super) async fn send(&self, message: &Message) -> Result<(), SendError> {
        let sending = async {
            let mut connection = self.connection().await?;
            let taken = connection.send(message.envelope(), &message.formatted()).await;
            taken.map_err(|error| refused(&error))?;
            self.keep(connection);
            Ok(())
        };
        timeout(SEND_TIMEOUT, sending).await.unwrap_or(Err(SendError::Timeout))
    }

    pub(super) async fn probe(&self) -> Result<(), SendError> {
        let probing = async {
            let connection = self.connection().await?;
            self.keep(connection);
            Ok(())
        };
        timeout(PROBE_TIMEOUT, probing).await.unwrap_or(Err(SendError::Timeout))
    }

    /// A kept connection that still answers, else a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, SendError> {
        while let Some((mut connection, since)) = self.newest_kept() {
            if since.elapsed() < IDLE_TIME && connection.test_connected().await {
                return Ok(connection);
            }
        }
        self.target.connect().await
    }

    fn newest_kept(&self) -> Option<(AsyncSmtpConnection, Instant)> {
        self.kept().pop()
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.kept();
        if idle.len() < IDLE_CONNECTIONS {
            idle.push((connection, Instant::now()));
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<(AsyncSmtpConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn credentials(authority: &str) -> Result<Option<Credentials>, TransportError> {
    let Some((userinfo, _)) = authority.rsplit_once('@') else { return Ok(None) };
    let wrong = || TransportError::Url("user and password are USER:PASSWORD, percent-encoded");
    let (user, password) = userinfo.split_once(':').ok_or_else(wrong)?;
    let user = percent_decoded(user).ok_or_else(wrong)?;
    let password = percent_decoded(password).ok_or_else(wrong)?;
    Ok(Some(Credentials::new(user, password)))
}

/// The values of `tls` and `ca`; a misspelt option must not pass for a weaker one.
fn options(query: &str) -> Result<(Option<String>, Option<PathBuf>), TransportError> {
    let (mut tls, mut ca) = (None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decoded(value).ok_or(TransportError::Url("an option is not percent-encoded"))?;
        match name {
            "tls" => tls = Some(value),
            "ca" => ca = Some(PathBuf::from(value)),
            _ => return Err(TransportError::Url("the options are tls and ca")),
        }
    }
    Ok((tls, ca))
}

fn tls_parameters(host: &str, ca: Option<PathBuf>) -> Result<TlsParameters, TransportError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = ca {
        let wrong = |error: String| TransportError::Certificate(path.clone(), error);
        let pem = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
        builder = builder
            .add_root_certificate(Certificate::from_pem(&pem).map_err(|error| wrong(error.to_string()))?);
    }
    builder.build_rustls().map_err(|error| TransportError::Tls(error.to_string()))
}

fn unreachable(error: &SmtpError) -> SendError {
    match status(error) {
        Some(refused) => refused,
        None => SendError::Unreachable(error.to_string()),
    }
}

fn refused(error: &SmtpError) -> SendError {
    if error.is_client() {
        // Words of the library's own, without an address.
        return SendError::Unsuitable(error.to_string());
    }
    status(error).unwrap_or(SendError::Broken)
}

fn status(error: &SmtpError) -> Option<SendError> {
    let code = error.status()?.to_string().parse().ok()?;
    let answer = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    Some(SendError::Refused { code, answer })
}
