//! The way between browser and server: https, proxies, origins (guide §10, §15).

use super::certificate;
use super::judge::{Rule, Scene, Verdict, error, ok, warning};
use super::report::Item;
use crate::config::{Profile, WebUrl, is_this_machine};
use std::io::ErrorKind;
use tokio::net::TcpSocket;

const PUBLIC_URL: Rule = Rule::new("deploy.public_url", &["v5.0.0-12.2.1", "v5.0.0-3.3.1"], "§15")
    .of(&["SERVER__PUBLIC_URL", "ACCOUNTS__LINKS_URL"]);
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

pub(super) fn judge(scene: &Scene) -> Vec<Item> {
    vec![
        PUBLIC_URL.judged(public_url(scene)),
        certificate::TLS.judged(certificate::judge(scene)),
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
    if is_this_machine(url.host()) {
        return warning(format!("The public URL is {url}: nobody else can follow a link to it."), example);
    }
    ok(format!("The public URL is {url}, and links begin with {links}."))
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
    let is_here = server.trusted_proxies.iter().all(|network| network.addr().is_loopback());
    if is_here && !server.has_own_tls() && !server.listen.ip().to_canonical().is_loopback() {
        return warning(
            format!(
                "The proxy is on this machine, and {} can be reached past it, unencrypted.",
                server.listen
            ),
            "PORTCULLIS_SERVER__LISTEN=127.0.0.1:8000",
        );
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
        _ => ok(format!("HSTS lasts {} days, with subdomains.", seconds / 86_400)),
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
    let use_of = match scene.config.accounts.cookie_mode {
        true => "hold refresh tokens",
        false => "hold refresh tokens where a client asks for it",
    };
    match scene.config.server.public_url.is_https() {
        true => ok(format!(
            "Cookies {use_of}; they are Secure, HttpOnly where no script needs them, and bound to this host."
        )),
        false => error(
            "Cookies are not Secure, since the public URL is http.",
            "PORTCULLIS_SERVER__PUBLIC_URL=https://…",
        ),
    }
}
