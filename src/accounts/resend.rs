//! Sending the verification mail again (guide §5).

use super::names::Email;
use super::responses::Message;
use crate::error::{Error, Result};
use crate::extract::{Body, FromInput, Input};
use crate::mail::{Enqueue, Letter};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use std::sync::Arc;
use utoipa::ToSchema;

/// An address.
#[derive(ToSchema)]
pub struct AddressRequest {
    /// The address.
    pub email: String,
}

impl FromInput for AddressRequest {
    const MISSING: &'static str = "Email required";

    fn from_input(input: &mut Input) -> Option<Self> {
        input.text("email").map(|email| Self { email })
    }
}

impl AddressRequest {
    /// The address, if it is well formed.
    ///
    /// # Errors
    /// 400 "Enter a valid email address."
    pub fn parse(&self) -> Result<Email> {
        Email::parse(&self.email).map_err(|problem| Error::field("email", problem))
    }
}

/// Sends the verification mail again; the answer is the same whether or not anybody waits for it.
#[utoipa::path(post, path = "/resend-verification", tag = "accounts", request_body = AddressRequest, responses(
    (status = 200, description = "If the address waits to be verified, a mail is on its way.", body = Message),
    (status = 400, description = "No address, or none that could exist.")))]
pub async fn resend_verification(
    State(app): State<Arc<App>>,
    Body(request): Body<AddressRequest>,
) -> Result<Json<Message>> {
    let address = request.parse()?.as_str().to_owned();
    let letter = Letter::ResendVerification { address };
    app.write(Enqueue { outbox: app.outbox.clone(), letter, now: app.now() }).await?;
    Ok(Json(Message { message: "Verification email sent" }))
}
