//! Messages on their way to the disk, and from there to everybody.
//!
//! In each room one task writes at a time: it takes all that wait, gives them the next numbers in one
//! transaction, and pushes them to the room after the commit. So the order of numbers is the order of commits
//! and of frames; nobody hears what could still be lost; and a room that is busy pays for one commit and one
//! wake-up, not for each message.

use super::frame::ChatMessage;
use super::news::catch_up;
use super::store;
use crate::error::{Error, Result};
use crate::hub::{End, Room, Waiting};
use crate::model::{memberships, messages, rooms};
use crate::state::App;
use crate::storage::Write;
use portcullis_security::clock::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Messages in one transaction.
const BATCH: usize = 256;

/// Writes what waits in a room until nothing does.
pub(super) async fn write_all(app: Arc<App>, room: Arc<Room>) {
    while room.goes_on() {
        let pause = room.pause(Instant::now());
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        write(&app, &room, room.take_waiting(BATCH)).await;
    }
    app.hub.release(&room);
}

async fn write(app: &Arc<App>, room: &Arc<Room>, waiting: Vec<Waiting>) {
    let said = waiting.iter().map(|message| (message.user_id, message.text.clone())).collect();
    let insert = InsertMessages { room_id: room.id(), said, now: app.now() };
    match app.storage.write(insert).await {
        Ok(rows) => publish(app, room, waiting, rows).await,
        Err(Error::Refused(_)) => app.hub.end_in_room(room.id(), |_| true, End::Forbidden),
        Err(error) => {
            tracing::warn!(?error, messages = waiting.len(), "messages were not stored");
            waiting.iter().for_each(|message| message.seat.fail());
        }
    }
}

async fn publish(
    app: &Arc<App>,
    room: &Arc<Room>,
    waiting: Vec<Waiting>,
    rows: Vec<Option<messages::Model>>,
) {
    let mut first = None;
    let mut frames = Vec::with_capacity(rows.len());
    for (message, row) in waiting.into_iter().zip(rows) {
        let Some(row) = row else {
            message.seat.end(End::Forbidden);
            continue;
        };
        first.get_or_insert(row.seq);
        frames.push(frame(&ChatMessage::of(row, Some(message.username))));
    }
    let Some(first) = first else { return };
    // Another process has written before: its messages come first.
    if !room.push(first, frames)
        && let Err(error) = catch_up(app, room).await
    {
        tracing::warn!(?error, "messages of another process were not read");
    }
}

/// As it goes out.
pub(super) fn frame(message: &ChatMessage) -> Utf8Bytes {
    // It holds texts and numbers alone, which always have a form in JSON.
    serde_json::to_string(message).unwrap_or_default().into()
}

/// Inserts messages with the room's next numbers; nothing for one whose author is not a member. 404 when the
/// room is gone.
pub struct InsertMessages {
    /// In which room.
    pub room_id: i64,
    /// Who, and what.
    pub said: Vec<(i64, String)>,
    /// When.
    pub now: Timestamp,
}

impl Write for InsertMessages {
    type Output = Vec<Option<messages::Model>>;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Self::Output> {
        let room = store::lock(tx, self.room_id).await?;
        let mut members = self.members(tx).await?;
        let mut seq = room.last_seq;
        let mut rows: Vec<_> = self.said.iter().map(|said| self.row(said, &mut members, &mut seq)).collect();
        if seq == room.last_seq {
            return Ok(rows);
        }
        rooms::Entity::update_many()
            .col_expr(rooms::Column::LastSeq, Expr::value(seq))
            .filter(rooms::Column::Id.eq(room.id))
            .exec(tx)
            .await?;
        let values = rows.iter().flatten().map(values);
        messages::Entity::insert_many(values).exec_without_returning(tx).await?;
        for member in members.into_values().filter(|member| member.read_seq > room.last_seq) {
            store::MarkRead { membership_id: member.id, seq: member.read_seq }.run(tx).await?;
        }
        let ids = ids_after(tx, &room).await?;
        for (row, id) in rows.iter_mut().flatten().zip(ids) {
            row.id = id;
        }
        Ok(rows)
    }
}

impl InsertMessages {
    /// Those of the authors who are members, by their ids.
    async fn members(&self, tx: &DatabaseTransaction) -> Result<HashMap<i64, memberships::Model>> {
        use memberships::Column::{RoomId, UserId};
        let mut authors: Vec<i64> = self.said.iter().map(|(user_id, _)| *user_id).collect();
        authors.sort_unstable();
        authors.dedup();
        let members = memberships::Entity::find()
            .filter(RoomId.eq(self.room_id))
            .filter(UserId.is_in(authors))
            .all(tx)
            .await?;
        Ok(members.into_iter().map(|member| (member.user_id, member)).collect())
    }

    fn row(
        &self,
        (user_id, text): &(i64, String),
        members: &mut HashMap<i64, memberships::Model>,
        seq: &mut i64,
    ) -> Option<messages::Model> {
        let author = members.get_mut(user_id)?;
        // Whoever had read all that was said before has nothing new in what they say themselves.
        if author.read_seq == *seq {
            author.read_seq += 1;
        }
        *seq += 1;
        Some(messages::Model {
            id: 0,
            room_id: self.room_id,
            seq: *seq,
            user_id: Some(*user_id),
            text: text.clone(),
            created_at: self.now.micros(),
        })
    }
}

fn values(row: &messages::Model) -> messages::ActiveModel {
    messages::ActiveModel {
        room_id: Set(row.room_id),
        seq: Set(row.seq),
        user_id: Set(row.user_id),
        text: Set(row.text.clone()),
        created_at: Set(row.created_at),
        ..messages::ActiveModel::default()
    }
}

/// The ids of many inserted rows are not told: they are read again, in the order of their numbers.
async fn ids_after(tx: &DatabaseTransaction, room: &rooms::Model) -> Result<Vec<i64>> {
    use messages::Column::{Id, RoomId, Seq};
    let new = messages::Entity::find().select_only().column(Id).filter(RoomId.eq(room.id));
    let new = new.filter(Seq.gt(room.last_seq)).order_by_asc(Seq);
    Ok(new.into_tuple().all(tx).await?)
}
