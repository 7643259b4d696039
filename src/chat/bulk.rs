//! Many rooms at once, for moving in.

use super::body::NewRoom;
use super::store::{CreateRoom, insert_member};
use crate::error::{Error, Result};
use crate::storage::Write;
use portcullis_security::clock::Timestamp;
use sea_orm::DatabaseTransaction;
use std::collections::HashSet;

/// Inserts rooms, all of them or none; gives their ids.
pub struct InsertRooms {
    /// The rooms and who is in them; the first one is the owner.
    pub rooms: Vec<(NewRoom, Vec<i64>)>,
    /// When.
    pub now: Timestamp,
}

impl Write for InsertRooms {
    type Output = Vec<i64>;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Vec<i64>> {
        let mut ids = Vec::with_capacity(self.rooms.len());
        for (room, members) in &self.rooms {
            let nobody = || Error::field("members", "there has to be one, who owns the room");
            let (owner_id, others) = members.split_first().ok_or_else(nobody)?;
            let create = CreateRoom { owner_id: *owner_id, room: room.clone(), now: self.now };
            let made = create.run(tx).await?;
            let mut there = HashSet::from([*owner_id]);
            for member in others.iter().filter(|member| there.insert(**member)) {
                insert_member(tx, &made, *member, self.now).await?;
            }
            ids.push(made.id);
        }
        Ok(ids)
    }
}
