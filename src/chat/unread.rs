//! How many messages the caller has not read.

use super::body::ReadRequest;
use super::room::JoinedRoom;
use super::store::MarkRead;
use crate::access::CurrentUser;
use crate::error::Result;
use crate::extract::Body;
use crate::model::{memberships, rooms};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationDef};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The rooms that the caller is in.
#[derive(Serialize, ToSchema)]
pub struct UnreadList {
    results: Vec<Unread>,
}

/// A room that the caller is in, and how much of it is new.
#[derive(Serialize, ToSchema)]
pub struct Unread {
    /// The room's id.
    room: i64,
    /// How many messages are newer than what was read.
    unread: i64,
}

/// Counts unread messages, room by room: those after the newest that was marked as read.
#[utoipa::path(get, path = "/rooms/unread", tag = "rooms", responses(
    (status = 200, description = "Every room that the caller is in.", body = UnreadList)))]
pub async fn list(State(app): State<Arc<App>>, caller: CurrentUser) -> Result<Json<UnreadList>> {
    let rows: Vec<(i64, i64, i64)> = memberships::Entity::find()
        .filter(memberships::Column::UserId.eq(caller.user.id))
        .join(JoinType::InnerJoin, room())
        .filter(rooms::Column::DeletedAt.is_null())
        .select_only()
        .columns([memberships::Column::RoomId, memberships::Column::ReadSeq])
        .column(rooms::Column::LastSeq)
        .order_by_asc(memberships::Column::RoomId)
        .into_tuple()
        .all(app.storage.reader())
        .await?;
    let results = rows.into_iter().map(|(room, read_seq, last_seq)| unread(room, last_seq, read_seq));
    Ok(Json(UnreadList { results: results.collect() }))
}

fn room() -> RelationDef {
    memberships::Entity::belongs_to(rooms::Entity)
        .from(memberships::Column::RoomId)
        .to(rooms::Column::Id)
        .into()
}

fn unread(room: i64, last_seq: i64, read_seq: i64) -> Unread {
    Unread { room, unread: (last_seq - read_seq).max(0) }
}

/// Marks messages as read, up to a number. It never goes back.
#[utoipa::path(post, path = "/rooms/{id}/read", tag = "rooms", request_body = ReadRequest,
    params(("id" = i64, Path, description = "Of the list.")),
    responses(
    (status = 200, description = "What is left.", body = Unread),
    (status = 400, description = "The number is wrong."),
    (status = 403, description = "The caller is not in it."),
    (status = 404, description = "There is no such room, or the caller may not see it.")))]
pub async fn read(
    State(app): State<Arc<App>>,
    joined: JoinedRoom,
    Body(request): Body<ReadRequest>,
) -> Result<Json<Unread>> {
    let JoinedRoom { room, membership } = joined;
    let seq = request.seq.min(room.last_seq);
    if seq > membership.read_seq {
        app.storage.write(MarkRead { membership_id: membership.id, seq }).await?;
    }
    Ok(Json(unread(room.id, room.last_seq, seq.max(membership.read_seq))))
}
