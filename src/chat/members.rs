//! Who is in a room.

use super::body::MemberRequest;
use super::room::{MemberName, OwnRoom, SeenRoom};
use super::store::{self, AddMember, Leave};
use crate::access::{find_by_username, fold, in_use, is_blocked, standing};
use crate::error::{Error, Result};
use crate::extract::{Body, ListQuery, Ordering, Page, PageParameters};
use crate::model::{memberships, users};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_security::clock::Timestamp;
use portcullis_security::permission::Standing;
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationDef};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const FIRST_COMERS_FIRST: Ordering = Ordering { name: "id", is_descending: false };
const UNKNOWN: &str = "There is no such user.";

/// Somebody who is in a room.
#[derive(Serialize, ToSchema)]
pub struct Member {
    username: String,
    joined_at: String,
}

/// Lists who is in a room, who came first at the top.
#[utoipa::path(get, path = "/rooms/{id}/members", tag = "rooms",
    params(("id" = i64, Path, description = "Of the list."), PageParameters),
    responses(
    (status = 200, description = "A page of members.", body = Page<Member>),
    (status = 400, description = "The cursor is none of this list."),
    (status = 404, description = "There is no such room, or the caller may not see it.")))]
pub async fn list(
    State(app): State<Arc<App>>,
    seen: SeenRoom,
    query: ListQuery,
) -> Result<Json<Page<Member>>> {
    use memberships::Column::{CreatedAt, Id, RoomId};
    let ordering = query.ordering(&[FIRST_COMERS_FIRST])?;
    let members = memberships::Entity::find()
        .filter(RoomId.eq(seen.room.id))
        .join(JoinType::InnerJoin, account())
        .filter(in_use())
        .select_only()
        .columns([Id, CreatedAt])
        .column(users::Column::Username);
    let (db, public_url) = (app.storage.reader(), &app.config.server.public_url);
    let page = query.people(db, public_url, ordering, (members, Id)).await?;
    Ok(Json(page.map(|(_, joined_at, username)| member(username, joined_at))))
}

fn account() -> RelationDef {
    memberships::Entity::belongs_to(users::Entity)
        .from(memberships::Column::UserId)
        .to(users::Column::Id)
        .into()
}

fn member(username: String, joined_at: i64) -> Member {
    Member { username, joined_at: Timestamp::from_micros(joined_at).to_string() }
}

/// Adds somebody to the caller's room. Adding them again is the same.
#[utoipa::path(post, path = "/rooms/{id}/members", tag = "rooms", request_body = MemberRequest,
    params(("id" = i64, Path, description = "Of the list.")),
    responses(
    (status = 200, description = "They were in it before.", body = Member),
    (status = 201, description = "They are in it now.", body = Member),
    (status = 400, description = "There is no such user, or one of the two has blocked the other."),
    (status = 403, description = "It is somebody else's room."),
    (status = 404, description = "There is no such room, or the caller may not see it.")))]
pub async fn add(
    State(app): State<Arc<App>>,
    own: OwnRoom,
    Body(request): Body<MemberRequest>,
) -> Result<(StatusCode, Json<Member>)> {
    let unknown = || Error::field("username", UNKNOWN);
    let user = find_by_username(app.storage.reader(), &request.username).await?;
    let user = user.filter(|user| standing(user) == Standing::Active).ok_or_else(unknown)?;
    // Whoever blocks somebody is not to be drawn into their rooms, nor told of it.
    if is_blocked(app.storage.reader(), own.owner.user.id, user.id).await? {
        return Err(unknown());
    }
    let owner_id = own.owner.user.id;
    let add = AddMember { room_id: own.room.id, owner_id, user_id: user.id, now: app.now() };
    let (is_new, joined_at) = app.storage.write(add).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(member(user.username, joined_at))))
}

/// Removes somebody from the caller's room; of themselves anybody may.
#[utoipa::path(delete, path = "/rooms/{id}/members/{username}", tag = "rooms",
    params(("id" = i64, Path, description = "Of the list."),
    ("username" = String, Path, description = "A member's.")),
    responses(
    (status = 204, description = "They are not in it any more; their open sockets in it have ended."),
    (status = 403, description = "It is somebody else's room."),
    (status = 404, description = "There is no such room or member, or the caller may not see it.")))]
pub async fn remove(
    State(app): State<Arc<App>>,
    seen: SeenRoom,
    MemberName(username): MemberName,
) -> Result<StatusCode> {
    let caller = &seen.caller.user;
    let is_self = caller.username_key == fold(&username);
    if seen.room.owner_id != Some(caller.id) && !is_self {
        return Err(Error::permission_denied());
    }
    let user = find_by_username(app.storage.reader(), &username).await?.ok_or_else(Error::not_found)?;
    let leave = Leave { room_id: seen.room.id, user_id: user.id, now: app.now() };
    let left = app.storage.write(leave).await?;
    store::member_is_gone(&app, &left, user.id);
    Ok(StatusCode::NO_CONTENT)
}
