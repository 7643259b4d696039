//! The certificate, where the server itself speaks TLS (guide §17).

use super::judge::{Rule, Scene, Verdict, error, note, ok, warning};
use crate::config::Server;
use crate::serve;
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use std::path::Path;
use x509_cert::Certificate;
use x509_cert::der::Decode;

pub(super) const TLS: Rule = Rule::new("deploy.tls", &["v5.0.0-12.2.1", "v5.0.0-12.2.2"], "§17 HTTPS").of(&[
    "SERVER__TLS_CERT",
    "SERVER__TLS_KEY",
    "SERVER__TRUSTED_PROXIES",
]);
const DAY: i64 = 86_400;
const SOON: i64 = 14 * DAY;

pub(super) fn judge(scene: &Scene) -> Verdict {
    let server = &scene.config.server;
    match (&server.tls_cert, &server.tls_key) {
        (Some(path), Some(_)) => own(server, path, scene.now.seconds()),
        (None, None) if server.trusted_proxies.is_empty() => error(
            "Nothing encrypts: there is no certificate here and no proxy is named.",
            "set PORTCULLIS_SERVER__TLS_CERT and PORTCULLIS_SERVER__TLS_KEY, or PORTCULLIS_SERVER__TRUSTED_PROXIES.",
        ),
        (None, None) => {
            note("The proxy in front encrypts; `portcullis check --url` looks at its certificate.")
        }
        _ => error(
            "A certificate and its key go together, and one is missing.",
            "set PORTCULLIS_SERVER__TLS_CERT and PORTCULLIS_SERVER__TLS_KEY.",
        ),
    }
}

fn own(server: &Server, path: &Path, now: i64) -> Verdict {
    if let Err(problem) = serve::tls(server) {
        return error(
            format!("The certificate is of no use: {problem}."),
            "put the chain and its key there, in PEM.",
        );
    }
    let host = server.public_url.host();
    if !is_for(path, host) {
        return error(
            format!("The certificate is not for {host}, the host of the public URL."),
            "put one there that names it.",
        );
    }
    let Some(chain) = Chain::read(path) else {
        return warning(
            format!("When {} ends cannot be read.", path.display()),
            "put X.509 certificates there, in PEM.",
        );
    };
    chain.judge(now)
}

/// Whether the first certificate of a file names a host.
fn is_for(path: &Path, host: &str) -> bool {
    let first = CertificateDer::pem_file_iter(path).ok().and_then(|mut chain| chain.next()?.ok());
    let name = ServerName::try_from(host.trim_matches(['[', ']']));
    let (Some(first), Ok(name)) = (first, name) else { return false };
    ParsedCertificate::try_from(&first).is_ok_and(|parsed| verify_server_name(&parsed, &name).is_ok())
}

/// When all certificates of a file are good, in seconds since 1970.
struct Chain {
    begins: i64,
    ends: i64,
    /// By its own key: no browser knows it.
    is_self_signed: bool,
}

impl Chain {
    fn read(path: &Path) -> Option<Self> {
        let ders = CertificateDer::pem_file_iter(path).ok()?;
        let chain: Option<Vec<Certificate>> =
            ders.map(|der| Certificate::from_der(&der.ok()?).ok()).collect();
        let chain: Vec<_> = chain?.into_iter().map(|certificate| certificate.tbs_certificate).collect();
        let seconds = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).ok();
        Some(Self {
            begins: chain.iter().filter_map(|one| seconds(one.validity.not_before)).max()?,
            ends: chain.iter().filter_map(|one| seconds(one.validity.not_after)).min()?,
            is_self_signed: chain.first().is_some_and(|one| one.issuer == one.subject),
        })
    }

    fn judge(&self, now: i64) -> Verdict {
        let days = |seconds: i64| seconds / DAY;
        match self.ends - now {
            _ if self.begins > now => error(
                format!("The certificate is not good for {} days yet.", days(self.begins - now)),
                "see whether the clock is right; else put an older one there.",
            ),
            ..=0 => error(
                format!("The certificate, or one of its chain, ended {} days ago.", days(now - self.ends)),
                "renew it.",
            ),
            _ if self.is_self_signed => warning(
                "The certificate is signed by itself: browsers warn of it.",
                "have an authority make one, as Let's Encrypt does.",
            ),
            left @ ..SOON => warning(
                format!("The certificate, or one of its chain, ends in {} days.", days(left)),
                "renew it, and see why nothing has.",
            ),
            left => ok(format!("The certificate is good for {} days more.", days(left))),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::report::Level;
    use super::*;
    use crate::config::{Config, WebUrl};

    fn fixture(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
    }

    #[test]
    fn a_certificate_is_told_before_it_ends() {
        let level = |begins: i64, ends: i64, is_self_signed: bool| {
            TLS.judged(Chain { begins: begins * DAY, ends: ends * DAY, is_self_signed }.judge(0)).level
        };
        for (begins, ends, is_self_signed, expected) in [
            (-90, -3, false, Level::Error),
            (-90, 0, false, Level::Error),
            (1, 90, false, Level::Error),
            (-90, 13, false, Level::Warning),
            (-90, 90, true, Level::Warning),
            (-90, 14, false, Level::Ok),
        ] {
            assert_eq!(level(begins, ends, is_self_signed), expected, "{begins} {ends} {is_self_signed}");
        }
        assert!(Chain::read(&fixture("localhost.pem")).is_some_and(|chain| chain.ends > 1_700_000_000));
        assert!(Chain::read(Path::new("/nowhere")).is_none());
    }

    #[test]
    fn the_end_of_a_chain_is_that_of_its_first_to_end() {
        let folder = tempfile::tempdir().unwrap();
        let both = folder.path().join("chain.pem");
        let read = |name: &str| std::fs::read_to_string(fixture(name)).unwrap();
        std::fs::write(&both, read("localhost.pem") + &read("shorter.pem")).unwrap();
        let (one, other, chain) = (fixture("localhost.pem"), fixture("shorter.pem"), both);
        let [one, other, chain] = [one, other, chain].map(|path| Chain::read(&path).unwrap());
        assert!(other.ends < one.ends && chain.ends == other.ends);
    }

    #[test]
    fn a_certificate_is_for_the_public_urls_host() {
        let mut server = Config::development(Path::new("data")).server;
        server.tls_cert = Some(fixture("localhost.pem"));
        server.tls_key = Some(fixture("localhost.key"));
        let mut seen = |url: &str| {
            server.public_url = WebUrl::parse(url).unwrap();
            TLS.judged(own(&server, &fixture("localhost.pem"), 1_800_000_000)).seen
        };
        assert!(seen("https://accounts.example.org").contains("not for accounts.example.org"));
        assert!(!seen("https://localhost").contains("not for"));
    }
}
