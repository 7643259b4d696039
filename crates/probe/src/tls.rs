//! Handshakes, with whatever certificate the other side shows.

use crate::target::Target;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme, SupportedProtocolVersion};
use sha2::{Digest, Sha256};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A client that takes every certificate, for calls whose point is elsewhere.
pub(crate) fn any_certificate() -> ClientConfig {
    config(rustls::DEFAULT_VERSIONS)
}

/// Connects to the target with one of these versions.
pub(crate) async fn connect(
    target: &Target,
    versions: &[&'static SupportedProtocolVersion],
) -> io::Result<TlsStream<TcpStream>> {
    let name = server_name(target)?;
    TlsConnector::from(Arc::new(config(versions))).connect(name, open(target).await?).await
}

/// What was agreed on, and which certificate was shown.
pub(crate) async fn describe(target: &Target) -> io::Result<String> {
    let stream = connect(target, rustls::DEFAULT_VERSIONS).await?;
    let session = stream.get_ref().1;
    let version =
        session.protocol_version().and_then(|version| version.as_str().map(|name| name.replace('_', ".")));
    let suite = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    let chain = session.peer_certificates().unwrap_or_default();
    let print = chain
        .first()
        .map(|own| Sha256::digest(own.as_ref()).iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    Ok(format!(
        "{}, {}, {} certificates, SHA-256 of the first {}",
        version.unwrap_or_default(),
        suite.unwrap_or_default(),
        chain.len(),
        print.unwrap_or_default()
    ))
}

/// Opens a connection without TLS.
pub(crate) async fn open(target: &Target) -> io::Result<TcpStream> {
    TcpStream::connect((target.host().trim_matches(['[', ']']), target.port())).await
}

/// Whether a chain, the server's own certificate first, is good for the target at a time.
pub(crate) fn judge(
    target: &Target,
    chain: &[CertificateDer<'static>],
    roots: &Arc<RootCertStore>,
    at: Duration,
) -> Result<(), String> {
    let [own, others @ ..] = chain else { return Err("the server shows no certificate".to_owned()) };
    let name = server_name(target).map_err(|error| error.to_string())?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), provider())
        .build()
        .map_err(|error| error.to_string())?;
    let time = UnixTime::since_unix_epoch(at);
    verifier.verify_server_cert(own, others, &name, &[], time).map(|_| ()).map_err(|error| said(&error))
}

/// An error in words: rustls writes some as they are in its code.
fn said(error: &Error) -> String {
    let text = error.to_string();
    if text.contains("CaUsedAsEndEntity") {
        "it is an authority's own, not a server's".to_owned()
    } else {
        text
    }
}

/// The certificates that this machine trusts.
pub(crate) fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn server_name(target: &Target) -> io::Result<ServerName<'static>> {
    ServerName::try_from(target.host().trim_matches(['[', ']']).to_owned()).map_err(io::Error::other)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

#[allow(clippy::expect_used, reason = "the versions are rustls's own, and ring serves them all")]
fn config(versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    let provider = provider();
    let anyone = Anyone(provider.signature_verification_algorithms);
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("ring serves every version of rustls")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(anyone))
        .with_no_client_auth()
}

/// Takes every certificate, but wants the handshake to be signed with its key.
#[derive(Debug)]
struct Anyone(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
