//! `portcullis keys`.

use super::{Outcome, open, print};
use clap::Subcommand;
use portcullis::access::{KeyState, ListedKey};
use portcullis::config::Config;
use portcullis::state::App;

/// What to do with the signing keys.
#[derive(Subcommand)]
pub enum KeysVerb {
    /// Shows every key and what it does.
    List,
    /// Makes a new key that signs in five seconds; nobody is logged out.
    ///
    /// Running servers need no restart: they read the new key before it begins to sign. The old key goes on
    /// verifying what it has signed, until it is revoked.
    Rotate,
    /// Ends a key: the tokens that it has signed are refused within a second, on every server.
    ///
    /// Whose refresh token it has signed has to log in again. `keys list` shows from when on nobody has one.
    Revoke {
        /// The key's `kid`, from `portcullis keys list`.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

/// Runs the verb.
///
/// # Errors
/// When the database does not answer, or the key must stay.
pub async fn run(config: Config, verb: KeysVerb) -> Outcome {
    let app = open(config).await?;
    let text = act(&app, verb).await;
    app.storage.close().await;
    print(&text?);
    Ok(())
}

async fn act(app: &App, verb: KeysVerb) -> Result<String, Box<dyn std::error::Error>> {
    let keys = app.access.keys();
    match verb {
        KeysVerb::List => Ok(table(&keys.list(&app.storage).await?, app)),
        KeysVerb::Rotate => {
            let kid = keys.rotate(&app.storage, &app.random).await?;
            Ok(format!("Key {kid} was made and signs in five seconds. The others go on verifying.\n"))
        }
        KeysVerb::Revoke { kid } => {
            let revoked = keys.revoke(&app.storage, &kid).await?;
            let word = if revoked { "is revoked" } else { "was revoked before" };
            Ok(format!("Key {kid} {word}.\n"))
        }
    }
}

fn table(keys: &[ListedKey], app: &App) -> String {
    let mut text = format!("{:<14}{:<11}{:<11}{:<29}STATE\n", "KID", "ALGORITHM", "ORIGIN", "SIGNS FROM");
    for key in keys {
        let ListedKey { kid, algorithm, origin, signs_from, .. } = key;
        let signs_from = signs_from.to_string();
        let state = state(key.state, app);
        text += &format!("{kid:<14}{algorithm:<11}{origin:<11}{signs_from:<29}{state}\n");
    }
    if app.config.tokens.signing_key.is_some() {
        text += "TOKENS__SIGNING_KEY also verifies tokens without a kid, unless its key is revoked.\n";
    }
    text
}

fn state(state: KeyState, app: &App) -> String {
    match state {
        KeyState::Signs => "signs".to_owned(),
        KeyState::WillSign => "will sign".to_owned(),
        KeyState::Verifies { since } => {
            let end = since.plus(app.access.lifetimes().refresh);
            format!("verifies; its last refresh token ends at {end}")
        }
        KeyState::Revoked { at } => format!("revoked at {at}"),
        KeyState::Unusable => "unusable: sealed under another SECRET_KEY".to_owned(),
    }
}
