//! The development mailbox at `/dev/mail/`: the mails that went to a folder, to be read and clicked.
//!
//! Whoever reads it takes over accounts, so it is mounted in the development profile alone, when mails go
//! to a folder, and answers nobody but a program on this machine that names this machine: a loopback peer,
//! a loopback `Host` (which keeps out a page that rebinds its name to 127.0.0.1) and no forwarding header
//! (which keeps out what a proxy on this machine lets in). Everybody else gets 404.

mod eml;
mod pages;

use crate::config::is_this_machine;
use crate::error::{Error, Result};
use axum::extract::{FromRequestParts, Path as PathParameter, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use eml::Parsed;
use pages::Pages;
use portcullis_security::client_ip::has_forwarded;
use serde::Serialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Only the newest are listed.
const LISTED: usize = 200;
/// Nothing that we write is longer.
const LARGEST: u64 = 1024 * 1024;

/// What a list says about a mail.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// The file's name without `.eml`.
    pub id: String,
    /// The recipient.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// When the letter was caused, RFC 3339 in UTC; nothing for a file that we did not write.
    pub date: Option<String>,
    /// The page that the letter asks to open.
    pub link: Option<String>,
}

#[derive(Serialize)]
struct Listing {
    results: Vec<Summary>,
}

/// The name of a file of ours: no path can be made of it.
struct MailId(String);

struct Mailbox {
    folder: PathBuf,
    pages: Pages,
}

/// The routes below `/dev/mail/`, closed to everything but this machine.
///
/// The peer is read from a [`SocketAddr`] in the request's extensions; without one every answer is 404.
///
/// # Errors
/// [`Error::Internal`] when a built-in page is broken.
pub fn router<S: Clone + Send + Sync + 'static>(folder: &Path) -> Result<Router<S>> {
    let mailbox = Arc::new(Mailbox { folder: folder.to_owned(), pages: Pages::load()? });
    let routes = Router::new()
        .route("/dev/mail", get(list))
        .route("/dev/mail/", get(list))
        .route("/dev/mail/style.css", get(style))
        .route("/dev/mail/script.js", get(script))
        .route("/dev/mail/messages", get(messages))
        .route("/dev/mail/messages/", get(messages))
        .route("/dev/mail/{id}", get(show))
        .route("/dev/mail/{id}/", get(show))
        .route("/dev/mail/{id}/html", get(html))
        .route("/dev/mail/{id}/text", get(text))
        .route("/dev/mail/{id}/source", get(source))
        .layer(middleware::from_fn(local_only))
        .with_state(mailbox);
    Ok(routes)
}

/// The newest mails, newest first.
///
/// # Errors
/// [`Error::Internal`] when the folder cannot be read.
pub async fn summaries(folder: &Path) -> Result<Vec<Summary>> {
    let folder = folder.to_owned();
    blocking(move || {
        let ids = ids(&folder)?;
        Ok(ids.into_iter().filter_map(|id| summary(&folder, id)).collect())
    })
    .await
}

async fn list(State(mailbox): State<Arc<Mailbox>>) -> Result<Response> {
    let mails = summaries(&mailbox.folder).await?;
    Ok(page(mailbox.pages.list(&mails)?))
}

async fn messages(State(mailbox): State<Arc<Mailbox>>) -> Result<Json<Listing>> {
    Ok(Json(Listing { results: summaries(&mailbox.folder).await? }))
}

async fn show(State(mailbox): State<Arc<Mailbox>>, id: MailId) -> Result<Response> {
    let mail = Parsed::read(&file(&mailbox, &id).await?);
    Ok(page(mailbox.pages.mail(&id.0, &mail)?))
}

/// Links open in the whole window, since our pages refuse to be framed. No script runs: the policy has no
/// source for one, and the frame around is sandboxed.
async fn html(State(mailbox): State<Arc<Mailbox>>, id: MailId) -> Result<Response> {
    let mail = Parsed::read(&file(&mailbox, &id).await?);
    let html = mail.html.ok_or(Error::not_found())?;
    let html = html.replacen("<head>", "<head><base target=\"_top\">", 1);
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                  form-action 'none'; frame-ancestors 'self'";
    Ok(answer("text/html; charset=utf-8", policy, html))
}

async fn text(State(mailbox): State<Arc<Mailbox>>, id: MailId) -> Result<Response> {
    let mail = Parsed::read(&file(&mailbox, &id).await?);
    let text = mail.text.ok_or(Error::not_found())?;
    Ok(answer("text/plain; charset=utf-8", "default-src 'none'; frame-ancestors 'none'", text))
}

async fn source(State(mailbox): State<Arc<Mailbox>>, id: MailId) -> Result<Response> {
    let source = file(&mailbox, &id).await?;
    Ok(answer("text/plain; charset=utf-8", "default-src 'none'; frame-ancestors 'none'", source))
}

async fn style() -> Response {
    answer("text/css; charset=utf-8", "default-src 'none'", include_str!("style.css"))
}

async fn script() -> Response {
    answer("text/javascript; charset=utf-8", "default-src 'none'", include_str!("script.js"))
}

fn page(html: String) -> Response {
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; \
                  img-src 'self' data: https:; base-uri 'none'; \
                  form-action 'none'; frame-ancestors 'none'";
    answer("text/html; charset=utf-8", policy, html)
}

fn answer(content_type: &'static str, policy: &'static str, body: impl Into<axum::body::Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (headers, body.into()).into_response()
}

async fn local_only(request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<SocketAddr>();
    let local = peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback())
        && names_this_machine(request.headers(), request.uri())
        && !has_forwarded(request.headers());
    if !local {
        return Error::not_found().into_response();
    }
    let mut response = next.run(request).await;
    // Tokens are in here, also in what an error says about a path.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Exactly one `Host` (or the authority of HTTP/2), and it is `localhost` or a loopback address.
fn names_this_machine(headers: &HeaderMap, uri: &Uri) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        (None, None) => uri.authority().map(axum::http::uri::Authority::as_str),
        _ => None,
    };
    let authority = host.and_then(|host| host.parse::<axum::http::uri::Authority>().ok());
    let Some(authority) = authority.filter(|authority| !authority.as_str().contains('@')) else {
        return false;
    };
    is_this_machine(authority.host())
}

/// The ids of the newest mails, newest first.
fn ids(folder: &Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::internal(format_args!("cannot read the mail folder: {error}"))),
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut ids: Vec<String> = names
        .filter_map(|name| name.strip_suffix(".eml").map(str::to_owned))
        .filter(|id| is_id(id))
        .collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.truncate(LISTED);
    Ok(ids)
}

impl<S: Send + Sync> FromRequestParts<S> for MailId {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let parameter = PathParameter::<String>::from_request_parts(parts, state).await;
        let id = parameter.map_err(|_| Error::not_found())?.0;
        if is_id(&id) { Ok(Self(id)) } else { Err(Error::not_found()) }
    }
}

/// Letters, digits, `-`, `_` and single dots inside.
fn is_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=100).contains(&id.len()) && id.bytes().all(allowed) && !id.starts_with('.') && !id.contains("..")
}

fn summary(folder: &Path, id: String) -> Option<Summary> {
    let mail = Parsed::read(&read(folder, &id).ok()?);
    Some(Summary {
        to: mail.header("To").to_owned(),
        subject: mail.header("Subject").to_owned(),
        date: date(&id),
        link: mail.link().map(str::to_owned),
        id,
    })
}

/// `20260101T000000.000001Z-000000000042` was caused at 2026-01-01T00:00:00.000001Z.
fn date(id: &str) -> Option<String> {
    let (moment, _) = id.split_once('-')?;
    let digits = |range: std::ops::Range<usize>| {
        moment.get(range).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (year, month, day) = (digits(0..4)?, digits(4..6)?, digits(6..8)?);
    let (hour, minute, second) = (digits(9..11)?, digits(11..13)?, digits(13..15)?);
    let micros = digits(16..22)?;
    Some(format!("{year}-{month}-{day}T{hour}:{minute}:{second}.{micros}Z"))
}

async fn file(mailbox: &Mailbox, id: &MailId) -> Result<Vec<u8>> {
    let (folder, id) = (mailbox.folder.clone(), id.0.clone());
    blocking(move || read(&folder, &id).map_err(|_| Error::not_found())).await
}

fn read(folder: &Path, id: &str) -> std::io::Result<Vec<u8>> {
    let path = folder.join(format!("{id}.eml"));
    let metadata = std::fs::symlink_metadata(&path)?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    std::fs::read(path)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;
    use tower::ServiceExt;

    const ID: &str = "20260101T000000.000001Z-000000000042";
    const MAIL: &str = "From: Site <s@example.com>\r\nTo: ann@example.com\r\nSubject: <b>Hello\r\n\
        Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
        Click\r\n\r\nhttps://a.example/verify-email?token=T\r\n--b\r\nContent-Type: text/html\r\n\r\n\
        <html><head></head><p>Click</p></html>\r\n--b--\r\n";

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(format!("{ID}.eml")), MAIL).unwrap();
        std::fs::write(folder.path().join(".20260101.tmp"), MAIL).unwrap();
        std::fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        folder
    }

    async fn fetch(folder: &Path, path: &str, peer: &str, headers: &[(&str, &str)]) -> (StatusCode, String) {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        if !peer.is_empty() {
            request.extensions_mut().insert(peer.parse::<SocketAddr>().unwrap());
        }
        let response = router::<()>(folder).unwrap().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    const HOST: &[(&str, &str)] = &[("host", "localhost:8000")];

    #[tokio::test]
    async fn a_mail_is_listed_and_read_in_all_its_forms() {
        let folder = folder();
        let get = async |path: &str| {
            let (status, body) = fetch(folder.path(), path, "127.0.0.1:5", HOST).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            body
        };
        for path in ["/dev/mail", "/dev/mail/"] {
            let page = get(path).await;
            assert!(page.contains("&lt;b&gt;Hello") && page.contains(ID), "{page}");
            assert!(!page.contains("<script>") && !page.contains("<style"));
        }
        let listing: serde_json::Value = serde_json::from_str(&get("/dev/mail/messages/").await).unwrap();
        let expected = serde_json::json!({"results": [{
            "id": ID, "to": "ann@example.com", "subject": "<b>Hello", "date": "2026-01-01T00:00:00.000001Z",
            "link": "https://a.example/verify-email?token=T",
        }]});
        assert_eq!(listing, expected);
        let page = get(&format!("/dev/mail/{ID}/")).await;
        assert!(page.contains("href=\"https://a.example/verify-email?token=T\""), "{page}");
        assert!(page.contains("sandbox="));
        assert!(get(&format!("/dev/mail/{ID}/html")).await.contains("<base target=\"_top\">"));
        assert!(get(&format!("/dev/mail/{ID}/text")).await.starts_with("Click\n"));
        assert_eq!(get(&format!("/dev/mail/{ID}/source")).await, MAIL);
    }

    #[tokio::test]
    async fn only_a_program_on_this_machine_that_names_it_may_read() {
        let folder = folder();
        let status = async |peer: &str, headers: &[(&str, &str)]| {
            fetch(folder.path(), "/dev/mail/messages/", peer, headers).await.0
        };
        let allowed = [
            ("127.0.0.1:5", "127.0.0.1:8000"),
            ("[::1]:5", "[::1]:8000"),
            ("[::ffff:127.0.0.1]:5", "LOCALHOST"),
        ];
        for (peer, host) in allowed {
            assert_eq!(status(peer, &[("host", host)]).await, StatusCode::OK, "{peer} {host}");
        }
        let refused = [
            ("", "localhost"),
            ("192.0.2.1:5", "localhost"),
            ("127.0.0.1:5", "evil.example:8000"),
            ("127.0.0.1:5", "localhost.evil.example"),
            ("127.0.0.1:5", "a@localhost"),
            ("127.0.0.1:5", ""),
        ];
        for (peer, host) in refused {
            assert_eq!(status(peer, &[("host", host)]).await, StatusCode::NOT_FOUND, "{peer} {host}");
        }
        assert_eq!(status("127.0.0.1:5", &[]).await, StatusCode::NOT_FOUND);
        for name in ["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-real-ip", "via"] {
            let headers = [HOST[0], (name, "127.0.0.1")];
            assert_eq!(status("127.0.0.1:5", &headers).await, StatusCode::NOT_FOUND, "{name}");
        }
        assert_eq!(status("127.0.0.1:5", &[HOST[0], ("host", "evil.example")]).await, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn an_id_cannot_leave_the_folder() {
        let folder = folder();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link.eml")).unwrap();
        for id in [
            "..%2fsecret",
            "%2e%2e",
            "secret.txt",
            ".20260101",
            "link",
            "%00",
            "%ff",
            "a%2fb",
            "..",
            "no-such",
        ] {
            for part in ["", "source"] {
                let path = format!("/dev/mail/{id}/{part}");
                let (status, body) = fetch(folder.path(), &path, "127.0.0.1:5", HOST).await;
                assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {body}");
            }
        }
    }

    #[tokio::test]
    async fn a_folder_that_does_not_exist_yet_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let (status, body) = fetch(&folder.path().join("none"), "/dev/mail/", "127.0.0.1:5", HOST).await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains("No mail"), "{body}");
    }
}
