//! Restoring: everything is checked first, then everything is replaced, or nothing is.

use super::before::{self, BATCH, Before};
use super::format::{BackupReader, End, Line, content};
use super::tables::{self, Row, Table};
use super::{BackupError, SECRET_FILE, broken, damaged, files, schema, seal_of};
use crate::access::Client;
use crate::audit::{self, Kind, Subject};
use crate::error::{Error, Result};
use crate::model::users;
use crate::storage::{Storage, Write};
use portcullis_security::clock::Clock;
use portcullis_security::secret::Secret;
use sea_orm::{DatabaseTransaction, EntityTrait, PaginatorTrait};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A backup of which every line was read and is sound.
pub struct Checked {
    path: PathBuf,
    end: End,
    /// When it was taken, RFC 3339.
    pub created: String,
    /// The development secret of the server that was backed up, if it went along.
    pub secret: Option<Secret>,
}

impl Checked {
    /// Rows in it.
    pub fn rows(&self) -> u64 {
        self.end.rows.values().sum()
    }

    /// Whether it was written under this secret, and by nobody without it.
    pub fn is_sealed_by(&self, secret: &Secret) -> bool {
        self.end.is_sealed_by(&seal_of(secret))
    }
}

/// Reads a whole backup, calling `progress` with the bytes that are done.
///
/// # Errors
/// When it is cut off, changed, or newer than this program.
pub fn check(path: &Path, mut progress: impl FnMut(u64)) -> Result<Checked, BackupError> {
    let (mut reader, header) = BackupReader::open(path)?;
    let known = schema();
    if !header.schema.iter().all(|migration| known.contains(migration)) {
        return Err(broken("the backup is of a newer version: upgrade this program first"));
    }
    let tables = tables::all();
    let mut secret = None;
    loop {
        match reader.line()? {
            Line::Row(table, row) => {
                let sound = (find(&tables, &table)?.check)(&row);
                sound.map_err(|problem| damaged(&format!("a row of {table}: {problem}")))?;
            }
            Line::File(name, encoded) => {
                files::place(&name, None)?;
                let content = content(&encoded)?;
                if name == SECRET_FILE {
                    secret = Some(Secret::new(content));
                }
            }
            Line::End(end) => {
                return Ok(Checked { path: path.to_owned(), end, created: header.created, secret });
            }
        }
        progress(reader.read);
    }
}

fn find<'a>(tables: &'a [Table], name: &str) -> Result<&'a Table, BackupError> {
    tables.iter().find(|table| table.name == name).ok_or_else(|| damaged("it has a table that is not ours"))
}

/// How to restore.
pub struct Restore {
    /// Replaces the rows of a database that has users.
    pub replace: bool,
    /// Leaves out what can only be read with the secret of the backup: unsent mails and signing keys.
    pub without_sealed: bool,
    /// Where uploaded files go, if there is such a place.
    pub files: Option<PathBuf>,
    /// Time.
    pub clock: Clock,
    /// Is told the bytes that are done.
    pub progress: Arc<dyn Fn(u64) + Send + Sync>,
}

/// Replaces all rows by those of a backup, in one transaction, and tells running servers.
///
/// Uploaded files come first: their names are random, and without their rows they do no harm.
///
/// # Errors
/// When the database has users and is not to be replaced, does not answer, or the file has changed since it
/// was checked; then no row was touched.
pub async fn restore(storage: &Storage, checked: &Checked, how: Restore) -> Result<(), BackupError> {
    if !how.replace && users::Entity::find().count(storage.reader()).await.map_err(broken)? > 0 {
        return Err(has_users());
    }
    if let Some(folder) = &how.files {
        restore_files(&checked.path, folder)?;
    }
    let write = ReplaceRows {
        path: checked.path.clone(),
        sha256: checked.end.sha256().to_owned(),
        created: checked.created.clone(),
        how,
    };
    storage.write(write).await.map_err(|error| match error {
        Error::Refused(refusal) => BackupError(refusal.message.into_owned()),
        Error::Internal(cause) => BackupError(cause.0.to_string()),
        error => broken(format!("the database did not take it, nothing was restored: {error:?}")),
    })
}

const HAS_USERS: &str = "the database has users: add --replace to lose them, or restore into an empty one";

fn has_users() -> BackupError {
    BackupError(HAS_USERS.to_owned())
}

fn restore_files(path: &Path, folder: &Path) -> Result<(), BackupError> {
    let (mut reader, _) = BackupReader::open(path)?;
    loop {
        match reader.line()? {
            Line::Row(..) => {}
            Line::File(name, encoded) => {
                if let Some(path) = files::place(&name, Some(folder))? {
                    files::write(&path, &content(&encoded)?)?;
                }
            }
            Line::End(_) => return Ok(()),
        }
    }
}

/// Puts the development secret of a backup into the data directory.
///
/// # Errors
/// When the file cannot be written.
pub fn restore_secret(data_dir: &Path, secret: &Secret) -> Result<(), BackupError> {
    let mut text = secret.expose().to_vec();
    text.push(b'\n');
    files::write(&data_dir.join(SECRET_FILE), &text)
}

struct ReplaceRows {
    path: PathBuf,
    sha256: String,
    created: String,
    how: Restore,
}

impl Write for ReplaceRows {
    /// As long as it takes, within reason: somebody watches it.
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        if !self.how.replace && users::Entity::find().count(tx).await? > 0 {
            return Err(Error::bad_request("has_users", HAS_USERS));
        }
        let mut before = Before::read(tx).await?;
        let tables = tables::all();
        for table in tables.iter().filter(|table| !before::is_replaced_row_by_row(table)) {
            (table.clear)(tx).await?;
        }
        self.insert(tx, &tables, &mut before).await?;
        before.end_others(tx, &self.how.clock).await?;
        if before.had_users() {
            before.end_again(tx, &self.how.clock).await?;
            let (event, now) = ((Kind::DatabaseRestored, Subject::default()), self.how.clock.now());
            let detail = format!("backup of {}", self.created);
            audit::record_detail(tx, event, &Client::system(), &detail, now).await?;
        }
        before.tell_running_servers(tx, &self.how.clock).await
    }
}

impl ReplaceRows {
    async fn insert(&self, tx: &DatabaseTransaction, tables: &[Table], before: &mut Before) -> Result<()> {
        let (mut reader, _) = BackupReader::open(&self.path).map_err(Error::internal)?;
        let (mut batch, mut current) = (Vec::with_capacity(BATCH), String::new());
        loop {
            match reader.line().map_err(Error::internal)? {
                Line::Row(table, row) => {
                    if table != current || batch.len() >= BATCH {
                        self.flush(tx, (tables, before), (&current, &mut batch)).await?;
                        current = table;
                    }
                    batch.push(row);
                }
                Line::File(..) => {}
                Line::End(end) if end.sha256() == self.sha256 => {
                    return self.flush(tx, (tables, before), (&current, &mut batch)).await;
                }
                Line::End(_) => return Err(Error::internal(damaged("it changed while it was read"))),
            }
            (self.how.progress)(reader.read);
        }
    }

    async fn flush(
        &self,
        tx: &DatabaseTransaction,
        (tables, before): (&[Table], &mut Before),
        (name, batch): (&str, &mut Vec<Row>),
    ) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let table = find(tables, name).map_err(Error::internal)?;
        if !(table.is_sealed && self.how.without_sealed) {
            before.insert(tx, table, batch).await?;
        }
        batch.clear();
        Ok(())
    }
}
