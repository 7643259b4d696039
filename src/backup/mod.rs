//! Backups that any of the databases can take back, and so the move from one to another.
//!
//! A backup is a file of JSON lines: a header with the version of the format, every row of every table out
//! of one snapshot, the files that matter, and at the end the counts and a checksum, sealed under
//! `SECRET_KEY`. It is written beside a running server. Restoring reads it twice: first to check all of it,
//! then in the one transaction that replaces the rows (docs/decisions/0005-backups-are-rows.md).

mod before;
mod cells;
mod files;
mod format;
mod restore;
mod tables;

pub use format::VERSION;
pub use restore::{Checked, Restore, check, restore, restore_secret};

use crate::model::Migrator;
use crate::storage::Storage;
use format::{BackupWriter, Header};
use portcullis_security::clock::Timestamp;
use portcullis_security::random::Random;
use portcullis_security::seal::KeyRing;
use portcullis_security::secret::Secret;
use portcullis_security::token::{Purpose, RootKey};
use sea_orm_migration::MigratorTrait;
use std::fmt;
use std::path::{Path, PathBuf};

/// The name of the development secret, in a backup as in the data directory.
pub(crate) const SECRET_FILE: &str = "secret_key";

/// Why there is no backup, or nothing was restored; one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BackupError(String);

fn broken(error: impl fmt::Display) -> BackupError {
    BackupError(error.to_string())
}

fn damaged(what: &str) -> BackupError {
    BackupError(format!("the backup is damaged ({what}): nothing was restored, take another one"))
}

/// What is backed up.
pub struct Source<'a> {
    /// The rows.
    pub storage: &'a Storage,
    /// The secret under which columns are sealed.
    pub secret: &'a Secret,
    /// True where the secret lies in the data directory and nowhere else: then it goes along.
    pub with_secret: bool,
    /// Uploaded files, if there are any.
    pub files: Option<PathBuf>,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where it lies.
    pub path: PathBuf,
    /// Rows in it.
    pub rows: u64,
    /// Files in it.
    pub files: u64,
}

/// The keys that seal columns under a secret.
pub fn seal_of(secret: &Secret) -> KeyRing {
    KeyRing::new(&RootKey::new(secret).derive(Purpose::Sealing), &[])
}

/// Where a backup goes: a directory gets a file that is named by the time.
pub fn path_for(target: &Path, now: Timestamp) -> PathBuf {
    let is_directory = target.is_dir() || target.as_os_str().as_encoded_bytes().ends_with(b"/");
    if !is_directory {
        return target.to_owned();
    }
    // 2026-01-02T03:04:05.678901Z becomes 20260102T030405Z.
    let moment = now.to_string();
    let moment: String = moment.chars().take(19).filter(|letter| !matches!(letter, '-' | ':')).collect();
    target.join(format!("portcullis-{moment}Z.backup"))
}

/// Writes a backup to `path`, which must be new, with mode 0600; calls `progress` with the rows that are
/// done and the rows in all.
///
/// # Errors
/// When the database does not answer or the file cannot be written; then there is no file.
pub async fn write(
    source: &Source<'_>,
    path: &Path,
    (now, random): (Timestamp, &Random),
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<Written, BackupError> {
    if path.exists() {
        return Err(broken(format!("{} exists: choose another name", path.display())));
    }
    files::create_parent(path)?;
    let draft = files::draft_of(path);
    let written = write_draft(source, &draft, (now, random), &mut progress).await;
    let moved = match written {
        Ok(counts) => files::publish(&draft, path).map(|()| counts),
        Err(error) => Err(error),
    };
    match moved {
        Ok((rows, files)) => Ok(Written { path: path.to_owned(), rows, files }),
        Err(error) => {
            // What was written so far is worth nothing, and says so: it has no last line.
            let _ = std::fs::remove_file(&draft);
            Err(error)
        }
    }
}

async fn write_draft(
    source: &Source<'_>,
    draft: &Path,
    (now, random): (Timestamp, &Random),
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<(u64, u64), BackupError> {
    let tables = tables::all();
    let names: Vec<_> = tables.iter().map(|table| table.name).collect();
    let header = Header { portcullis_backup: VERSION, created: now.to_string(), schema: schema() };
    let mut writer = BackupWriter::create(draft, &header, &names)?;
    let snapshot = source.storage.snapshot().await.map_err(|error| broken(format!("{error:?}")))?;
    let (mut done, mut total) = (0, 0);
    for table in &tables {
        total += (table.count)(&snapshot).await.map_err(broken)?;
    }
    for table in &tables {
        let mut count = || {
            done += 1;
            progress(done, total);
        };
        (table.dump)(&snapshot, &mut writer, &mut count).await?;
    }
    snapshot.rollback().await.map_err(broken)?;
    if source.with_secret {
        writer.file(SECRET_FILE, source.secret.expose())?;
    }
    if let Some(folder) = &source.files {
        files::dump(folder, &mut writer)?;
    }
    writer.finish(&seal_of(source.secret), random)
}

/// The migrations of this program, by name.
fn schema() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}
