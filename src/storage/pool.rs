//! Writing to a database server: a transaction for each change, tried again when it lost a race.

use super::{Write, fault::is_transient, reader::undisturbed};
use crate::error::{Error, Result};
use sea_orm::{DatabaseConnection, TransactionTrait};
use std::time::{Duration, Instant};

const ATTEMPTS: u32 = 5;
/// A caller would rather hear 503 than wait longer for a database that is away.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn write<W: Write>(connection: DatabaseConnection, write: W) -> Result<W::Output> {
    let outcome = undisturbed(W::LONGEST, async move { attempt(&connection, &write).await }).await;
    outcome.unwrap_or_else(|| Err(Error::unavailable("no answer in time")))
}

async fn attempt<W: Write>(connection: &DatabaseConnection, write: &W) -> Result<W::Output> {
    let started = Instant::now();
    let mut attempt = 1;
    loop {
        match attempt_once(connection, write).await {
            Ok(output) => return Ok(output),
            Err(Failed::Undone(Error::Unavailable(_)))
                if attempt < ATTEMPTS && started.elapsed() < PATIENCE =>
            {
                tokio::time::sleep(Duration::from_millis(u64::from(attempt * attempt) * 3)).await;
                attempt += 1;
            }
            Err(Failed::Undone(error) | Failed::Unknown(error)) => return Err(error),
        }
    }
}

async fn attempt_once<W: Write>(connection: &DatabaseConnection, write: &W) -> Result<W::Output, Failed> {
    let tx = connection.begin().await;
    let tx = tx.map_err(|error| Failed::Undone(error.into()))?;
    match write.run(&tx).await {
        Ok(output) => match tx.commit().await {
            Ok(()) => Ok(output),
            Err(error) if is_transient(&error) => Err(Failed::Undone(error.into())),
            Err(error) => Err(Failed::Unknown(error.into())),
        },
        Err(error) => {
            if let Err(rollback) = tx.rollback().await {
                tracing::debug!(error = %rollback, "a refused transaction was not rolled back by hand");
            }
            Err(Failed::Undone(error))
        }
    }
}

/// How a change came to nothing.
enum Failed {
    /// Nothing of it is there.
    Undone(Error),
    /// Its commit was not answered: it may be there, and may not be made twice.
    Unknown(Error),
}
