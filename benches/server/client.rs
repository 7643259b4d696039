//! Connections that are kept open, one call in flight on each, as cheap as can be: the client shares the
//! machine with the server that it measures.

use crate::Outcome;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
    /// From the first byte sent to the last byte read.
    pub took: Duration,
}

impl Answer {
    /// A text of the JSON body.
    pub fn text(&self, field: &str) -> Outcome<String> {
        let body: serde_json::Value = serde_json::from_slice(&self.body)?;
        let text = body[field].as_str().ok_or_else(|| format!("{}: no {field} in {body}", self.status))?;
        Ok(text.to_owned())
    }
}

/// One connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects to a server at `127.0.0.1:port`.
    pub async fn open(port: u16) -> Outcome<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Sends one request and reads its answer.
    pub async fn call(&mut self, request: &[u8]) -> Outcome<Answer> {
        let begun = Instant::now();
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if let Some((status, body)) = whole_answer(&self.buffer)? {
                return Ok(Answer { status, body: body.to_vec(), took: begun.elapsed() });
            }
        }
    }
}

/// Status and body, once all of it is there. Every server measured here sends Content-Length.
fn whole_answer(buffer: &[u8]) -> Outcome<Option<(u16, &[u8])>> {
    let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&buffer[..end])?;
    let status = head.get(9..12).ok_or("not HTTP")?.parse()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    let body = &buffer[end + 4..];
    Ok((body.len() >= length.ok_or("no Content-Length")??).then_some((status, body)))
}

/// The bytes of a GET as a proxy would pass it on.
pub fn get(path: &str, bearer: &str) -> Vec<u8> {
    let head = head("GET", path);
    format!("{head}Authorization: Bearer {bearer}\r\n\r\n").into_bytes()
}

/// The bytes of a GET by nobody.
pub fn get_anonymous(path: &str) -> Vec<u8> {
    format!("{}\r\n", head("GET", path)).into_bytes()
}

/// The bytes of a POST of JSON by somebody.
pub fn post_as(path: &str, bearer: &str, body: &serde_json::Value) -> Vec<u8> {
    let (head, body) = (head("POST", path), body.to_string());
    let length = body.len();
    format!("{head}Authorization: Bearer {bearer}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// The bytes of a POST of JSON as a proxy would pass it on.
pub fn post(path: &str, body: &serde_json::Value) -> Vec<u8> {
    let (head, body) = (head("POST", path), body.to_string());
    format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

/// The bytes of a PATCH of a form with one file, `avatar`.
pub fn upload(path: &str, bearer: &str, file: &[u8]) -> Vec<u8> {
    let start = "--b\r\nContent-Disposition: form-data; name=\"avatar\"; filename=\"me.jpg\"\r\n\r\n";
    let body = [start.as_bytes(), file, b"\r\n--b--\r\n"].concat();
    let (head, length) = (head("PATCH", path), body.len());
    let fields = format!(
        "Authorization: Bearer {bearer}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), fields.as_bytes(), &body].concat()
}

/// The bytes of a WebSocket's handshake as a proxy would pass it on.
pub fn upgrade(path: &str) -> Vec<u8> {
    let head = head("GET", path);
    let fields = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    format!("{head}{fields}").into_bytes()
}

fn head(method: &str, path: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: bench.example\r\nX-Forwarded-For: 192.0.2.1\r\n\
         X-Forwarded-Proto: https\r\nUser-Agent: bench\r\nAccept: application/json\r\n"
    )
}
