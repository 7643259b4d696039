//! Blocking somebody: from then on neither sees anything of the other.

use super::person::Person;
use super::store::{between, lock_pair};
use crate::access::CurrentUser;
use crate::error::{Error, Result};
use crate::extract::{ListQuery, Ordering, Page, PageParameters};
use crate::model::{blocks, follows, users};
use crate::state::App;
use crate::storage::Write;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_security::clock::Timestamp;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, JoinType, QueryFilter,
    QuerySelect, RelationDef,
};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const NEWEST_FIRST: Ordering = Ordering { name: "id", is_descending: true };

/// What has come of it.
#[derive(Serialize, ToSchema)]
pub struct BlockResponse {
    /// `blocked`.
    status: &'static str,
}

/// Blocks somebody: ends follows and requests both ways, and hides both from each other. Whoever is
/// blocked is not told. Staff read everything all the same, and are not hidden.
#[utoipa::path(post, path = "/profiles/{username}/block", tag = "blocks",
    params(("username" = String, Path, description = "Without regard to case.")), responses(
    (status = 201, description = "They are blocked.", body = BlockResponse),
    (status = 200, description = "They were blocked before.", body = BlockResponse),
    (status = 400, description = "Nobody blocks themselves."),
    (status = 404, description = "There is nobody of that name.")))]
pub async fn block(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    Person(other): Person,
) -> Result<(StatusCode, Json<BlockResponse>)> {
    let (blocker_id, blocked_id) = (caller.user.id, other.id);
    if blocker_id == blocked_id {
        return Err(Error::bad_request("invalid", "You cannot block yourself"));
    }
    let is_new = app.storage.write(Block { blocker_id, blocked_id, now: app.now() }).await?;
    let code = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((code, Json(BlockResponse { status: "blocked" })))
}

struct Block {
    blocker_id: i64,
    blocked_id: i64,
    now: Timestamp,
}

impl Write for Block {
    /// Whether it is new.
    type Output = bool;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<bool> {
        lock_pair(tx, self.blocker_id, self.blocked_id).await?;
        let either = Condition::any()
            .add(between(self.blocker_id, self.blocked_id))
            .add(between(self.blocked_id, self.blocker_id));
        follows::Entity::delete_many().filter(either).exec(tx).await?;
        if blocks::Entity::find().filter(own(self.blocker_id, self.blocked_id)).one(tx).await?.is_some() {
            return Ok(false);
        }
        let row = blocks::ActiveModel {
            blocker_id: Set(self.blocker_id),
            blocked_id: Set(self.blocked_id),
            created_at: Set(self.now.micros()),
            ..blocks::ActiveModel::default()
        };
        blocks::Entity::insert(row).exec_without_returning(tx).await?;
        Ok(true)
    }
}

fn own(blocker_id: i64, blocked_id: i64) -> Condition {
    Condition::all()
        .add(blocks::Column::BlockerId.eq(blocker_id))
        .add(blocks::Column::BlockedId.eq(blocked_id))
}

/// Ends the caller's block. Follows that it ended do not come back, and a block by the other stays.
#[utoipa::path(delete, path = "/profiles/{username}/block", tag = "blocks",
    params(("username" = String, Path, description = "Without regard to case.")), responses(
    (status = 204, description = "The caller does not block them any more."),
    (status = 404, description = "There is nobody of that name.")))]
pub async fn unblock(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    Person(other): Person,
) -> Result<StatusCode> {
    app.storage.write(Unblock { blocker_id: caller.user.id, blocked_id: other.id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

struct Unblock {
    blocker_id: i64,
    blocked_id: i64,
}

impl Write for Unblock {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        blocks::Entity::delete_many().filter(own(self.blocker_id, self.blocked_id)).exec(tx).await?;
        Ok(())
    }
}

/// Somebody whom the caller has blocked.
#[derive(Serialize, ToSchema)]
pub struct BlockedPerson {
    /// The username.
    user: String,
    /// Since when.
    created_at: String,
}

/// Lists whom the caller has blocked, the latest first.
#[utoipa::path(get, path = "/blocks", tag = "blocks", params(PageParameters), responses(
    (status = 200, description = "A page of people.", body = Page<BlockedPerson>),
    (status = 400, description = "The cursor is none of this list.")))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    query: ListQuery,
) -> Result<Json<Page<BlockedPerson>>> {
    use blocks::Column::{BlockedId, BlockerId, CreatedAt, Id};
    let ordering = query.ordering(&[NEWEST_FIRST])?;
    let account: RelationDef =
        blocks::Entity::belongs_to(users::Entity).from(BlockedId).to(users::Column::Id).into();
    let blocked = blocks::Entity::find()
        .filter(BlockerId.eq(caller.user.id))
        .join(JoinType::InnerJoin, account)
        .filter(users::Column::Status.ne(users::Status::Deleted))
        .select_only()
        .columns([Id, CreatedAt])
        .column(users::Column::Username);
    let (db, public_url) = (app.storage.reader(), &app.config.server.public_url);
    let page = query.people(db, public_url, ordering, (blocked, Id)).await?;
    Ok(Json(page.map(|(_, created_at, user)| BlockedPerson {
        user,
        created_at: Timestamp::from_micros(created_at).to_string(),
    })))
}
