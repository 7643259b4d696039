//! Whether there is a server at the other end of a connection still.
//!
//! One that lost its power, or whose connections a firewall forgot, says nothing for ever, and TCP waits for it for a
//! quarter of an hour.

use sea_orm::sqlx::pool::PoolConnectionMetadata;
use sea_orm::sqlx::{Connection, Error};
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// A connection that answered less than this ago is taken as it is.
const FRESH: Duration = Duration::from_secs(1);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// What is known of the connections of a pool.
#[derive(Default)]
pub(super) struct Liveness {
    /// When one of them said nothing. Those that were open then have not much to say either.
    fell_silent: Mutex<Option<Instant>>,
}

impl Liveness {
    /// Asked before a connection is used; on an error the pool opens another.
    pub(super) async fn check(
        &self,
        connection: &mut impl Connection,
        seen: PoolConnectionMetadata,
    ) -> Result<bool, Error> {
        let fell_silent = *self.fell_silent.lock().unwrap_or_else(PoisonError::into_inner);
        if fell_silent.is_some_and(|at| at.elapsed() < seen.age) {
            return Err(silent());
        }
        if seen.idle_for < FRESH {
            return Ok(true);
        }
        self.ping(connection).await
    }

    /// Asked after a connection was used.
    pub(super) async fn ping(&self, connection: &mut impl Connection) -> Result<bool, Error> {
        match timeout(ANSWER_TIMEOUT, connection.ping()).await {
            Ok(answer) => answer.map(|()| true),
            Err(_) => {
                *self.fell_silent.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                Err(silent())
            }
        }
    }
}

fn silent() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database server says nothing"))
}
