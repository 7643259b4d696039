//! Whether the database opens, and where it does not, what mends that.

use super::judge::{Rule, Verdict, error, warning};
use crate::storage::ConnectError;
use rustix::fs::{Access, access};
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::{DbErr, RuntimeErr, SqlxError, SqlxMySqlError};
use std::path::Path;

pub(super) const OPENS: Rule = Rule::new("deploy.database_opens", &[], "§16.1")
    .of(&["STORAGE__DATABASE_URL", "STORAGE__DATABASE_PASSWORD"]);

/// A SQLite file that is not there: the server makes it, where it may.
pub(super) fn missing(path: &Path) -> Verdict {
    match can_be_made(path) {
        true => warning(format!("There is no database at {} yet.", path.display()), "portcullis migrate"),
        false => error(
            format!("There is no database at {}, and none can be made there.", path.display()),
            "PORTCULLIS_STORAGE__DATABASE_URL=sqlite:PATH in a directory that the server's user can write to.",
        ),
    }
}

/// Whether the nearest directory that exists on the way to a file can be written to.
pub(super) fn can_be_made(path: &Path) -> bool {
    let is_named = |path: &&Path| !path.as_os_str().is_empty();
    let above = path.ancestors().skip(1).filter(is_named).find(|path| path.exists());
    let above = above.unwrap_or(Path::new("."));
    above.is_dir() && access(above, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

pub(super) fn silent() -> Verdict {
    error("The database does not answer within 1.2 s.", "see that it runs and can be reached from here.")
}

/// Why it did not open, by the words of its driver.
pub(super) fn refused(cause: &ConnectError) -> Verdict {
    match cause {
        ConnectError::Open(cause) => unreadable(cause),
        _ => error("The database URL is none.", "DATABASE_URL=mysql://USER@HOST/NAME"),
    }
}

/// Why its rows cannot be read.
pub(super) fn unreadable(cause: &DbErr) -> Verdict {
    let (DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))) = cause
    else {
        return error("The database cannot be used.", "see what `portcullis migrate` says.");
    };
    match cause.as_ref() {
        SqlxError::Database(cause) => match cause.try_downcast_ref::<SqlxMySqlError>() {
            Some(cause) => of_mysql(cause.number()),
            None => of_sqlite(cause.as_ref()),
        },
        SqlxError::Tls(_) => error(
            "The database does not prove its name, or speaks no TLS.",
            "see ssl-mode and ssl-ca in DATABASE_URL.",
        ),
        SqlxError::Configuration(_) => {
            error("The database URL is none.", "DATABASE_URL=mysql://USER@HOST/NAME")
        }
        _ => error("The database does not answer.", "see that it runs and can be reached from here."),
    }
}

/// By MySQL's and MariaDB's numbers of errors.
fn of_mysql(number: u16) -> Verdict {
    match number {
        1044 => error("The user may not use that database.", "GRANT ALL ON the database TO the user."),
        1045 | 1698 => error(
            "The database refuses that user or password.",
            "see the user in DATABASE_URL, and the password there or in DATABASE_PASSWORD.",
        ),
        1049 => error("The server has no database of that name.", "CREATE DATABASE, or mend DATABASE_URL."),
        number => {
            error(format!("The database refuses with error {number}."), "see what that means in its manual.")
        }
    }
}

/// By SQLite's primary result codes, the last byte of the extended ones.
fn of_sqlite(cause: &dyn DatabaseError) -> Verdict {
    let code: u32 = cause.code().and_then(|code| code.parse().ok()).unwrap_or_default();
    match code & 0xff {
        11 | 26 => error(
            "The database is damaged, or no database at all.",
            "stop the server, put the file aside, and `portcullis restore` the newest backup.",
        ),
        3 | 8 | 14 | 23 => error(
            "This user may not open the database.",
            "run this as the server's user, or give the file and its directory to it with chown.",
        ),
        code => error(
            format!("The database cannot be read (SQLite's error {code})."),
            "see the disk, and what `portcullis migrate` says.",
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::report::Level;
    use super::*;

    #[test]
    fn a_database_can_be_made_where_a_directory_can_be_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let level = |path: &Path| OPENS.judged(missing(path)).level;
        assert_eq!(level(&folder.path().join("a/b/new.sqlite3")), Level::Warning);
        assert_eq!(level(Path::new("new.sqlite3")), Level::Warning);
        assert_eq!(level(&file.join("new.sqlite3")), Level::Error);
    }

    #[test]
    fn each_refusal_of_mysql_has_its_own_advice() {
        let advice = [1044, 1045, 1049, 1].map(|number| OPENS.judged(of_mysql(number)).mend);
        assert!(advice.iter().enumerate().all(|(index, one)| !advice[..index].contains(one)), "{advice:?}");
    }
}
