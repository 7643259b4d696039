//! The outbox: letters that are committed with what causes them, or not at all.

use super::letter::Letter;
use crate::error::{Error, Result};
use crate::model::outbox::{ActiveModel, Column, Entity, Model};
use crate::storage::{Storage, Write};
use portcullis_security::clock::Timestamp;
use portcullis_security::random::Random;
use portcullis_security::seal::KeyRing;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue, ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use std::sync::Arc;
use tokio::sync::Notify;

/// Where sealed letters belong: a cell from elsewhere does not open.
const PLACE: &str = "outbox.body";

/// The way into the outbox. Clones share it.
#[derive(Clone)]
pub struct Outbox(Arc<Inner>);

struct Inner {
    keys: Arc<KeyRing>,
    random: Arc<Random>,
    bell: Notify,
}

impl Outbox {
    /// An outbox whose bodies are sealed.
    pub fn new(keys: Arc<KeyRing>, random: Arc<Random>) -> Self {
        Self(Arc::new(Inner { keys, random, bell: Notify::new() }))
    }

    /// Puts a letter into the transaction of the change that causes it: one row, whoever it is for.
    ///
    /// # Errors
    /// What the database says.
    pub async fn enqueue(&self, tx: &DatabaseTransaction, letter: &Letter, now: Timestamp) -> Result<()> {
        let body = serde_json::to_vec(letter).map_err(Error::internal)?;
        let row = ActiveModel {
            id: ActiveValue::NotSet,
            kind: ActiveValue::Set(letter.kind().slug().to_owned()),
            body: ActiveValue::Set(self.0.keys.seal(&body, PLACE, &self.0.random).map_err(Error::internal)?),
            attempts: ActiveValue::Set(0),
            next_try_at: ActiveValue::Set(now.micros()),
            created_at: ActiveValue::Set(now.micros()),
        };
        Entity::insert(row).exec_without_returning(tx).await?;
        Ok(())
    }

    /// Tells the worker that there is something to send: call it after the commit. Without it the letter
    /// leaves within a second all the same.
    pub fn wake(&self) {
        self.0.bell.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.0.bell.notified().await;
    }

    pub(super) fn open(&self, body: &[u8]) -> Result<Letter> {
        let letter = self.0.keys.open(body, PLACE).map_err(Error::internal)?;
        // The parser's words could quote the letter.
        serde_json::from_slice(&letter).map_err(|_| Error::internal("the letter is of no known kind"))
    }
}

/// Puts one letter into the outbox: the same work whoever asks.
pub struct Enqueue {
    /// The outbox.
    pub outbox: Outbox,
    /// What to say.
    pub letter: Letter,
    /// When.
    pub now: Timestamp,
}

impl Write for Enqueue {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        self.outbox.enqueue(tx, &self.letter, self.now).await
    }
}

/// A letter that is ours until its lease ends.
pub(super) struct Claimed {
    /// As it was before the claim, but with this attempt counted.
    pub(super) row: Model,
    /// The end of the lease: what `next_try_at` holds as long as nobody else took it.
    pub(super) lease: Timestamp,
}

/// Claims up to `limit` letters whose time has come.
pub(super) async fn claim(
    storage: &Storage,
    limit: usize,
    now: Timestamp,
    lease: Timestamp,
) -> Result<Vec<Claimed>> {
    let limit = u64::try_from(limit).unwrap_or(1);
    let due = Entity::find()
        .filter(Column::NextTryAt.lte(now.micros()))
        .order_by_asc(Column::NextTryAt)
        .order_by_asc(Column::Id)
        .limit(limit);
    let due = due.all(storage.reader()).await?;
    if due.is_empty() { Ok(Vec::new()) } else { storage.write(Claim { due, lease }).await }
}

struct Claim {
    due: Vec<Model>,
    lease: Timestamp,
}

impl Write for Claim {
    type Output = Vec<Claimed>;

    /// Whoever moves the time that was read wins; in the order of ids, so that two workers do not wait for
    /// each other's rows.
    async fn run(&self, tx: &DatabaseTransaction) -> Result<Vec<Claimed>> {
        let mut rows: Vec<&Model> = self.due.iter().collect();
        rows.sort_unstable_by_key(|row| row.id);
        let mut claimed = Vec::with_capacity(rows.len());
        for row in rows {
            let update = Entity::update_many()
                .col_expr(Column::NextTryAt, Expr::value(self.lease.micros()))
                .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
                .filter(Column::Id.eq(row.id))
                .filter(Column::NextTryAt.eq(row.next_try_at));
            if update.exec(tx).await?.rows_affected == 1 {
                let row = Model { attempts: row.attempts + 1, ..row.clone() };
                claimed.push(Claimed { row, lease: self.lease });
            }
        }
        Ok(claimed)
    }
}

/// The end of a claim: the letter was taken, or is given up.
pub(super) struct Forget {
    pub(super) id: i64,
}

impl Write for Forget {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        Entity::delete_by_id(self.id).exec(tx).await?;
        Ok(())
    }
}

/// The end of a claim: the letter is to be tried later, unless somebody else has it by now.
pub(super) struct PutBack {
    pub(super) id: i64,
    pub(super) lease: Timestamp,
    pub(super) attempts: i64,
    pub(super) next_try: Timestamp,
}

impl Write for PutBack {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let update = Entity::update_many()
            .col_expr(Column::NextTryAt, Expr::value(self.next_try.micros()))
            .col_expr(Column::Attempts, Expr::value(self.attempts))
            .filter(Column::Id.eq(self.id))
            .filter(Column::NextTryAt.eq(self.lease.micros()));
        update.exec(tx).await?;
        Ok(())
    }
}
