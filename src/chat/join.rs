//! Going into a room and out of it.

use super::room::{Room, SeenRoom};
use super::store::{self, Join, Leave};
use crate::access::CurrentUser;
use crate::error::Result;
use crate::extract::Parameter;
use crate::state::App;
use axum::Json;
use axum::extract::State;
use std::sync::Arc;

/// Joins a public room. Joining again is the same.
#[utoipa::path(post, path = "/rooms/{id}/join", tag = "rooms",
    params(("id" = i64, Path, description = "Of the list.")),
    responses(
    (status = 200, description = "The caller is in it.", body = Room),
    (status = 404, description = "There is no such room, or it is private.")))]
pub async fn join(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    Parameter(id): Parameter<i64>,
) -> Result<Json<Room>> {
    let room = app.storage.write(Join { room_id: id, user_id: caller.user.id, now: app.now() }).await?;
    Ok(Json(Room::load(app.storage.reader(), room, true).await?))
}

/// Leaves a room. When its owner leaves, whoever has been in it longest owns it; the last one takes it along.
#[utoipa::path(post, path = "/rooms/{id}/leave", tag = "rooms",
    params(("id" = i64, Path, description = "Of the list.")),
    responses(
    (status = 200, description = "The caller is not in it; open sockets in it have ended.", body = Room),
    (status = 404, description = "There is no such room, or it is private and the caller is not in it.")))]
pub async fn leave(State(app): State<Arc<App>>, seen: SeenRoom) -> Result<Json<Room>> {
    let (room_id, user_id) = (seen.room.id, seen.caller.user.id);
    let mut room = seen.room;
    if seen.membership.is_some() {
        let left = app.storage.write(Leave { room_id, user_id, now: app.now() }).await?;
        store::member_is_gone(&app, &left, user_id);
        room.owner_id = left.owner_id;
    }
    Ok(Json(Room::load(app.storage.reader(), room, false).await?))
}
