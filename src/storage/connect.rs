//! Opening connections, with the settings that make each database keep its promises.

use super::{Reader, Storage, Writer, group::GroupWriter, liveness::Liveness};
use sea_orm::sqlx::Executor;
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a query waits for a connection that others use.
pub(super) const ACQUIRE_TIMEOUT: Duration = CONNECT_TIMEOUT;
const MYSQL_CONNECTIONS: u32 = 32;
/// Under REPEATABLE READ the loser of a race reads its stale snapshot and takes a re-used token for an unknown one.
const READ_COMMITTED: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// Why there is no database to work with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL's scheme is none that we speak.
    #[error("the database URL must begin with sqlite: or mysql:, see PORTCULLIS_STORAGE__DATABASE_URL")]
    Scheme,
    /// The file cannot be made.
    #[error("cannot create the database file {0}: {1}; check the path and its permissions")]
    File(String, std::io::Error),
    /// The server does not answer, or refuses us.
    #[error("cannot open the database: {0}")]
    Open(DbErr),
    /// The schema cannot be brought up to date.
    #[error("cannot migrate the database: {0}")]
    Migrate(String),
}

pub(super) async fn connect(url: &str) -> Result<Storage, ConnectError> {
    let (reader, writer) = match url.split_once(':') {
        Some(("sqlite", rest)) => {
            let (reader, writer) = open_sqlite(url, rest).await?;
            (Reader::beside_threads(reader), writer)
        }
        Some(("mysql" | "mariadb", rest)) => {
            let pool = open_mysql(&format!("mysql:{rest}")).await?;
            (Reader::over_network(pool.clone(), MYSQL_CONNECTIONS), Writer::Pool(pool))
        }
        _ => return Err(ConnectError::Scheme),
    };
    Ok(Storage { reader, writer })
}

/// A connection that reads what is there and changes nothing: no file is made, no journal turned.
pub(super) async fn look(url: &str) -> Result<DatabaseConnection, ConnectError> {
    let mut options = pool_options(url, 1);
    options.map_sqlx_sqlite_opts(|sqlite| sqlite.pragma("query_only", "ON").busy_timeout(BUSY_TIMEOUT));
    Database::connect(options).await.map_err(ConnectError::Open)
}

async fn open_sqlite(url: &str, rest: &str) -> Result<(DatabaseConnection, Writer), ConnectError> {
    let path = rest.trim_start_matches("//").split('?').next().unwrap_or_default();
    create_private(Path::new(path)).map_err(|error| ConnectError::File(path.to_owned(), error))?;
    // The writer opens first: it is the one that turns the file to WAL.
    let writer = Database::connect(sqlite_options(url, 1, false)).await.map_err(ConnectError::Open)?;
    let reader = Database::connect(sqlite_options(url, READERS, true)).await.map_err(ConnectError::Open)?;
    Ok((reader, Writer::Group(GroupWriter::spawn(writer))))
}

/// WAL lets readers and the writer work side by side; FULL makes a commit survive the loss of power;
/// `query_only` keeps readers from ever taking the write lock.
fn sqlite_options(url: &str, connections: u32, reads_only: bool) -> ConnectOptions {
    let mut options = pool_options(url, connections);
    options.map_sqlx_sqlite_opts(move |sqlite| {
        let sqlite = sqlite
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "FULL")
            .pragma("foreign_keys", "ON")
            .busy_timeout(BUSY_TIMEOUT)
            .statement_cache_capacity(256);
        match reads_only {
            true => sqlite.pragma("query_only", "ON"),
            // What a savepoint may have to undo is little, and else goes through a file.
            false => sqlite.pragma("temp_store", "MEMORY"),
        }
    });
    options
}

async fn open_mysql(url: &str) -> Result<DatabaseConnection, ConnectError> {
    let mut options = pool_options(url, MYSQL_CONNECTIONS);
    let liveness = Arc::new(Liveness::default());
    options.map_sqlx_mysql_pool_opts(move |pool| {
        let (before, after) = (liveness.clone(), liveness.clone());
        pool.after_connect(|connection, _| {
            Box::pin(async move { connection.execute(READ_COMMITTED).await.map(drop) })
        })
        .before_acquire(move |connection, seen| {
            let liveness = before.clone();
            Box::pin(async move { liveness.check(connection, seen).await })
        })
        .after_release(move |connection, _| {
            let liveness = after.clone();
            Box::pin(async move { liveness.ping(connection).await })
        })
    });
    Database::connect(options).await.map_err(ConnectError::Open)
}

fn pool_options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .min_connections(1)
        .max_connections(connections)
        .connect_timeout(CONNECT_TIMEOUT)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .sqlx_logging(false);
    options
}

/// Creates the file before SQLite does, which would follow the umask. Its `-wal` and `-shm` companions
/// take over the mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use sea_orm::{ConnectionTrait, DbBackend, Statement};

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "an ORM does not ask how SQLite was built")]
    async fn sqlite_is_built_to_plan_a_query_once() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("built.sqlite3").display());
        let storage = Storage::connect(&url).await.unwrap();
        let question = "SELECT sqlite_compileoption_used('ENABLE_QPSG') AS used";
        let answer = storage
            .reader()
            .query_one_raw(Statement::from_string(DbBackend::Sqlite, question))
            .await
            .unwrap();
        assert!(answer.unwrap().try_get::<bool>("", "used").unwrap(), "see .cargo/config.toml");
        storage.close().await;
    }
}
