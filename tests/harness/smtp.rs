//! A small mail server for tests: it keeps what it is given, and can refuse, break off, hang, go away and
//! come back on the same port.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(dead_code, unreachable_pub, missing_docs)]

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;

/// A mail as it came over the wire, dots unstuffed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    pub data: String,
    /// Whether it came over TLS.
    pub encrypted: bool,
}

/// How the server encrypts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    None,
    /// After `STARTTLS`; a mail before it is refused.
    StartTls,
    /// From the first byte.
    FromTheStart,
}

/// The certificate that the server shows; it names localhost and 127.0.0.1.
pub const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/localhost.pem");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/localhost.key");

/// What the server does with the mails that come from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Takes every mail.
    Accept,
    /// Answers every recipient with this code.
    RefuseRecipient(u16),
    /// Answers every mail's content with this code and does not keep it.
    RefuseData(u16),
    /// Keeps the mail and closes the connection without an answer.
    DropAfterData,
    /// Keeps the mail and never answers.
    HangAfterData,
}

/// The server. It stops when it is dropped.
pub struct SmtpSink {
    address: SocketAddr,
    shared: Arc<Shared>,
    running: Option<JoinSet<()>>,
}

struct Shared {
    received: Mutex<Vec<Received>>,
    behaviour: Mutex<Behaviour>,
    encryption: Encryption,
}

impl SmtpSink {
    /// Starts on a free port of 127.0.0.1.
    pub async fn start() -> Self {
        Self::start_with(Encryption::None).await
    }

    /// Starts on a free port of 127.0.0.1, and encrypts.
    pub async fn start_with(encryption: Encryption) -> Self {
        let shared =
            Shared { received: Mutex::default(), behaviour: Mutex::new(Behaviour::Accept), encryption };
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut sink = Self { address, shared: Arc::new(shared), running: None };
        sink.restart().await;
        sink
    }

    /// For `PORTCULLIS_MAIL__URL`.
    pub fn url(&self) -> String {
        match self.shared.encryption {
            Encryption::None => format!("smtp://{}", self.address),
            Encryption::StartTls => format!("smtp://{}?tls=required&ca={CERTIFICATE}", self.address),
            Encryption::FromTheStart => format!("smtps://{}?ca={CERTIFICATE}", self.address),
        }
    }

    /// Where it listens, also while it is stopped.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap() = behaviour;
    }

    /// What came so far, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Closes the port and every connection.
    pub async fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.shutdown().await;
        }
    }

    /// Listens again, on the same port.
    pub async fn restart(&mut self) {
        self.stop().await;
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(self.address).unwrap();
        let listener = socket.listen(64).unwrap();
        self.address = listener.local_addr().unwrap();
        let mut running = JoinSet::new();
        running.spawn(serve(listener, self.shared.clone()));
        self.running = Some(running);
    }

    /// Waits until `count` mails came; fails after ten seconds.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            assert!(Instant::now() < deadline, "{} of {count} mails came", received.len());
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Received {
    /// The first header of that name, unfolded but not decoded.
    pub fn header(&self, name: &str) -> Option<String> {
        let (head, _) = self.data.split_once("\r\n\r\n")?;
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        unfolded.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let shared = shared.clone();
        connections.spawn(async move {
            // The other side may go away at any point.
            let _ = greet(stream, &shared).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_file(KEY).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![certificate], key).unwrap()))
}

async fn greet<S: Stream>(stream: S, shared: &Shared) -> std::io::Result<()> {
    if shared.encryption == Encryption::FromTheStart {
        let mut stream = BufReader::new(acceptor().accept(stream).await?);
        say(&mut stream, "220 sink ready").await?;
        return converse(&mut stream, shared, true).await.map(drop);
    }
    let mut stream = BufReader::new(stream);
    say(&mut stream, "220 sink ready").await?;
    if converse(&mut stream, shared, false).await? == Next::Tls {
        assert!(stream.buffer().is_empty(), "words before the handshake");
        let mut stream = BufReader::new(acceptor().accept(stream.into_inner()).await?);
        converse(&mut stream, shared, true).await?;
    }
    Ok(())
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

#[derive(PartialEq, Eq)]
enum Next {
    Tls,
    End,
}

async fn converse<S: Stream>(
    stream: &mut BufReader<S>,
    shared: &Shared,
    encrypted: bool,
) -> std::io::Result<Next> {
    let must_encrypt = shared.encryption == Encryption::StartTls && !encrypted;
    let mut mail = empty();
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let command = std::mem::take(&mut line).trim_end().to_owned();
        let verb = command.get(..4).unwrap_or_default().to_ascii_uppercase();
        let behaviour = *shared.behaviour.lock().unwrap();
        match (verb.as_str(), behaviour) {
            ("EHLO", _) if must_encrypt => say(stream, "250-sink\r\n250 STARTTLS").await?,
            ("STAR", _) if must_encrypt => {
                say(stream, "220 go on").await?;
                return Ok(Next::Tls);
            }
            ("MAIL", _) if must_encrypt => say(stream, "530 encrypt first").await?,
            ("EHLO", _) => say(stream, "250-sink\r\n250-8BITMIME\r\n250 SMTPUTF8").await?,
            ("MAIL", _) => {
                mail = Received { from: path(&command), encrypted, ..empty() };
                say(stream, "250 sender fine").await?;
            }
            ("RCPT", Behaviour::RefuseRecipient(code)) => {
                say(stream, &format!("{code} <{}> refused", path(&command))).await?;
            }
            ("RCPT", _) => {
                mail.to.push(path(&command));
                say(stream, "250 recipient fine").await?;
            }
            ("DATA", _) => {
                say(stream, "354 go on").await?;
                mail.data = content(stream).await?;
                if let Behaviour::RefuseData(code) = behaviour {
                    say(stream, &format!("{code} content refused")).await?;
                    continue;
                }
                shared.received.lock().unwrap().push(std::mem::replace(&mut mail, empty()));
                match behaviour {
                    Behaviour::DropAfterData => return Ok(Next::End),
                    Behaviour::HangAfterData => std::future::pending().await,
                    _ => say(stream, "250 taken").await?,
                }
            }
            ("NOOP" | "RSET", _) => say(stream, "250 fine").await?,
            ("QUIT", _) => return say(stream, "221 bye").await.map(|()| Next::End),
            _ => say(stream, "502 unknown").await?,
        }
    }
    Ok(Next::End)
}

const fn empty() -> Received {
    Received { from: String::new(), to: Vec::new(), data: String::new(), encrypted: false }
}

async fn say<S: Stream>(stream: &mut BufReader<S>, words: &str) -> std::io::Result<()> {
    stream.write_all(format!("{words}\r\n").as_bytes()).await?;
    stream.flush().await
}

async fn content<S: Stream>(stream: &mut BufReader<S>) -> std::io::Result<String> {
    let mut data = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

/// `MAIL FROM:<a@b> …` names a@b.
fn path(command: &str) -> String {
    let path = command.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    path.map(|(path, _)| path.to_owned()).unwrap_or_default()
}
