//! Queries outside a change.

use super::connect::ACQUIRE_TIMEOUT;
use sea_orm::prelude::async_trait;
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult,
    RuntimeErr, Statement,
};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// A query that takes longer is given up, and its connection with it where that does not answer.
const LONGEST: Duration = Duration::from_secs(20);

/// The pool for queries; whoever asked may go away at any moment.
pub struct Reader {
    pool: DatabaseConnection,
    /// As many as there are connections, where a query is run apart from its caller: one who goes away while it waits
    /// leaves nothing to be done.
    places: Option<Arc<Semaphore>>,
}

impl Reader {
    /// Over connections with threads of their own, which finish what they began.
    pub(super) const fn beside_threads(pool: DatabaseConnection) -> Self {
        Self { pool, places: None }
    }

    /// Over so many connections to a server.
    pub(super) fn over_network(pool: DatabaseConnection, connections: u32) -> Self {
        Self { pool, places: Some(Arc::new(Semaphore::new(connections as usize))) }
    }

    pub(super) const fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    async fn query<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, DbErr>> + Send + 'static,
    ) -> Result<T, DbErr> {
        let Some(places) = &self.places else { return work.await };
        let place = timeout(ACQUIRE_TIMEOUT, places.clone().acquire_owned()).await;
        let place = place.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?;
        let work = async move {
            let _place = place;
            work.await
        };
        let unanswered = || Err(DbErr::Conn(RuntimeErr::Internal("no answer in time".to_owned())));
        undisturbed(LONGEST, work).await.unwrap_or_else(unanswered)
    }
}

/// Runs what uses a connection to a server to its end, whether or not the caller waits for it; nothing when it takes
/// too long or the program ends.
///
/// A call that is dropped between a command and its answer, as when a client hangs up, leaves the connection in the
/// pool with an answer that nobody has read or a transaction that nobody ends. The next one to use it pays for that.
pub(super) async fn undisturbed<T: Send + 'static>(
    longest: Duration,
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    match tokio::spawn(timeout(longest, work)).await {
        Ok(in_time) => in_time.ok(),
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => None,
        },
    }
}

#[async_trait::async_trait]
#[expect(clippy::disallowed_methods, reason = "this is what an ORM stands on")]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let pool = self.pool.clone();
        self.query(async move { pool.execute_raw(statement).await }).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let (pool, sql) = (self.pool.clone(), sql.to_owned());
        self.query(async move { pool.execute_unprepared(&sql).await }).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let pool = self.pool.clone();
        self.query(async move { pool.query_one_raw(statement).await }).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let pool = self.pool.clone();
        self.query(async move { pool.query_all_raw(statement).await }).await
    }
}
