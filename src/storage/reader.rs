//! Queries outside a change.

use sea_orm::prelude::async_trait;
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};
use std::future::Future;

/// The pool for queries; whoever asked may go away at any moment.
pub struct Reader(DatabaseConnection);

impl Reader {
    pub(super) const fn new(pool: DatabaseConnection) -> Self {
        Self(pool)
    }

    pub(super) const fn pool(&self) -> &DatabaseConnection {
        &self.0
    }
}

/// Runs to its end what uses a connection to MySQL, whether or not the caller waits for it.
///
/// A call that is dropped between a command and its answer, as when a client hangs up, leaves the connection in the
/// pool with an answer that nobody has read or a transaction that nobody ends. The next one to use it pays for that.
pub(super) async fn undisturbed<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    match tokio::spawn(work).await {
        Ok(output) => Some(output),
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The program ends.
            Err(_) => None,
        },
    }
}

async fn query<T: Send + 'static>(
    work: impl Future<Output = Result<T, DbErr>> + Send + 'static,
    backend: DbBackend,
) -> Result<T, DbErr> {
    match backend {
        // Its connections have a thread of their own, which finishes what it began.
        DbBackend::Sqlite => work.await,
        _ => {
            undisturbed(work).await.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)))
        }
    }
}

#[async_trait::async_trait]
#[expect(clippy::disallowed_methods, reason = "this is what an ORM stands on")]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let pool = self.0.clone();
        query(async move { pool.execute_raw(statement).await }, self.get_database_backend()).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let (pool, sql) = (self.0.clone(), sql.to_owned());
        query(async move { pool.execute_unprepared(&sql).await }, self.get_database_backend()).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let pool = self.0.clone();
        query(async move { pool.query_one_raw(statement).await }, self.get_database_backend()).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let pool = self.0.clone();
        query(async move { pool.query_all_raw(statement).await }, self.get_database_backend()).await
    }
}
