//! Holes that only encryption, or a server elsewhere, can have.

use super::fixture::{Hole, Server, found, mapping, serve};
use portcullis_probe::{Limits, Options, Report, Target, run};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

const CERTIFICATE: &[u8] = include_bytes!("../../../tests/fixtures/localhost.pem");
const KEY: &[u8] = include_bytes!("../../../tests/fixtures/localhost.key");
/// Within the certificate's years.
const TODAY: Duration = Duration::from_secs(1_800_000_000);
/// 2126-10-31T07:26:46Z.
const END: Duration = Duration::from_secs(4_949_105_206);
const DAY: Duration = Duration::from_secs(86_400);

struct Secured {
    url: String,
    plain: Option<String>,
    now: Duration,
    limits: Limits,
    /// Whether an old greeting is left without an answer.
    is_silent: Arc<AtomicBool>,
}

impl Secured {
    async fn start(hole: Hole, versions: &[&'static SupportedProtocolVersion], speaks_old: bool) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config(versions)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let is_silent = Arc::new(AtomicBool::new(false));
        let silent = is_silent.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, silent) = (acceptor.clone(), silent.clone());
                tokio::spawn(async move {
                    if speaks_old && asks_for_old(&stream).await {
                        if silent.load(Ordering::Relaxed) {
                            tokio::time::sleep(Duration::from_secs(60)).await;
                        }
                        return greet(stream).await;
                    }
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, hole).await;
                    }
                });
            }
        });
        Self { url, plain: None, now: TODAY, limits: Limits::PASSIVE, is_silent }
    }

    async fn usual(hole: Hole) -> Self {
        Self::start(hole, rustls::DEFAULT_VERSIONS, false).await
    }

    async fn probe(self) -> Report {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(CERTIFICATE).unwrap()).unwrap();
        let mut options = Options::new(Target::parse(&self.url, None).unwrap(), mapping());
        (options.roots, options.now, options.plain) = (Some(roots), self.now, self.plain);
        options.limits = self.limits;
        run(options).await.unwrap()
    }
}

fn config(versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::from_pem_slice(KEY).unwrap())
        .unwrap()
}

/// Record head of 5 bytes, handshake head of 4, then the highest version that the client speaks.
async fn asks_for_old(stream: &TcpStream) -> bool {
    let mut head = [0; 11];
    while stream.peek(&mut head).await.is_ok_and(|length| length < head.len()) {
        tokio::task::yield_now().await;
    }
    head[9] == 3 && head[10] < 3
}

/// A ServerHello of TLS 1.0, as far as its version.
async fn greet(mut stream: TcpStream) {
    let _ = stream.write_all(&[22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1]).await;
    let _ = stream.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_well_kept_https_server_passes_every_probe() {
    let redirecting = Server::start(|call, reply| {
        reply.status = 308;
        reply.set("location", &format!("https://127.0.0.1{}", call.path));
    })
    .await;
    let mut server = Secured::usual(|_, _| {}).await;
    server.plain = Some(redirecting.url);
    let report = server.probe().await;
    assert_eq!(found(&report), [""; 0]);
    for id in ["transport.encrypted", "transport.plain", "headers.hsts", "cookies.secure"] {
        assert!(report.ended(portcullis_probe::Status::Passed).any(|item| item.id == id), "{id}");
    }
    let tls = report.items.iter().filter(|item| item.id.starts_with("tls."));
    assert!(
        tls.clone().count() == 4 && tls.clone().all(|item| item.status == portcullis_probe::Status::Passed)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lets_browsers_come_back_by_http_is_found() {
    let holes: [(&str, Hole); 3] = [
        ("headers.hsts", |_, reply| {
            reply.set("strict-transport-security", "max-age=3600; includeSubDomains")
        }),
        ("headers.hsts", |_, reply| reply.unset("strict-transport-security")),
        ("cookies.secure", |_, reply| {
            if reply.is_page() {
                reply.set("set-cookie", "session=1; HttpOnly; SameSite=Lax");
            }
        }),
    ];
    for (id, hole) in holes {
        assert_eq!(found(&Secured::usual(hole).await.probe().await), [id]);
    }
    let plain = Server::start(|_, _| {}).await;
    let server = Secured { plain: Some(plain.url), ..Secured::usual(|_, _| {}).await };
    assert_eq!(found(&server.probe().await), ["transport.plain"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_versions_and_old_certificates_are_found() {
    let old = Secured::start(|_, _| {}, rustls::DEFAULT_VERSIONS, true).await;
    assert_eq!(found(&old.probe().await), ["tls.old"]);
    let only_12 = Secured::start(|_, _| {}, &[&rustls::version::TLS12], false).await;
    assert_eq!(found(&only_12.probe().await), ["tls.newest"]);
    for (now, id) in [(END - 5 * DAY, "tls.expiry"), (END + DAY, "tls.certificate")] {
        let server = Secured { now, ..Secured::usual(|_, _| {}).await };
        assert_eq!(found(&server.probe().await), [id]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_greeting_that_nobody_answers_tells_nothing() {
    let mut server = Secured::start(|_, _| {}, rustls::DEFAULT_VERSIONS, true).await;
    server.is_silent.store(true, Ordering::Relaxed);
    server.limits.call = Duration::from_millis(700);
    let report = server.probe().await;
    assert_eq!(found(&report), [""; 0]);
    let old = report.items.iter().find(|item| item.id == "tls.old").unwrap();
    assert!(old.status == portcullis_probe::Status::Skipped && old.seen.contains("too long"), "{}", old.seen);
}

/// 0.0.0.0 leads to this machine, but nothing that asks for loopback knows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_fine_on_this_machine_is_found_elsewhere() {
    let server = Server::start(|call, reply| {
        if call.header("origin") == "http://localhost:3000" {
            reply.set("access-control-allow-origin", "http://localhost:3000");
        }
        if call.path == "/metrics" {
            (reply.status, reply.body) = (200, "# TYPE calls counter\ncalls 1\n".to_owned());
        }
    })
    .await;
    let url = server.url.replace("127.0.0.1", "0.0.0.0");
    let report = |mapping| run(Options::new(Target::parse(&url, Some("0.0.0.0")).unwrap(), mapping));
    let expected = ["transport.encrypted", "cors.localhost", "disclosure.monitoring"];
    assert_eq!(found(&report(mapping()).await.unwrap()), expected);
    assert_eq!(found(&server.probe().await), [""; 0], "the same, asked on this machine");

    let sound = Server::start(|_, _| {}).await.url.replace("127.0.0.1", "0.0.0.0");
    let elsewhere = Options::new(Target::parse(&sound, Some("0.0.0.0")).unwrap(), mapping());
    assert_eq!(found(&run(elsewhere).await.unwrap()), ["transport.encrypted"]);
}
