//! `portcullis check`.

use super::check_url::{UrlArguments, probe};
use super::{print, print_all};
use clap::{Args, ValueEnum};
use portcullis::check::{self, Format, Report, Scene};
use portcullis::config::Sources;
use portcullis_security::clock::Clock;
use std::io::IsTerminal;
use std::path::PathBuf;
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
const COULD_NOT_RUN: u8 = 2;
/// Longer than the network has, and under the two seconds that are promised.
const LONGEST: Duration = Duration::from_millis(1_500);

/// Runs the verb: 0 when nothing is unsafe, 1 when something is, 2 when it could not be judged.
pub async fn run(flags: Vec<(String, String)>, arguments: CheckArguments) -> ExitCode {
    if let Some(url) = &arguments.url.url {
        return match probe(url, &arguments.url).await {
            Ok(report) => deliver(&arguments, &probed(&report, &arguments), !report.findings().is_empty()),
            Err(error) => failed(&error.to_string()),
        };
    }
    if !arguments.deploy {
        print(NOTHING_ASKED);
        return ExitCode::SUCCESS;
    }
    let format = match arguments.format {
        Written::Text => Format::Text,
        Written::Json => Format::Json,
        Written::Sarif => Format::Sarif,
        Written::Html => return failed("check --deploy writes text, json or sarif"),
    };
    match judge(flags, arguments.backups.clone()).await {
        Some(report) => deliver(&arguments, &report.render(format), report.has_errors()),
        None => failed(
            "the settings, or a file that they name, could not be read in time: see whether one is a pipe that nobody \
             writes to, lies on a disk that is gone, or is far too long",
        ),
    }
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

fn deliver(arguments: &CheckArguments, text: &str, is_unsafe: bool) -> ExitCode {
    let (name, written) = match &arguments.output {
        None => ("the report".to_owned(), print_all(text)),
        Some(path) => (path.display().to_string(), std::fs::write(path, text)),
    };
    if let Err(error) = written {
        return failed(&format!("cannot write {name}: {error}"));
    }
    if is_unsafe { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn failed(message: &str) -> ExitCode {
    eprintln!("portcullis: {message}");
    ExitCode::from(COULD_NOT_RUN)
}
