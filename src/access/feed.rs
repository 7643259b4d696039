//! News of ended sessions and changed accounts, shared between processes through a table.
//!
//! Rows are read by time and not by id, since ids do not follow the order of commits; each poll looks
//! five seconds further back than the last, so that a slow commit is not missed.

use super::session::Live;
use super::users::Users;
use crate::error::Result;
use crate::model::revocations::{ActiveModel, Column, Entity, Model};
use crate::storage::Storage;
use portcullis_security::clock::{Clock, Timestamp};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use std::collections::HashMap;
use std::sync::RwLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const OVERLAP: Duration = Duration::from_secs(5);
/// Contract §2: an ended session's tokens die within a second on every replica.
const FRESH: Duration = Duration::from_millis(1000);

pub(super) struct Feed {
    clock: Clock,
    /// After this long an access token has expired by itself, and its session need not be remembered.
    memory: Duration,
    polled_at: AtomicI64,
    ended: RwLock<HashMap<i64, Timestamp>>,
}

impl Feed {
    pub(super) async fn load(storage: &Storage, clock: Clock, access_lifetime: Duration) -> Result<Self> {
        let now = clock.now();
        let memory = access_lifetime + OVERLAP;
        let news = read_since(storage, now.minus(memory)).await?;
        let ended = news.iter().filter_map(|row| Some((row.session_id?, Timestamp::from_micros(row.at))));
        let ended = RwLock::new(ended.collect());
        Ok(Self { clock, memory, polled_at: AtomicI64::new(now.micros()), ended })
    }

    /// Gives the accounts that there is news of.
    pub(super) async fn poll(&self, storage: &Storage, users: &Users, live: &Live) -> Vec<i64> {
        let started = self.clock.now();
        let last = Timestamp::from_micros(self.polled_at.load(Ordering::SeqCst));
        match read_since(storage, last.minus(OVERLAP)).await {
            Ok(news) => {
                for row in &news {
                    users.forget(row.user_id);
                    if let Some(session_id) = row.session_id {
                        live.forget(session_id);
                    }
                }
                self.remember(news.iter().filter_map(|row| row.session_id), started);
                self.polled_at.store(started.micros(), Ordering::SeqCst);
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

async fn read_since(storage: &Storage, since: Timestamp) -> Result<Vec<Model>> {
    Ok(Entity::find().filter(Column::At.gte(since.micros())).all(storage.reader()).await?)
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
