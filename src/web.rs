//! The web app: the build of `web/`, embedded in the binary (a debug build reads it from the folder).
//!
//! Files under `/assets/` carry a hash of their content in their name and never change. The addresses of pages all
//! get the same page, which finds its way in the browser; so do others that a browser opens, with 404.

use crate::error::Error;
use crate::state::App;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use minijinja::HtmlEscape;
use portcullis_security::headers::{Nonce, page_csp};
use rust_embed::{EmbeddedFile, RustEmbed};
use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

const INDEX: &str = "index.html";
/// Where the build wants this answer's nonce.
const NONCE: &str = "__NONCE__";
const SITE_NAME: &str = "__SITE_NAME__";
/// How many seconds a closed account can be had back.
const DELETION_GRACE: &str = "__DELETION_GRACE__";
/// Whether there are books, reviews and people here, `true` or `false`.
const COMMUNITY: &str = "__COMMUNITY__";
/// The policies of `web/src` by which text becomes markup, or the address of a worker.
const TRUSTED_TYPES: &str = "dompurify strength-worker";
/// How the addresses of pages begin (`web/src/app/`), beside `/`.
const PAGES: [&str; 15] = [
    "account",
    "books",
    "check-mail",
    "confirm-email",
    "follow-requests",
    "forgot-password",
    "home",
    "people",
    "reset-password",
    "rooms",
    "search",
    "settings",
    "sign-in",
    "sign-up",
    "verify-email",
];
/// Where the pages of people are, by their usernames.
const PEOPLE: &str = "/people/";
/// What a program asks for: never answered with a page.
const NO_PAGES: [&str; 4] = ["/api/", "/dev/", "/ws/", "/.well-known/"];

#[derive(RustEmbed)]
#[folder = "web/dist/"]
#[allow_missing = true]
struct Build;

/// Answers what no route does: a file, the page, or 404.
pub async fn fallback(State(app): State<Arc<App>>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Error::not_found().into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    // A build has no hidden files but its own notes.
    if path != INDEX
        && !path.starts_with('.')
        && let Some(found) = find(path, request.headers())
    {
        return send(path, found, request.headers());
    }
    let Some(status) = page_status(request.uri(), request.headers()) else {
        return Error::not_found().into_response();
    };
    match Build::get(INDEX) {
        Some(index) => (status, index_page(&app, &index.data)).into_response(),
        None => not_built(),
    }
}

/// With which status an address is answered with the page, if it is. Whoever follows the link of a mail gets a page,
/// also a program that scans it; of an address that is none, a browser alone gets the page, which says so.
fn page_status(uri: &Uri, headers: &HeaderMap) -> Option<StatusCode> {
    let path = format!("{}/", uri.path());
    // No page has a tilde, which ends the names of editors' copies. The names of people may hold a dot.
    let is_file = |name: &str| name.contains('~') || (name.contains('.') && !path.starts_with(PEOPLE));
    if uri.path().rsplit('/').next().is_some_and(is_file) {
        return None;
    }
    let first = uri.path().split('/').nth(1).unwrap_or_default();
    if first.is_empty() || PAGES.contains(&first) {
        return Some(StatusCode::OK);
    }
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let may_be_page = !NO_PAGES.iter().any(|prefix| path.starts_with(prefix));
    (may_be_page && accept.contains("text/html")).then_some(StatusCode::NOT_FOUND)
}

fn index_page(app: &App, index: &[u8]) -> Response {
    let nonce = Nonce::generate(&app.random);
    let text = String::from_utf8_lossy(index);
    let text = text
        .replace(SITE_NAME, &HtmlEscape(&app.config.site.name).to_string())
        .replace(DELETION_GRACE, &app.config.accounts.deletion_grace.as_secs().to_string())
        .replace(COMMUNITY, &app.config.community.enabled.to_string())
        .replace(NONCE, nonce.as_str());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, page_csp(&nonce, TRUSTED_TYPES)),
        // A page that is kept would be one with a known nonce.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, text).into_response()
}

fn not_built() -> Response {
    let text = "Portcullis runs, but this binary was built without its web pages.\n\
        To have them, run `make web` and build again; the API is under /api/ and described at /api/docs.\n";
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

fn send(path: &str, (form, file): (Form, EmbeddedFile), headers: &HeaderMap) -> Response {
    let is_named_by_hash = path.starts_with("assets/");
    let tag: String = file.metadata.sha256_hash()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let encoding = if let Form::Encoded(name) = form { Some(name) } else { None };
    let tag = format!("\"{tag}{}\"", encoding.map(|name| format!("-{name}")).unwrap_or_default());
    let cache = if is_named_by_hash {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=0, must-revalidate"
    };
    let mut answer = HeaderMap::new();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    answer.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    answer.extend(HeaderValue::try_from(&tag).ok().map(|tag| (header::ETAG, tag)));
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, answer).into_response();
    }
    answer.extend(encoding.map(|name| (header::CONTENT_ENCODING, HeaderValue::from_static(name))));
    let body = match (form, file.data) {
        (Form::Unpacked, data) => match unpacked(&data) {
            Ok(body) => body,
            Err(error) => return Error::internal(error).into_response(),
        },
        (_, Cow::Borrowed(data)) => Bytes::from_static(data),
        (_, Cow::Owned(data)) => Bytes::from(data),
    };
    (answer, body).into_response()
}

/// In which form a file goes out.
#[derive(Clone, Copy)]
enum Form {
    AsItIs,
    /// By its name in Content-Encoding.
    Encoded(&'static str),
    /// It is there as gzip, which the caller does not take.
    Unpacked,
}

/// Texts are in the build in their compressed forms alone.
fn find(path: &str, headers: &HeaderMap) -> Option<(Form, EmbeddedFile)> {
    if let Some(file) = Build::get(path) {
        return Some((Form::AsItIs, file));
    }
    for (name, suffix) in [("br", "br"), ("gzip", "gz")] {
        if accepts(headers, name)
            && let Some(file) = Build::get(&format!("{path}.{suffix}"))
        {
            return Some((Form::Encoded(name), file));
        }
    }
    Some((Form::Unpacked, Build::get(&format!("{path}.gz"))?))
}

fn unpacked(data: &[u8]) -> std::io::Result<Bytes> {
    let mut plain = Vec::new();
    GzDecoder::new(data).read_to_end(&mut plain)?;
    Ok(plain.into())
}

fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|choice| {
        let mut parts = choice.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        is_named && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
