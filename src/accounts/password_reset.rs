//! A new password for somebody who has lost the old one (guide §6.1).

use super::change_password::{SetPassword, check_new_password};
use super::resend::AddressRequest;
use super::responses::Message;
use super::store;
use crate::access::{Client, EndSessions};
use crate::audit::Kind;
use crate::error::{Error, Result};
use crate::extract::{Body, FromInput, Input};
use crate::mail::{Enqueue, Letter};
use crate::model::one_time_tokens::Purpose;
use crate::state::App;
use crate::storage::Write;
use axum::Json;
use axum::extract::State;
use portcullis_security::secret::Secret;
use portcullis_security::token::hash_presented;
use sea_orm::DatabaseTransaction;
use std::sync::Arc;
use utoipa::ToSchema;

/// Asks for a mail with a link that sets a new password.
///
/// The answer, the work and the time are the same whether or not the address belongs to an account.
#[utoipa::path(post, path = "/password-reset", tag = "passwords", request_body = AddressRequest, responses(
    (status = 200, description = "If the address belongs to an account, a mail is on its way.", body = Message),
    (status = 400, description = "No address, or none that could exist.")))]
pub async fn request(
    State(app): State<Arc<App>>,
    client: Client,
    Body(request): Body<AddressRequest>,
) -> Result<Json<Message>> {
    let letter = Letter::ResetPassword { address: request.parse()?.as_str().to_owned(), by: client.into() };
    app.write(Enqueue { outbox: app.outbox.clone(), letter, now: app.now() }).await?;
    let message = "If an account with that email exists, a password reset link has been sent.";
    Ok(Json(Message { message }))
}

/// The token of the link and the new password.
#[derive(ToSchema)]
pub struct ConfirmResetRequest {
    /// From the link.
    #[schema(value_type = String)]
    pub token: Secret,
    /// By the rules at `password-policy/`.
    #[schema(value_type = String)]
    pub password: Secret,
}

impl FromInput for ConfirmResetRequest {
    const MISSING: &'static str = "Token and password required";

    fn from_input(input: &mut Input) -> Option<Self> {
        let (token, password) = (input.secret("token"), input.secret("password"));
        Some(Self { token: token?, password: password? })
    }
}

/// Sets a new password by the link of a mail; every session ends, and other links die.
///
/// A password that is refused leaves the link as it was.
#[utoipa::path(post, path = "/password-reset/confirm", tag = "passwords", request_body = ConfirmResetRequest,
    responses(
    (status = 200, description = "The password is set.", body = Message),
    (status = 400, description = "The link is used, expired or wrong, or the password is too weak.")))]
pub async fn confirm(
    State(app): State<Arc<App>>,
    client: Client,
    Body(request): Body<ConfirmResetRequest>,
) -> Result<Json<Message>> {
    let now = app.now();
    let hash = hash_presented(request.token.expose_text()).ok_or_else(invalid)?;
    let token = store::peek(&app.storage, hash, Purpose::Reset, now).await?.ok_or_else(invalid)?;
    let user = store::load(app.storage.reader(), token.user_id).await?;
    check_new_password(&app, &user, "password", &request.password)?;
    let new_hash = app.passwords.hash(request.password).await?;
    let set = SetPassword {
        user_id: user.id,
        hash: new_hash,
        end: EndSessions::All,
        kind: Kind::PasswordReset,
        outbox: app.outbox.clone(),
        client,
        now,
    };
    let ended = app.write(ResetPassword { token_hash: hash, set }).await?;
    app.access.forget(user.id, &ended);
    Ok(Json(Message { message: "Password reset successful. Please login with your new password." }))
}

const fn invalid() -> Error {
    Error::bad_request("token_not_valid", "Invalid or expired reset token")
}

struct ResetPassword {
    token_hash: [u8; 32],
    set: SetPassword,
}

impl Write for ResetPassword {
    type Output = Vec<i64>;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Vec<i64>> {
        let used = store::consume(tx, self.token_hash, Purpose::Reset, self.set.now).await?;
        used.ok_or_else(invalid)?;
        self.set.run(tx).await
    }
}
