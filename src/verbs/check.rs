//! `portcullis check`.

use super::check_url::{UrlArguments, probe};
use super::{print, print_all};
use clap::{Args, ValueEnum};
use portcullis::check::{self, Format, Report, Scene};
use portcullis::config::Sources;
use portcullis_security::clock::Clock;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Handle;

/// What to check, and how to tell it.
#[derive(Args)]
pub struct CheckArguments {
    /// Judges this installation: settings, database and files. Changes nothing.
    #[arg(long)]
    deploy: bool,
    #[command(flatten)]
    url: UrlArguments,
    /// Where backups lie, if elsewhere than in the data directory or in ./backups.
    #[arg(long, value_name = "DIRECTORY", requires = "deploy")]
    backups: Option<PathBuf>,
    /// How to write what was found.
    #[arg(long, value_enum, default_value_t = Written::Text)]
    format: Written,
    /// Writes it to this file instead of the terminal.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Written {
    Text,
    Json,
    Sarif,
    /// A page to hand on; only of --url.
    Html,
}

const NOTHING_ASKED: &str = "check --deploy judges this installation: settings, database and files.\n\
    check --url URL probes a running server from outside.\n\
    Exit code: 0 nothing is unsafe, 1 something is, 2 it could not be judged.\n";
const UNSAFE: u8 = 1;
const COULD_NOT_RUN: u8 = 2;
/// Longer than the network has, and under the two seconds that are promised.
const LONGEST: Duration = Duration::from_millis(1_500);

/// Runs the verb: 0 when nothing is unsafe, 1 when something is, 2 when it could not be judged.
pub async fn run(flags: Vec<(String, String)>, arguments: CheckArguments) -> ExitCode {
    if arguments.url.url.is_none() && !arguments.deploy {
        print(NOTHING_ASKED);
        return ExitCode::SUCCESS;
    }
    // Before the work, which may take minutes.
    let file = match arguments.output.as_deref().map(open).transpose() {
        Ok(file) => file,
        Err(error) => return failed(&error),
    };
    match told(flags, &arguments).await {
        Ok(told) => deliver(file, &arguments, &told),
        Err(error) => {
            discard(file, &arguments);
            failed(&error)
        }
    }
}

/// What is asked for; both, one after the other, where both are.
async fn told(flags: Vec<(String, String)>, arguments: &CheckArguments) -> Result<Told, String> {
    let Some(url) = &arguments.url.url else { return installation(flags, arguments).await };
    if !arguments.deploy {
        return from_outside(url, arguments).await;
    }
    if !matches!(arguments.format, Written::Text) {
        return Err("--deploy and --url together make a text: ask for each alone with --format".to_owned());
    }
    let (inside, outside) =
        (installation(flags, arguments).await?, Box::pin(from_outside(url, arguments)).await?);
    let text = format!("{}\n{}", inside.text, outside.text);
    Ok(Told { text, summary: outside.summary, code: inside.code.max(outside.code) })
}

/// Leaves no empty file where there was none.
fn discard(file: Option<File>, arguments: &CheckArguments) {
    let is_empty = file.and_then(|file| file.metadata().ok()).is_some_and(|it| it.is_file() && it.len() == 0);
    if let Some(path) = arguments.output.as_ref().filter(|_| is_empty) {
        let _ = std::fs::remove_file(path);
    }
}

/// What was found, in the words that were asked for.
struct Told {
    text: String,
    /// In a line, for the terminal where the text goes to a file.
    summary: Option<String>,
    code: u8,
}

async fn from_outside(url: &str, arguments: &CheckArguments) -> Result<Told, String> {
    let report = probe(url, &arguments.url).await.map_err(|error| error.to_string())?;
    let code = match report.findings().is_empty() {
        false => UNSAFE,
        true if report.says_something() => 0,
        true => COULD_NOT_RUN,
    };
    Ok(Told { text: probed(&report, arguments), summary: Some(report.summary()), code })
}

async fn installation(flags: Vec<(String, String)>, arguments: &CheckArguments) -> Result<Told, String> {
    let format = match arguments.format {
        Written::Text => Format::Text,
        Written::Json => Format::Json,
        Written::Sarif => Format::Sarif,
        Written::Html => return Err("check --deploy writes text, json or sarif".to_owned()),
    };
    let Some(report) = judge(flags, arguments.backups.clone()).await else {
        return Err(
            "the settings, or a file that they name, could not be read in time: see whether one is a pipe that nobody \
             writes to, lies on a disk that is gone, or is far too long"
                .to_owned(),
        );
    };
    let code = if report.has_errors() { UNSAFE } else { 0 };
    Ok(Told { text: report.render(format), summary: None, code })
}

/// On a thread of its own, since a file that hangs, hangs its reader; nothing when it takes too long.
async fn judge(flags: Vec<(String, String)>, backups: Option<PathBuf>) -> Option<Report> {
    let judging = tokio::task::spawn_blocking(move || {
        let scene = Scene::new(Sources::from_process(flags), backups, Clock::system().now());
        Handle::current().block_on(check::deploy(&scene))
    });
    tokio::time::timeout(LONGEST, judging).await.ok()?.ok()
}

fn probed(report: &portcullis_probe::Report, arguments: &CheckArguments) -> String {
    use portcullis_probe::report::{html, json, sarif, text};
    match arguments.format {
        Written::Text => {
            let is_read_by_a_person = arguments.output.is_none() && std::io::stdout().is_terminal();
            text(report, is_read_by_a_person && std::env::var_os("NO_COLOR").is_none())
        }
        Written::Json => json(report),
        Written::Sarif => sarif(report),
        Written::Html => html(report),
    }
}

fn deliver(file: Option<File>, arguments: &CheckArguments, told: &Told) -> ExitCode {
    let (Some(file), Some(path)) = (file, &arguments.output) else {
        return match print_all(&told.text) {
            Ok(()) => ExitCode::from(told.code),
            Err(error) => failed(&format!("cannot write the report: {error}")),
        };
    };
    if let Err(error) = write(file, &told.text) {
        print(&told.text);
        return failed(&format!("cannot write {}: {error}", path.display()));
    }
    if let Some(summary) = &told.summary {
        print(&format!("{summary}: {}\n", path.display()));
    }
    ExitCode::from(told.code)
}

/// Opens the file without emptying it: the run may still fail.
fn open(path: &Path) -> Result<File, String> {
    let file = File::options().write(true).create(true).truncate(false).open(path);
    file.map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn write(mut file: File, text: &str) -> std::io::Result<()> {
    // A pipe or a terminal has no length.
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    file.write_all(text.as_bytes())
}

fn failed(message: &str) -> ExitCode {
    eprintln!("portcullis: {message}");
    ExitCode::from(COULD_NOT_RUN)
}
