//! Connections: accepted one by one, with limits that a slow or silent client cannot outwait.

mod unread;

use crate::config::Server;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;
use unread::Unread;

/// A client that has not sent its headers by then is not going to (slowloris).
///
/// hyper counts from the first byte of HTTP/1; what comes before, and HTTP/2, is counted in [`converse`].
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(8);
/// File descriptors ran out, or the like: accepting again at once would only spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What connections may take.
#[derive(Clone, Copy)]
struct Bounds {
    /// Open at once, but for sockets, which have bounds of their own. Who comes then waits in the system's queue.
    connections: usize,
    /// Without a first call.
    silent: Duration,
    /// Without another call, at least; longer than a proxy keeps one in reserve (nginx: 60 s).
    idle: Duration,
    /// Between pings of HTTP/2, which tell whether the peer is still there.
    ping: Duration,
    /// Without an answer to one.
    unanswered: Duration,
    /// Without reading what was asked for.
    unread: Duration,
}

const BOUNDS: Bounds = Bounds {
    connections: 50_000,
    silent: HEADER_TIMEOUT,
    idle: Duration::from_secs(75),
    ping: Duration::from_secs(20),
    unanswered: Duration::from_secs(10),
    // A slow link has a buffer to empty before there is room again.
    unread: Duration::from_secs(60),
};

/// Why the certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {path}: {cause}")]
pub struct TlsError {
    path: String,
    cause: String,
}

/// TLS by the certificate and key of the settings, if they name any.
///
/// # Errors
/// When a file cannot be read, or the two do not belong together.
pub fn tls(server: &Server) -> Result<Option<TlsAcceptor>, TlsError> {
    let (Some(cert), Some(key)) = (&server.tls_cert, &server.tls_key) else { return Ok(None) };
    let failed = |path: &Path, cause: String| TlsError { path: path.display().to_string(), cause };
    let certificates = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| failed(cert, error.to_string()))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| failed(key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, private))
        .map_err(|error| failed(cert, error.to_string()))?;
    // The strongest of ours that both know, whatever a client likes best (ASVS v5.0.0-12.1.2).
    config.ignore_client_order = true;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

/// Serves until `cancel`, then lets the calls in flight finish.
pub async fn run<S>(listener: TcpListener, tls: Option<TlsAcceptor>, service: S, cancel: CancellationToken)
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    run_within(BOUNDS, listener, tls, service, cancel).await;
}

async fn run_within<S>(
    bounds: Bounds,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    service: S,
    cancel: CancellationToken,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let (places, connections) = (Arc::new(Semaphore::new(bounds.connections)), TaskTracker::new());
    loop {
        let accepted = tokio::select! {
            () = cancel.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((place, stream, peer)) => {
                let ends = (bounds, cancel.clone());
                let connection = connection(stream, peer, tls.clone(), service.clone(), ends);
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, connections.wait()).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let place = places.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((place, stream, peer))
}

async fn connection<S>(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    service: S,
    ends: (Bounds, CancellationToken),
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    // Answers are small and complete: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let stream = Unread::new(stream, ends.0.unread);
    let Some(tls) = tls else { return converse(stream, peer, service, ends).await };
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
        Ok(Ok(stream)) => converse(stream, peer, service, ends).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn converse<I, S>(
    stream: I,
    peer: SocketAddr,
    service: S,
    (bounds, cancel): (Bounds, CancellationToken),
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let has_asked = Arc::new(AtomicBool::new(false));
    let asked = has_asked.clone();
    let service = tower::service_fn(move |request: hyper::Request<Incoming>| {
        asked.store(true, Ordering::Relaxed);
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(peer);
        service.clone().call(request)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).max_header_list_size(32 * 1024);
    builder.http2().keep_alive_interval(bounds.ping).keep_alive_timeout(bounds.unanswered);
    let mut conversation =
        pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service)));
    let mut quiet = pin!(quiet(&has_asked, bounds));
    let mut is_ending = false;
    loop {
        tokio::select! {
            ended = conversation.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended badly");
                }
                return;
            }
            () = cancel.cancelled(), if !is_ending => {}
            since = quiet.as_mut(), if !is_ending => if since == Quiet::FromTheStart {
                tracing::debug!("a client asked for nothing in time");
                return;
            },
        }
        is_ending = true;
        conversation.as_mut().graceful_shutdown();
    }
}

/// Since when a connection has asked for nothing.
#[derive(PartialEq, Eq)]
enum Quiet {
    FromTheStart,
    FromTheLastAnswer,
}

/// Returns when it has asked for nothing for too long. A call that takes longer ends with its answer.
async fn quiet(has_asked: &AtomicBool, bounds: Bounds) -> Quiet {
    tokio::time::sleep(bounds.silent).await;
    if !has_asked.swap(false, Ordering::Relaxed) {
        return Quiet::FromTheStart;
    }
    loop {
        tokio::time::sleep(bounds.idle).await;
        if !has_asked.swap(false, Ordering::Relaxed) {
            return Quiet::FromTheLastAnswer;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    const CALL: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    const PING: u8 = 6;
    const PATIENCE: Duration = Duration::from_secs(20);
    const SOON: Duration = Duration::from_millis(100);
    const NEVER: Duration = Duration::from_secs(3600);
    const PATIENT: Bounds = Bounds {
        connections: 100,
        silent: PATIENCE,
        idle: NEVER,
        ping: NEVER,
        unanswered: NEVER,
        unread: NEVER,
    };
    /// More than the buffers of both sides of a connection hold.
    const LONG: usize = 32 * 1024 * 1024;

    /// Answers every call with nothing, but `/long` with [`LONG`] bytes.
    async fn start(bounds: Bounds) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = tower::service_fn(async |request: Request| {
            let length = if request.uri().path() == "/long" { LONG } else { 0 };
            Ok(Response::new(vec![0; length].into()))
        });
        tokio::spawn(run_within(bounds, listener, None, service, CancellationToken::new()));
        address
    }

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
    }

    /// Asks once over HTTP/2, and answers pings or not; returns when the server has hung up.
    async fn ask_once(address: SocketAddr, answers: bool) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let get = frame(1, 5, 1, &[0x82, 0x86, 0x84]);
        let start = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[]), get].concat();
        stream.write_all(&start).await.unwrap();
        let mut head = [0; 9];
        while stream.read_exact(&mut head).await.is_ok() {
            let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
            stream.read_exact(&mut payload).await.unwrap();
            if head[3] == PING && head[4] == 0 && answers {
                // The server may hang up meanwhile.
                let _ = stream.write_all(&frame(PING, 1, 0, &payload)).await;
            }
        }
    }

    #[tokio::test]
    async fn a_connection_that_asks_for_nothing_more_is_ended() {
        let address = start(Bounds { silent: SOON, idle: SOON, ..PATIENT }).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(CALL).await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        timeout(PATIENCE, ask_once(address, true)).await.unwrap();
    }

    #[tokio::test]
    async fn a_peer_of_http2_that_answers_no_ping_is_gone() {
        let address = start(Bounds { ping: SOON, unanswered: SOON, ..PATIENT }).await;
        timeout(PATIENCE, ask_once(address, false)).await.unwrap();
        let stays = timeout(5 * SOON, ask_once(address, true)).await;
        assert!(stays.is_err(), "one that answers was cut off");
    }

    async fn ask_for_long(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /long HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        stream
    }

    /// Reads an answer with a rest after each part; what came until the server hung up or was done.
    async fn read_slowly(address: SocketAddr, part: usize, rest: Duration) -> usize {
        let mut stream = ask_for_long(address).await;
        let (mut buffer, mut count) = (vec![0; part], 0);
        loop {
            tokio::time::sleep(rest).await;
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return count,
                Ok(read) => count += read,
            }
        }
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_is_hung_up_on_and_one_that_reads_slowly_is_not() {
        let address = start(Bounds { unread: 20 * SOON, ..PATIENT }).await;
        let mut stalled = ask_for_long(address).await;
        tokio::time::sleep(60 * SOON).await;
        let mut answer = Vec::new();
        // The server may have hung up in the middle.
        let _ = timeout(PATIENCE, stalled.read_to_end(&mut answer)).await.unwrap();
        assert!(answer.len() < LONG, "all of it was sent");
        let slow = timeout(2 * PATIENCE, read_slowly(address, LONG / 64, SOON)).await.unwrap();
        assert!(slow > LONG, "cut off after {slow}");
    }

    #[tokio::test]
    async fn more_connections_than_there_are_places_wait_for_one() {
        let address = start(Bounds { connections: 1, ..PATIENT }).await;
        let first = TcpStream::connect(address).await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(CALL).await.unwrap();
        let mut byte = [0];
        assert!(timeout(3 * SOON, second.read_exact(&mut byte)).await.is_err(), "there was no place for it");
        drop(first);
        timeout(PATIENCE, second.read_exact(&mut byte)).await.unwrap().unwrap();
    }
}
