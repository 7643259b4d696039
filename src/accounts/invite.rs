//! Invitations: who may register where `ACCOUNTS__REGISTRATION` is `invite`.
//!
//! An invitation is a link that works once. It may be bound to an address, which has to be verified all the
//! same: a link can be passed on. Only a hash is stored, beside the other one-time tokens.

use super::names::Email;
use super::store;
use crate::access::Client;
use crate::audit::{self, Kind, Subject};
use crate::config::Registration;
use crate::error::{Error, Result};
use crate::mail::{Content, Enqueue, Letter, Prepared};
use crate::model::one_time_tokens::{ActiveModel, Entity, Purpose};
use crate::state::App;
use crate::storage::Write;
use portcullis_security::clock::Timestamp;
use portcullis_security::secret::Secret;
use portcullis_security::token::{OneTimeToken, hash_presented};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};
use std::time::Duration;

/// Makes an invitation and gives its link, the only place where it can be read.
///
/// # Errors
/// When the database does not answer.
pub async fn create(app: &App, address: Option<&Email>, lifetime: Duration) -> Result<String> {
    let address = address.map_or("", Email::as_str);
    let token = insert(app, address, lifetime).await?;
    Ok(format!("{}/sign-up?invite={}", app.config.accounts.links_url.as_str(), token.expose()))
}

/// Has a running server mail an invitation, within seconds; the link is made when it is sent.
///
/// # Errors
/// When the database does not answer.
pub async fn enqueue(app: &App, address: &Email, lifetime: Duration) -> Result<()> {
    let letter = Letter::Invitation { address: address.as_str().to_owned(), lifetime: lifetime.as_secs() };
    app.write(Enqueue { outbox: app.outbox.clone(), letter, now: app.now() }).await
}

/// The letter of an invitation.
pub(super) async fn send(app: &App, address: String, lifetime: Duration) -> Result<Prepared> {
    let token = insert(app, &address, lifetime).await?;
    let content = Content::Invitation { token: Secret::from(token.expose()), lifetime };
    Ok(Prepared { to: address, username: None, content })
}

async fn insert(app: &App, address: &str, lifetime: Duration) -> Result<OneTimeToken> {
    let token = OneTimeToken::generate(&app.random);
    let now = app.now();
    let row = Insert { hash: token.hash(), address: address.to_owned(), now, ends: now.plus(lifetime) };
    app.storage.write(row).await?;
    Ok(token)
}

/// Whether somebody may register: before any work is done for whoever may not. Gives the hash that
/// [`consume`] spends together with making the account.
///
/// # Errors
/// 403 `registration_closed` when registration is closed, or by invitation and there is no good one.
pub(super) async fn admit(app: &App, invite: Option<&Secret>, address: &str) -> Result<Option<[u8; 32]>> {
    match app.config.accounts.registration {
        Registration::Open => Ok(None),
        Registration::Closed => Err(Error::forbidden("registration_closed", "Registration is closed.")),
        Registration::Invite => {
            let hash = invite.and_then(|invite| hash_presented(invite.expose_text())).ok_or_else(needed)?;
            let row = store::peek(&app.storage, hash, Purpose::Invite, app.now()).await?;
            let bound_to = row.ok_or_else(needed)?.email;
            let address = Email::parse(address);
            // An address that is none is told as such, with everything else that is wrong.
            let is_for_another = address.is_ok_and(|address| !is_for(&bound_to, address.as_str()));
            if is_for_another { Err(needed()) } else { Ok(Some(hash)) }
        }
    }
}

/// Spends an invitation in the transaction that makes the account: of two at once one is too late.
///
/// # Errors
/// 403 when it was spent meanwhile or is bound to another address.
pub(super) async fn consume(
    tx: &DatabaseTransaction,
    hash: [u8; 32],
    address: &str,
    now: Timestamp,
) -> Result<()> {
    let row = store::consume(tx, hash, Purpose::Invite, now).await?;
    row.filter(|row| is_for(&row.email, address)).map(drop).ok_or_else(needed)
}

fn is_for(bound_to: &str, address: &str) -> bool {
    bound_to.is_empty() || bound_to == address
}

const fn needed() -> Error {
    let message =
        "Registration is by invitation: the invite is missing, used, expired or for another address.";
    Error::forbidden("registration_closed", message)
}

struct Insert {
    hash: [u8; 32],
    address: String,
    now: Timestamp,
    ends: Timestamp,
}

impl Write for Insert {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let row = ActiveModel {
            hash: Set(self.hash.to_vec()),
            purpose: Set(Purpose::Invite),
            user_id: Set(0),
            email: Set(self.address.clone()),
            attempts: Set(0),
            created_at: Set(self.now.micros()),
            expires_at: Set(self.ends.micros()),
            ..ActiveModel::default()
        };
        Entity::insert(row).exec_without_returning(tx).await?;
        audit::record(tx, Kind::Invited, Subject::default(), &Client::system(), self.now).await
    }
}
