//! News of ended sessions and changed accounts, shared between processes through a table.
//!
//! A row is news when its id is new, however long its change waited for its turn to be written. Where many write at
//! once, ids do not follow the order of commits: so each poll also looks five seconds back by time, and one in ten
//! seconds as far as a transaction can wait.

use super::session::Live;
use super::users::Users;
use crate::error::Result;
use crate::model::revocations::{ActiveModel, Column, Entity, Model};
use crate::storage::Storage;
use portcullis_security::clock::{Clock, Timestamp};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};
use std::collections::HashMap;
use std::sync::RwLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const OVERLAP: Duration = Duration::from_secs(5);
/// Twice what MySQL lets a transaction wait for a lock.
const LOOK_BACK: Duration = Duration::from_secs(100);
const LOOK_BACK_EVERY: Duration = Duration::from_secs(10);
/// Contract §2: an ended session's tokens die within a second on every replica.
const FRESH: Duration = Duration::from_millis(1000);

pub(super) struct Feed {
    clock: Clock,
    /// After this long an access token has expired by itself, and its session need not be remembered.
    memory: Duration,
    polled_at: AtomicI64,
    looked_back_at: AtomicI64,
    last_id: AtomicI64,
    ended: RwLock<HashMap<i64, Timestamp>>,
}

impl Feed {
    pub(super) async fn load(storage: &Storage, clock: Clock, access_lifetime: Duration) -> Result<Self> {
        let now = clock.now();
        let memory = access_lifetime + LOOK_BACK;
        let newest = Entity::find().order_by_desc(Column::Id).one(storage.reader()).await?;
        let last_id = newest.map_or(0, |row| row.id);
        let news = read(storage, last_id, now.minus(memory)).await?;
        let ended = news.iter().filter_map(|row| Some((row.session_id?, Timestamp::from_micros(row.at))));
        let ended = RwLock::new(ended.collect());
        let at = || AtomicI64::new(now.micros());
        let last_id = AtomicI64::new(last_id);
        Ok(Self { clock, memory, polled_at: at(), looked_back_at: at(), last_id, ended })
    }

    /// Gives the accounts that there is news of.
    pub(super) async fn poll(&self, storage: &Storage, users: &Users, live: &Live) -> Vec<i64> {
        let started = self.clock.now();
        let last = Timestamp::from_micros(self.polled_at.load(Ordering::SeqCst));
        let looked_back = Timestamp::from_micros(self.looked_back_at.load(Ordering::SeqCst));
        let looks_back = started.since(looked_back) >= LOOK_BACK_EVERY;
        let since = last.minus(if looks_back { LOOK_BACK } else { OVERLAP });
        match read(storage, self.last_id.load(Ordering::SeqCst), since).await {
            Ok(news) => {
                for row in &news {
                    self.last_id.fetch_max(row.id, Ordering::SeqCst);
                    users.forget(row.user_id);
                    if let Some(session_id) = row.session_id {
                        live.forget(session_id);
                    }
                }
                self.remember(news.iter().filter_map(|row| row.session_id), started);
                self.polled_at.store(started.micros(), Ordering::SeqCst);
                if looks_back {
                    self.looked_back_at.store(started.micros(), Ordering::SeqCst);
                }
                let mut changed: Vec<i64> = news.iter().map(|row| row.user_id).collect();
                changed.sort_unstable();
                changed.dedup();
                changed
            }
            Err(error) => {
                tracing::warn!(?error, "ended sessions could not be read");
                Vec::new()
            }
        }
    }

    pub(super) fn is_fresh(&self) -> bool {
        let polled_at = Timestamp::from_micros(self.polled_at.load(Ordering::SeqCst));
        self.clock.now().since(polled_at) <= FRESH
    }

    pub(super) fn has_ended(&self, session_id: i64) -> bool {
        // A poisoned lock means that a writer died half-way: nothing is known, so nothing is accepted.
        self.ended.read().map_or(true, |ended| ended.contains_key(&session_id))
    }

    pub(super) fn ended(&self, session_ids: &[i64]) {
        self.remember(session_ids.iter().copied(), self.clock.now());
    }

    fn remember(&self, session_ids: impl Iterator<Item = i64>, now: Timestamp) {
        let Ok(mut ended) = self.ended.write() else { return };
        ended.extend(session_ids.map(|id| (id, now)));
        ended.retain(|_, at| now.since(*at) <= self.memory);
    }
}

async fn read(storage: &Storage, last_id: i64, since: Timestamp) -> Result<Vec<Model>> {
    let is_news = Condition::any().add(Column::Id.gt(last_id)).add(Column::At.gte(since.micros()));
    Ok(Entity::find().filter(is_news).all(storage.reader()).await?)
}

/// Publishes that an account has changed and which of its sessions have ended.
pub(super) async fn publish(
    db: &impl ConnectionTrait,
    user_id: i64,
    ended: &[i64],
    now: Timestamp,
) -> Result<()> {
    let row = |session_id| ActiveModel {
        user_id: Set(user_id),
        session_id: Set(session_id),
        at: Set(now.micros()),
        ..ActiveModel::default()
    };
    let rows: Vec<_> =
        std::iter::once(row(None)).chain(ended.iter().map(|session_id| row(Some(*session_id)))).collect();
    for chunk in rows.chunks(200) {
        Entity::insert_many(chunk.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Publishes that an account is no longer as it may be cached elsewhere.
///
/// # Errors
/// When the database refuses.
pub async fn publish_change(db: &impl ConnectionTrait, user_id: i64, now: Timestamp) -> Result<()> {
    publish(db, user_id, &[], now).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::plan;
    use crate::storage::Write;
    use sea_orm::DatabaseTransaction;
    use std::sync::Arc;

    struct Row(ActiveModel);

    impl Write for Row {
        type Output = ();

        async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
            Entity::insert(self.0.clone()).exec_without_returning(tx).await?;
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_row_is_heard_of_however_late_it_is_written_and_whatever_its_id() {
        let (storage, _folder) = plan::empty().await;
        let storage = Arc::new(storage);
        let clock = Clock::manual(Timestamp::from_seconds(1_790_000_000));
        let (users, live) = (Users::new(storage.clone()), Live::new());
        let feed = Feed::load(&storage, clock.clone(), Duration::from_secs(900)).await.unwrap();
        let write = async |id: i64, ago: u64| {
            let at = clock.now().minus(Duration::from_secs(ago)).micros();
            let row = ActiveModel { id: Set(id), user_id: Set(id), session_id: Set(Some(id)), at: Set(at) };
            storage.write(Row(row)).await.unwrap();
        };
        let poll = async || feed.poll(&storage, &users, &live).await;
        write(7, 60).await;
        assert_eq!(poll().await, [7], "its change waited for a minute");
        assert!(poll().await.is_empty());
        write(6, 60).await;
        assert!(poll().await.is_empty(), "its change committed after one that had begun later");
        clock.advance(LOOK_BACK_EVERY);
        assert_eq!(poll().await, [6, 7]);
        assert!(feed.has_ended(6) && feed.has_ended(7));
    }
}
