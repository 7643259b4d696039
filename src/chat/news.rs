//! What others change: sessions that end, members that go, messages that another process has written.

use super::frame::ChatMessage;
use super::writer::frame;
use crate::error::Result;
use crate::hub::{End, Room};
use crate::model::{memberships, messages, rooms};
use crate::state::App;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;

/// Ids in one statement.
const CHUNK: usize = 500;
/// Messages that are read at once.
const PAGE: u64 = 200;

/// Asks sockets whether they may stay whenever there is news of their accounts or of the keys, until the process ends.
pub async fn listen(app: Arc<App>) {
    let (mut news, mut keys) = (app.access.news(), app.access.keys().changes());
    loop {
        tokio::select! {
            heard = news.recv() => match heard {
                Ok(user_id) => app.hub.ask_again(user_id),
                Err(RecvError::Lagged(_)) => app.hub.ask_all_again(),
                Err(RecvError::Closed) => return,
            },
            Ok(()) = keys.changed() => app.hub.ask_all_again(),
        }
    }
}

/// Reads what other processes have done in the rooms that somebody listens to; to be called every 500 ms.
pub async fn poll(app: Arc<App>) {
    let rooms = app.hub.rooms();
    for chunk in rooms.chunks(CHUNK) {
        if let Err(error) = look_at(&app, chunk).await {
            tracing::warn!(?error, "what happens in rooms could not be read");
        }
    }
}

async fn look_at(app: &App, rooms: &[Arc<Room>]) -> Result<()> {
    use rooms::Column::{DeletedAt, Id, LastSeq, Version};
    let rows: Vec<(i64, i64, i64)> = rooms::Entity::find()
        .select_only()
        .columns([Id, LastSeq, Version])
        .filter(Id.is_in(rooms.iter().map(|room| room.id())))
        .filter(DeletedAt.is_null())
        .into_tuple()
        .all(app.storage.reader())
        .await?;
    let found: HashMap<i64, (i64, i64)> =
        rows.into_iter().map(|(id, seq, version)| (id, (seq, version))).collect();
    for room in rooms {
        let Some((last_seq, version)) = found.get(&room.id()).copied() else {
            room.end(|_| true, End::Forbidden);
            continue;
        };
        if room.version() != version {
            end_former_members(app, room).await?;
            // Not before: were it refused, nobody would ask again.
            room.set_version(version);
        }
        if last_seq > room.last() {
            catch_up(app, room).await?;
        }
    }
    Ok(())
}

async fn end_former_members(app: &App, room: &Room) -> Result<()> {
    use memberships::Column::{RoomId, UserId};
    for chunk in room.user_ids().chunks(CHUNK) {
        let members: Vec<i64> = memberships::Entity::find()
            .select_only()
            .column(UserId)
            .filter(RoomId.eq(room.id()))
            .filter(UserId.is_in(chunk.iter().copied()))
            .into_tuple()
            .all(app.storage.reader())
            .await?;
        let members: HashSet<i64> = members.into_iter().collect();
        let gone: HashSet<i64> = chunk.iter().copied().filter(|id| !members.contains(id)).collect();
        room.end(|seat| gone.contains(&seat.user_id()), End::Forbidden);
    }
    Ok(())
}

/// Pushes what a room has not had yet.
pub(super) async fn catch_up(app: &App, room: &Room) -> Result<()> {
    loop {
        let messages = read_after(app, room.id(), room.last()).await?;
        let Some(first) = messages.first().map(|message| message.seq) else { return Ok(()) };
        // A gap: the database that was asked lags behind; the next poll sees more.
        if !room.push(first, messages.iter().map(frame)) {
            return Ok(());
        }
    }
}

/// The messages that follow a number, some at once.
pub(super) async fn read_after(app: &App, room_id: i64, seq: i64) -> Result<Vec<ChatMessage>> {
    use messages::Column::{RoomId, Seq};
    let db = app.storage.reader();
    let rows = messages::Entity::find().filter(RoomId.eq(room_id)).filter(Seq.gt(seq)).order_by_asc(Seq);
    let rows = rows.limit(PAGE).all(db).await?;
    ChatMessage::load(db, rows).await
}
