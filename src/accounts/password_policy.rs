//! The rules for new passwords, in words (guide §4.1).

use crate::state::App;
use axum::Json;
use axum::extract::State;
use portcullis_security::password::Policy;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The rules.
#[derive(Serialize, ToSchema)]
pub struct PasswordPolicyResponse {
    /// `guide` or `nist`.
    policy: &'static str,
    /// Characters, at least.
    min_length: u32,
    /// Characters, at most.
    max_length: u32,
    /// One sentence for each rule.
    help: Vec<&'static str>,
}

/// Tells the rules for new passwords.
#[utoipa::path(get, path = "/password-policy", tag = "passwords", responses(
    (status = 200, description = "The rules.", body = PasswordPolicyResponse)))]
pub async fn password_policy(State(app): State<Arc<App>>) -> Json<PasswordPolicyResponse> {
    let (policy, min_length) = match app.passwords.policy() {
        Policy::Nist => ("nist", 15),
        _ => ("guide", 8),
    };
    let help = app.passwords.policy().help().to_vec();
    Json(PasswordPolicyResponse { policy, min_length, max_length: 128, help })
}
