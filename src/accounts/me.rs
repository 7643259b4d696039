//! The caller's own account.

use super::names::parse_personal_name;
use super::responses::time;
use crate::access::CurrentUser;
use crate::error::{Error, Result};
use crate::extract::{Body, FromInput, Input};
use crate::model::users::{Column, Entity, Model as User};
use crate::state::App;
use crate::storage::Write;
use axum::Json;
use axum::extract::State;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// An account as its owner sees it.
#[derive(Serialize, ToSchema)]
pub struct Me {
    id: i64,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    is_staff: bool,
    email_verified: bool,
    date_joined: String,
}

impl Me {
    fn of(user: &User) -> Self {
        Self {
            id: user.id,
            username: user.username.clone(),
            email: user.email.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            is_staff: user.is_staff,
            email_verified: user.email_verified_at.is_some(),
            date_joined: time(user.date_joined),
        }
    }
}

/// Shows the caller's account.
#[utoipa::path(get, path = "/me", tag = "accounts", responses(
    (status = 200, description = "The account.", body = Me)))]
pub async fn read(caller: CurrentUser) -> Json<Me> {
    Json(Me::of(&caller.user))
}

/// The names to change; others stay.
#[derive(ToSchema)]
pub struct MePatch {
    /// At most 150 characters, may be empty.
    pub first_name: Option<String>,
    /// At most 150 characters, may be empty.
    pub last_name: Option<String>,
}

impl FromInput for MePatch {
    fn from_input(input: &mut Input) -> Option<Self> {
        let (first_name, last_name) = (input.optional_text("first_name"), input.optional_text("last_name"));
        let first_name = input.parse("first_name", first_name, parse_personal_name);
        let last_name = input.parse("last_name", last_name, parse_personal_name);
        Some(Self { first_name, last_name })
    }
}

/// Changes the caller's names.
#[utoipa::path(patch, path = "/me", tag = "accounts", request_body = MePatch, responses(
    (status = 200, description = "The account as it is now.", body = Me),
    (status = 400, description = "A name is too long or has a forbidden character.")))]
pub async fn update(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    Body(patch): Body<MePatch>,
) -> Result<Json<Me>> {
    let user_id = caller.user.id;
    app.write(UpdateNames { user_id, patch, now: app.now() }).await?;
    app.access.forget(user_id, &[]);
    let user = app.access.users().load(user_id).await?.ok_or_else(Error::token_not_valid)?;
    Ok(Json(Me::of(&user)))
}

struct UpdateNames {
    user_id: i64,
    patch: MePatch,
    now: portcullis_security::clock::Timestamp,
}

impl Write for UpdateNames {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let names = [(Column::FirstName, &self.patch.first_name), (Column::LastName, &self.patch.last_name)];
        for (column, name) in names {
            if let Some(name) = name {
                let update = Entity::update_many().col_expr(column, Expr::value(name.clone()));
                update.filter(Column::Id.eq(self.user_id)).exec(tx).await?;
            }
        }
        crate::access::publish_change(tx, self.user_id, self.now).await
    }
}
