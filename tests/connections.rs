//! Below the calls: where a message ends, what TLS is spoken, and methods that no route has.

use crate::harness::process::Process;
use crate::harness::smtp::CERTIFICATE;
use crate::harness::{Database, TestApp, create_database_on, mariadb};
use portcullis::storage::Storage;
use reqwest::tls::Version;
use reqwest::{Certificate, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What comes back for these bytes until the server hangs up.
async fn speak(app: &TestApp, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(app.address()).await.expect("a connection");
    stream.write_all(bytes).await.expect("a write");
    let mut answer = Vec::new();
    // A reset instead of an end says as much: nothing more comes.
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_fields_that_are_not_believed_are_told_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Process::start(folder.path(), &[]).await;
    for _ in 0..3 {
        let call = server.request(Method::GET, "/healthz").header("x-forwarded-for", "198.51.100.1");
        server.send(call).await.expect(200);
    }
    server.stop().await;
    assert_eq!(server.log().matches("SERVER__TRUSTED_PROXIES").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_ends_where_its_coding_says_and_never_begins_a_call() {
    let app = TestApp::start(Database::Sqlite).await;
    let hidden = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let post = |fields: &str, body: &str| {
        let head = "POST /api/auth/login/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
        format!("{head}{fields}\r\n\r\n{body}")
    };
    let last = "GET /api/nonsense/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    // A front that counts by the length would see the hidden call as body, one that does not see it as a call.
    let chunk = format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len());
    let both = post("content-length: 5\r\ntransfer-encoding: chunked", &chunk);
    let lengths = post(&format!("content-length: 0\r\ncontent-length: {}", hidden.len()), hidden);
    let coding = post("transfer-encoding: chunked, identity\r\ncontent-length: 0", hidden);
    let folded = post("transfer-encoding:\r\n chunked\r\ncontent-length: 0", hidden);
    for start in [both, lengths, coding, folded] {
        let answer =
            String::from_utf8_lossy(&speak(&app, format!("{start}{last}").as_bytes()).await).into_owned();
        assert!(answer.starts_with("HTTP/1.1 4"), "{start}: {answer}");
        assert!(!answer.contains("HTTP/1.1 200"), "{start}: {answer}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_speaks_tls_of_two_versions_and_nothing_older() {
    let app = TestApp::with(Database::Sqlite, |config| {
        config.server.tls_cert = Some(CERTIFICATE.into());
        config.server.tls_key = Some(CERTIFICATE.replace(".pem", ".key").into());
    })
    .await;
    let certificate = std::fs::read(CERTIFICATE).expect("a certificate");
    let url = format!("https://localhost:{}/healthz", app.address().port());
    for version in [Version::TLS_1_2, Version::TLS_1_3] {
        let certificate = Certificate::from_pem(&certificate).expect("a certificate");
        let client = reqwest::Client::builder()
            .tls_certs_only([certificate])
            .tls_version_min(version)
            .tls_version_max(version)
            .resolve("localhost", app.address())
            .build()
            .expect("a client");
        assert_eq!(client.get(&url).send().await.expect("an answer").status(), 200, "{version:?}");
    }
    // The same hello of two versions: the one is answered by a handshake, the other by an alert.
    assert_eq!(first_byte(&app, &hello_of_tls(3)).await, HANDSHAKE, "TLS 1.2");
    for minor in 0..3 {
        assert_eq!(first_byte(&app, &hello_of_tls(minor)).await, ALERT, "version 3.{minor}");
    }
    assert!(speak(&app, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.first() != Some(&b'H'), "plain http");
    app.stop().await;
}

/// Kinds of records (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;

/// A hello of version 3.x (TLS 1.2 is 3.3), with a suite, a group and a signature that the certificate can answer.
fn hello_of_tls(minor: u8) -> Vec<u8> {
    let groups = [0, 10, 0, 4, 0, 2, 0, 23];
    let signatures = [0, 13, 0, 4, 0, 2, 4, 3];
    let points = [0, 11, 0, 2, 1, 0];
    let suite_and_compression = [0, 0, 2, 0xc0, 0x2b, 1, 0];
    let record = [HANDSHAKE, 3, 1, 0, 69, 1, 0, 0, 65, 3, minor];
    [&record[..], &[7; 32], &suite_and_compression, &[0, 22], &groups, &signatures, &points].concat()
}

async fn first_byte(app: &TestApp, bytes: &[u8]) -> u8 {
    let mut stream = TcpStream::connect(app.address()).await.expect("a connection");
    stream.write_all(bytes).await.expect("a write");
    stream.read_u8().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_spoken_to_by_tls_and_has_to_prove_its_name_where_that_is_asked_for() {
    if !mariadb::is_available() {
        return;
    }
    let key = CERTIFICATE.replace(".pem", ".key");
    let options = ["--require-secure-transport=ON".to_owned(), format!("--ssl-cert={CERTIFICATE}")];
    let server = mariadb::Own::with([&options[..], &[format!("--ssl-key={key}")]].concat()).await;
    let url = create_database_on(&server.url()).await;
    let opens = async |host: &str, query: &str| {
        let url = url.replace("127.0.0.1", host);
        match Storage::connect(&format!("{url}?{query}")).await {
            Ok(storage) => storage.close().await,
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    };
    let ours = format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={CERTIFICATE}");
    assert_eq!(opens("localhost", &ours).await, Ok(()));
    assert!(opens("localhost", "ssl-mode=DISABLED").await.is_err(), "in the clear");
    let unknown = opens("localhost", "ssl-mode=VERIFY_IDENTITY").await;
    assert!(unknown.is_err_and(|error| error.contains("certificate")), "of an authority that nobody named");
    // Linux takes it for the same machine; the certificate does not.
    let other = opens("0.0.0.0", &ours).await;
    assert!(other.is_err_and(|error| error.contains("certificate")), "for another name");
}

#[tokio::test(flavor = "multi_thread")]
async fn trace_is_no_method_of_any_route() {
    let app = TestApp::start(Database::Sqlite).await;
    for path in ["/", "/api/auth/login/", "/api/nonsense/", "/healthz", "/media/avatars/x.jpg", "/api/docs"] {
        let answer = app.send(app.request(Method::TRACE, path).header("x-secret", "repeated")).await;
        assert!(matches!(answer.status, 404 | 405), "{path}: {}", answer.status);
        assert!(!answer.body.to_string().contains("repeated"), "{path}");
    }
    app.stop().await;
}
