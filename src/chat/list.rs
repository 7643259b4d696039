//! The list of rooms: the caller's own, and the public ones.

use super::room::Room;
use super::store;
use crate::access::CurrentUser;
use crate::error::Result;
use crate::extract::{Key, ListQuery, Listing, Ordering, Page, PageParameters, Search};
use crate::model::memberships;
use crate::model::rooms::{Column, Entity, Model};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashSet;
use std::sync::Arc;

/// Ids grow with time: they stand for it.
const ORDERINGS: [Ordering; 3] = [
    Ordering { name: "created_at", is_descending: true },
    Ordering { name: "id", is_descending: true },
    Ordering { name: "name", is_descending: false },
];
/// Lists rooms, the newest first: those that the caller is in, and public ones. Staff see all.
#[utoipa::path(get, path = "/rooms", tag = "rooms", params(PageParameters,
    ("search" = Option<String>, Query, description = "Words; a name has to have all of them, whole or begun."),
    ("ordering" = Option<String>, Query, description = "created_at, id or name; with a minus the largest first. \
        -created_at by default.")),
    responses((status = 200, description = "A page of rooms.", body = Page<Room>),
    (status = 400, description = "A parameter is wrong.")))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    query: ListQuery,
) -> Result<Json<Page<Room>>> {
    let ordering = query.known_ordering(&ORDERINGS)?;
    let (db, slices) = (app.storage.reader(), slices(&caller));
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
    Ok(Json(page.map(|room| {
        let owner = room.owner_id.and_then(|id| owners.get(&id).cloned());
        let is_member = joined.contains(&room.id);
        Room::of(room, owner, is_member)
    })))
}

/// What the caller may see, in slices that an index answers each; no room is in two.
fn slices(caller: &CurrentUser) -> [Condition; 2] {
    let only = |is_public: bool| {
        Condition::all().add(Column::DeletedAt.is_null()).add(Column::IsPublic.eq(is_public))
    };
    let private = match caller.user.is_staff {
        true => only(false),
        false => only(false).add(Column::Id.in_subquery(rooms_of(caller.user.id))),
    };
    [only(true), private]
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
