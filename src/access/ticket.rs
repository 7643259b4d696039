//! Tickets for WebSockets: a browser cannot send a header with one, and a token in a URL lives too long.
//!
//! A ticket opens one socket, within 30 seconds, and what it opens lasts no longer than the access token that
//! bought it would have. Only its hash is stored (ASVS v5.0.0-6.5.2).

use super::session::gone;
use super::{Access, Identity};
use crate::error::Result;
use crate::model::socket_tickets::{ActiveModel, Column, Entity, Model};
use crate::storage::Write;
use portcullis_security::clock::Timestamp;
use portcullis_security::random::Random;
use portcullis_security::token::{KeyId, OneTimeToken, hash_presented};
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use std::time::Duration;

/// How long a ticket can be used (contract §2).
pub const TICKET_LIFETIME: Duration = Duration::from_secs(30);

impl Access {
    /// Makes a ticket for a caller.
    ///
    /// # Errors
    /// 503 without the database.
    pub async fn issue_ticket(&self, caller: &Identity, random: &Random) -> Result<OneTimeToken> {
        let ticket = OneTimeToken::generate(random);
        let row = Model {
            hash: ticket.hash().to_vec(),
            user_id: caller.user.id,
            session_id: caller.session_id,
            token_issued_at: caller.issued_at.micros(),
            token_expires_at: caller.expires_at.micros(),
            expires_at: self.clock.now().plus(TICKET_LIFETIME).micros(),
            key_id: Some(caller.key.as_bytes().to_vec()),
        };
        self.storage.write(Issue(row)).await?;
        Ok(ticket)
    }

    /// Whose ticket it is, if it can still be used.
    ///
    /// # Errors
    /// 503 without the database.
    pub(super) async fn ticket_owner(&self, ticket: &str) -> Result<Option<i64>> {
        Ok(self.find_ticket(ticket).await?.map(|row| row.user_id))
    }

    /// Uses a ticket up.
    ///
    /// # Errors
    /// 401 when it is none, spent or expired, or when its key, session or account is no longer good.
    pub(super) async fn redeem(&self, ticket: &str) -> Result<Identity> {
        let row = self.find_ticket(ticket).await?.ok_or_else(gone)?;
        if !self.storage.write(Spend(row.hash)).await? {
            return Err(gone());
        }
        let key = row.key_id.as_deref().and_then(KeyId::from_bytes).ok_or_else(gone)?;
        let user = self.users.find(row.user_id).await?.ok_or_else(gone)?;
        let identity = Identity {
            user,
            key,
            session_id: row.session_id,
            issued_at: Timestamp::from_micros(row.token_issued_at),
            expires_at: Timestamp::from_micros(row.token_expires_at),
        };
        self.check_again(&identity).await?;
        Ok(identity)
    }

    async fn find_ticket(&self, ticket: &str) -> Result<Option<Model>> {
        let Some(hash) = hash_presented(ticket) else { return Ok(None) };
        let live = Entity::find_by_id(hash.to_vec()).filter(Column::ExpiresAt.gt(self.clock.now().micros()));
        Ok(live.one(self.storage.reader()).await?)
    }
}

struct Issue(Model);

impl Write for Issue {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let row: ActiveModel = self.0.clone().into();
        Entity::insert(row.reset_all()).exec_without_returning(tx).await?;
        Ok(())
    }
}

/// True for the one who deletes the row: of two at once only one does.
struct Spend(Vec<u8>);

impl Write for Spend {
    type Output = bool;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<bool> {
        Ok(Entity::delete_by_id(self.0.clone()).exec(tx).await?.rows_affected == 1)
    }
}
