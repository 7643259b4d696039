//! The list of rooms: the caller's own, and the public ones.

use super::room::Room;
use super::store;
use crate::access::CurrentUser;
use crate::error::Result;
use crate::extract::{Key, ListQuery, Ordering, Page, PageParameters, Search, count_up_to_limit};
use crate::model::rooms::{Column, Entity, Model};
use crate::model::{memberships, room_words};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryResult, QuerySelect};
use std::collections::HashSet;
use std::sync::Arc;

/// Ids grow with time: they stand for it.
const ORDERINGS: [Ordering; 3] = [
    Ordering { name: "created_at", is_descending: true },
    Ordering { name: "id", is_descending: true },
    Ordering { name: "name", is_descending: false },
];
/// Counting stops here (contract §1).
const MAX_COUNT: u64 = 10_000;

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
    let slices = slices(&caller);
    let page = match Search::parse(query.parameter("search"))? {
        Some(search) => found(&app, &query, ordering, &slices, &search).await?,
        None => merged(&app, &query, ordering, &slices).await?,
    };
    let db = app.storage.reader();
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

/// The first rows of each slice, in one order.
async fn merged(
    app: &App,
    query: &ListQuery,
    ordering: Ordering,
    slices: &[Condition],
) -> Result<Page<Model>> {
    let db = app.storage.reader();
    let (mut rows, mut count) = (Vec::new(), 0);
    for slice in slices {
        let select = Entity::find().filter(slice.clone());
        count += count_up_to_limit(db, select.clone()).await?;
        rows.extend(query.seek(select, ordering, column(ordering), Column::Id)?.all(db).await?);
    }
    rows.sort_by_cached_key(|room| place(ordering, room));
    if ordering.is_descending != query.is_backwards() {
        rows.reverse();
    }
    rows.truncate(usize::try_from(query.limit()).unwrap_or(usize::MAX));
    let page = query.page(&app.config.server.public_url, ordering, rows, |room| place(ordering, room));
    Ok(page.counted(count.min(MAX_COUNT)))
}

/// The rooms that a search finds are few: they are ordered here.
async fn found(
    app: &App,
    query: &ListQuery,
    ordering: Ordering,
    slices: &[Condition],
    search: &Search,
) -> Result<Page<Model>> {
    let db = app.storage.reader();
    let table = (room_words::Entity, room_words::Column::RoomId, room_words::Column::Word);
    let by = column(ordering);
    let mut places = Vec::new();
    if let Some((candidates, condition)) = search.candidates(table, Column::Id) {
        let visible = slices.iter().cloned().fold(Condition::any(), Condition::add);
        let mut select = Search::join::<Entity, _>(candidates, Column::Id, condition.add(visible));
        select.column((Entity, Column::Id)).column((Entity, by.unwrap_or(Column::Id)));
        let read = |row: &QueryResult| Ok((Key::read(row, 1, by.is_none())?, row.try_get_by_index(0)?));
        places = db.query_all(&select).await?.iter().map(read).collect::<Result<Vec<(Key, i64)>>>()?;
    }
    let count = places.len() as u64;
    let ids = query.cut(ordering, &mut places);
    let mut rows = Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(db).await?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
    let page = query.page(&app.config.server.public_url, ordering, rows, |room| place(ordering, room));
    Ok(page.counted(count))
}

fn column(ordering: Ordering) -> Option<Column> {
    (ordering.name == "name").then_some(Column::Name)
}

fn place(ordering: Ordering, room: &Model) -> (Key, i64) {
    let key = if ordering.name == "name" { Key::Text(room.name.clone()) } else { Key::None };
    (key, room.id)
}
