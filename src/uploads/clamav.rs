//! The ClamAV daemon, asked by its own protocol (`clamd(8)`, INSTREAM).

use crate::error::{Error, Result};
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// A scan of 5 MB takes well under a second; the daemon may be loading new signatures.
const PATIENCE: Duration = Duration::from_secs(10);
const CHUNK: usize = 64 * 1024;
/// A reply is one line with a signature's name.
const LONGEST_REPLY: u64 = 1024;

/// Where the daemon listens.
pub(super) enum Scanner {
    Tcp(String),
    Socket(PathBuf),
}

impl Scanner {
    /// The address of the settings, which were checked: `HOST:PORT` or an absolute path.
    pub(super) fn at(address: &str) -> Self {
        match address.starts_with('/') {
            true => Self::Socket(address.into()),
            false => Self::Tcp(address.to_owned()),
        }
    }

    /// Lets a file pass that the daemon finds clean, and only then: while it does not answer, or says
    /// anything else, nothing is accepted.
    pub(super) async fn check(&self, field: &'static str, bytes: &[u8]) -> Result<()> {
        let reply = tokio::time::timeout(PATIENCE, self.ask(bytes)).await;
        let reply = reply.map_err(|_| Error::unavailable("the virus scanner does not answer in time"))?;
        let reply = reply.map_err(|error| Error::unavailable(format!("the virus scanner: {error}")))?;
        match reply.trim_end_matches('\0').trim().strip_prefix("stream: ") {
            Some("OK") => Ok(()),
            Some(found) if found.ends_with(" FOUND") => {
                let signature = found.trim_end_matches(" FOUND");
                tracing::warn!(signature, "an upload was refused by the virus scanner");
                Err(Error::field(field, "The file was refused by the virus scanner"))
            }
            _ => Err(Error::unavailable(format!("the virus scanner said {reply:?}"))),
        }
    }

    async fn ask(&self, bytes: &[u8]) -> std::io::Result<String> {
        match self {
            Self::Tcp(address) => stream(TcpStream::connect(address).await?, bytes).await,
            Self::Socket(path) => stream(UnixStream::connect(path).await?, bytes).await,
        }
    }
}

/// Sends the file in chunks that are preceded by their length, and an empty one at the end.
async fn stream(
    mut connection: impl AsyncRead + AsyncWrite + Unpin,
    bytes: &[u8],
) -> std::io::Result<String> {
    connection.write_all(b"zINSTREAM\0").await?;
    for chunk in bytes.chunks(CHUNK) {
        let length = u32::try_from(chunk.len()).map_err(std::io::Error::other)?;
        connection.write_all(&length.to_be_bytes()).await?;
        connection.write_all(chunk).await?;
    }
    connection.write_all(&[0; 4]).await?;
    connection.flush().await?;
    let mut reply = String::new();
    connection.take(LONGEST_REPLY).read_to_string(&mut reply).await?;
    Ok(reply)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use axum::http::StatusCode;
    use tokio::net::TcpListener;

    /// A daemon that reads a file and says one thing.
    async fn asked(reply: &'static str, file: &[u8]) -> (Result<()>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scanner = Scanner::at(&listener.local_addr().unwrap().to_string());
        let daemon = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut heard = Vec::new();
            while !heard.ends_with(&[0; 4]) {
                connection.read_buf(&mut heard).await.unwrap();
            }
            connection.write_all(reply.as_bytes()).await.unwrap();
            heard
        });
        let outcome = scanner.check("avatar", file).await;
        (outcome, daemon.await.unwrap())
    }

    #[tokio::test]
    async fn only_a_file_that_is_called_clean_passes() {
        let (outcome, heard) = asked("stream: OK\0", b"abc").await;
        assert!(outcome.is_ok());
        assert_eq!(heard, b"zINSTREAM\0\0\0\0\x03abc\0\0\0\0");
        let (outcome, _) = asked("stream: Eicar-Test-Signature FOUND\0", b"abc").await;
        assert_eq!(outcome.unwrap_err().status(), StatusCode::BAD_REQUEST);
        for other in ["INSTREAM size limit exceeded. ERROR\0", "", "stream: ", "UNKNOWN COMMAND\0", "OK"] {
            let (outcome, _) = asked(other, b"abc").await;
            assert_eq!(outcome.unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE, "{other}");
        }
    }

    #[tokio::test]
    async fn without_a_daemon_nothing_passes() {
        for address in ["127.0.0.1:1", "/nonexistent/clamd.ctl"] {
            let refused = Scanner::at(address).check("avatar", b"abc").await.unwrap_err();
            assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE, "{address}");
        }
    }
}
