//! `portcullis demo`.

use super::{Outcome, open, print};
use portcullis::config::{Config, Profile};
use portcullis::demo;

/// Runs the verb.
///
/// # Errors
/// In production, and when the database does not answer.
pub async fn run(config: Config) -> Outcome {
    if config.profile == Profile::Production {
        return Err("demo makes accounts with a password that everybody knows: not in production".into());
    }
    let app = open(config).await?;
    let outcome = demo::seed(&app).await;
    let url = app.config.server.public_url.as_str().to_owned();
    app.storage.close().await;
    print(&format!("{}\nStart the server (portcullis serve) and sign in at {url}/.\n", outcome?));
    Ok(())
}
