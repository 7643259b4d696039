//! Clients that take their time are cut off in bounded time, and nobody else notices.

use crate::harness::{Database, TestApp};
use reqwest::Method;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than any timeout of the server; a client that is still connected then is never cut off.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends `start`, then a byte a second for ever; what came back once the server had hung up.
async fn drip(app: &TestApp, name: &str, start: &[u8], drop: &[u8]) -> (String, Duration) {
    let started = Instant::now();
    let stream = TcpStream::connect(app.address()).await.expect("a connection");
    let (mut reader, mut writer) = stream.into_split();
    writer.write_all(start).await.expect("a write");
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        assert!(
            started.elapsed() < PATIENCE,
            "{name} is still connected: {}",
            String::from_utf8_lossy(&answer)
        );
        tokio::select! {
            read = reader.read(&mut buffer) => match read {
                Ok(0) | Err(_) => break,
                Ok(count) => answer.extend(&buffer[..count]),
            },
            _ = ticks.tick() => if writer.write_all(drop).await.is_err() { break },
        }
    }
    (String::from_utf8_lossy(&answer).into_owned(), started.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_cut_off_while_others_are_served() {
    let app = TestApp::start(Database::Sqlite).await;
    let body = "POST /api/auth/login/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{";
    let chunked = "POST /api/auth/login/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let unwanted = "POST /api/nonsense/ HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n{";
    let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let cases: [(&str, &[u8], &[u8], &str); 8] = [
        ("nothing at all", b"", b"", ""),
        ("a request line", b"G", b"E", ""),
        ("a header", b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ", b"a", ""),
        ("the preface of HTTP/2", b"PRI * HT", b"", ""),
        ("a header of HTTP/2", http2, b"\0", ""),
        ("a body", body.as_bytes(), b" ", "HTTP/1.1 408"),
        ("a body in chunks", chunked.as_bytes(), b"1\r\n \r\n", "HTTP/1.1 408"),
        ("a body that nobody wants", unwanted.as_bytes(), b" ", "HTTP/1.1 404"),
    ];
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let others = async {
        let (mut slowest, mut count) = (Duration::ZERO, 0);
        while !*stopped.borrow_and_update() {
            let started = Instant::now();
            app.send(app.request(Method::GET, "/readyz")).await.expect(200);
            slowest = slowest.max(started.elapsed());
            count += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        (slowest, count)
    };
    let app = &app;
    let slow = async {
        // Sixty of each, since a server that gives each a thread would run out of them.
        let clients = cases.iter().flat_map(|case| std::iter::repeat_n(case, 60));
        let outcomes = clients.map(|(name, start, drop, wanted)| async move {
            let (answer, elapsed) = drip(app, name, start, drop).await;
            assert!(answer.contains(wanted), "{name} after {elapsed:?}: {answer}");
        });
        futures_util::future::join_all(outcomes).await;
        stop.send_replace(true);
    };
    let ((), (slowest, count)) = tokio::join!(slow, others);
    assert!(count > 100 && slowest < Duration::from_secs(2), "{count} others, the slowest {slowest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_headers_are_refused_and_the_next_client_is_served() {
    let app = TestApp::start(Database::Sqlite).await;
    let many: String = (0..5000).map(|number| format!("x-{number}: {number}\r\n")).collect();
    let long = format!("x-long: {}\r\n", "a".repeat(2 << 20));
    for (headers, status) in [(many, "431"), (long, "431")] {
        let mut stream = TcpStream::connect(app.address()).await.expect("a connection");
        let request = format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        // The server may hang up before it has it all.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) || answer.is_empty(), "{answer}");
    }
    app.send(app.request(Method::GET, "/healthz")).await.expect(200);
}
