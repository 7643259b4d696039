//! Books from a file of another catalogue: CSV, or Open Library's dumps.
//!
//! Rows are written in batches, each with the place in the file up to which it goes: whatever stops an import,
//! the next one goes on there. A book that is there already is passed over, so that a file may be imported again.

mod csv;
mod open_library;

use super::body::NewBook;
use super::store::InsertBooks;
use crate::error::{Error, Result};
use crate::extract::Input;
use crate::model::books::{Column, Entity};
use crate::state::App;
use csv::CsvRows;
use open_library::OpenLibraryRows;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Rows that are written in one transaction.
const BATCH: usize = 200;
/// Longer lines are no books.
const MAX_LINE: u64 = 1024 * 1024;

/// A row of the file: its line, and the book as it would be sent to the API.
pub(super) struct Row {
    line: u64,
    book: Result<Map<String, Value>, String>,
}

/// What came of a file.
#[derive(Debug, Default)]
pub struct Report {
    /// Books that are new.
    pub imported: u64,
    /// Books that were there.
    pub known: u64,
    /// Rows that are no valid books.
    pub bad: u64,
}

/// How an import tells what it does.
pub trait Progress {
    /// Bytes of the file that are done, of all.
    fn advanced(&mut self, bytes: u64, all: u64);
    /// A row that is not imported: its line and why.
    fn bad_row(&mut self, line: u64, problem: &str);
}

/// Imports a file.
///
/// # Errors
/// A sentence when the file cannot be read or the database does not answer; what was written before stays.
pub async fn import(app: &App, path: &Path, progress: &mut dyn Progress) -> Result<Report, String> {
    let place_file = place_file(path);
    let mut reader = Reader::open(path, &place_file)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let mut report = Report::default();
    loop {
        let batch = reader.batch().map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let is_last = batch.is_empty();
        write(app, batch, &mut report, progress)
            .await
            .map_err(|error| format!("the database refused: {error:?}"))?;
        progress.advanced(reader.place.bytes, reader.size);
        if is_last {
            break;
        }
        reader
            .place
            .keep(&place_file)
            .map_err(|error| format!("cannot write {}: {error}", place_file.display()))?;
    }
    // There is none where the file had one batch or none.
    let _ = std::fs::remove_file(&place_file);
    Ok(report)
}

/// Where an import stands, beside the file.
fn place_file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".import");
    PathBuf::from(name)
}

/// How far the file has been read.
#[derive(Clone, Copy, Default)]
struct Place {
    bytes: u64,
    lines: u64,
}

impl Place {
    fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let (bytes, lines) = text.trim().split_once(' ')?;
        Some(Self { bytes: bytes.parse().ok()?, lines: lines.parse().ok()? })
    }

    /// By a rename, so that it is whole or not there.
    fn keep(self, path: &Path) -> io::Result<()> {
        let new = path.with_extension("import.new");
        std::fs::write(&new, format!("{} {}\n", self.bytes, self.lines))?;
        std::fs::rename(new, path)
    }
}

enum Rows {
    Csv(CsvRows),
    OpenLibrary(OpenLibraryRows),
}

struct Reader {
    lines: BufReader<File>,
    size: u64,
    place: Place,
    rows: Rows,
}

impl Reader {
    /// A file that begins like a dump is one, any other is CSV.
    fn open(path: &Path, place_file: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let rows = Rows::Csv(CsvRows::default());
        let mut reader = Self { lines: BufReader::new(file), size, place: Place::default(), rows };
        let first = reader.line()?.unwrap_or_default();
        if first.starts_with("/type/") || first.starts_with('{') {
            reader.rows = Rows::OpenLibrary(OpenLibraryRows::default());
            reader.place = Place::default();
        } else if let Rows::Csv(rows) = &mut reader.rows {
            rows.read_header(&first).map_err(io::Error::other)?;
        }
        if let Some(place) = Place::read(place_file).filter(|place| place.bytes <= size) {
            reader.place = place;
        }
        let begin = reader.remember_authors()?;
        reader.lines.seek(SeekFrom::Start(begin))?;
        Ok(reader)
    }

    /// Editions that are still to come may name authors of the part that is done; gives where to go on.
    fn remember_authors(&mut self) -> io::Result<u64> {
        let place = self.place;
        if let (Rows::OpenLibrary(_), true) = (&self.rows, place.bytes > 0) {
            self.lines.seek(SeekFrom::Start(0))?;
            self.place = Place::default();
            while self.place.bytes < place.bytes {
                let Some(line) = self.line()? else { break };
                if let Rows::OpenLibrary(rows) = &mut self.rows {
                    rows.read(&line);
                }
            }
            self.place = place;
        }
        Ok(place.bytes)
    }

    /// The next line with its end; one that is too long or no text comes as it can be read.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut bytes = Vec::new();
        let read = io::Read::take(&mut self.lines, MAX_LINE).read_until(b'\n', &mut bytes)?;
        if read == 0 {
            return Ok(None);
        }
        let mut skipped = 0;
        if read as u64 == MAX_LINE && bytes.last() != Some(&b'\n') {
            skipped = self.lines.skip_until(b'\n')? as u64;
        }
        self.place.bytes += read as u64 + skipped;
        self.place.lines += 1;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn batch(&mut self) -> io::Result<Vec<Row>> {
        let mut batch = Vec::new();
        while batch.len() < BATCH {
            let line = self.place.lines + 1;
            let Some(mut text) = self.line()? else { break };
            if let Rows::Csv(_) = self.rows {
                while csv::is_open(&text) && (text.len() as u64) < MAX_LINE {
                    let Some(more) = self.line()? else { break };
                    text.push_str(&more);
                }
            }
            let book = match &mut self.rows {
                Rows::Csv(rows) => rows.read(&text),
                Rows::OpenLibrary(rows) => rows.read(&text),
            };
            batch.extend(book.map(|book| Row { line, book }));
        }
        Ok(batch)
    }
}

async fn write(app: &App, batch: Vec<Row>, report: &mut Report, progress: &mut dyn Progress) -> Result<()> {
    let mut books: Vec<(u64, NewBook)> = Vec::with_capacity(batch.len());
    let mut seen = HashSet::new();
    for Row { line, book } in batch {
        let read = book.and_then(|book| Input::read::<NewBook>(book).map_err(in_words));
        match read {
            Ok(book) if !seen.insert(identity(&book)) || is_known(app, &book).await? => report.known += 1,
            Ok(book) => books.push((line, book)),
            Err(problem) => {
                report.bad += 1;
                progress.bad_row(line, &problem);
            }
        }
    }
    report.imported += books.len() as u64;
    if !books.is_empty() {
        let books = books.into_iter().map(|(_, book)| book).collect();
        app.write(InsertBooks { books, now: app.now() }).await?;
    }
    Ok(())
}

fn identity(book: &NewBook) -> String {
    book.isbn.clone().unwrap_or_else(|| format!("{}\0{}", book.title, book.author))
}

/// A book has its number, or without one its title and author.
async fn is_known(app: &App, book: &NewBook) -> Result<bool> {
    let same = match &book.isbn {
        Some(isbn) => Entity::find().filter(Column::Isbn.eq(isbn)),
        None => Entity::find().filter(Column::Title.eq(&book.title)).filter(Column::Author.eq(&book.author)),
    };
    Ok(same.one(app.storage.reader()).await?.is_some())
}

fn in_words(error: Error) -> String {
    match error {
        Error::Invalid(invalid) => {
            let texts =
                invalid.fields.into_iter().map(|(name, texts)| format!("{name}: {}", texts.join(" ")));
            texts.collect::<Vec<_>>().join(" ")
        }
        error => format!("{error:?}"),
    }
}
