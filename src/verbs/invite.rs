//! `portcullis invite`.

use super::{Outcome, open, print};
use clap::Subcommand;
use portcullis::accounts::invite;
use portcullis::accounts::names::Email;
use portcullis::config::{Config, Registration, parse_duration};
use portcullis::state::App;
use std::error::Error;
use std::time::Duration;

/// What to do with invitations.
#[derive(Subcommand)]
pub enum InviteVerb {
    /// Makes an invitation and prints its link, which works once.
    ///
    /// Whoever has the link makes the account at {links_url}/sign-up?invite=T; the front end sends T as
    /// `invite` with the registration. The address still has to be verified.
    Create {
        /// The only address that may register with it.
        #[arg(long, value_parser = parse_email)]
        email: Option<Email>,
        /// How long it works: 90s, 15m, 24h, 7d.
        #[arg(long, default_value = "7d", value_parser = parse_lifetime)]
        expires: Duration,
        /// Has the running server mail the link to that address instead of printing it.
        #[arg(long, requires = "email")]
        mail: bool,
    },
}

/// Runs the verb.
///
/// # Errors
/// When the database does not answer.
pub async fn run(config: Config, verb: InviteVerb) -> Outcome {
    let app = open(config).await?;
    let InviteVerb::Create { email, expires, mail } = verb;
    let text = create(&app, email, expires, mail).await;
    app.storage.close().await;
    print(&text?);
    match app.config.accounts.registration {
        Registration::Invite => {}
        Registration::Open => eprintln!("Note: ACCOUNTS__REGISTRATION is open, nobody needs an invitation."),
        Registration::Closed => eprintln!("Note: it is no use while ACCOUNTS__REGISTRATION is closed."),
    }
    Ok(())
}

async fn create(
    app: &App,
    email: Option<Email>,
    expires: Duration,
    mail: bool,
) -> Result<String, Box<dyn Error>> {
    let refused = |error| format!("the database refused: {error:?}");
    match email {
        Some(email) if mail => {
            invite::enqueue(app, &email, expires).await.map_err(refused)?;
            Ok(format!("The running server mails an invitation to {}.\n", email.as_str()))
        }
        email => Ok(invite::create(app, email.as_ref(), expires).await.map_err(refused)? + "\n"),
    }
}

fn parse_email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|problem| problem.to_string())
}

fn parse_lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = parse_duration(text).filter(|lifetime| !lifetime.is_zero());
    lifetime.ok_or_else(|| "write 90s, 15m, 24h or 7d".to_owned())
}
