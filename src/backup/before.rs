//! What the database that is replaced knows and the backup may not. A restore must not give a thief back what was taken
//! from him, nor take from an owner what a refresh has given.

use super::tables::{self, Row, Table};
use crate::error::Result;
use crate::model::{one_time_tokens, revocations, sessions, signing_keys, users};
use portcullis_security::clock::Clock;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityName, EntityTrait, QueryFilter, QuerySelect,
};
use std::collections::{HashMap, HashSet};

/// Rows at a time.
pub(super) const BATCH: usize = 100;

/// User, session and time of an end.
type Ended = (i64, i64, i64);

/// Since when an account's devices, and its tokens without a session, are good.
struct Since {
    username: String,
    sessions: i64,
    devices: i64,
}

/// Whom running servers may remember, since they accept access tokens without asking the database, and what has been
/// ended.
pub(super) struct Before {
    users: HashMap<i64, Since>,
    live: Vec<(i64, i64)>,
    /// Of whom servers know that their access tokens are good no more.
    ended: HashSet<Ended>,
    revoked_keys: Vec<(String, i64)>,
    /// The sessions that the backup has, as far as it was read.
    restored: HashSet<i64>,
}

/// Sessions stay until their successors come, who take over from them.
pub(super) fn is_replaced_row_by_row(table: &Table) -> bool {
    table.name == sessions::Entity.table_name()
}

impl Before {
    pub(super) async fn read(tx: &DatabaseTransaction) -> Result<Self> {
        let keys = signing_keys::Entity::find().select_only();
        let keys = keys.column(signing_keys::Column::Kid).column(signing_keys::Column::RetiredAt);
        let keys = keys.filter(signing_keys::Column::RetiredAt.is_not_null());
        Ok(Self {
            users: read_users(tx).await?,
            live: live_sessions(tx).await?,
            ended: news_of_ends(tx).await?,
            revoked_keys: keys.into_tuple().all(tx).await?,
            restored: HashSet::new(),
        })
    }

    pub(super) fn had_users(&self) -> bool {
        !self.users.is_empty()
    }

    /// Inserts rows of the backup, with what has happened to them since.
    pub(super) async fn insert(
        &mut self,
        tx: &DatabaseTransaction,
        table: &Table,
        rows: &[Row],
    ) -> Result<()> {
        if table.name == users::Entity.table_name() {
            self.insert_users(tx, rows).await
        } else if is_replaced_row_by_row(table) {
            self.insert_sessions(tx, rows).await
        } else {
            (table.insert)(tx, rows).await
        }
    }

    /// A Django's tokens, and devices, that were ended all together have no rows that could say so. Another who has
    /// the id now is not concerned.
    async fn insert_users(&self, tx: &DatabaseTransaction, rows: &[Row]) -> Result<()> {
        let mut rows = tables::models::<users::Entity>(rows)?;
        for row in &mut rows {
            if let Some(since) = self.users.get(&row.id).filter(|since| since.username == row.username) {
                row.sessions_valid_from = row.sessions_valid_from.max(since.sessions);
                row.devices_valid_from = row.devices_valid_from.max(since.devices);
            }
        }
        tables::insert_models::<users::Entity>(tx, rows).await
    }

    async fn insert_sessions(&mut self, tx: &DatabaseTransaction, rows: &[Row]) -> Result<()> {
        let rows = tables::models::<sessions::Entity>(rows)?;
        self.restored.extend(rows.iter().map(|row| row.id));
        let mut present = take_away(tx, &rows).await?;
        let rows = rows.into_iter().map(|row| match present.remove(&row.id) {
            Some(was) if was.user_id == row.user_id => later(row, was),
            _ => row,
        });
        tables::insert_models::<sessions::Entity>(tx, rows.collect()).await
    }

    /// Ends the sessions that the backup does not have. Those of a Django's token stay as its only memory, without
    /// the device: the account may be gone, or its id somebody else's.
    pub(super) async fn end_others(&self, tx: &DatabaseTransaction, clock: &Clock) -> Result<()> {
        let all = sessions::Entity::find().select_only().column(sessions::Column::Id);
        let mut others: Vec<i64> = all.into_tuple().all(tx).await?;
        others.retain(|id| !self.restored.contains(id));
        let now = clock.now().micros();
        for chunk in others.chunks(BATCH) {
            let same = sessions::Column::Id.is_in(chunk.iter().copied());
            let own = sessions::Entity::delete_many().filter(same.clone());
            own.filter(sessions::Column::OriginHash.is_null()).exec(tx).await?;
            let foreign = sessions::Entity::update_many()
                .col_expr(sessions::Column::RevokedAt, Expr::value(now))
                .col_expr(sessions::Column::UserAgent, Expr::value(""))
                .col_expr(sessions::Column::IpPrefix, Expr::value(""))
                .filter(same);
            foreign.exec(tx).await?;
        }
        Ok(())
    }

    /// Ends again what had been ended since the backup was made, beside sessions: signing keys, links of mails.
    pub(super) async fn end_again(&self, tx: &DatabaseTransaction, clock: &Clock) -> Result<()> {
        for (kid, at) in &self.revoked_keys {
            let revoked = signing_keys::Entity::update_many()
                .col_expr(signing_keys::Column::RetiredAt, Expr::value(*at))
                .filter(signing_keys::Column::Kid.eq(kid))
                .filter(signing_keys::Column::RetiredAt.is_null());
            revoked.exec(tx).await?;
        }
        let unused = one_time_tokens::Entity::update_many()
            .col_expr(one_time_tokens::Column::UsedAt, Expr::value(clock.now().micros()))
            .filter(one_time_tokens::Column::UsedAt.is_null());
        unused.exec(tx).await?;
        Ok(())
    }

    /// News of every account that was there, and of every session that is there no longer; and what was news before,
    /// which servers that start soon have to know. The time is taken last: servers look back only a few seconds
    /// from the commit.
    pub(super) async fn tell_running_servers(self, tx: &DatabaseTransaction, clock: &Clock) -> Result<()> {
        let kept: HashSet<_> = live_sessions(tx).await?.into_iter().collect();
        let known = news_of_ends(tx).await?;
        let at = clock.now().micros();
        let ended = self.live.into_iter().filter(|session| !kept.contains(session));
        let ended = ended.map(|(id, user_id)| (user_id, Some(id), at));
        let before = self.ended.difference(&known).map(|(user_id, id, at)| (*user_id, Some(*id), *at));
        let accounts = self.users.into_keys().map(|user_id| (user_id, None, at));
        let news: Vec<_> = accounts.chain(ended).chain(before).collect();
        for chunk in news.chunks(BATCH) {
            let rows = chunk.iter().map(|(user_id, session_id, at)| revocations::ActiveModel {
                user_id: Set(*user_id),
                session_id: Set(*session_id),
                at: Set(*at),
                ..revocations::ActiveModel::default()
            });
            revocations::Entity::insert_many(rows).exec_without_returning(tx).await?;
        }
        Ok(())
    }
}

/// A session as it stands, unless the backup knows it after more refreshes: then an earlier backup was restored
/// meanwhile. Either way no token is good again that was spent, and the newest one stays good. It has ended if either
/// says so.
fn later(row: sessions::Model, was: sessions::Model) -> sessions::Model {
    let revoked_at = row.revoked_at.or(was.revoked_at);
    let later = if was.generation < row.generation { row } else { was };
    sessions::Model { revoked_at, ..later }
}

/// Removes what stands in the way of sessions of the backup, and gives those that are the same, by their ids.
async fn take_away(
    tx: &DatabaseTransaction,
    rows: &[sessions::Model],
) -> Result<HashMap<i64, sessions::Model>> {
    let same = sessions::Column::Id.is_in(rows.iter().map(|row| row.id));
    // No refresh may come in between.
    let present = sessions::Entity::find().filter(same.clone()).lock_exclusive().all(tx).await?;
    sessions::Entity::delete_many().filter(same).exec(tx).await?;
    // A Django's token that was exchanged twice, since an earlier backup was restored meanwhile.
    let origins: Vec<_> = rows.iter().filter_map(|row| row.origin_hash.clone()).collect();
    if !origins.is_empty() {
        let same = sessions::Column::OriginHash.is_in(origins);
        sessions::Entity::delete_many().filter(same).exec(tx).await?;
    }
    Ok(present.into_iter().map(|row| (row.id, row)).collect())
}

async fn read_users(tx: &DatabaseTransaction) -> Result<HashMap<i64, Since>> {
    let columns = [users::Column::SessionsValidFrom, users::Column::DevicesValidFrom];
    let all = users::Entity::find().select_only().column(users::Column::Id).column(users::Column::Username);
    let all: Vec<(i64, String, i64, i64)> = all.columns(columns).into_tuple().all(tx).await?;
    let since = |(id, username, sessions, devices)| (id, Since { username, sessions, devices });
    Ok(all.into_iter().map(since).collect())
}

/// Id and user of the sessions that were not ended.
async fn live_sessions(tx: &DatabaseTransaction) -> Result<Vec<(i64, i64)>> {
    let live = sessions::Entity::find()
        .select_only()
        .column(sessions::Column::Id)
        .column(sessions::Column::UserId)
        .filter(sessions::Column::RevokedAt.is_null());
    Ok(live.into_tuple().all(tx).await?)
}

async fn news_of_ends(tx: &DatabaseTransaction) -> Result<HashSet<Ended>> {
    let ends = revocations::Entity::find()
        .select_only()
        .columns([revocations::Column::UserId, revocations::Column::SessionId, revocations::Column::At])
        .filter(revocations::Column::SessionId.is_not_null());
    Ok(ends.into_tuple::<Ended>().all(tx).await?.into_iter().collect())
}
