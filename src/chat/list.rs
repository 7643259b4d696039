//! The list of rooms: the caller's own, and the public ones.

use super::frame::ChatMessage;
use super::room::Room;
use super::store;
use crate::access::CurrentUser;
use crate::error::{Error, Result};
use crate::extract::{Key, ListQuery, Listing, Ordering, Page, PageParameters, Search};
use crate::model::rooms::{Column, Entity, Model};
use crate::model::{memberships, messages};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Ids grow with time: they stand for it.
const ORDERINGS: [Ordering; 3] = [
    Ordering { name: "created_at", is_descending: true },
    Ordering { name: "id", is_descending: true },
    Ordering { name: "name", is_descending: false },
];
const LAST_MESSAGE: &str = "last_message";

/// Lists rooms, the newest first: those that the caller is in, and public ones. Staff see all.
#[utoipa::path(get, path = "/rooms", tag = "rooms", params(PageParameters,
    ("search" = Option<String>, Query, description = "Words; a name has to have all of them, whole or begun."),
    ("ordering" = Option<String>, Query, description = "created_at, id or name; with a minus the largest first. \
        -created_at by default."),
    ("member" = Option<bool>, Query, description = "Only those that the caller is in, or only the others."),
    ("include" = Option<String>, Query, description = "last_message: what was said last, in rooms that the caller \
        is in.")),
    responses((status = 200, description = "A page of rooms.", body = Page<Room>),
    (status = 400, description = "A parameter is wrong.")))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    query: ListQuery,
) -> Result<Json<Page<Room>>> {
    let ordering = query.ordering(&ORDERINGS)?;
    let (db, slices) = (app.storage.reader(), slices(&caller, member(&query)?));
    let public_url = &app.config.server.public_url;
    let listing = Listing::<Entity> {
        query: &query,
        public_url,
        ordering,
        by: column(ordering),
        id: Column::Id,
        place,
    };
    let page = match Search::parse(query.parameter("search"))? {
        Some(search) => listing.found(db, find(&search, &slices)).await?,
        None => listing.merged(db, &slices).await?,
    };
    let owners = store::usernames(db, page.results.iter().filter_map(|room| room.owner_id)).await?;
    let joined = joined(db, &caller, &page.results).await?;
    let mut last_messages = match query.include().has(LAST_MESSAGE) {
        true => last_messages(db, &page.results, &joined).await?,
        false => HashMap::new(),
    };
    Ok(Json(page.map(|room| {
        let owner = room.owner_id.and_then(|id| owners.get(&id).cloned());
        let (id, is_member) = (room.id, joined.contains(&room.id));
        Room::of(room, owner, is_member).with(last_messages.remove(&id))
    })))
}

/// Which rooms are asked for: those that the caller is in, the others, or both.
fn member(query: &ListQuery) -> Result<Option<bool>> {
    match query.parameter("member") {
        None | Some("") => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Error::bad_request("invalid", "member has to be true or false")),
    }
}

/// What the caller may see, in slices that an index answers each; no room is in two.
fn slices(caller: &CurrentUser, member: Option<bool>) -> Vec<Condition> {
    let all = || Condition::all().add(Column::DeletedAt.is_null());
    let only = |is_public: bool| all().add(Column::IsPublic.eq(is_public));
    let (own, others) = (
        Column::Id.in_subquery(rooms_of(caller.user.id)),
        Column::Id.not_in_subquery(rooms_of(caller.user.id)),
    );
    match (member, caller.user.is_staff) {
        (Some(true), _) => vec![all().add(own)],
        (Some(false), false) => vec![only(true).add(others)],
        (Some(false), true) => vec![only(true).add(others.clone()), only(false).add(others)],
        (None, false) => vec![only(true), only(false).add(own)],
        (None, true) => vec![only(true), only(false)],
    }
}

fn rooms_of(user_id: i64) -> SelectStatement {
    Query::select()
        .column(memberships::Column::RoomId)
        .from(memberships::Entity)
        .and_where(memberships::Column::UserId.eq(user_id))
        .to_owned()
}

/// Which of these rooms the caller is in.
async fn joined(db: &impl ConnectionTrait, caller: &CurrentUser, rooms: &[Model]) -> Result<HashSet<i64>> {
    use memberships::Column::{RoomId, UserId};
    let joined: Vec<i64> = memberships::Entity::find()
        .select_only()
        .column(RoomId)
        .filter(UserId.eq(caller.user.id))
        .filter(RoomId.is_in(rooms.iter().map(|room| room.id)))
        .into_tuple()
        .all(db)
        .await?;
    Ok(joined.into_iter().collect())
}

/// What was said last in those of the rooms that the caller is in. Numbers have no gaps and messages stay.
async fn last_messages(
    db: &impl ConnectionTrait,
    rooms: &[Model],
    joined: &HashSet<i64>,
) -> Result<HashMap<i64, ChatMessage>> {
    use messages::Column::{RoomId, Seq};
    let own = rooms.iter().filter(|room| joined.contains(&room.id) && room.last_seq > 0);
    let newest_of = |room: &Model| Condition::all().add(RoomId.eq(room.id)).add(Seq.eq(room.last_seq));
    let newest = own.map(newest_of).fold(Condition::any(), Condition::add);
    if newest.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = messages::Entity::find().filter(newest).all(db).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.room_id).collect();
    Ok(ids.into_iter().zip(ChatMessage::load(db, rows).await?).collect())
}

/// The rooms that a search finds, without columns; `None` where there are none.
fn find(search: &Search, slices: &[Condition]) -> Option<SelectStatement> {
    let (candidates, condition) = search.candidates(store::WORDS, Column::Id)?;
    let visible = slices.iter().cloned().fold(Condition::any(), Condition::add);
    Some(Search::join::<Entity, _>(candidates, Column::Id, condition.add(visible)))
}

fn column(ordering: Ordering) -> Option<Column> {
    (ordering.name == "name").then_some(Column::Name)
}

fn place(ordering: Ordering, room: &Model) -> (Key, i64) {
    let key = if ordering.name == "name" { Key::Text(room.name.clone()) } else { Key::None };
    (key, room.id)
}
