//! The caller's sessions: where they are logged in, and ending one of them.

use super::responses::time;
use crate::access::{Client, CurrentUser, describe_device};
use crate::audit::Kind;
use crate::error::{Error, Result};
use crate::extract::Parameter;
use crate::model::sessions::{Column, Entity};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The caller's live sessions.
#[derive(Serialize, ToSchema)]
pub struct SessionList {
    results: Vec<Session>,
}

/// One session.
#[derive(Serialize, ToSchema)]
pub struct Session {
    id: i64,
    /// "Firefox on Linux".
    device: String,
    /// The network, never the whole address.
    ip: String,
    created: String,
    last_seen: String,
    /// Whether it is the one that asks.
    current: bool,
}

/// A program that logs in again and again makes many; they end by the day, or all at once.
const MOST: u64 = 1_000;

/// Lists the caller's live sessions, the latest first.
#[utoipa::path(get, path = "/sessions", tag = "sessions", responses(
    (status = 200, description = "The sessions.", body = SessionList)))]
pub async fn list(State(app): State<Arc<App>>, caller: CurrentUser) -> Result<Json<SessionList>> {
    let now = app.now().micros();
    let live = Entity::find()
        .filter(Column::UserId.eq(caller.user.id))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::IdleExpiresAt.gt(now))
        .order_by_desc(Column::RotatedAt)
        .limit(MOST);
    let rows = live.all(app.storage.reader()).await?;
    let results = rows.into_iter().map(|row| Session {
        id: row.id,
        device: describe_device(&row.user_agent),
        ip: row.ip_prefix,
        created: time(row.created_at),
        last_seen: time(row.rotated_at),
        current: Some(row.id) == caller.session_id,
    });
    Ok(Json(SessionList { results: results.collect() }))
}

/// Ends one of the caller's sessions.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "sessions", params(("id" = i64, Path, description = "Of the list.")),
    responses(
    (status = 204, description = "It has ended."),
    (status = 404, description = "The caller has no such live session.")))]
pub async fn end(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    client: Client,
    Parameter(id): Parameter<i64>,
) -> Result<StatusCode> {
    let own =
        Entity::find_by_id(id).filter(Column::UserId.eq(caller.user.id)).filter(Column::RevokedAt.is_null());
    own.one(app.storage.reader()).await?.ok_or_else(Error::not_found)?;
    app.access.end_session(caller.user.id, id, Some((Kind::SessionEnded, client))).await?;
    Ok(StatusCode::NO_CONTENT)
}
