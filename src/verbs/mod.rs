//! The verbs of the command line that have verbs of their own.

pub mod backup;
pub mod books;
pub mod check;
pub mod check_url;
pub mod demo;
pub mod hash;
pub mod invite;
pub mod keys;
pub mod users;

use portcullis::config::Config;
use portcullis::state::App;
use portcullis_security::clock::Clock;
use portcullis_security::random::Random;
use std::error::Error;
use std::sync::Arc;

/// What a verb ends with; an error is one sentence that says what to do.
pub type Outcome = Result<(), Box<dyn Error>>;

/// Writes to standard output.
pub fn print(text: &str) {
    // Whoever counts on what is said asks `print_all`.
    let _ = print_all(text);
}

/// Writes to standard output, all of it. A reader that has gone away (`| head`) is no failure.
///
/// # Errors
/// When the disk behind it is full, or the like.
pub fn print_all(text: &str) -> std::io::Result<()> {
    use std::io::{ErrorKind, Write};
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// The state of a server, without the server.
async fn open(config: Config) -> Result<Arc<App>, Box<dyn Error>> {
    Ok(portcullis::app::build(config, Clock::system(), Random::system()).await?)
}
