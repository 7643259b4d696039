//! Whether a token is good: simplejwt's `token/verify`.

use crate::error::Result;
use crate::extract::{Body, FromInput, Input};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use portcullis_security::secret::Secret;
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::ToSchema;

/// A token of either kind.
#[derive(ToSchema)]
pub struct VerifyTokenRequest {
    /// An access or refresh token.
    #[schema(value_type = String)]
    pub token: Secret,
}

impl FromInput for VerifyTokenRequest {
    const MISSING: &'static str = "Token required";

    fn from_input(input: &mut Input) -> Option<Self> {
        input.secret("token").map(|token| Self { token })
    }
}

/// Says whether a token would be accepted now.
#[utoipa::path(post, path = "/verify", tag = "tokens", request_body = VerifyTokenRequest, responses(
    (status = 200, description = "It would: an empty object."),
    (status = 400, description = "No token was sent."),
    (status = 401, description = "`token_not_valid`.")))]
pub async fn verify_token(
    State(app): State<Arc<App>>,
    Body(request): Body<VerifyTokenRequest>,
) -> Result<Json<Value>> {
    app.access.verify(request.token.expose_text()).await?;
    Ok(Json(json!({})))
}
