//! The file: one JSON object a line, a header first, counts and a checksum last.

use super::tables::Row;
use super::{BackupError, broken, damaged};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use portcullis_security::random::Random;
use portcullis_security::seal::KeyRing;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The version of the format that is written, and the newest that is read.
pub const VERSION: u32 = 1;
/// A line is a row or a file, and neither is ever this long.
const MAX_LINE: u64 = 64 * 1024 * 1024;
const SEAL_CONTEXT: &str = "backup.sha256";

/// The first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) portcullis_backup: u32,
    pub(super) created: String,
    /// The migrations that the tables had seen.
    pub(super) schema: Vec<String>,
}

/// The other lines.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Row(String, Row),
    /// A path in the data directory, and what is in it.
    File(String, String),
    End(End),
}

/// The last line. The seal proves that the writer had the `SECRET_KEY`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) rows: BTreeMap<String, u64>,
    pub(super) files: u64,
    sha256: String,
    seal: String,
}

/// Writes a backup and keeps count.
pub(super) struct BackupWriter {
    file: BufWriter<File>,
    digest: Sha256,
    rows: BTreeMap<String, u64>,
    files: u64,
}

impl BackupWriter {
    /// A new file for its owner alone, which begins with the header.
    pub(super) fn create(path: &Path, header: &Header, tables: &[&str]) -> Result<Self, BackupError> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        let file = file.map_err(|error| broken(format!("cannot write {}: {error}", path.display())))?;
        let rows = tables.iter().map(|name| ((*name).to_owned(), 0)).collect();
        let mut writer = Self { file: BufWriter::new(file), digest: Sha256::new(), rows, files: 0 };
        writer.line(header)?;
        Ok(writer)
    }

    pub(super) fn row(&mut self, table: &str, row: Row) -> Result<(), BackupError> {
        *self.rows.entry(table.to_owned()).or_default() += 1;
        self.line(&Line::Row(table.to_owned(), row))
    }

    pub(super) fn file(&mut self, path: &str, content: &[u8]) -> Result<(), BackupError> {
        self.files += 1;
        self.line(&Line::File(path.to_owned(), BASE64_STANDARD.encode(content)))
    }

    /// Writes the last line and waits for the disk. Gives the number of rows and files.
    pub(super) fn finish(mut self, seal: &KeyRing, random: &Random) -> Result<(u64, u64), BackupError> {
        let digest = self.digest.finalize_reset();
        let seal = seal.seal(&digest, SEAL_CONTEXT, random).map_err(broken)?;
        let (rows, files) = (std::mem::take(&mut self.rows), self.files);
        let total = rows.values().sum();
        let end = End { rows, files, sha256: hex(&digest), seal: BASE64_STANDARD.encode(seal) };
        self.line(&Line::End(end))?;
        let file = self.file.into_inner().map_err(broken)?;
        file.sync_all().map_err(broken)?;
        Ok((total, files))
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), BackupError> {
        let mut text = serde_json::to_vec(line).map_err(broken)?;
        text.push(b'\n');
        self.digest.update(&text);
        self.file.write_all(&text).map_err(|error| broken(format!("the backup cannot be written: {error}")))
    }
}

/// Reads a backup line by line and does the writer's sums again.
pub(super) struct BackupReader {
    file: BufReader<File>,
    digest: Sha256,
    rows: BTreeMap<String, u64>,
    files: u64,
    /// Bytes so far.
    pub(super) read: u64,
}

impl BackupReader {
    /// Opens a file and reads its header.
    pub(super) fn open(path: &Path) -> Result<(Self, Header), BackupError> {
        let file = File::open(path);
        let file = file.map_err(|error| broken(format!("cannot read {}: {error}", path.display())))?;
        let (digest, rows) = (Sha256::new(), BTreeMap::new());
        let mut reader = Self { file: BufReader::new(file), digest, rows, files: 0, read: 0 };
        let text = reader.text()?.unwrap_or_default();
        let header: Header =
            serde_json::from_slice(&text).map_err(|_| broken("this is no backup of portcullis"))?;
        if header.portcullis_backup != VERSION {
            let found = header.portcullis_backup;
            return Err(broken(format!(
                "the backup has format {found}, this program reads {VERSION}: upgrade it"
            )));
        }
        reader.digest.update(&text);
        Ok((reader, header))
    }

    /// The next row or file, or the last line if counts and checksum are right.
    pub(super) fn line(&mut self) -> Result<Line, BackupError> {
        let text = self.text()?.filter(|text| text.ends_with(b"\n"));
        let text = text.ok_or_else(|| damaged("it ends too early"))?;
        let line = serde_json::from_slice(&text).map_err(|_| damaged("a line cannot be read"))?;
        match &line {
            Line::Row(table, _) => *self.rows.entry(table.clone()).or_default() += 1,
            Line::File(..) => self.files += 1,
            Line::End(end) => return self.check(end).map(|()| line),
        }
        self.digest.update(&text);
        Ok(line)
    }

    fn check(&mut self, end: &End) -> Result<(), BackupError> {
        if end.sha256 != hex(&self.digest.clone().finalize()) {
            return Err(damaged("its checksum is wrong"));
        }
        let counted = end.rows.iter().filter(|(_, count)| **count > 0);
        if end.files != self.files || !counted.eq(self.rows.iter()) {
            return Err(damaged("its counts are wrong"));
        }
        if self.text()?.is_some() { Err(damaged("it goes on after its end")) } else { Ok(()) }
    }

    fn text(&mut self) -> Result<Option<Vec<u8>>, BackupError> {
        let mut text = Vec::new();
        let mut limited = (&mut self.file).take(MAX_LINE);
        let count = limited.read_until(b'\n', &mut text).map_err(broken)?;
        self.read += count as u64;
        Ok((count > 0).then_some(text))
    }
}

impl End {
    /// Whether it was written with this `SECRET_KEY`, and not changed by somebody without it.
    pub(super) fn is_sealed_by(&self, seal: &KeyRing) -> bool {
        let cell = BASE64_STANDARD.decode(&self.seal).unwrap_or_default();
        seal.open(&cell, SEAL_CONTEXT).is_ok_and(|digest| hex(&digest) == self.sha256)
    }

    /// What two readings of one file have in common.
    pub(super) fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// The content of a [`Line::File`].
pub(super) fn content(encoded: &str) -> Result<Vec<u8>, BackupError> {
    BASE64_STANDARD.decode(encoded).map_err(|_| damaged("a file in it cannot be read"))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
