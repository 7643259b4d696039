//! What a database error means: try again, give up for now, a rule of ours, or a defect.

use crate::error::Error;
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::mysql::MySqlDatabaseError;
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// True when the statement broke a unique index whose name or column contains `index`.
///
/// SQLite names the column (`users.username_key`), MySQL the index (`users_username_key`).
pub fn is_unique_violation(error: &DbErr, index: &str) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(text)) if text.contains(index))
}

/// True when running the whole transaction again may succeed: deadlock, lock wait, a snapshot that grew
/// old, a certification failure (Galera).
pub(super) fn is_transient(error: &DbErr) -> bool {
    let Some(database_error) = database_error(error) else { return false };
    if let Some(mysql) = database_error.try_downcast_ref::<MySqlDatabaseError>() {
        return matches!(mysql.number(), 1205 | 1213) || matches!(mysql.code(), Some("40001"));
    }
    matches!(sqlite_code(error), Some(5 | 6))
}

/// True when the transaction as a whole is lost: out of memory, disk full, input or output error, corrupt file,
/// read-only medium, or no connection.
pub(super) fn is_fatal(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        _ => match sqlx_error(error) {
            Some(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) => true,
            Some(sqlx::Error::WorkerCrashed) => true,
            Some(sqlx::Error::Database(inner)) => {
                let mysql = inner.try_downcast_ref::<MySqlDatabaseError>();
                mysql.map_or_else(
                    || matches!(sqlite_code(error), Some(7 | 8 | 10 | 11 | 13 | 14 | 26)),
                    |mysql| is_at_its_end(mysql.number()),
                )
            }
            _ => false,
        },
    }
}

/// Our error for one that no feature expected.
pub(super) fn classify(error: &DbErr) -> Error {
    if is_fatal(error) || is_transient(error) { Error::unavailable(error) } else { Error::internal(error) }
}

/// Errors of MySQL and MariaDB that are no fault of a statement: no room on its disk or in memory, too many connections
/// or statements, read-only, out of time, shutting down.
const fn is_at_its_end(number: u16) -> bool {
    matches!(
        number,
        1021 | 1026
            | 1030
            | 1037
            | 1038
            | 1040
            | 1041
            | 1047
            | 1053
            | 1114
            | 1135
            | 1203
            | 1226
            | 1290
            | 1317
            | 1461
            | 1836
            | 1927
            | 1969
            | 3024
            | 4031
    )
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(inner))
        | DbErr::Exec(RuntimeErr::SqlxError(inner))
        | DbErr::Query(RuntimeErr::SqlxError(inner)) => Some(inner),
        _ => None,
    }
}

fn database_error(error: &DbErr) -> Option<&dyn DatabaseError> {
    match sqlx_error(error)? {
        sqlx::Error::Database(inner) => Some(inner.as_ref()),
        _ => None,
    }
}

/// SQLite's primary result code: the low byte of the extended one (517 is 5, BUSY).
fn sqlite_code(error: &DbErr) -> Option<i32> {
    let code = database_error(error)?.code()?;
    code.parse::<i32>().ok().map(|extended| extended & 0xff)
}
