//! Deleting an account, with a time to think again.

use super::login::{confirm_password, hold_confirmed};
use super::responses::time;
use crate::access::{Client, CurrentUser, EndSessions, refresh_audience};
use crate::audit::{self, Kind, Subject};
use crate::error::{Error, Result};
use crate::extract::{Body, FromInput, Input};
use crate::mail::{Letter, Outbox};
use crate::model::one_time_tokens::Purpose;
use crate::model::users::{Column, Entity, Model as User, Status};
use crate::state::App;
use crate::storage::Write;
use axum::Json;
use axum::extract::State;
use portcullis_security::clock::Timestamp;
use portcullis_security::secret::Secret;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Where the password stands.
const FIELD: &str = "password";

/// The password, once more.
#[derive(ToSchema)]
pub struct DeleteRequest {
    /// The caller's password.
    #[schema(value_type = String)]
    pub password: Secret,
}

impl FromInput for DeleteRequest {
    const MISSING: &'static str = "Password required";

    fn from_input(input: &mut Input) -> Option<Self> {
        input.secret(FIELD).map(|password| Self { password })
    }
}

/// Until when it can be undone.
#[derive(Serialize, ToSchema)]
pub struct DeleteResponse {
    message: &'static str,
    deletes_at: String,
}

/// Deletes the caller's account; logging in before `deletes_at` undoes it.
#[utoipa::path(delete, path = "/me", tag = "accounts", request_body = DeleteRequest, responses(
    (status = 200, description = "Every session has ended, nothing is shown any more.", body = DeleteResponse),
    (status = 400, description = "The password is wrong.")))]
pub async fn delete(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    client: Client,
    Body(request): Body<DeleteRequest>,
) -> Result<Json<DeleteResponse>> {
    let confirmed = confirm_password(&app, &caller.user, FIELD, &request.password).await?;
    let now = app.now();
    let delete_at = now.plus(app.config.accounts.deletion_grace);
    let user_id = confirmed.id;
    let mark = MarkDeleted { confirmed, delete_at, outbox: app.outbox.clone(), client, now };
    let ended = app.write(mark).await?;
    app.access.forget(user_id, &ended);
    let message = "Account deleted. Log in before the given time to undo it.";
    Ok(Json(DeleteResponse { message, deletes_at: time(delete_at.micros()) }))
}

struct MarkDeleted {
    confirmed: Arc<User>,
    delete_at: Timestamp,
    outbox: Outbox,
    client: Client,
    now: Timestamp,
}

impl Write for MarkDeleted {
    type Output = Vec<i64>;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Vec<i64>> {
        let user_id = self.confirmed.id;
        hold_confirmed(tx, &self.confirmed, FIELD).await?;
        let marked = Entity::update_many()
            .col_expr(Column::Status, Expr::value("deleted"))
            .col_expr(Column::DeleteAt, Expr::value(self.delete_at.micros()))
            .filter(Column::Id.eq(user_id))
            // One that was banned meanwhile stays so.
            .filter(Column::Status.eq(Status::Active))
            .exec(tx)
            .await?;
        if marked.rows_affected != 1 {
            return Err(Error::token_not_valid());
        }
        refresh_audience(tx, user_id).await?;
        super::store::end_tokens(tx, user_id, &[Purpose::Reset, Purpose::EmailChange], self.now).await?;
        let letter = Letter::AccountDeleted { user_id, delete_at: self.delete_at };
        self.outbox.enqueue(tx, &letter, self.now).await?;
        audit::record(tx, Kind::AccountDeleted, Subject::user(user_id), &self.client, self.now).await?;
        EndSessions::All.run(tx, user_id, self.now).await
    }
}
