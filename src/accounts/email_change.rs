//! Moving an account to another address: the new one is confirmed, the old one told.

use super::login::confirm_password;
use super::names::Email;
use super::responses::Message;
use super::store;
use crate::access::{Client, CurrentUser, publish_change};
use crate::audit::{self, Kind, Subject};
use crate::error::{Error, Result};
use crate::extract::{Body, FromInput, Input};
use crate::mail::{Enqueue, Letter, Outbox};
use crate::model::one_time_tokens::{self, Purpose};
use crate::model::users::{Column, Entity, Status};
use crate::state::App;
use crate::storage::{Write, is_unique_violation};
use axum::Json;
use axum::extract::State;
use portcullis_security::clock::Timestamp;
use portcullis_security::secret::Secret;
use portcullis_security::token::hash_presented;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use std::sync::Arc;
use utoipa::ToSchema;

/// The new address and the password.
#[derive(ToSchema)]
pub struct EmailChangeRequest {
    /// The new address.
    pub email: String,
    /// The caller's password.
    #[schema(value_type = String)]
    pub password: Secret,
}

impl FromInput for EmailChangeRequest {
    const MISSING: &'static str = "Email and password required";

    fn from_input(input: &mut Input) -> Option<Self> {
        let (email, password) = (input.text("email"), input.secret("password"));
        Some(Self { email: email?, password: password? })
    }
}

/// Sends a link to the new address; the account moves when it is confirmed.
///
/// The answer is the same whether or not the new address belongs to somebody else.
#[utoipa::path(post, path = "/email-change", tag = "accounts", request_body = EmailChangeRequest, responses(
    (status = 200, description = "A mail is on its way to the new address.", body = Message),
    (status = 400, description = "The address or the password is wrong.")))]
pub async fn request(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    Body(request): Body<EmailChangeRequest>,
) -> Result<Json<Message>> {
    let email = Email::parse(&request.email).map_err(|problem| Error::field("email", problem))?;
    let user = confirm_password(&app, &caller.user, "password", &request.password).await?;
    let letter = Letter::ConfirmEmailChange {
        user_id: user.id,
        address: email.as_str().to_owned(),
        password_changed_at: user.password_changed_at,
    };
    if app.guard.limits.admits_letter(email.as_str()) {
        app.write(Enqueue { outbox: app.outbox.clone(), letter, now: app.now() }).await?;
    }
    Ok(Json(Message { message: "Please check the new address to confirm the change." }))
}

/// The token of the link.
#[derive(ToSchema)]
pub struct ConfirmEmailChangeRequest {
    /// From the link.
    #[schema(value_type = String)]
    pub token: Secret,
}

impl FromInput for ConfirmEmailChangeRequest {
    const MISSING: &'static str = "Verification token required";

    fn from_input(input: &mut Input) -> Option<Self> {
        input.secret("token").map(|token| Self { token })
    }
}

/// Moves the account to the address to which the link was mailed.
#[utoipa::path(post, path = "/email-change/confirm", tag = "accounts", request_body = ConfirmEmailChangeRequest,
    responses(
    (status = 200, description = "The account has moved.", body = Message),
    (status = 400, description = "The link is used, expired or wrong.")))]
pub async fn confirm(
    State(app): State<Arc<App>>,
    client: Client,
    Body(request): Body<ConfirmEmailChangeRequest>,
) -> Result<Json<Message>> {
    let hash = hash_presented(request.token.expose_text()).ok_or_else(invalid)?;
    let change = ChangeEmail { hash, outbox: app.outbox.clone(), client, now: app.now() };
    let user_id = app.write(change).await?;
    app.access.forget(user_id, &[]);
    Ok(Json(Message { message: "Email changed successfully" }))
}

const fn invalid() -> Error {
    Error::bad_request("token_not_valid", "Invalid or expired verification token")
}

struct ChangeEmail {
    hash: [u8; 32],
    outbox: Outbox,
    client: Client,
    now: Timestamp,
}

impl Write for ChangeEmail {
    type Output = i64;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<i64> {
        let used = store::consume(tx, self.hash, Purpose::EmailChange, self.now).await?;
        let used = used.ok_or_else(invalid)?;
        let old = store::load(tx, used.user_id).await.map_err(|_| invalid())?;
        self.move_account(tx, &used).await?;
        store::end_tokens(tx, old.id, &[Purpose::Reset, Purpose::EmailChange], self.now).await?;
        let letter = Letter::EmailChanged { user_id: old.id, old_address: old.email };
        self.outbox.enqueue(tx, &letter, self.now).await?;
        audit::record(tx, Kind::EmailChanged, Subject::user(old.id), &self.client, self.now).await?;
        publish_change(tx, old.id, self.now).await?;
        Ok(old.id)
    }
}

impl ChangeEmail {
    async fn move_account(&self, tx: &DatabaseTransaction, used: &one_time_tokens::Model) -> Result<()> {
        let moved = Entity::update_many()
            .col_expr(Column::Email, Expr::value(used.email.clone()))
            .col_expr(Column::EmailClaim, Expr::value(used.email.clone()))
            .col_expr(Column::EmailVerifiedAt, Expr::value(self.now.micros()))
            .filter(Column::Id.eq(used.user_id))
            .filter(Column::Status.eq(Status::Active))
            .exec(tx)
            .await;
        match moved {
            Ok(result) if result.rows_affected == 1 => Ok(()),
            Ok(_) => Err(invalid()),
            Err(error) if is_unique_violation(&error, "email_claim") => Err(invalid()),
            Err(error) => Err(error.into()),
        }
    }
}
