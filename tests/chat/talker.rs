//! A client of the chat, as a browser or a program is one.

use crate::harness::TestApp;
use crate::people::Person;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Response};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

const PATIENCE: Duration = Duration::from_secs(20);

/// An open socket.
pub struct Talker(pub WebSocketStream<TcpStream>);

/// The answer to a refused upgrade.
pub type Refusal = Box<Response<Option<Vec<u8>>>>;

/// Opens a socket with header fields of one's own.
pub async fn dial(
    address: SocketAddr,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<(Talker, Response<Option<Vec<u8>>>), Refusal> {
    let mut request = format!("ws://{address}{path}").into_client_request().expect("a request");
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).expect("a value");
        request.headers_mut().append(HeaderName::from_static(name), value);
    }
    let stream = TcpStream::connect(address).await.expect("a connection");
    match client_async(request, stream).await {
        Ok((socket, response)) => Ok((Talker(socket), response)),
        Err(Error::Http(response)) => Err(response),
        Err(error) => panic!("no answer to an upgrade: {error}"),
    }
}

impl Talker {
    /// In a room, by `?token=`; `more` follows it.
    pub async fn join(app: &TestApp, room: i64, access: &str, more: &str) -> Self {
        Self::open(app, &format!("/ws/chat/{room}/?token={access}{more}")).await
    }

    pub async fn open(app: &TestApp, path: &str) -> Self {
        dial(app.address(), path, &[]).await.expect("an open socket").0
    }

    /// By name, as somebody who is a member.
    pub async fn of(app: &TestApp, room: i64, who: &Person) -> Self {
        Self::join(app, room, &who.access, "").await
    }

    pub async fn send(&mut self, message: Message) {
        self.0.send(message).await.expect("a frame that goes out");
    }

    pub async fn say(&mut self, text: &str) {
        self.send(Message::text(json!({ "message": text }).to_string())).await;
    }

    /// The next text frame.
    pub async fn hear(&mut self) -> Value {
        match self.next().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).expect("JSON"),
            other => panic!("{other:?} is no text"),
        }
    }

    /// The next text frame, an error or a message: what it says.
    pub async fn hear_text(&mut self) -> String {
        let frame = self.hear().await;
        let field = if frame["type"] == "error" { "message" } else { "text" };
        frame[field].as_str().unwrap_or_else(|| panic!("{frame}")).to_owned()
    }

    /// What comes next but for pings and pongs; `None` when the connection has ended without a word.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next()).await.expect("a frame in time") {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The close code; what comes before is thrown away. 1006, as a browser says, without one.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match self.next().await {
                Some(Message::Close(frame)) => return frame.map_or(1005, |frame| frame.code.into()),
                Some(_) => {}
                None => return 1006,
            }
        }
    }

    /// Whether it is open and speaks: says something and hears it.
    pub async fn assert_open(&mut self) {
        let text = crate::harness::unique();
        self.say(&text).await;
        while self.hear_text().await != text {}
    }
}
