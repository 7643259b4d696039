//! `portcullis books`.

use super::{Outcome, open, print};
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use portcullis::books::import::{self, Progress, Report};
use portcullis::config::Config;
use std::path::PathBuf;

/// What to do with books.
#[derive(Subcommand)]
pub enum BooksVerb {
    /// Imports books, beside a running server too.
    ///
    /// FILE is CSV whose first line names the columns (title and author; isbn, description and year if you have
    /// them), or one of Open Library's dumps, unpacked: editions or all types. Rows that are no books are told with
    /// their line, books that are there already are passed over. Started again after it was stopped, it goes on where
    /// it was: the place is kept in FILE.import until it is through.
    Import {
        /// The file.
        file: PathBuf,
    },
}

/// Runs the verb.
///
/// # Errors
/// When the file cannot be read or the database does not answer, and when rows were bad.
pub async fn run(config: Config, verb: BooksVerb) -> Outcome {
    let BooksVerb::Import { file } = verb;
    let app = open(config).await?;
    let mut bar = Bar(ProgressBar::new(0));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}") {
        bar.0.set_style(style);
    }
    let outcome = import::import(&app, &file, &mut bar).await;
    app.storage.close().await;
    bar.0.finish_and_clear();
    let Report { imported, known, bad } = outcome?;
    print(&format!("{imported} books were imported, {known} were there, {bad} rows are no books.\n"));
    if bad == 0 { Ok(()) } else { Err("some rows were not imported: see their lines above".into()) }
}

struct Bar(ProgressBar);

impl Progress for Bar {
    fn advanced(&mut self, bytes: u64, all: u64) {
        self.0.set_length(all);
        self.0.set_position(bytes);
    }

    fn bad_row(&mut self, line: u64, problem: &str) {
        self.0.suspend(|| eprintln!("line {line}: {problem}"));
    }
}
