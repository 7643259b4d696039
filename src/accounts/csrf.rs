//! The csrftoken for pages that use the refresh cookie (guide §14.2).

use super::cookies::Cookies;
use crate::error::Result;
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use portcullis_security::csrf::{CSRF_COOKIE, cookie, generate_token};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const SHORTEST: usize = 32;

/// The token, to be sent back as `X-CSRFToken`.
#[derive(Serialize, ToSchema)]
pub struct CsrfResponse {
    csrftoken: String,
}

/// Sets the csrftoken cookie and returns its value; one that is there is kept, since other tabs use it.
#[utoipa::path(get, path = "/csrf", tag = "tokens", responses(
    (status = 200, description = "The token, also as a cookie.", body = CsrfResponse)))]
pub async fn csrf(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response> {
    let kept = cookie(&headers, CSRF_COOKIE).filter(|token| is_token(token));
    let csrftoken = kept.map_or_else(|| generate_token(&app.random), str::to_owned);
    let mut cookies = Cookies::default();
    cookies.add_csrf(&app, &csrftoken)?;
    Ok(cookies.with(Json(CsrfResponse { csrftoken })))
}

/// The shape of our own tokens: base64url.
fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (SHORTEST..=128).contains(&text.len()) && text.bytes().all(allowed)
}
