//! A room of the path, as far as the caller may do something with it.
//!
//! What is hidden is 404; what is shown but not the caller's to do is 403 (contract §1). Blocks hide no rooms.

use super::frame::ChatMessage;
use super::store;
use crate::access::CurrentUser;
use crate::error::{Error, Result};
use crate::model::{memberships, rooms};
use crate::state::App;
use axum::Json;
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::http::request::Parts;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A room.
#[derive(Debug, Serialize, ToSchema)]
pub struct Room {
    id: i64,
    /// Plain text: encode it where it is shown.
    name: String,
    /// Whether everybody finds it and may join.
    is_public: bool,
    /// The owner's username; null while their account is deleted.
    owner: Option<String>,
    /// Whether the caller is in it.
    member: bool,
    /// What was said last, for those who are in it and include it; missing while nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_message: Option<ChatMessage>,
}

impl Room {
    pub(super) fn of(room: rooms::Model, owner: Option<String>, member: bool) -> Self {
        Self { id: room.id, name: room.name, is_public: room.is_public, owner, member, last_message: None }
    }

    pub(super) fn with(self, last_message: Option<ChatMessage>) -> Self {
        Self { last_message, ..self }
    }

    /// With the owner's name read from the database.
    pub(super) async fn load(db: &impl ConnectionTrait, room: rooms::Model, member: bool) -> Result<Self> {
        let names = store::usernames(db, room.owner_id).await?;
        let owner = room.owner_id.and_then(|id| names.get(&id).cloned());
        Ok(Self::of(room, owner, member))
    }
}

/// A room that the caller may see: it is public, the caller is in it, or the caller is staff.
pub struct SeenRoom {
    /// As it was a moment ago.
    pub room: rooms::Model,
    /// The caller's part in it.
    pub membership: Option<memberships::Model>,
    /// Who looks.
    pub caller: CurrentUser,
}

/// A room that the caller is in: messages are for nobody else, not for staff either.
pub struct JoinedRoom {
    /// As it was a moment ago.
    pub room: rooms::Model,
    /// The caller's part in it.
    pub membership: memberships::Model,
}

/// A room that is the caller's.
pub struct OwnRoom {
    /// As it was a moment ago.
    pub room: rooms::Model,
    /// Whose it is.
    pub owner: CurrentUser,
}

impl FromRequestParts<Arc<App>> for SeenRoom {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let caller = CurrentUser::from_request_parts(parts, app).await?;
        let id = room_id(parts).await?;
        let db = app.storage.reader();
        let room = store::find(db, id).await?.ok_or_else(Error::not_found)?;
        let membership = store::membership(db, id, caller.user.id).await?;
        match room.is_public || membership.is_some() || caller.user.is_staff {
            true => Ok(Self { room, membership, caller }),
            false => Err(Error::not_found()),
        }
    }
}

impl FromRequestParts<Arc<App>> for JoinedRoom {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let SeenRoom { room, membership, .. } = SeenRoom::from_request_parts(parts, app).await?;
        let membership = membership.ok_or_else(Error::permission_denied)?;
        Ok(Self { room, membership })
    }
}

impl FromRequestParts<Arc<App>> for OwnRoom {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let SeenRoom { room, caller, .. } = SeenRoom::from_request_parts(parts, app).await?;
        match room.owner_id == Some(caller.user.id) {
            true => Ok(Self { room, owner: caller }),
            false => Err(Error::permission_denied()),
        }
    }
}

/// The `{id}` of a path that may have another parameter.
async fn room_id(parts: &mut Parts) -> Result<i64> {
    let Ok(parameters) = RawPathParams::from_request_parts(parts, &()).await else {
        return Err(Error::not_found());
    };
    let id = parameters.iter().find(|(name, _)| *name == "id").and_then(|(_, id)| id.parse().ok());
    id.ok_or_else(Error::not_found)
}

/// The `{username}` of a path.
pub struct MemberName(pub String);

impl<S: Send + Sync> FromRequestParts<S> for MemberName {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        let Ok(parameters) = RawPathParams::from_request_parts(parts, &()).await else {
            return Err(Error::not_found());
        };
        let name = parameters.iter().find(|(name, _)| *name == "username").map(|(_, name)| name.to_owned());
        name.map(Self).ok_or_else(Error::not_found)
    }
}

/// Shows a room.
#[utoipa::path(get, path = "/rooms/{id}", tag = "rooms",
    params(("id" = i64, Path, description = "Of the list.")),
    responses(
    (status = 200, description = "The room.", body = Room),
    (status = 404, description = "There is no such room, or the caller may not see it.")))]
pub async fn read(State(app): State<Arc<App>>, seen: SeenRoom) -> Result<Json<Room>> {
    let is_member = seen.membership.is_some();
    Ok(Json(Room::load(app.storage.reader(), seen.room, is_member).await?))
}
