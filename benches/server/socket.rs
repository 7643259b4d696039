//! A WebSocket as cheap as can be: it counts frames and finds one number in them.

use crate::{Outcome, client};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// What stands before the time at which a message was sent.
const MARK: &[u8] = b"\"text\":\"";

/// The half that listens.
pub struct Ear {
    stream: OwnedReadHalf,
    buffer: Vec<u8>,
}

/// The half that speaks.
pub struct Mouth(OwnedWriteHalf);

/// Opens a socket.
pub async fn open(port: u16, room: usize, token: &str) -> Outcome<(Ear, Mouth)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    stream.write_all(&client::upgrade(&format!("/ws/chat/{room}/?token={token}"))).await?;
    let mut head = Vec::with_capacity(2048);
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    if !head.starts_with(b"HTTP/1.1 101") {
        return Err(format!("no socket: {}", String::from_utf8_lossy(&head)).into());
    }
    let (reader, writer) = stream.into_split();
    Ok((Ear { stream: reader, buffer: Vec::new() }, Mouth(writer)))
}

impl Mouth {
    /// Says when it is, in microseconds since a moment.
    pub async fn say(&mut self, since: Instant) -> Outcome<()> {
        let text = format!("{{\"message\":\"{:09} is when this was said\"}}", since.elapsed().as_micros());
        // A mask of zeroes leaves the text as it is.
        let mut frame = vec![0x81, 0x80 | u8::try_from(text.len())?, 0, 0, 0, 0];
        frame.extend(text.as_bytes());
        self.0.write_all(&frame).await?;
        Ok(())
    }
}

impl Ear {
    /// Waits for frames and hands the time of each message since it was sent to `heard`; says how many came.
    pub async fn hear(&mut self, since: Instant, mut heard: impl FnMut(Duration)) -> Outcome<usize> {
        if self.buffer.capacity() == 0 {
            self.buffer.reserve(64 * 1024);
        }
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed a socket".into());
            }
            let now = since.elapsed();
            let (mut used, mut count) = (0, 0);
            while let Some((first, payload, next)) = frame(&self.buffer[used..]) {
                match first {
                    0x81 => {
                        count += 1;
                        heard(now.saturating_sub(sent(payload)?));
                    }
                    0x89 => {}
                    _ => return Err(format!("the server says {}", String::from_utf8_lossy(payload)).into()),
                }
                used += next;
            }
            self.buffer.drain(..used);
            if count > 0 {
                return Ok(count);
            }
        }
    }
}

/// The first byte, the payload and the length of a whole frame.
fn frame(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let [first, short, rest @ ..] = bytes else { return None };
    let (length, begin) = match (*short, rest) {
        (126, [high, low, ..]) => (usize::from(u16::from_be_bytes([*high, *low])), 4),
        (126.., _) => return None,
        (short, _) => (usize::from(short), 2),
    };
    let payload = bytes.get(begin..begin + length)?;
    Some((*first, payload, begin + length))
}

fn sent(payload: &[u8]) -> Outcome<Duration> {
    let place = payload.windows(MARK.len()).position(|window| window == MARK);
    let begin =
        place.ok_or_else(|| format!("no message: {}", String::from_utf8_lossy(payload)))? + MARK.len();
    let digits = payload.get(begin..begin + 9).ok_or("no time")?;
    Ok(Duration::from_micros(std::str::from_utf8(digits)?.parse()?))
}
