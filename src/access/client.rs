//! Where a call comes from.

use crate::mail::AskedBy;
use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use portcullis_security::client_ip;
use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

const MAX_USER_AGENT: usize = 255;

/// The address of a caller and the id of the request, put there by the edge.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The right-most hop that is not one of our proxies.
    pub ip: IpAddr,
    /// The request's name in the log.
    pub request_id: RequestId,
}

/// A random name for one request, 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// What sessions, mails and the audit keep of a caller: a network and a device, never an address.
#[derive(Clone, Debug)]
pub struct Client {
    /// The network, e.g. `192.0.2.0/24`.
    pub ip_prefix: String,
    /// The User-Agent, cut to 255 characters, without control characters.
    pub user_agent: String,
    /// What a person would call it: "Firefox on Linux".
    pub device: String,
    /// The request's id.
    pub request_id: String,
}

impl Client {
    /// The server itself, for what no caller caused.
    pub fn system() -> Self {
        Self {
            ip_prefix: String::new(),
            user_agent: String::new(),
            device: "command line".to_owned(),
            request_id: String::new(),
        }
    }

    /// A caller of whom only the address counts.
    pub fn unnamed(origin: Origin) -> Self {
        Self {
            ip_prefix: client_ip::prefix(origin.ip),
            user_agent: String::new(),
            device: String::new(),
            request_id: origin.request_id.to_string(),
        }
    }
}

impl From<Client> for AskedBy {
    fn from(client: Client) -> Self {
        let Client { ip_prefix, device, request_id, .. } = client;
        Self { ip_prefix, device, request_id }
    }
}

impl From<AskedBy> for Client {
    fn from(by: AskedBy) -> Self {
        let AskedBy { ip_prefix, device, request_id } = by;
        Self { ip_prefix, user_agent: String::new(), device, request_id }
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let unknown = Origin { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), request_id: RequestId(0) };
        let origin = parts.extensions.get::<Origin>().copied().unwrap_or(unknown);
        let raw = parts.headers.get(header::USER_AGENT).map(header::HeaderValue::as_bytes);
        let user_agent = clean(&String::from_utf8_lossy(raw.unwrap_or_default()));
        Ok(Self {
            ip_prefix: client_ip::prefix(origin.ip),
            device: describe_device(&user_agent),
            user_agent,
            request_id: origin.request_id.to_string(),
        })
    }
}

fn clean(user_agent: &str) -> String {
    user_agent.chars().filter(|character| !character.is_control()).take(MAX_USER_AGENT).collect()
}

/// A User-Agent in a person's words. Order matters: every browser also claims to be an older one.
pub fn describe_device(user_agent: &str) -> String {
    const BROWSERS: [(&str, &str); 9] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox", "Firefox"),
        ("FxiOS", "Firefox"),
        ("CriOS", "Chrome"),
        ("Chromium", "Chromium"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "Mac"),
        ("Linux", "Linux"),
    ];
    let find = |table: &[(&str, &'static str)]| {
        table.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("An app on {system}"),
        (None, None) => first_product(user_agent),
    }
}

fn first_product(user_agent: &str) -> String {
    let product = user_agent.split(['/', ' ']).next().unwrap_or_default();
    if product.is_empty() { "Unknown device".to_owned() } else { product.chars().take(40).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_as_a_person_would() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        assert_eq!(describe_device(firefox), "Firefox on Linux");
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0";
        assert_eq!(describe_device(edge), "Edge on Windows");
        assert_eq!(describe_device("curl/8.5.0"), "curl");
        assert_eq!(describe_device(""), "Unknown device");
    }
}
