//! `portcullis users`.

use super::{Outcome, open, print};
use clap::{Args, Subcommand};
use portcullis::admin::users::{Act, act, list, show};
use portcullis::config::Config;

/// What to do with accounts; each is named by its username or its address.
#[derive(Subcommand)]
pub enum UsersVerb {
    /// Shows the newest accounts, a hundred at most.
    List {
        /// Those whose username or address has this text in it.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Shows an account and its live sessions.
    Show(Account),
    /// Shuts an account out: its sessions end, nobody logs in, others see nothing of it.
    Ban(Account),
    /// Lets a banned account in again; one that its owner had deleted is still about to go.
    Unban(Account),
    /// Ends every session of an account; its owner may log in again.
    EndSessions(Account),
    /// Makes an account staff.
    Promote(Account),
    /// Takes the rights of staff and of a superuser; its sessions end.
    Demote(Account),
    /// Takes the address of an account for proved, where a mail cannot be had.
    Verify(Account),
    /// Has the running server mail a link that sets a new password.
    MailReset(Account),
}

/// The account that is meant.
#[derive(Args)]
pub struct Account {
    /// The username or the address.
    name: String,
}

/// Runs the verb; a server that runs meanwhile hears of it within a second.
///
/// # Errors
/// When there is no such account, or it is not in the state for that.
pub async fn run(config: Config, verb: UsersVerb) -> Outcome {
    let app = open(config).await?;
    let text = match verb {
        UsersVerb::List { search } => list(&app, search.as_deref()).await,
        UsersVerb::Show(Account { name }) => show(&app, &name).await,
        UsersVerb::Ban(Account { name }) => act(&app, &name, Act::Ban).await.map(line),
        UsersVerb::Unban(Account { name }) => act(&app, &name, Act::Unban).await.map(line),
        UsersVerb::EndSessions(Account { name }) => act(&app, &name, Act::EndSessions).await.map(line),
        UsersVerb::Promote(Account { name }) => act(&app, &name, Act::Promote).await.map(line),
        UsersVerb::Demote(Account { name }) => act(&app, &name, Act::Demote).await.map(line),
        UsersVerb::Verify(Account { name }) => act(&app, &name, Act::Verify).await.map(line),
        UsersVerb::MailReset(Account { name }) => act(&app, &name, Act::MailReset).await.map(line),
    };
    app.storage.close().await;
    print(&text?);
    Ok(())
}

fn line(sentence: String) -> String {
    sentence + "\n"
}
