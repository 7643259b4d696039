//! A new password for somebody who knows the old one (guide §6.2).

use super::cookies::Cookies;
use super::login::{confirm_password, hold_confirmed};
use super::responses::Message;
use super::store;
use crate::access::{Client, CurrentUser, EndSessions, NewHash, attributes};
use crate::audit::{self, Kind, Subject};
use crate::error::{Invalid, Result};
use crate::extract::{Body, FromInput, Input};
use crate::mail::{Letter, Outbox};
use crate::model::one_time_tokens::Purpose;
use crate::model::users::{Column, Entity, Model as User};
use crate::state::App;
use crate::storage::Write;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use portcullis_security::clock::Timestamp;
use portcullis_security::secret::Secret;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use std::sync::Arc;
use utoipa::ToSchema;

/// Where the old password stands.
const FIELD: &str = "current_password";

/// The old and the new password.
#[derive(ToSchema)]
pub struct ChangePasswordRequest {
    /// The password as it is.
    #[schema(value_type = String)]
    pub current_password: Secret,
    /// By the rules at `password-policy/`.
    #[schema(value_type = String)]
    pub new_password: Secret,
}

impl FromInput for ChangePasswordRequest {
    const MISSING: &'static str = "Current and new password required";

    fn from_input(input: &mut Input) -> Option<Self> {
        let (current, new) = (input.secret(FIELD), input.secret("new_password"));
        Some(Self { current_password: current?, new_password: new? })
    }
}

/// Changes the caller's password; all other sessions end, reset links and the cookies of other devices die, and a notice
/// is mailed.
#[utoipa::path(patch, path = "/change-password", tag = "passwords", request_body = ChangePasswordRequest,
    responses(
    (status = 200, description = "The password is changed.", body = Message),
    (status = 400, description = "The current password is wrong, or the new one too weak.")))]
pub async fn patch(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    headers: HeaderMap,
    client: Client,
    Body(request): Body<ChangePasswordRequest>,
) -> Result<Response> {
    let confirmed = confirm_password(&app, &caller.user, FIELD, &request.current_password).await?;
    check_new_password(&app, &caller.user, "new_password", &request.new_password)?;
    let set = SetPassword {
        user_id: caller.user.id,
        hash: app.passwords.hash(request.new_password).await?,
        end: caller.session_id.map_or(EndSessions::All, EndSessions::AllBut),
        kind: Kind::PasswordChanged,
        outbox: app.outbox.clone(),
        client,
        now: app.now(),
    };
    let ended = app.write(ChangePassword { confirmed, set }).await?;
    app.access.forget(caller.user.id, &ended);
    let mut cookies = Cookies::default();
    cookies.add_device(&app, &caller.user, &headers);
    Ok(cookies.with(Json(Message { message: "Password changed successfully" })))
}

/// The same by POST.
#[utoipa::path(post, path = "/change-password", tag = "passwords", request_body = ChangePasswordRequest,
    responses(
    (status = 200, description = "The password is changed.", body = Message),
    (status = 400, description = "The current password is wrong, or the new one too weak.")))]
pub async fn post(
    app: State<Arc<App>>,
    caller: CurrentUser,
    headers: HeaderMap,
    client: Client,
    body: Body<ChangePasswordRequest>,
) -> Result<Response> {
    patch(app, caller, headers, client, body).await
}

/// Refuses a new password that breaks a rule, with every rule that it breaks.
///
/// # Errors
/// 400 "Password validation failed".
pub fn check_new_password(app: &App, user: &User, field: &'static str, password: &Secret) -> Result<()> {
    let mut invalid = Invalid { headline: Some("Password validation failed"), ..Invalid::default() };
    for violation in app.passwords.violations(password, &attributes(user)) {
        invalid.add(field, violation.message);
    }
    invalid.into_result()
}

struct ChangePassword {
    confirmed: Arc<User>,
    set: SetPassword,
}

impl Write for ChangePassword {
    type Output = Vec<i64>;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Vec<i64>> {
        hold_confirmed(tx, &self.confirmed, FIELD).await?;
        self.set.run(tx).await
    }
}

/// Stores a new password and ends what the old one had opened.
pub struct SetPassword {
    /// Whose.
    pub user_id: i64,
    /// The new hash.
    pub hash: NewHash,
    /// Which sessions end.
    pub end: EndSessions,
    /// How it came about: changed or reset.
    pub kind: Kind,
    /// For the notice.
    pub outbox: Outbox,
    /// Who did it.
    pub client: Client,
    /// When.
    pub now: Timestamp,
}

impl Write for SetPassword {
    type Output = Vec<i64>;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Vec<i64>> {
        let now = self.now.micros();
        let update = Entity::update_many()
            .col_expr(Column::Password, Expr::value(self.hash.encoded.clone()))
            .col_expr(Column::PasswordScheme, Expr::value(self.hash.scheme.clone()))
            .col_expr(Column::PasswordChangedAt, Expr::value(now))
            // Whoever knew the old password may own a device cookie too.
            .col_expr(Column::DevicesValidFrom, Expr::value(now))
            .filter(Column::Id.eq(self.user_id));
        update.exec(tx).await?;
        store::end_tokens(tx, self.user_id, &[Purpose::Reset, Purpose::EmailChange], self.now).await?;
        let letter = Letter::PasswordChanged {
            user_id: self.user_id,
            ip_prefix: self.client.ip_prefix.clone(),
            device: self.client.device.clone(),
        };
        self.outbox.enqueue(tx, &letter, self.now).await?;
        audit::record(tx, self.kind, Subject::user(self.user_id), &self.client, self.now).await?;
        self.end.run(tx, self.user_id, self.now).await
    }
}
