//! Requests to follow the caller, and the answers to them.

use super::follow::{FollowResponse, accept};
use super::store::account_of;
use crate::access::{CurrentUser, Viewer, in_use};
use crate::error::{Error, Result};
use crate::extract::{ListQuery, Ordering, Page, PageParameters, Parameter};
use crate::mail::{Letter, Outbox};
use crate::model::{follows, users};
use crate::state::App;
use crate::storage::Write;
use axum::Json;
use axum::extract::State;
use portcullis_security::clock::Timestamp;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, JoinType, QueryFilter, QuerySelect};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const NEWEST_FIRST: Ordering = Ordering { name: "id", is_descending: true };

/// Somebody's request to follow the caller.
#[derive(Serialize, ToSchema)]
pub struct FollowRequest {
    /// For the answer.
    id: i64,
    /// The username of who asks.
    user: String,
    created_at: String,
}

/// Lists the requests that wait for the caller's answer, the newest first.
#[utoipa::path(get, path = "/follow-requests", tag = "follows", params(PageParameters), responses(
    (status = 200, description = "A page of requests.", body = Page<FollowRequest>),
    (status = 400, description = "The cursor is none of this list.")))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    query: ListQuery,
) -> Result<Json<Page<FollowRequest>>> {
    use follows::Column::{AcceptedAt, FollowedId, FollowerId, Id};
    let ordering = query.ordering(&[NEWEST_FIRST])?;
    let waiting = follows::Entity::find()
        .filter(FollowedId.eq(caller.user.id))
        .filter(AcceptedAt.is_null())
        .join(JoinType::InnerJoin, account_of(FollowerId))
        .filter(in_use())
        .filter(Viewer::of(&caller.user).unblocked(FollowerId))
        .select_only()
        .columns([Id, follows::Column::CreatedAt])
        .column(users::Column::Username);
    let (db, public_url) = (app.storage.reader(), &app.config.server.public_url);
    let page = query.people(db, public_url, ordering, (waiting, Id)).await?;
    Ok(Json(page.map(|(id, created_at, user)| FollowRequest {
        id,
        user,
        created_at: Timestamp::from_micros(created_at).to_string(),
    })))
}

/// Approves a request: who asked follows the caller from now on. Approving again is the same.
#[utoipa::path(post, path = "/follow-requests/{id}/approve", tag = "follows",
    params(("id" = i64, Path, description = "Of the list.")), responses(
    (status = 200, description = "The follow has begun.", body = FollowResponse),
    (status = 404, description = "The caller has no such request.")))]
pub async fn approve(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    Parameter(id): Parameter<i64>,
) -> Result<Json<FollowResponse>> {
    let approve = Approve { id, followed_id: caller.user.id, outbox: app.outbox.clone(), now: app.now() };
    app.write(approve).await?;
    Ok(Json(FollowResponse { status: "accepted" }))
}

struct Approve {
    id: i64,
    followed_id: i64,
    outbox: Outbox,
    now: Timestamp,
}

impl Write for Approve {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let own = follows::Entity::find_by_id(self.id)
            .filter(follows::Column::FollowedId.eq(self.followed_id))
            .lock_exclusive();
        let request = own.one(tx).await?.ok_or_else(Error::not_found)?;
        if request.accepted_at.is_some() {
            return Ok(());
        }
        accept(tx, request.id, self.now).await?;
        let letter = Letter::FollowApproved { user_id: request.follower_id, by: self.followed_id };
        self.outbox.enqueue(tx, &letter, self.now).await
    }
}

/// Rejects a request. Who asked is not told, and may ask again.
#[utoipa::path(post, path = "/follow-requests/{id}/reject", tag = "follows",
    params(("id" = i64, Path, description = "Of the list.")), responses(
    (status = 200, description = "The request is gone.", body = FollowResponse),
    (status = 404, description = "The caller has no such request.")))]
pub async fn reject(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    Parameter(id): Parameter<i64>,
) -> Result<Json<FollowResponse>> {
    app.storage.write(Reject { id, followed_id: caller.user.id }).await?;
    Ok(Json(FollowResponse { status: "rejected" }))
}

struct Reject {
    id: i64,
    followed_id: i64,
}

impl Write for Reject {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let waiting = follows::Entity::delete_many()
            .filter(follows::Column::Id.eq(self.id))
            .filter(follows::Column::FollowedId.eq(self.followed_id))
            .filter(follows::Column::AcceptedAt.is_null());
        if waiting.exec(tx).await?.rows_affected > 0 { Ok(()) } else { Err(Error::not_found()) }
    }
}
