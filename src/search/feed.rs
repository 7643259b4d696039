//! How the index follows the table of books.
//!
//! It is filled once, in the background. From then on every change of a book, by whichever process, is news in
//! `book_changes`: read each second, and before every search, so that a search sees what was written before it.
//! News is read by id, and by time too, since ids do not follow the order of commits everywhere; each look goes five
//! seconds further back than the last, so that a slow commit is not missed.

use super::index::{Document, Index, Prepared};
use super::meaning::Meanings;
use crate::error::{Error, Result};
use crate::model::{book_changes, books};
use crate::storage::{Storage, Write};
use portcullis_security::clock::{Clock, Timestamp};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Mutex, watch};

const OVERLAP: Duration = Duration::from_secs(5);
/// News is kept that long; who has slept longer fills the index anew.
const KEPT: Duration = Duration::from_secs(60 * 60);
const SLEPT: Duration = Duration::from_secs(30 * 60);
/// Books that are read at once.
const BATCH: usize = 500;

/// The index, and how far it has followed.
pub(super) struct Library {
    storage: Arc<Storage>,
    clock: Clock,
    meanings: Arc<OnceLock<Meanings>>,
    index: Arc<RwLock<Index>>,
    followed: Mutex<Followed>,
    ready: watch::Sender<bool>,
}

#[derive(Default)]
struct Followed {
    /// None before it is filled.
    until: Option<Timestamp>,
    /// The newest row that was read: what waited long to be written is not passed over for its time.
    last_id: i64,
    /// News that a later look shows again: when it was made.
    seen: HashMap<i64, i64>,
}

impl Library {
    pub(super) fn new(storage: Arc<Storage>, clock: Clock) -> Self {
        let (meanings, index) = (Arc::default(), Arc::default());
        Self { storage, clock, meanings, index, followed: Mutex::default(), ready: watch::Sender::new(false) }
    }

    /// Waits until it is filled, at most so long.
    pub(super) async fn is_ready(&self, patience: Duration) -> bool {
        let mut ready = self.ready.subscribe();
        let wait = ready.wait_for(|is_ready| *is_ready);
        tokio::time::timeout(patience, wait).await.is_ok_and(|outcome| outcome.is_ok())
    }

    /// Fills the index, or brings it up to date. One at a time; who waits finds little left to do.
    pub(super) async fn follow(&self) -> Result<()> {
        let mut followed = self.followed.lock().await;
        let now = self.clock.now();
        match followed.until {
            Some(until) if now.since(until) < SLEPT => self.read_news(&mut followed, until, now).await,
            _ => {
                let newest = book_changes::Entity::find().order_by_desc(book_changes::Column::Id);
                let last_id = newest.one(self.storage.reader()).await?.map_or(0, |row| row.id);
                self.fill().await?;
                *followed = Followed { until: Some(now), last_id, seen: HashMap::new() };
                // What was written meanwhile.
                self.read_news(&mut followed, now, now).await?;
                self.ready.send_replace(true);
                Ok(())
            }
        }
    }

    async fn fill(&self) -> Result<()> {
        let mut index = Index::default();
        let mut last = i64::MIN;
        loop {
            let rows = books::Entity::find()
                .filter(books::Column::Id.gt(last))
                .order_by_asc(books::Column::Id)
                .limit(BATCH as u64)
                .all(self.storage.reader())
                .await?;
            let Some(row) = rows.last() else { break };
            last = row.id;
            let is_last = rows.len() < BATCH;
            let books = self.prepare(rows).await?;
            let meanings = self.meanings.clone();
            let put = move || {
                let meanings = meanings.get_or_init(Meanings::load);
                books.into_iter().for_each(|book| index.put(book, meanings));
                index
            };
            index = tokio::task::spawn_blocking(put).await.map_err(Error::internal)?;
            if is_last {
                break;
            }
        }
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = index;
        Ok(())
    }

    async fn read_news(&self, followed: &mut Followed, until: Timestamp, now: Timestamp) -> Result<()> {
        let since = until.minus(OVERLAP).micros();
        let is_news = Condition::any()
            .add(book_changes::Column::At.gte(since))
            .add(book_changes::Column::Id.gt(followed.last_id));
        let news = book_changes::Entity::find().filter(is_news);
        let news = news.all(self.storage.reader()).await?;
        let fresh: Vec<_> = news.iter().filter(|row| !followed.seen.contains_key(&row.id)).collect();
        let changed: BTreeSet<i64> = fresh.iter().map(|row| row.book_id).collect();
        let changed: Vec<i64> = changed.into_iter().collect();
        for ids in changed.chunks(BATCH) {
            self.renew(ids).await?;
        }
        followed.last_id = news.iter().map(|row| row.id).max().unwrap_or(0).max(followed.last_id);
        followed.seen.extend(fresh.iter().map(|row| (row.id, row.at)));
        let next = now.minus(OVERLAP).micros();
        followed.seen.retain(|_, at| *at >= next);
        followed.until = Some(now);
        Ok(())
    }

    /// Reads books again; those that are not there any more go.
    async fn renew(&self, ids: &[i64]) -> Result<()> {
        let rows = books::Entity::find().filter(books::Column::Id.is_in(ids.iter().copied()));
        let rows = rows.all(self.storage.reader()).await?;
        let mut gone: BTreeSet<i64> = ids.iter().copied().collect();
        rows.iter().for_each(|row| {
            gone.remove(&row.id);
        });
        let books = self.prepare(rows).await?;
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        gone.into_iter().for_each(|id| index.remove(id));
        if !books.is_empty() {
            let meanings = self.meanings.get_or_init(Meanings::load);
            books.into_iter().for_each(|book| index.put(book, meanings));
        }
        Ok(())
    }

    async fn prepare(&self, rows: Vec<books::Model>) -> Result<Vec<Prepared>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let meanings = self.meanings.clone();
        let work = move || {
            let meanings = meanings.get_or_init(Meanings::load);
            rows.into_iter().map(|row| document(row).prepare(meanings)).collect()
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }

    /// Works with the index, beside the tasks that answer.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Index, &Meanings) -> T + Send + 'static,
    ) -> Result<T> {
        let (index, meanings) = (self.index.clone(), self.meanings.clone());
        let work = move || {
            let index = index.read().unwrap_or_else(PoisonError::into_inner);
            work(&index, meanings.get_or_init(Meanings::load))
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}

pub(super) fn document(row: books::Model) -> Document {
    let books::Model { id, title, author, isbn, description, .. } = row;
    Document { id, title, author, isbn, description }
}

/// Drops old news.
pub(super) struct DropNews {
    pub(super) now: Timestamp,
}

impl Write for DropNews {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let old = book_changes::Column::At.lt(self.now.minus(KEPT).micros());
        book_changes::Entity::delete_many().filter(old).exec(tx).await?;
        Ok(())
    }
}
