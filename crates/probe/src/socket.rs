//! WebSockets: whether the server opens one, and with which code it closes it.

use crate::probe::{Context, Skip};
use crate::{Evidence, tls};
use futures_util::StreamExt;
use http::{HeaderName, HeaderValue};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// An attempt to open a socket.
#[derive(Clone, Debug)]
pub struct Knock {
    path: String,
    headers: Vec<(String, String)>,
}

/// How the server took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It refused before the socket was open; a browser sees code 1006 and no reason.
    Refused(u16),
    /// It opened the socket and closed it with this code, 1005 where it gave none.
    Closed(u16),
    /// It opened the socket and left it open.
    Open,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// An open socket.
pub(crate) struct Socket(WebSocketStream<Box<dyn Stream>>);

impl Knock {
    /// At this path, without an Origin.
    #[must_use]
    pub fn at(path: &str) -> Self {
        Self { path: path.to_owned(), headers: Vec::new() }
    }

    /// With a header field, e.g. Origin.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Opens the socket and looks for `wait` whether it stays open.
    ///
    /// # Errors
    /// When the server does not answer, throttles, or the run's limits are reached.
    pub async fn look(&self, ctx: &Context, wait: Duration) -> Result<Opened, Skip> {
        match self.open(ctx).await? {
            Err(status) => Ok(Opened::Refused(status)),
            Ok(mut socket) => Ok(socket.closing(wait).await.map_or(Opened::Open, Opened::Closed)),
        }
    }

    /// What was sent and how it ended.
    #[must_use]
    pub fn evidence(&self, ctx: &Context, opened: &Opened) -> Evidence {
        let response = match opened {
            Opened::Refused(status) => format!("{status} before the upgrade: a browser sees code 1006"),
            Opened::Closed(code) => format!("101, then closed with code {code}"),
            Opened::Open => "101, and the socket stays open".to_owned(),
        };
        let redactor = ctx.client.redactor();
        let mut request = format!("GET {} (WebSocket)", redactor.path(&self.path));
        for (name, value) in &self.headers {
            request.push_str(&format!("\n{name}: {}", redactor.header(name, value)));
        }
        Evidence { request, response }
    }

    /// Opens the socket; the inner error is the status of the refusal.
    pub(crate) async fn open(&self, ctx: &Context) -> Result<Result<Socket, u16>, Skip> {
        ctx.client.count()?;
        let within = timeout(ctx.client.patience(), self.shake(ctx)).await;
        match within.unwrap_or_else(|_| Err(self.failed(ctx, "it took too long"))) {
            Ok(Err(429 | 503)) => Err(Skip::Throttled(ctx.client.redactor().path(&self.path))),
            other => other,
        }
    }

    async fn shake(&self, ctx: &Context) -> Result<Result<Socket, u16>, Skip> {
        let url = ctx.target.at(&self.path).replacen("http", "ws", 1);
        let mut request = url.into_client_request().map_err(|error| self.failed(ctx, error))?;
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name.as_str()).map_err(|error| self.failed(ctx, error))?;
            let value = HeaderValue::try_from(value.as_str()).map_err(|error| self.failed(ctx, error))?;
            request.headers_mut().insert(name, value);
        }
        let stream: Box<dyn Stream> = if ctx.target.is_https() {
            let secured = tls::connect(&ctx.target, rustls::DEFAULT_VERSIONS).await;
            Box::new(secured.map_err(|error| self.failed(ctx, error))?)
        } else {
            Box::new(tls::open(&ctx.target).await.map_err(|error| self.failed(ctx, error))?)
        };
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Ok(Socket(socket))),
            Err(Error::Http(response)) => Ok(Err(response.status().as_u16())),
            Err(error) => Err(self.failed(ctx, error)),
        }
    }

    fn failed(&self, ctx: &Context, cause: impl ToString) -> Skip {
        let redactor = ctx.client.redactor();
        Skip::Failed { path: redactor.path(&self.path), cause: redactor.text(&cause.to_string()) }
    }
}

impl Socket {
    /// The code with which the server closes within the time; frames before it are read away.
    pub(crate) async fn closing(&mut self, wait: Duration) -> Option<u16> {
        let closing = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Close(frame))) => return frame.map_or(1005, |frame| frame.code.into()),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return 1006,
                }
            }
        };
        timeout(wait, closing).await.ok()
    }
}
