//! The way between browser and server: https, proxies, origins (guide §10, §15).

use super::judge::{Rule, Scene, Verdict, error, note, ok, warning};
use super::report::Item;
use crate::config::{Profile, WebUrl};
use crate::serve;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpSocket;
use x509_cert::Certificate;
use x509_cert::der::Decode;

const PUBLIC_URL: Rule = Rule::new("deploy.public_url", &["v5.0.0-12.2.1", "v5.0.0-3.3.1"], "§15")
    .of(&["SERVER__PUBLIC_URL", "ACCOUNTS__LINKS_URL"]);
const TLS: Rule = Rule::new("deploy.tls", &["v5.0.0-12.2.1", "v5.0.0-12.2.2"], "§17 HTTPS").of(&[
    "SERVER__TLS_CERT",
    "SERVER__TLS_KEY",
    "SERVER__TRUSTED_PROXIES",
]);
const PROXIES: Rule =
    Rule::new("deploy.proxies", &["v5.0.0-4.1.3"], "§15").of(&["SERVER__TRUSTED_PROXIES", "SERVER__LISTEN"]);
const LISTEN: Rule = Rule::new("deploy.listen", &[], "§15").of(&["SERVER__LISTEN"]);
const HSTS: Rule =
    Rule::new("deploy.hsts", &["v5.0.0-3.4.1"], "§15").of(&["SERVER__HSTS_SECONDS", "PROFILE"]);
const CORS: Rule =
    Rule::new("deploy.cors", &["v5.0.0-3.4.2"], "§10").of(&["CORS__ALLOWED_ORIGINS", "PROFILE"]);
const HEADERS: Rule = Rule::new("deploy.headers", &["v5.0.0-3.4.3", "v5.0.0-3.4.6"], "§15, §17 Headers");
const COOKIES: Rule = Rule::new("deploy.cookies", &["v5.0.0-3.3.1", "v5.0.0-3.3.4"], "§14, §17 HTTPS")
    .of(&["ACCOUNTS__COOKIE_MODE", "SERVER__PUBLIC_URL"]);
const YEAR: u32 = 31_536_000;
const SOON: Duration = Duration::from_secs(14 * 86_400);

pub(super) fn judge(scene: &Scene) -> Vec<Item> {
    vec![
        PUBLIC_URL.judged(public_url(scene)),
        TLS.judged(tls(scene)),
        PROXIES.judged(proxies(scene)),
        LISTEN.judged(listen(scene)),
        HSTS.judged(hsts(scene)),
        CORS.judged(cors(scene)),
        HEADERS.judged(ok("Every answer carries a CSP without unsafe-inline and the other headers; no setting removes them.")),
        COOKIES.judged(cookies(scene)),
    ]
}

fn public_url(scene: &Scene) -> Verdict {
    let (url, links) = (&scene.config.server.public_url, &scene.config.accounts.links_url);
    let example = "PORTCULLIS_SERVER__PUBLIC_URL=https://accounts.example.org";
    if !url.is_https() {
        return error(
            format!("The public URL is {url}: passwords and tokens cross the network readable."),
            example,
        );
    }
    if !links.is_https() {
        return error(
            format!("Links in mails begin with {links}, and carry tokens."),
            "PORTCULLIS_ACCOUNTS__LINKS_URL=https://…",
        );
    }
    if !url.path().is_empty() {
        return error(format!("The public URL {url} has a path."), example);
    }
    if is_local(url.host()) {
        return warning(format!("The public URL is {url}: nobody else can follow a link to it."), example);
    }
    ok(format!("The public URL is {url}."))
}

fn is_local(host: &str) -> bool {
    host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn tls(scene: &Scene) -> Verdict {
    let server = &scene.config.server;
    let Some(path) = server.tls_cert.as_ref().filter(|_| server.has_own_tls()) else {
        return match (
            server.tls_cert.is_some() || server.tls_key.is_some(),
            server.trusted_proxies.is_empty(),
        ) {
            (true, _) => error(
                "A certificate and its key go together, and one is missing.",
                "set PORTCULLIS_SERVER__TLS_CERT and PORTCULLIS_SERVER__TLS_KEY.",
            ),
            (false, true) => error(
                "Nothing encrypts: there is no certificate here and no proxy is named.",
                "set PORTCULLIS_SERVER__TLS_CERT and PORTCULLIS_SERVER__TLS_KEY, or PORTCULLIS_SERVER__TRUSTED_PROXIES.",
            ),
            (false, false) => {
                note("The proxy in front encrypts; `portcullis check --url` looks at its certificate.")
            }
        };
    };
    if let Err(problem) = serve::tls(server) {
        return error(
            format!("The certificate is of no use: {problem}."),
            "put the chain and its key there, in PEM.",
        );
    }
    match (last_second(path), i64::try_from(SOON.as_secs())) {
        (Some(end), Ok(soon)) => judge_end(end - scene.now.seconds(), soon),
        _ => warning(
            format!("When {} ends cannot be read.", path.display()),
            "put an X.509 certificate there, in PEM.",
        ),
    }
}

fn judge_end(left: i64, soon: i64) -> Verdict {
    let days = left / 86_400;
    if left <= 0 {
        return error(format!("The certificate ended {} days ago.", -days), "renew it.");
    }
    if left < soon {
        return warning(
            format!("The certificate ends in {days} days."),
            "renew it, and see why nothing has.",
        );
    }
    ok(format!("The certificate is good for {days} days more."))
}

/// The end of the first certificate of a file, in seconds since 1970.
fn last_second(path: &Path) -> Option<i64> {
    let first = CertificateDer::pem_file_iter(path).ok()?.next()?.ok()?;
    let certificate = Certificate::from_der(&first).ok()?;
    i64::try_from(certificate.tbs_certificate.validity.not_after.to_unix_duration().as_secs()).ok()
}

fn proxies(scene: &Scene) -> Verdict {
    let server = &scene.config.server;
    if server.trusts_everybody() {
        return error(
            "Anybody is a trusted proxy, and may pretend to call from any address: no throttle holds.",
            "PORTCULLIS_SERVER__TRUSTED_PROXIES=10.0.0.5/32, the proxy's own address.",
        );
    }
    let is_wide =
        |network: &&ipnet::IpNet| network.prefix_len() < if network.addr().is_ipv4() { 16 } else { 48 };
    if let Some(network) = server.trusted_proxies.iter().find(is_wide) {
        return warning(
            format!("All of {network} may speak for others: each machine in it can forge addresses."),
            "name the proxies' own addresses in PORTCULLIS_SERVER__TRUSTED_PROXIES.",
        );
    }
    if server.trusted_proxies.is_empty() {
        return match server.has_own_tls() {
            true => ok("No proxy is trusted, and the server speaks TLS itself."),
            false => error(
                "The server has neither a proxy nor TLS of its own.",
                "PORTCULLIS_SERVER__TRUSTED_PROXIES=127.0.0.1/32 for a proxy on this machine.",
            ),
        };
    }
    ok(format!("{} networks are trusted proxies.", server.trusted_proxies.len()))
}

/// Takes the address for a moment, without listening: a server that runs has it already.
fn listen(scene: &Scene) -> Verdict {
    let address = scene.config.server.listen;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let bound = socket.and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(address)
    });
    match bound {
        Err(cause) if cause.kind() != ErrorKind::AddrInUse => error(
            format!("The server cannot listen on {address}: {cause}."),
            "PORTCULLIS_SERVER__LISTEN=127.0.0.1:8000, or another address of this machine and a port above 1023.",
        ),
        _ => ok(format!("The server can listen on {address}.")),
    }
}

fn hsts(scene: &Scene) -> Verdict {
    let seconds = scene.config.server.hsts_seconds;
    let mend = format!("PORTCULLIS_SERVER__HSTS_SECONDS={YEAR}");
    if scene.config.profile == Profile::Development {
        return error("No HSTS is sent in the development profile.", "PORTCULLIS_PROFILE=production");
    }
    match seconds {
        0 => error("HSTS is off: a browser's first call may go out unencrypted each time.", mend),
        1..YEAR => warning(format!("HSTS lasts {seconds} s; a year is asked for."), mend),
        _ => ok("HSTS lasts a year or more, with subdomains."),
    }
}

fn cors(scene: &Scene) -> Verdict {
    let origins = &scene.config.cors.allowed_origins;
    if origins.iter().any(|origin| origin.contains('*')) {
        return error(
            "CORS has a wildcard: any site could act for its visitors.",
            "list the exact origins in PORTCULLIS_CORS__ALLOWED_ORIGINS.",
        );
    }
    if origins.iter().any(|origin| WebUrl::parse(origin).is_none_or(|url| !url.path().is_empty())) {
        return error(
            "An allowed origin is none.",
            "write scheme, host and port as in https://app.example.org in PORTCULLIS_CORS__ALLOWED_ORIGINS.",
        );
    }
    let weak = origins.iter().filter(|origin| WebUrl::parse(origin).is_none_or(|url| !url.is_https()));
    let weak: Vec<&str> = weak.map(String::as_str).collect();
    if !weak.is_empty() {
        let is_development = scene.config.profile == Profile::Development;
        let mend =
            if is_development { "PORTCULLIS_PROFILE=production" } else { "write their https:// origins." };
        return error(format!("Origins without https may call with credentials: {}.", weak.join(", ")), mend);
    }
    ok(match origins.len() {
        0 => "No other origin may call.".to_owned(),
        count => format!("{count} exact https origins may call."),
    })
}

fn cookies(scene: &Scene) -> Verdict {
    match scene.config.server.public_url.is_https() {
        true => ok("Cookies are Secure, HttpOnly where no script needs them, and bound to this host."),
        false => error(
            "Cookies are not Secure, since the public URL is http.",
            "PORTCULLIS_SERVER__PUBLIC_URL=https://…",
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::report::Level;
    use super::*;

    #[test]
    fn a_certificate_is_told_before_it_ends() {
        let level = |days: i64| TLS.judged(judge_end(days * 86_400, 14 * 86_400)).level;
        assert_eq!(
            [level(-3), level(0), level(13), level(14)],
            [Level::Error, Level::Error, Level::Warning, Level::Ok]
        );
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/localhost.pem");
        assert!(last_second(&fixture).is_some_and(|end| end > 1_700_000_000));
        assert_eq!(last_second(Path::new("/nowhere")), None);
    }
}
