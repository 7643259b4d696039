//! Queries and changes of rooms that several actions share.
//!
//! A room always has an owner, who is one of its members: when the owner goes, whoever has been in it longest
//! takes over, and the last one takes the room along. Every change of members locks the room's row first.

use super::body::{NewRoom, RoomPatch};
use crate::error::{Error, Result};
use crate::extract::{WordTable, delete_words, insert_words};
use crate::hub::End;
use crate::model::rooms::{ActiveModel, Column, Entity, Model};
use crate::model::{memberships, messages, room_words, users};
use crate::state::App;
use crate::storage::{Storage, Write, is_unique_violation};
use portcullis_security::clock::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use std::collections::HashMap;
use std::sync::Arc;

/// By which words rooms are found.
pub(super) const WORDS: WordTable<room_words::Entity> =
    (room_words::Entity, room_words::Column::RoomId, room_words::Column::Word);
/// Messages that go at once, so that no other write waits long.
const PURGED_AT_ONCE: u64 = 1000;

/// A room that is not deleted.
pub(super) async fn find(db: &impl ConnectionTrait, id: i64) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).filter(Column::DeletedAt.is_null()).one(db).await?)
}

/// Somebody's part in a room.
pub(super) async fn membership(
    db: &impl ConnectionTrait,
    room_id: i64,
    user_id: i64,
) -> Result<Option<memberships::Model>> {
    let own = memberships::Entity::find().filter(memberships::Column::RoomId.eq(room_id));
    Ok(own.filter(memberships::Column::UserId.eq(user_id)).one(db).await?)
}

/// The usernames of accounts, but for those that are deleted or banned: they hide at once (contract §2).
pub(super) async fn usernames(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, String>> {
    let mut ids: Vec<i64> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, String)> = users::Entity::find()
        .select_only()
        .columns([users::Column::Id])
        .columns([users::Column::Username])
        .filter(users::Column::Id.is_in(ids))
        .filter(users::Column::Status.eq(users::Status::Active))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Ends the sockets of somebody who is no longer a member, after the commit.
pub(super) fn member_is_gone(app: &Arc<App>, room: &Model, user_id: i64) {
    if room.deleted_at.is_some() {
        return room_is_gone(app, room.id);
    }
    app.hub.end_in_room(room.id, |seat| seat.user_id() == user_id, End::Forbidden);
}

/// Ends the sockets in a room that is gone, after the commit, and begins to remove what was said in it.
pub(super) fn room_is_gone(app: &Arc<App>, room_id: i64) {
    app.hub.end_in_room(room_id, |_| true, End::Forbidden);
    let storage = app.storage.clone();
    app.hub.tasks().spawn(async move {
        if let Err(error) = purge(&storage).await {
            // The clean-up goes on with it.
            tracing::warn!(?error, "the messages of a deleted room were not all removed");
        }
    });
}

/// Makes a room with its owner in it.
pub(super) struct CreateRoom {
    pub(super) owner_id: i64,
    pub(super) room: NewRoom,
    pub(super) now: Timestamp,
}

impl Write for CreateRoom {
    type Output = Model;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Model> {
        let mut room = Model {
            id: 0,
            name: self.room.name.clone(),
            is_public: self.room.is_public,
            owner_id: Some(self.owner_id),
            last_seq: 0,
            version: 0,
            created_at: self.now.micros(),
            deleted_at: None,
        };
        let row = ActiveModel { id: sea_orm::ActiveValue::NotSet, ..room.clone().into() };
        room.id = Entity::insert(row).exec(tx).await?.last_insert_id;
        insert_words(tx, WORDS, &[(room.id, &room.name)]).await?;
        insert_member(tx, &room, self.owner_id, self.now).await?;
        Ok(room)
    }
}

/// Changes a room of an owner; gives it as it is then.
pub(super) struct UpdateRoom {
    pub(super) id: i64,
    pub(super) owner_id: i64,
    pub(super) patch: RoomPatch,
}

impl Write for UpdateRoom {
    type Output = Model;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Model> {
        let mut room = lock_own(tx, self.id, self.owner_id).await?;
        if let Some(name) = &self.patch.name {
            room.name.clone_from(name);
            delete_words(tx, WORDS, room.id).await?;
            insert_words(tx, WORDS, &[(room.id, name)]).await?;
        }
        room.is_public = self.patch.is_public.unwrap_or(room.is_public);
        Entity::update_many()
            .col_expr(Column::Name, Expr::value(room.name.clone()))
            .col_expr(Column::IsPublic, Expr::value(room.is_public))
            .filter(Column::Id.eq(room.id))
            .exec(tx)
            .await?;
        Ok(room)
    }
}

/// Deletes a room of an owner.
pub(super) struct DeleteRoom {
    pub(super) id: i64,
    pub(super) owner_id: i64,
    pub(super) now: Timestamp,
}

impl Write for DeleteRoom {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let room = lock_own(tx, self.id, self.owner_id).await?;
        bury(tx, room, self.now).await.map(drop)
    }
}

/// Makes somebody a member of a public room; gives the room.
pub(super) struct Join {
    pub(super) room_id: i64,
    pub(super) user_id: i64,
    pub(super) now: Timestamp,
}

impl Write for Join {
    type Output = Model;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Model> {
        let room = lock(tx, self.room_id).await?;
        if membership(tx, room.id, self.user_id).await?.is_some() {
            return Ok(room);
        }
        if !room.is_public {
            return Err(Error::not_found());
        }
        insert_member(tx, &room, self.user_id, self.now).await?;
        Ok(room)
    }
}

/// Ends somebody's membership; gives the room as it is then. 404 where there is none.
pub(super) struct Leave {
    pub(super) room_id: i64,
    pub(super) user_id: i64,
    pub(super) now: Timestamp,
}

impl Write for Leave {
    type Output = Model;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Model> {
        let room = lock(tx, self.room_id).await?;
        remove_member(tx, room, self.user_id, self.now).await
    }
}

/// Makes somebody a member of an owner's room; says whether they are new, and since when they are in it.
pub(super) struct AddMember {
    pub(super) room_id: i64,
    pub(super) owner_id: i64,
    pub(super) user_id: i64,
    pub(super) now: Timestamp,
}

impl Write for AddMember {
    type Output = (bool, i64);

    async fn run(&self, tx: &DatabaseTransaction) -> Result<(bool, i64)> {
        let room = lock_own(tx, self.room_id, self.owner_id).await?;
        if let Some(member) = membership(tx, room.id, self.user_id).await? {
            return Ok((false, member.created_at));
        }
        insert_member(tx, &room, self.user_id, self.now).await?;
        Ok((true, self.now.micros()))
    }
}

/// Notes how far somebody has read. It never goes back.
pub(super) struct MarkRead {
    pub(super) membership_id: i64,
    pub(super) seq: i64,
}

impl Write for MarkRead {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        use memberships::Column::{Id, ReadSeq};
        memberships::Entity::update_many()
            .col_expr(ReadSeq, Expr::value(self.seq))
            .filter(Id.eq(self.membership_id))
            .filter(ReadSeq.lt(self.seq))
            .exec(tx)
            .await?;
        Ok(())
    }
}

/// The room's row, locked until the commit.
pub(super) async fn lock(tx: &DatabaseTransaction, id: i64) -> Result<Model> {
    let room = Entity::find_by_id(id).filter(Column::DeletedAt.is_null()).lock_exclusive();
    room.one(tx).await?.ok_or_else(Error::not_found)
}

/// Whose room it is may have changed since the caller was let in.
async fn lock_own(tx: &DatabaseTransaction, id: i64, owner_id: i64) -> Result<Model> {
    let room = lock(tx, id).await?;
    if room.owner_id == Some(owner_id) { Ok(room) } else { Err(Error::permission_denied()) }
}

/// What was said before somebody came is not new to them.
pub(super) async fn insert_member(
    tx: &DatabaseTransaction,
    room: &Model,
    user_id: i64,
    now: Timestamp,
) -> Result<()> {
    let row = memberships::ActiveModel {
        room_id: Set(room.id),
        user_id: Set(user_id),
        read_seq: Set(room.last_seq),
        created_at: Set(now.micros()),
        ..memberships::ActiveModel::default()
    };
    match memberships::Entity::insert(row).exec_without_returning(tx).await {
        Err(error) if is_unique_violation(&error, "user_id") => Ok(()),
        outcome => Ok(outcome.map(drop)?),
    }
}

/// Ends a membership in a locked room, and finds another owner where that was the owner's.
pub(super) async fn remove_member(
    tx: &DatabaseTransaction,
    mut room: Model,
    user_id: i64,
    now: Timestamp,
) -> Result<Model> {
    use memberships::Column::{Id, RoomId, UserId};
    let own = memberships::Entity::delete_many().filter(RoomId.eq(room.id)).filter(UserId.eq(user_id));
    if own.exec(tx).await?.rows_affected == 0 {
        return Err(Error::not_found());
    }
    if room.owner_id == Some(user_id) {
        let oldest = memberships::Entity::find().filter(RoomId.eq(room.id)).order_by_asc(Id);
        match oldest.one(tx).await? {
            Some(next) => room.owner_id = Some(next.user_id),
            None => return bury(tx, room, now).await,
        }
    }
    room.version += 1;
    Entity::update_many()
        .col_expr(Column::OwnerId, Expr::value(room.owner_id))
        .col_expr(Column::Version, Expr::value(room.version))
        .filter(Column::Id.eq(room.id))
        .exec(tx)
        .await?;
    Ok(room)
}

/// Hides a locked room from everybody; its messages, which may be many, go later.
async fn bury(tx: &DatabaseTransaction, mut room: Model, now: Timestamp) -> Result<Model> {
    room.deleted_at = Some(now.micros());
    room.owner_id = None;
    Entity::update_many()
        .col_expr(Column::DeletedAt, Expr::value(room.deleted_at))
        .col_expr(Column::OwnerId, Expr::value(room.owner_id))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::Id.eq(room.id))
        .exec(tx)
        .await?;
    let members = memberships::Column::RoomId.eq(room.id);
    memberships::Entity::delete_many().filter(members).exec(tx).await?;
    delete_words(tx, WORDS, room.id).await?;
    Ok(room)
}

/// Removes what was said in deleted rooms, and then the rooms; to be called every few minutes.
///
/// # Errors
/// When the database does not answer; the next call goes on.
pub async fn purge(storage: &Storage) -> Result<()> {
    let deleted = Entity::find().filter(Column::DeletedAt.is_not_null());
    for room in deleted.all(storage.reader()).await? {
        while storage.write(PurgeRoom { id: room.id }).await? {}
    }
    Ok(())
}

/// Removes some messages of a deleted room, or the room when there are none; says whether there may be more.
struct PurgeRoom {
    id: i64,
}

impl Write for PurgeRoom {
    type Output = bool;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<bool> {
        use messages::Column::{RoomId, Seq};
        let first: Vec<i64> = messages::Entity::find()
            .select_only()
            .column(Seq)
            .filter(RoomId.eq(self.id))
            .order_by_asc(Seq)
            .limit(PURGED_AT_ONCE)
            .into_tuple()
            .all(tx)
            .await?;
        let Some(last) = first.last() else {
            Entity::delete_by_id(self.id).exec(tx).await?;
            return Ok(false);
        };
        let some = messages::Entity::delete_many().filter(RoomId.eq(self.id)).filter(Seq.lte(*last));
        some.exec(tx).await?;
        Ok(true)
    }
}
