//! Making, changing and removing a room.

use super::body::{NewRoom, RoomPatch};
use super::room::{OwnRoom, Room};
use super::store::{self, CreateRoom, DeleteRoom, UpdateRoom};
use crate::access::CurrentUser;
use crate::error::Result;
use crate::extract::Body;
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

/// Makes a room; the caller is its owner and first member.
#[utoipa::path(post, path = "/rooms", tag = "rooms", request_body = NewRoom, responses(
    (status = 201, description = "The room.", body = Room),
    (status = 400, description = "A field is wrong.")))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    Body(room): Body<NewRoom>,
) -> Result<(StatusCode, Json<Room>)> {
    let create = CreateRoom { owner_id: caller.user.id, room, now: app.now() };
    let room = app.storage.write(create).await?;
    Ok((StatusCode::CREATED, Json(Room::of(room, Some(caller.user.username.clone()), true))))
}

/// Changes the caller's room. Whoever is in it stays in it.
#[utoipa::path(patch, path = "/rooms/{id}", tag = "rooms", request_body = RoomPatch,
    params(("id" = i64, Path, description = "Of the list.")),
    responses(
    (status = 200, description = "The room as it is now.", body = Room),
    (status = 400, description = "A field is wrong."),
    (status = 403, description = "It is somebody else's."),
    (status = 404, description = "There is no such room, or the caller may not see it.")))]
pub async fn change(
    State(app): State<Arc<App>>,
    own: OwnRoom,
    Body(patch): Body<RoomPatch>,
) -> Result<Json<Room>> {
    let update = UpdateRoom { id: own.room.id, owner_id: own.owner.user.id, patch };
    let room = app.storage.write(update).await?;
    Ok(Json(Room::of(room, Some(own.owner.user.username.clone()), true)))
}

/// Removes the caller's room with everything that was said in it.
#[utoipa::path(delete, path = "/rooms/{id}", tag = "rooms",
    params(("id" = i64, Path, description = "Of the list.")),
    responses(
    (status = 204, description = "It is gone; open sockets in it have ended."),
    (status = 403, description = "It is somebody else's."),
    (status = 404, description = "There is no such room, or the caller may not see it.")))]
pub async fn delete(State(app): State<Arc<App>>, own: OwnRoom) -> Result<StatusCode> {
    let id = own.room.id;
    app.storage.write(DeleteRoom { id, owner_id: own.owner.user.id, now: app.now() }).await?;
    store::room_is_gone(&app, id);
    Ok(StatusCode::NO_CONTENT)
}
