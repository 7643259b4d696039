//! `portcullis check --url`.

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use portcullis_probe::{Mailbox, Mapping, Options, Report, Target};
use portcullis_security::clock::Clock;
use portcullis_security::random::Random;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Which server to probe, and how far to go.
#[derive(Args)]
pub struct UrlArguments {
    /// Probes the running server at this URL, this one or any other, as an attacker from outside would.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Confirms that the URL's host is yours; not needed for this machine.
    #[arg(long, value_name = "HOST", requires = "url")]
    i_own: Option<String>,
    /// Also makes accounts, works with them and deletes them where the server has a way. Takes minutes.
    #[arg(long, requires = "url")]
    active: bool,
    /// The directory in which the server's mails arrive as .eml files; without it, whatever needs an account that a
    /// mail has verified is left out.
    #[arg(long, value_name = "DIRECTORY", requires = "active")]
    mailbox: Option<PathBuf>,
    /// What the server's routes and fields are called (TOML), if not as in the guide.
    #[arg(long, value_name = "FILE", requires = "url")]
    mapping: Option<PathBuf>,
}

/// Runs the probes.
///
/// # Errors
/// When the URL is no target, a file cannot be read, or the server does not answer.
pub async fn probe(url: &str, arguments: &UrlArguments) -> Result<Report, Box<dyn Error>> {
    let target = Target::parse(url, arguments.i_own.as_deref())?;
    let mut options = Options::new(target, mapping(arguments)?);
    if arguments.active {
        options = options.active(arguments.mailbox.as_deref().map(mailbox).transpose()?);
    }
    options.now = Duration::from_micros(u64::try_from(Clock::system().now().micros())?);
    options.nonce = Random::system().bytes();
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}")?);
    let shown = bar.clone();
    options.progress = Box::new(move |done, total, probe| {
        shown.set_length(total as u64);
        shown.set_position(done as u64);
        shown.set_message(probe.to_owned());
    });
    let report = portcullis_probe::run(options).await;
    bar.finish_and_clear();
    Ok(report?)
}

/// A server makes the directory with its first mail: that it is not there yet is fine, a wrong path is not.
fn mailbox(directory: &Path) -> Result<Mailbox, Box<dyn Error>> {
    let is_there = |path: &Path| path.as_os_str().is_empty() || path.is_dir();
    if !is_there(directory) && !directory.parent().is_some_and(is_there) {
        return Err(format!("--mailbox {}: there is no such directory", directory.display()).into());
    }
    Ok(Mailbox::directory(directory))
}

fn mapping(arguments: &UrlArguments) -> Result<Mapping, Box<dyn Error>> {
    let Some(path) = &arguments.mapping else { return Ok(Mapping::default()) };
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(Mapping::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?)
}
