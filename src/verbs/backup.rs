//! `portcullis backup` and `portcullis restore`.

use super::{Outcome, print};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use portcullis::app::open_storage;
use portcullis::backup::{self, Checked, Restore, Source};
use portcullis::config::{self, Config};
use portcullis_security::clock::Clock;
use portcullis_security::random::Random;
use portcullis_security::secret::Secret;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the backup goes.
#[derive(Args)]
pub struct BackupArguments {
    /// A new file, or a directory that gets a file named by the time. Mode 0600.
    #[arg(value_name = "DIRECTORY_OR_FILE")]
    target: PathBuf,
}

/// What to restore, and how.
#[derive(Args)]
pub struct RestoreArguments {
    /// The backup.
    file: PathBuf,
    /// Replaces a database that has users, who are lost unless they are in the backup.
    #[arg(long)]
    replace: bool,
    /// Restores without the backup's SECRET_KEY: unsent mails and signing keys are left out, and everybody
    /// has to log in again.
    #[arg(long)]
    other_secret: bool,
}

/// Writes a backup.
///
/// # Errors
/// When the database does not answer or the file cannot be written.
pub async fn backup(config: &Config, arguments: BackupArguments) -> Outcome {
    let random = Random::system();
    let now = Clock::system().now();
    let storage = open_storage(config).await?;
    let secret = own_secret(config, &random)?;
    let source = Source {
        storage: &storage,
        secret: &secret,
        with_secret: config.secret_key.is_none(),
        files: config.storage.files_directory(),
    };
    let bar = bar("{bar:40} {pos}/{len} rows")?;
    let path = backup::path_for(&arguments.target, now);
    let written = backup::write(&source, &path, (now, &random), |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })
    .await;
    storage.close().await;
    bar.finish_and_clear();
    let written = written?;
    print(&format!("{} rows and {} files are in {}.\n", written.rows, written.files, written.path.display()));
    let note = if source.with_secret { "holds the development secret" } else { "does not hold SECRET_KEY" };
    print(&format!("It {note}.\n"));
    if source.files.is_none() {
        print("Uploaded files are in their bucket, not in the backup.\n");
    }
    Ok(())
}

/// Restores a backup.
///
/// # Errors
/// When the backup is damaged or sealed under another secret, or the database has users.
pub async fn restore(config: &Config, arguments: RestoreArguments) -> Outcome {
    let size = std::fs::metadata(&arguments.file).map(|file| file.len()).unwrap_or_default();
    let bar = bar("{msg} {bar:40} {bytes}/{total_bytes}")?;
    bar.set_length(size);
    bar.set_message("checking ");
    let checked = backup::check(&arguments.file, |done| bar.set_position(done));
    let checked = checked.inspect_err(|_| bar.finish_and_clear())?;
    let brought = checked.secret.clone().filter(|_| config.secret_key.is_none());
    if !arguments.other_secret {
        require_secret(config, &checked, brought.as_ref())?;
    }
    bar.set_message("restoring");
    let storage = open_storage(config).await?;
    let progress = bar.clone();
    let how = Restore {
        replace: arguments.replace,
        without_sealed: arguments.other_secret,
        files: config.storage.files_directory(),
        clock: Clock::system(),
        progress: Arc::new(move |done| progress.set_position(done)),
    };
    let outcome = backup::restore(&storage, &checked, how).await;
    storage.close().await;
    bar.finish_and_clear();
    outcome?;
    if let Some(secret) = brought.filter(|_| !arguments.other_secret) {
        backup::restore_secret(&config.storage.data_dir, &secret)?;
        print("The development secret was restored too: restart servers that run with another.\n");
    }
    print(&format!("{} rows of {} were restored.\n", checked.rows(), checked.created));
    print(
        "What has changed since then is undone: bans, deletions, rights of staff, passwords and addresses.\n",
    );
    print("portcullis users shows accounts, bans them again and mails links to reset passwords.\n");
    Ok(())
}

fn require_secret(
    config: &Config,
    checked: &Checked,
    brought: Option<&Secret>,
) -> Result<(), Box<dyn Error>> {
    let secret = match brought {
        Some(secret) => secret.clone(),
        None => own_secret(config, &Random::system())?,
    };
    if std::iter::once(&secret).chain(&config.secret_key_fallback).any(|secret| checked.is_sealed_by(secret))
    {
        return Ok(());
    }
    Err("the backup was made under another SECRET_KEY, or changed by somebody without it: set SECRET_KEY to \
         that of the server it comes from, or add --other-secret to restore without keys and unsent mails"
        .into())
}

fn own_secret(config: &Config, random: &Random) -> Result<Secret, Box<dyn Error>> {
    match &config.secret_key {
        Some(secret) => Ok(secret.clone()),
        None => Ok(config::development_secret(&config.storage.data_dir, random)?),
    }
}

fn bar(template: &str) -> Result<ProgressBar, Box<dyn Error>> {
    Ok(ProgressBar::new(0).with_style(ProgressStyle::with_template(template)?))
}
