//! From HTTP to a WebSocket (RFC 6455 §4).

use crate::error::Error;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// Bytes of a frame and of a message, at most (contract §3).
const MAX_MESSAGE: usize = 16 * 1024;
/// What is read at once; most frames are smaller, and an idle socket holds it.
const READ_BUFFER: usize = 2 * 1024;
/// What is gathered before it is written.
const WRITE_BUFFER: usize = 4 * 1024;
/// What may wait for a peer that reads slowly: the buffer and the largest frame that goes out.
const MAX_WRITE_BUFFER: usize = 64 * 1024;

/// Bytes that a peer may send in a while: more than all frames of that while that do not end its socket. Fragments
/// without a byte make no frame that could be counted, but they are bytes.
const MAX_RECEIVED: usize = 2 * 1024 * 1024;
const A_WHILE: Duration = Duration::from_secs(10);

/// A WebSocket.
pub(super) type Socket = WebSocketStream<Metered>;

/// A connection from which only so much is read.
pub(super) struct Metered {
    io: TokioIo<Upgraded>,
    since: Instant,
    received: usize,
}

/// Too much was sent.
#[derive(Debug, thiserror::Error)]
#[error("too many bytes")]
pub(super) struct Flooded;

impl Metered {
    fn new(io: TokioIo<Upgraded>) -> Self {
        Self { io, since: Instant::now(), received: 0 }
    }

    /// Ends the measuring, to throw away what still comes.
    pub(super) const fn lift(&mut self) {
        self.received = 0;
    }

    fn count(&mut self, bytes: usize) -> io::Result<()> {
        self.received += bytes;
        if self.received <= MAX_RECEIVED {
            return Ok(());
        }
        if self.since.elapsed() < A_WHILE {
            return Err(io::Error::other(Flooded));
        }
        (self.since, self.received) = (Instant::now(), 0);
        Ok(())
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = read {
            self.count(buffer.filled().len() - before)?;
        }
        read
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

/// A request that may become a WebSocket.
pub(super) struct Upgrade {
    accept: String,
    on_upgrade: OnUpgrade,
}

impl Upgrade {
    /// Checks the handshake.
    ///
    /// # Errors
    /// The response: 426 for another protocol or version, 400 for a broken key.
    pub(super) fn read(request: &mut Request) -> Result<Self, Box<Response>> {
        let headers = request.headers();
        let is_upgrade =
            has(headers, header::CONNECTION, "upgrade") && has(headers, header::UPGRADE, "websocket");
        if !is_upgrade || headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(upgrade_required());
        }
        let key = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
        if BASE64_STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16) {
            let accept = derive_accept_key(key);
            let on_upgrade = request.extensions_mut().remove::<OnUpgrade>().ok_or_else(upgrade_required)?;
            return Ok(Self { accept, on_upgrade });
        }
        Err(Error::bad_request("invalid", "Sec-WebSocket-Key is missing or broken").into_response().into())
    }

    /// The answer that lets the client go on, and what becomes of the connection then.
    pub(super) fn accept(
        self,
        protocol: Option<&'static str>,
    ) -> (Response, impl Future<Output = Option<Socket>> + Send + use<>) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(accept) = HeaderValue::from_str(&self.accept) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        if let Some(protocol) = protocol {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        }
        let on_upgrade = self.on_upgrade;
        let socket = async move {
            // A client that is gone meanwhile is no error of ours.
            let upgraded = on_upgrade.await.ok()?;
            let io = Metered::new(TokioIo::new(upgraded));
            Some(WebSocketStream::from_raw_socket(io, Role::Server, Some(settings())).await)
        };
        (response, socket)
    }
}

fn settings() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
}

fn has(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let fields = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    fields.flat_map(|value| value.split(',')).any(|found| found.trim().eq_ignore_ascii_case(token))
}

fn upgrade_required() -> Box<Response> {
    let message = "This address speaks WebSocket, version 13.";
    let error = Error::refused(StatusCode::UPGRADE_REQUIRED, "upgrade_required", message);
    let mut response = error.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    Box::new(response)
}
