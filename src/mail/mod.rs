//! Mail: letters are committed with what causes them, worded when they are sent, and delivered at least
//! once (guide §5, §6).
//!
//! | Part | What it does |
//! |---|---|
//! | [`Letter`] | what has to be said and to whom, without a token |
//! | [`Outbox`] | keeps letters, sealed, in the transaction of the change |
//! | [`Worker`] | takes letters from the outbox and sees them delivered |
//! | [`Prepare`] | looks the user up and makes the tokens, supplied by the accounts |
//! | [`Mailer`] | words a letter and hands it to a [`Transport`] |
//! | [`mailbox`] | shows the mails of a folder at `/dev/mail/` |

mod letter;
pub mod mailbox;
mod mailer;
mod message;
mod outbox;
mod settings;
#[cfg(test)]
#[path = "../../tests/harness/smtp.rs"]
mod smtp_sink;
mod templates;
mod transport;
mod worker;

pub use letter::{AskedBy, Content, Kind, Letter, Notice, Prepared};
pub use mailer::Mailer;
pub use message::{Mail, Unaddressable};
pub use outbox::{Enqueue, Outbox};
pub use settings::{Settings, SettingsError};
pub use transport::{Memory, SendError, Transport, TransportError};
pub use worker::{Prepare, Worker};
