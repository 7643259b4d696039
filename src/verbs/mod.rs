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
    use std::io::Write;
    // A reader that has gone away (`| head`) is no failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// The state of a server, without the server.
async fn open(config: Config) -> Result<Arc<App>, Box<dyn Error>> {
    Ok(portcullis::app::build(config, Clock::system(), Random::system()).await?)
}
