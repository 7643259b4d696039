//! Rows that wait for a worker: each is one worker's for a while, and comes free by itself when that one dies.

use super::{Storage, Write};
use crate::error::Result;
use portcullis_security::clock::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::time::Duration;

/// A table of such rows.
pub trait Queue: EntityTrait<Model: Clone + Send + Sync> {
    /// The row's key.
    const ID: Self::Column;
    /// How often it was tried.
    const ATTEMPTS: Self::Column;
    /// Not before that time, in microseconds; a worker that takes the row moves it ahead, which is its lease.
    const NEXT_TRY_AT: Self::Column;

    /// The key of a row and its `next_try_at`, by which a claim is known.
    fn turn(row: &Self::Model) -> (i64, i64);

    /// The row once it is claimed: tried once more, and not to be taken before the lease ends.
    fn taken(row: &Self::Model, lease: i64) -> Self::Model;
}

/// Claims up to `limit` rows whose time has come, those that wait longest first. They come back with this attempt
/// counted and the end of the lease in `next_try_at`.
///
/// # Errors
/// When the database does not answer.
pub async fn claim<Q: Queue>(
    storage: &Storage,
    limit: u64,
    now: Timestamp,
    lease: Duration,
) -> Result<Vec<Q::Model>> {
    let due = Q::find()
        .filter(Q::NEXT_TRY_AT.lte(now.micros()))
        .order_by_asc(Q::NEXT_TRY_AT)
        .order_by_asc(Q::ID)
        .limit(limit);
    let due = due.all(storage.reader()).await?;
    if due.is_empty() { Ok(due) } else { storage.write(Claim::<Q> { due, lease: now.plus(lease) }).await }
}

struct Claim<Q: Queue> {
    due: Vec<Q::Model>,
    lease: Timestamp,
}

impl<Q: Queue> Write for Claim<Q> {
    type Output = Vec<Q::Model>;

    /// Whoever moves the time that was read wins; in the order of ids, so that two workers do not wait for
    /// each other's rows.
    async fn run(&self, tx: &DatabaseTransaction) -> Result<Vec<Q::Model>> {
        let mut rows: Vec<&Q::Model> = self.due.iter().collect();
        rows.sort_unstable_by_key(|row| Q::turn(row).0);
        let lease = self.lease.micros();
        let mut claimed = Vec::with_capacity(rows.len());
        for row in rows {
            let (id, next_try_at) = Q::turn(row);
            let update = Q::update_many()
                .col_expr(Q::NEXT_TRY_AT, Expr::value(lease))
                .col_expr(Q::ATTEMPTS, Expr::col(Q::ATTEMPTS).add(1))
                .filter(Q::ID.eq(id))
                .filter(Q::NEXT_TRY_AT.eq(next_try_at));
            if update.exec(tx).await?.rows_affected == 1 {
                claimed.push(Q::taken(row, lease));
            }
        }
        Ok(claimed)
    }
}

/// The end of a claim: the row is to be tried later, unless somebody else has it by now.
pub struct PutBack<Q: Queue> {
    /// The row as it was claimed.
    pub row: Q::Model,
    /// The attempts it has had from now on: fewer, when this one is not its fault.
    pub attempts: i64,
    /// When it is its turn again.
    pub next_try: Timestamp,
}

impl<Q: Queue> Write for PutBack<Q> {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let (id, lease) = Q::turn(&self.row);
        let update = Q::update_many()
            .col_expr(Q::NEXT_TRY_AT, Expr::value(self.next_try.micros()))
            .col_expr(Q::ATTEMPTS, Expr::value(self.attempts))
            .filter(Q::ID.eq(id))
            .filter(Q::NEXT_TRY_AT.eq(lease));
        update.exec(tx).await?;
        Ok(())
    }
}
