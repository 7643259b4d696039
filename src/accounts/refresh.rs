//! The next pair of tokens (guide §3.1: rotation, blacklist).

use super::cookies::{Cookies, PresentedRefresh, is_cookie_mode};
use crate::access::Client;
use crate::error::{Error, Result};
use crate::extract::{Body, FromInput, Input};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use portcullis_security::secret::Secret;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A refresh token, or nothing where it is in the cookie.
#[derive(ToSchema)]
pub struct RefreshRequest {
    /// The refresh token.
    #[schema(value_type = Option<String>)]
    pub refresh: Option<Secret>,
}

impl FromInput for RefreshRequest {
    fn from_input(input: &mut Input) -> Option<Self> {
        Some(Self { refresh: input.optional_secret("refresh") })
    }
}

/// The next pair.
#[derive(Serialize, ToSchema)]
pub struct RefreshResponse {
    /// A fresh access token.
    access: String,
    /// The refresh token that takes the place of the one sent; missing where it is in the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
}

/// Exchanges a refresh token, which is thereby spent, for the next pair.
///
/// A token spent less than the grace ago gets the same successor as the first call did, so that tabs may
/// race; any other spent token ends its session.
#[utoipa::path(post, path = "/refresh", tag = "tokens", request_body = RefreshRequest, responses(
    (status = 200, description = "The next pair.", body = RefreshResponse),
    (status = 400, description = "No token was sent."),
    (status = 401, description = "`token_not_valid`: expired, spent or ended."),
    (status = 403, description = "`csrf_failed`: the cookie came without proof of its origin.")))]
pub async fn refresh(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    client: Client,
    Body(request): Body<RefreshRequest>,
) -> Result<Response> {
    let required = || Error::field("refresh", "This field is required.");
    let presented = PresentedRefresh::find(&app, &headers, request.refresh)?.ok_or_else(required)?;
    let outcome = match app.access.present(presented.token.expose_text()) {
        Ok(token) => app.access.refresh(&token, &client, &app.random).await,
        Err(error) => Err(error),
    };
    let in_cookie = presented.from_cookie || is_cookie_mode(&headers, &app.config);
    let mut cookies = Cookies::default();
    match outcome {
        Ok(outcome) if in_cookie => {
            cookies.keep_refresh(&app, &outcome.tokens, &headers)?;
            let body = RefreshResponse { access: outcome.tokens.access, refresh: None };
            Ok(cookies.with(Json(body)))
        }
        Ok(outcome) => {
            let refresh = Some(outcome.tokens.refresh);
            Ok(Json(RefreshResponse { access: outcome.tokens.access, refresh }).into_response())
        }
        Err(error) if presented.from_cookie && error.status() == StatusCode::UNAUTHORIZED => {
            cookies.clear_refresh(&app)?;
            Ok(cookies.with(error))
        }
        Err(error) => Err(error),
    }
}
