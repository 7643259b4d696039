//! Group commit for SQLite: one connection writes, many changes share one `fsync`.
//!
//! A task drains a channel, opens one IMMEDIATE transaction for up to [`GROUP`] changes, commits, and only
//! then answers all of them. A change that is refused, conflicts or panics is undone alone; a full disk or
//! a failed commit undoes the group, and each of its callers hears 503.

use super::{Write, fault};
use crate::error::{Error, Result};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sea_orm::sqlx::Connection;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use std::panic::AssertUnwindSafe;
use tokio::sync::{mpsc, oneshot};

const GROUP: usize = 256;
const QUEUE: usize = 4096;
const BEGIN_ATTEMPTS: u32 = 3;

pub(super) struct GroupWriter {
    jobs: mpsc::Sender<Order>,
    connection: DatabaseConnection,
}

enum Order {
    Write(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

impl GroupWriter {
    pub(super) fn spawn(connection: DatabaseConnection) -> Self {
        let (jobs, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(run(connection.clone(), receiver));
        Self { jobs, connection }
    }

    /// The connection itself, for migrations before the first write.
    pub(super) const fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    pub(super) async fn write<W: Write>(&self, write: W) -> Result<W::Output> {
        let (answer, result) = oneshot::channel();
        let job = Box::new(Pending { write, outcome: None, answer });
        let closed = || Error::unavailable("the writer has stopped");
        self.jobs.send(Order::Write(job)).await.map_err(|_| closed())?;
        result.await.map_err(|_| closed())?
    }

    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.jobs.send(Order::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
    }
}

async fn run(connection: DatabaseConnection, mut orders: mpsc::Receiver<Order>) {
    while let Some(order) = orders.recv().await {
        let mut jobs = Vec::new();
        let mut closing = None;
        let mut next = Some(order);
        while let Some(order) = next {
            match order {
                Order::Write(job) => jobs.push(job),
                Order::Close(done) => closing = Some(done),
            }
            next = (jobs.len() < GROUP && closing.is_none()).then(|| orders.try_recv().ok()).flatten();
        }
        commit_group(&connection, jobs).await;
        if let Some(done) = closing {
            if let Err(error) = connection.close_by_ref().await {
                tracing::warn!(error = %error, "the writing connection did not close cleanly");
            }
            let _ = done.send(());
            return;
        }
    }
}

async fn commit_group(connection: &DatabaseConnection, mut jobs: Vec<Box<dyn Job>>) {
    if jobs.is_empty() {
        return;
    }
    let committed = try_group(connection, &mut jobs).await;
    if let Err(error) = &committed {
        tracing::error!(error = %error, changes = jobs.len(), "a group of changes was not committed");
        replace(connection).await;
    }
    for job in jobs {
        job.answer(committed.as_ref().err());
    }
}

/// Closes the connection, so that the pool opens another one.
///
/// A full disk makes SQLite end a transaction by itself. sqlx does not notice: it would take the next
/// transaction for one inside it, and "commit" that without writing it.
async fn replace(connection: &DatabaseConnection) {
    let closed = match connection.get_sqlite_connection_pool().acquire().await {
        Ok(old) => old.detach().close().await,
        Err(error) => Err(error),
    };
    if let Err(error) = closed {
        tracing::warn!(%error, "the writing connection did not close cleanly");
    }
}

/// Most groups have nobody who is refused, so none is given a savepoint, which costs as much as two statements
/// more. When one is refused all of it is undone and run again, each in a savepoint of its own.
async fn try_group(connection: &DatabaseConnection, jobs: &mut [Box<dyn Job>]) -> Result<(), DbErr> {
    let tx = begin(connection).await?;
    if run_all(&tx, jobs, Isolation::Shared).await? {
        return tx.commit().await;
    }
    tx.rollback().await?;
    if jobs.len() == 1 {
        return Ok(());
    }
    let tx = begin(connection).await?;
    run_all(&tx, jobs, Isolation::Savepoint).await?;
    tx.commit().await
}

/// Runs the changes; without savepoints only until one is refused, and says whether none was.
async fn run_all(
    tx: &DatabaseTransaction,
    jobs: &mut [Box<dyn Job>],
    isolation: Isolation,
) -> Result<bool, DbErr> {
    for job in jobs {
        job.run(tx, isolation).await?;
        if isolation == Isolation::Shared && job.is_refused() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a change can be undone by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Isolation {
    Shared,
    Savepoint,
}

/// Another process (a verb of the command line) may hold the write lock for a while.
async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let mut attempt = 1;
    loop {
        match connection.begin_with_options(options).await {
            Err(error) if attempt < BEGIN_ATTEMPTS && fault::is_transient(&error) => attempt += 1,
            outcome => return outcome,
        }
    }
}

trait Job: Send {
    /// Runs the change inside the group's transaction and keeps its outcome; an error here is the
    /// group's, not the change's.
    fn run<'a>(
        &'a mut self,
        tx: &'a DatabaseTransaction,
        isolation: Isolation,
    ) -> BoxFuture<'a, Result<(), DbErr>>;

    /// Whether the change said no, so that nothing of it may stay.
    fn is_refused(&self) -> bool;

    /// Answers the caller after the commit, or after its failure.
    fn answer(self: Box<Self>, failure: Option<&DbErr>);
}

struct Pending<W: Write> {
    write: W,
    outcome: Option<Result<W::Output>>,
    answer: oneshot::Sender<Result<W::Output>>,
}

impl<W: Write> Pending<W> {
    async fn outcome_of(write: &W, tx: &DatabaseTransaction) -> Result<W::Output> {
        match AssertUnwindSafe(write.run(tx)).catch_unwind().await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::internal("a database change panicked")),
        }
    }

    async fn in_savepoint(write: &W, tx: &DatabaseTransaction) -> Result<Result<W::Output>, DbErr> {
        let savepoint = tx.begin().await?;
        let outcome = Self::outcome_of(write, &savepoint).await;
        if outcome.is_ok() {
            savepoint.commit().await?;
        } else {
            savepoint.rollback().await?;
        }
        Ok(outcome)
    }
}

impl<W: Write> Job for Pending<W> {
    fn run<'a>(
        &'a mut self,
        tx: &'a DatabaseTransaction,
        isolation: Isolation,
    ) -> BoxFuture<'a, Result<(), DbErr>> {
        Box::pin(async move {
            let outcome = match isolation {
                Isolation::Shared => Self::outcome_of(&self.write, tx).await,
                Isolation::Savepoint => Self::in_savepoint(&self.write, tx).await?,
            };
            // The connection, not this change, has failed: nothing of the group may be acknowledged.
            if let Err(Error::Unavailable(cause)) = &outcome {
                return Err(DbErr::Custom(cause.0.to_string()));
            }
            self.outcome = Some(outcome);
            Ok(())
        })
    }

    fn is_refused(&self) -> bool {
        matches!(self.outcome, Some(Err(_)))
    }

    fn answer(self: Box<Self>, failure: Option<&DbErr>) {
        let outcome = match (failure, self.outcome) {
            (None, Some(outcome)) => outcome,
            (Some(error), _) => Err(Error::unavailable(error)),
            (None, None) => Err(Error::internal("a database change has no outcome")),
        };
        // The caller may have gone away; the change stands all the same.
        let _ = self.answer.send(outcome);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use crate::error::{Error, Result};
    use crate::model::Migrator;
    use crate::model::revocations::{ActiveModel, Entity};
    use crate::storage::{Storage, Write};
    use futures_util::future::join_all;
    use sea_orm::ActiveValue::Set;
    use sea_orm::{DatabaseTransaction, EntityTrait};

    struct Insert(i64);

    impl Write for Insert {
        type Output = ();

        async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
            let row = ActiveModel { user_id: Set(self.0), at: Set(1), ..ActiveModel::default() };
            Entity::insert(row).exec_without_returning(tx).await?;
            assert!(self.0 % 10 != 3, "a defect");
            if self.0 % 10 == 7 { Err(Error::not_found()) } else { Ok(()) }
        }
    }

    #[tokio::test]
    async fn of_many_changes_at_once_each_that_is_refused_or_panics_is_undone_alone() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("group.sqlite3").display());
        let storage = Storage::connect(&url).await.unwrap();
        storage.migrate::<Migrator>().await.unwrap();
        let outcomes = join_all((0..100).map(|number| storage.write(Insert(number)))).await;
        let is_kept = |number: &i64| !matches!(number % 10, 3 | 7);
        let done: Vec<i64> =
            (0..).zip(&outcomes).filter(|(_, done)| done.is_ok()).map(|(at, _)| at).collect();
        let expected: Vec<i64> = (0..100).filter(is_kept).collect();
        assert_eq!(done, expected);
        let mut rows: Vec<i64> =
            Entity::find().all(storage.reader()).await.unwrap().iter().map(|row| row.user_id).collect();
        rows.sort_unstable();
        assert_eq!(rows, expected);
        storage.close().await;
    }
}
