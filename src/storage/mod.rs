//! Rows and files: connections, migrations, and the one way to write.
//!
//! Only this folder knows which database is behind. Reads go through [`Storage::reader`]; every write is
//! a [`Write`] and is acknowledged after its commit: on SQLite by the group-commit writer
//! ([`group`]), on MySQL by a transaction of its own that is tried again on a deadlock ([`pool`]).

mod connect;
mod fault;
mod files;
mod group;
mod lease;
mod liveness;
mod pages;
mod pool;
mod reader;

pub use connect::ConnectError;
pub use fault::is_unique_violation;
pub use files::{FileName, Files, FilesError};
pub use lease::{PutBack, Queue, claim};
pub use pages::PublicPages;
pub use reader::Reader;

use crate::error::{Error, Result};
use sea_orm::{DatabaseConnection, DatabaseTransaction, IsolationLevel, TransactionTrait};
use std::future::Future;
use std::time::Duration;

/// A change of rows that is committed whole or not at all.
///
/// `run` may be called again after a deadlock, so it takes `&self` and has no effect but on the database:
/// mail goes through the outbox, caches are told after the commit. It must await nothing but the database,
/// since on SQLite every other writer waits for it.
pub trait Write: Send + Sync + 'static {
    /// What the caller gets once the change is on disk.
    type Output: Send + 'static;

    /// A change that takes longer on a database server is given up.
    const LONGEST: Duration = Duration::from_secs(30);

    /// Makes the change.
    fn run(&self, tx: &DatabaseTransaction) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// Opens the database at `url` for looking at it: what is not there is not made.
///
/// # Errors
/// [`ConnectError`] when there is none, or it does not answer.
pub async fn look(url: &str) -> Result<DatabaseConnection, ConnectError> {
    connect::look(url).await
}

/// The database.
pub struct Storage {
    reader: Reader,
    writer: Writer,
}

enum Writer {
    Group(group::GroupWriter),
    Pool(DatabaseConnection),
}

impl Storage {
    /// Opens the database at `url` (`sqlite:` or `mysql:`), creating a missing SQLite file with mode 0600.
    ///
    /// # Errors
    /// [`ConnectError`] says in one sentence what to do.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        connect::connect(url).await
    }

    /// The pool for queries. Writing through it is refused by SQLite and by convention.
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// [`ConnectError::Migrate`] when a migration fails.
    pub async fn migrate<M: sea_orm_migration::MigratorTrait>(&self) -> Result<(), ConnectError> {
        let connection = match &self.writer {
            Writer::Group(writer) => writer.connection(),
            Writer::Pool(connection) => connection,
        };
        M::up(connection, None).await.map_err(|error| ConnectError::Migrate(error.to_string()))
    }

    /// The migrations that are not applied yet, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn pending<M: sea_orm_migration::MigratorTrait>(&self) -> Result<Vec<String>> {
        let pending = M::get_pending_migrations(self.reader.pool()).await?;
        Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
    }

    /// A view of all rows at one moment, for reading many tables; to be rolled back.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn snapshot(&self) -> Result<DatabaseTransaction> {
        let level = match &self.writer {
            // Every read transaction of SQLite is one.
            Writer::Group(_) => None,
            Writer::Pool(_) => Some(IsolationLevel::RepeatableRead),
        };
        Ok(self.reader.pool().begin_with_config(level, None).await?)
    }

    /// Makes a change; returns when it is durable. What has begun is finished, though the caller goes away.
    ///
    /// # Errors
    /// What `run` refuses; [`Error::Unavailable`] when the database cannot take it.
    pub async fn write<W: Write>(&self, write: W) -> Result<W::Output> {
        match &self.writer {
            Writer::Group(writer) => writer.write(write).await,
            Writer::Pool(connection) => pool::write(connection.clone(), write).await,
        }
    }

    /// Waits for running writes and closes every connection.
    pub async fn close(&self) {
        if let Writer::Group(writer) = &self.writer {
            writer.close().await;
        }
        if let Err(error) = self.reader.pool().close_by_ref().await {
            tracing::warn!(error = %error, "the database did not close cleanly");
        }
    }
}

impl From<sea_orm::DbErr> for Error {
    fn from(error: sea_orm::DbErr) -> Self {
        fault::classify(&error)
    }
}
