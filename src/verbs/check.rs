//! `portcullis check`.

use super::print;
use clap::{Args, ValueEnum};
use portcullis::check::{self, Format, Scene};
use portcullis::config::Sources;
use portcullis_security::clock::Clock;
use std::path::PathBuf;
use std::process::ExitCode;

/// What to check, and how to tell it.
#[derive(Args)]
pub struct CheckArguments {
    /// Judges this installation: settings, database and files. Changes nothing.
    #[arg(long)]
    deploy: bool,
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
}

const NOTHING_ASKED: &str = "check --deploy judges this installation: settings, database and files.\n\
    Exit code: 0 nothing is unsafe, 1 something is, 2 it could not be judged.\n";
const COULD_NOT_RUN: u8 = 2;

/// Runs the verb: 0 when nothing is unsafe, 1 when something is, 2 when it could not be judged.
pub async fn run(flags: Vec<(String, String)>, arguments: CheckArguments) -> ExitCode {
    if !arguments.deploy {
        print(NOTHING_ASKED);
        return ExitCode::SUCCESS;
    }
    let scene = Scene::new(Sources::from_process(flags), arguments.backups, Clock::system().now());
    let report = check::deploy(&scene).await;
    let text = report.render(match arguments.format {
        Written::Text => Format::Text,
        Written::Json => Format::Json,
        Written::Sarif => Format::Sarif,
    });
    match arguments.output {
        None => print(&text),
        Some(path) => {
            if let Err(error) = std::fs::write(&path, text) {
                eprintln!("portcullis: cannot write {}: {error}", path.display());
                return ExitCode::from(COULD_NOT_RUN);
            }
        }
    }
    if report.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
