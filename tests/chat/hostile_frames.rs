//! Frames made by hand that no client sends: the connection ends as RFC 6455 says, and the server lives.

use super::talker::Talker;
use super::{ask, room};
use crate::harness::{Database, TestApp};
use crate::people::{Person, person};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(10);
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const PING: u8 = 0x9;
const FIN: u8 = 0x80;

/// A masked frame, whatever its first byte says.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ ..126 => frame.push(0x80 | u8::try_from(length).expect("a length")),
        length @ ..0x1_0000 => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(length).expect("a length").to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    let mask = [0x5a, 0x17, 0xc3, 0x88];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A connection after its upgrade.
async fn raw(app: &TestApp, room: i64, access: &str) -> TcpStream {
    let mut stream = TcpStream::connect(app.address()).await.expect("a connection");
    let request = format!(
        "GET /ws/chat/{room}/?token={access} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        app.address()
    );
    stream.write_all(request.as_bytes()).await.expect("a request");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("an answer"));
    }
    let head = String::from_utf8(head).expect("a text");
    assert!(head.starts_with("HTTP/1.1 101") && head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    stream
}

/// What comes until the end, frame by frame: first byte and payload.
async fn rest(stream: &mut TcpStream) -> Vec<(u8, Vec<u8>)> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    read.expect("an end in time").expect("an end without a reset");
    let mut frames = Vec::new();
    let mut left = bytes.as_slice();
    while let [first, short, after @ ..] = left {
        let (length, after) = match short {
            126 => (usize::from(u16::from_be_bytes([after[0], after[1]])), &after[2..]),
            short => (usize::from(*short), after),
        };
        frames.push((*first, after[..length].to_vec()));
        left = &after[length..];
    }
    frames
}

/// The close code that ends a connection; none when it ends without a word.
async fn code_of(stream: &mut TcpStream) -> Option<u16> {
    let frames = rest(stream).await;
    let (_, payload) = frames.iter().find(|(first, _)| *first == 0x88)?;
    Some(u16::from_be_bytes([payload[0], payload[1]]))
}

async fn ada_and_room(app: &TestApp) -> (Person, i64) {
    let ada = person(app, "ada").await;
    let id = room(app, &ada, "Cellar", false).await;
    (ada, id)
}

fn said(text: &str) -> Vec<u8> {
    json!({ "message": text }).to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_frame_ends_its_connection_with_the_code_of_the_standard() {
    let app = TestApp::with(Database::Sqlite, |config| config.community.sockets_per_user = 1000).await;
    let (ada, id) = ada_and_room(&app).await;
    let unmasked = [&[FIN | TEXT, 2][..], b"{}"].concat();
    let huge = [&[FIN | TEXT, 0x80 | 127][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
    let large = |first: u8, length: usize| frame(first, &vec![b'x'; length]);
    let cases: Vec<(&str, Vec<u8>, Option<u16>)> = vec![
        ("unmasked", unmasked, Some(1002)),
        ("RSV1, as if compressed", frame(FIN | TEXT | 0x40, b"{}"), Some(1002)),
        ("RSV2", frame(FIN | TEXT | 0x20, b"{}"), Some(1002)),
        ("RSV3", frame(FIN | TEXT | 0x10, b"{}"), Some(1002)),
        ("a reserved data opcode", frame(FIN | 0x3, b"{}"), Some(1002)),
        ("the last reserved data opcode", frame(FIN | 0x7, b"{}"), Some(1002)),
        ("a reserved control opcode", frame(FIN | 0xb, b""), Some(1002)),
        ("the last reserved control opcode", frame(FIN | 0xf, b""), Some(1002)),
        ("a continuation of nothing", frame(FIN, b"x"), Some(1002)),
        ("a text inside a text", [frame(TEXT, b"{"), frame(FIN | TEXT, b"}")].concat(), Some(1002)),
        ("a ping in fragments", frame(PING, b"x"), Some(1002)),
        ("a long ping", frame(FIN | PING, &[b'x'; 126]), Some(1002)),
        ("bytes", frame(FIN | BINARY, b"{}"), Some(1003)),
        ("bytes in fragments", [frame(BINARY, b"{"), frame(FIN, b"}")].concat(), Some(1003)),
        ("no UTF-8", frame(FIN | TEXT, b"{\"message\":\"\xff\"}"), Some(1007)),
        ("an overlong slash", frame(FIN | TEXT, b"\xc0\xaf"), Some(1007)),
        ("a surrogate", frame(FIN | TEXT, b"\xed\xa0\x80"), Some(1007)),
        ("half a character", frame(FIN | TEXT, b"\xf0\x9f\x93"), Some(1007)),
        ("no UTF-8 in fragments", [frame(TEXT, b"\xf0\x9f"), frame(FIN, b"\xff")].concat(), Some(1007)),
        ("one byte too much", large(FIN | TEXT, 16 * 1024 + 1), Some(1009)),
        ("a megabyte", large(FIN | TEXT, 1 << 20), Some(1009)),
        ("too much in fragments", [large(TEXT, 9000), large(FIN, 9000)].concat(), Some(1009)),
        ("a length of 2^64 - 1", huge, Some(1009)),
        ("a close with one byte", frame(FIN | 0x8, b"x"), Some(1002)),
        ("a close with a reserved code", frame(FIN | 0x8, &1005_u16.to_be_bytes()), Some(1002)),
        ("a close", frame(FIN | 0x8, &1000_u16.to_be_bytes()), Some(1000)),
        ("a close for reasons of one's own", frame(FIN | 0x8, &4123_u16.to_be_bytes()), Some(4123)),
    ];
    for (what, bytes, code) in cases {
        let mut stream = raw(&app, id, &ada.access).await;
        // The server may have hung up before all of it is there.
        let _ = stream.write_all(&bytes).await;
        assert_eq!(code_of(&mut stream).await, code, "{what}");
    }
    Talker::of(&app, id, &ada).await.assert_open().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unusual_frames_that_are_allowed_are_understood() {
    let app = TestApp::start(Database::Sqlite).await;
    let (ada, id) = ada_and_room(&app).await;
    let mut stream = raw(&app, id, &ada.access).await;
    let whole = said("byte by byte \u{1f4da}");
    // In fragments of one byte, with pings between them.
    for (index, byte) in whole.iter().enumerate() {
        let first = if index == 0 { TEXT } else { 0 } | if index + 1 == whole.len() { FIN } else { 0 };
        stream.write_all(&frame(first, &[*byte])).await.expect("a frame");
        if index % 10 == 0 {
            stream.write_all(&frame(FIN | PING, b"between")).await.expect("a ping");
        }
    }
    // A frame whose bytes come one at a time, and one of exactly 16 KiB.
    for byte in frame(FIN | TEXT, &said("slowly")) {
        stream.write_all(&[byte]).await.expect("a byte");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut largest = said("large");
    largest.extend(vec![b' '; 16 * 1024 - largest.len()]);
    stream.write_all(&frame(FIN | TEXT, &largest)).await.expect("a frame");
    stream.write_all(&frame(FIN | 0xa, b"a pong that nobody asked for")).await.expect("a pong");
    stream.write_all(&frame(FIN | TEXT, &said("the last"))).await.expect("a frame");
    tokio::time::sleep(Duration::from_millis(300)).await;
    stream.write_all(&frame(FIN | 0x8, &1000_u16.to_be_bytes())).await.expect("a close");
    let frames = rest(&mut stream).await;
    let texts: Vec<String> = frames
        .iter()
        .filter(|(first, _)| *first == FIN | TEXT)
        .map(|(_, payload)| serde_json::from_slice::<Value>(payload).expect("JSON")["text"].to_string())
        .collect();
    assert_eq!(texts, ["\"byte by byte \u{1f4da}\"", "\"slowly\"", "\"large\"", "\"the last\""]);
    assert!(frames.iter().any(|(first, payload)| *first == FIN | 0xa && payload == b"between"), "no pong");
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_and_silences_and_cut_connections_leave_nothing_behind() {
    let app = TestApp::with(Database::Sqlite, |config| config.community.sockets_per_user = 1000).await;
    let (ada, id) = ada_and_room(&app).await;
    let mut stream = raw(&app, id, &ada.access).await;
    let pings = frame(FIN | PING, &[b'x'; 125]).repeat(200);
    let _ = stream.write_all(&pings).await;
    assert_eq!(code_of(&mut stream).await, Some(1008), "pings are frames too");
    let mut stream = raw(&app, id, &ada.access).await;
    // Empty fragments make no message, and so no frame that is counted; their bytes are.
    let fragments = frame(0, b"").repeat(10_000);
    let _ = stream.write_all(&frame(TEXT, b"{")).await;
    let mut ended = false;
    for _ in 0..100 {
        ended |= stream.write_all(&fragments).await.is_err();
    }
    if !ended {
        assert_eq!(code_of(&mut stream).await, Some(1008), "fragments without end");
    }
    for cut in [0, 1, 2, 5, 8] {
        let mut stream = raw(&app, id, &ada.access).await;
        stream.write_all(&frame(FIN | TEXT, &said("cut"))[..cut]).await.expect("some bytes");
        drop(stream);
    }
    for _ in 0..200 {
        if app.app().hub.open() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((app.app().hub.open(), app.app().hub.rooms().len()), (0, 0));
    let history = ask(&app, &ada, Method::GET, (id, "messages/"), Value::Null).await.expect(200);
    assert_eq!(history.body["count"], 0);
    Talker::of(&app, id, &ada).await.assert_open().await;
}
