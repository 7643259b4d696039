//! What was said in a room.

use super::frame::ChatMessage;
use super::room::JoinedRoom;
use crate::error::Result;
use crate::extract::{Key, ListQuery, Ordering, Page, PageParameters};
use crate::model::messages::{Column, Entity};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::sync::Arc;

const NEWEST_FIRST: Ordering = Ordering { name: "seq", is_descending: true };
/// Counting stops here (contract §1).
const MAX_COUNT: i64 = 10_000;

/// Lists what was said in a room that the caller is in, the newest first; rows as a socket's frames.
#[utoipa::path(get, path = "/rooms/{id}/messages", tag = "rooms",
    params(("id" = i64, Path, description = "Of the list."), PageParameters,
    ("ordering" = Option<String>, Query, description = "-seq (the newest first, by default) or seq.")),
    responses(
    (status = 200, description = "A page of messages.", body = Page<ChatMessage>),
    (status = 400, description = "A parameter is wrong."),
    (status = 403, description = "The caller is not in it."),
    (status = 404, description = "There is no such room, or the caller may not see it.")))]
pub async fn list(
    State(app): State<Arc<App>>,
    JoinedRoom { room, .. }: JoinedRoom,
    query: ListQuery,
) -> Result<Json<Page<ChatMessage>>> {
    let ordering = query.ordering(&[NEWEST_FIRST])?;
    let db = app.storage.reader();
    let messages = Entity::find().filter(Column::RoomId.eq(room.id));
    let rows = query.seek(messages, ordering, None, Column::Seq)?.all(db).await?;
    let page = query.page(&app.config.server.public_url, ordering, rows, |row| (Key::None, row.seq));
    // Numbers have no gaps and messages stay: the last number is the count.
    let count = u64::try_from(room.last_seq.min(MAX_COUNT)).unwrap_or(0);
    let Page { next, previous, results, .. } = page;
    Ok(Json(Page { count, next, previous, results: ChatMessage::load(db, results).await? }))
}
