//! Writing to a database server: a transaction for each change, tried again when it lost a race.

use super::{Write, reader::undisturbed};
use crate::error::{Error, Result};
use sea_orm::{DatabaseConnection, IsolationLevel, TransactionTrait};
use std::time::{Duration, Instant};

const ATTEMPTS: u32 = 5;
/// A caller would rather hear 503 than wait longer for a database that is away.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn write<W: Write>(connection: DatabaseConnection, write: W) -> Result<W::Output> {
    let outcome = undisturbed(async move { attempt(&connection, &write).await }).await;
    outcome.unwrap_or_else(|| Err(Error::unavailable("the program ends")))
}

async fn attempt<W: Write>(connection: &DatabaseConnection, write: &W) -> Result<W::Output> {
    let started = Instant::now();
    let mut attempt = 1;
    loop {
        match attempt_once(connection, write).await {
            Err(Error::Unavailable(_)) if attempt < ATTEMPTS && started.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(u64::from(attempt * attempt) * 3)).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

/// READ COMMITTED: under REPEATABLE READ the loser of a race reads its stale snapshot and takes a
/// re-used token for an unknown one.
async fn attempt_once<W: Write>(connection: &DatabaseConnection, write: &W) -> Result<W::Output> {
    let tx = connection.begin_with_config(Some(IsolationLevel::ReadCommitted), None).await?;
    match write.run(&tx).await {
        Ok(output) => {
            tx.commit().await?;
            Ok(output)
        }
        Err(error) => {
            if let Err(rollback) = tx.rollback().await {
                tracing::debug!(error = %rollback, "a refused transaction was not rolled back by hand");
            }
            Err(error)
        }
    }
}
