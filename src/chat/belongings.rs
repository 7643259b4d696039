//! What rooms and messages are stored of somebody: for their owner, and how they go.

use super::store;
use crate::error::{Error, Result};
use crate::export::Export;
use crate::model::{memberships, messages, rooms, socket_tickets};
use crate::state::{App, Feature};
use portcullis_security::clock::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use std::collections::HashMap;

/// Messages that are read at once for an export.
const PAGE: u64 = 1000;

/// For the list of features in `app.rs`.
pub const FEATURE: Feature = Feature {
    export: |app, user_id, export| Box::pin(write(app, user_id, export)),
    erase: |tx, user_id| Box::pin(erase(tx, user_id)),
};

async fn write(app: &App, user_id: i64, export: &mut Export) -> Result<()> {
    export.open_object("chat");
    write_rooms(app, user_id, export).await?;
    write_messages(app, user_id, export).await?;
    export.close_object();
    Ok(())
}

async fn write_rooms(app: &App, user_id: i64, export: &mut Export) -> Result<()> {
    let db = app.storage.reader();
    let joined = memberships::Entity::find().filter(memberships::Column::UserId.eq(user_id));
    let joined = joined.order_by_asc(memberships::Column::RoomId).all(db).await?;
    let mut by_id = HashMap::new();
    for chunk in joined.chunks(500) {
        let ids = chunk.iter().map(|row| row.room_id);
        let found = rooms::Entity::find().filter(rooms::Column::Id.is_in(ids)).all(db).await?;
        by_id.extend(found.into_iter().map(|room| (room.id, room)));
    }
    let room = |row: &memberships::Model| {
        let room = by_id.get(&row.room_id);
        json!({
            "id": row.room_id,
            "name": room.map(|room| &room.name),
            "owner": room.is_some_and(|room| room.owner_id == Some(user_id)),
            "joined_at": Timestamp::from_micros(row.created_at).to_string(),
            "read": row.read_seq,
        })
    };
    export.member("rooms", &joined.iter().map(room).collect()).await
}

async fn write_messages(app: &App, user_id: i64, export: &mut Export) -> Result<()> {
    use messages::Column::{Id, UserId};
    export.open_list("messages");
    let mut after = 0;
    loop {
        let said = messages::Entity::find().filter(UserId.eq(user_id)).filter(Id.gt(after));
        let page = said.order_by_asc(Id).limit(PAGE).all(app.storage.reader()).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for row in &page {
            let timestamp = Timestamp::from_micros(row.created_at).to_string();
            let message =
                json!({ "room": row.room_id, "seq": row.seq, "text": row.text, "timestamp": timestamp });
            export.item(&message).await?;
        }
    }
    export.close_list();
    Ok(())
}

/// What was said stays, without an author (contract §2). A room passes to whoever has been in it longest, or
/// goes where there is nobody. Rooms in the order of their ids, against deadlocks.
///
/// Sockets have ended with the account's sessions, long before.
async fn erase(tx: &DatabaseTransaction, user_id: i64) -> Result<()> {
    let joined: Vec<(i64, i64)> = memberships::Entity::find()
        .select_only()
        .columns([memberships::Column::RoomId, memberships::Column::CreatedAt])
        .filter(memberships::Column::UserId.eq(user_id))
        .order_by_asc(memberships::Column::RoomId)
        .into_tuple()
        .all(tx)
        .await?;
    for (room_id, joined_at) in joined {
        let room = match store::lock(tx, room_id).await {
            Err(Error::Refused(_)) => continue,
            found => found?,
        };
        // When a room without people was deleted is nobody's to see: any time will do.
        store::remove_member(tx, room, user_id, Timestamp::from_micros(joined_at)).await?;
    }
    messages::Entity::update_many()
        .col_expr(messages::Column::UserId, Expr::value(Option::<i64>::None))
        .filter(messages::Column::UserId.eq(user_id))
        .exec(tx)
        .await?;
    let tickets = socket_tickets::Column::UserId.eq(user_id);
    socket_tickets::Entity::delete_many().filter(tickets).exec(tx).await?;
    Ok(())
}
