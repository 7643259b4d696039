//! Rotation without a logout, and the end of a key that got out.

use super::{AddKey, KeyError, Keys, SIGNS_AFTER, all_rows, is_live, sealed, signing_key};
use crate::access::Client;
use crate::audit::{self, Kind, Subject};
use crate::error::Result;
use crate::model::signing_keys::{Column, Entity, Model};
use crate::storage::{Storage, Write};
use portcullis_security::clock::Timestamp;
use portcullis_security::random::Random;
use portcullis_security::secret::Secret;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

/// A key as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// The `kid` of its tokens.
    pub kid: String,
    /// `HS256` or `EdDSA`.
    pub algorithm: String,
    /// `setting`, `derived` or `generated`.
    pub origin: String,
    /// When it began to sign, or will.
    pub signs_from: Timestamp,
    /// What it does now.
    pub state: KeyState,
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It signs new tokens.
    Signs,
    /// It will, as soon as every process has read it.
    WillSign,
    /// It signs no more, but its tokens are good.
    Verifies {
        /// When a newer key took over: no token of this one is younger.
        since: Timestamp,
    },
    /// Its tokens are refused.
    Revoked {
        /// Since when.
        at: Timestamp,
    },
    /// It was sealed under another `SECRET_KEY`.
    Unusable,
}

/// Why a key was not revoked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// There is no such key.
    #[error("there is no key {0}: portcullis keys list shows them")]
    Unknown(String),
    /// Nothing would be left to sign with.
    #[error("{0} is the newest key, which signs: make another first with portcullis keys rotate")]
    Newest(String),
    /// The keys cannot be read or written.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Keys {
    /// Every key, newest first, the revoked ones too.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn list(&self, storage: &Storage) -> Result<Vec<ListedKey>, KeyError> {
        let rows = all_rows(storage).await.map_err(KeyError::Database)?;
        let usable: Vec<_> = rows.iter().filter(|row| is_live(row) && self.open(row).is_ok()).collect();
        let active = self.active_of(usable.iter().copied()).and_then(|index| usable.get(index).copied());
        Ok(rows.iter().map(|row| self.listed(row, active)).collect())
    }

    fn listed(&self, row: &Model, active: Option<&Model>) -> ListedKey {
        let time = Timestamp::from_micros;
        let state = match (row.retired_at, active) {
            (Some(at), _) => KeyState::Revoked { at: time(at) },
            _ if self.open(row).is_err() => KeyState::Unusable,
            (_, Some(active)) if active.id == row.id => KeyState::Signs,
            (_, Some(active)) if active.id > row.id => KeyState::Verifies { since: time(active.created_at) },
            _ => KeyState::WillSign,
        };
        ListedKey {
            kid: row.kid.clone(),
            algorithm: row.algorithm.clone(),
            origin: row.origin.clone(),
            signs_from: time(row.created_at),
            state,
        }
    }

    /// Adds a fresh key, which signs in five seconds, when every process has read it; the others go on
    /// verifying, so that nobody is logged out. Gives its `kid`.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn rotate(&self, storage: &Storage, random: &Random) -> Result<String, KeyError> {
        let secret = Secret::new(random.bytes::<32>().to_vec());
        let kid = signing_key(self.settings.algorithm, &secret)?.kid().to_owned();
        let now = self.clock.now();
        let key = AddKey {
            kid: kid.clone(),
            algorithm: self.settings.algorithm,
            origin: "generated",
            sealed: sealed(&self.seal, &secret, random)?,
            signs_from: now.plus(SIGNS_AFTER),
        };
        storage.write(Rotate { key, now }).await.map_err(KeyError::Database)?;
        self.reload(storage).await?;
        Ok(kid)
    }

    /// Ends a key: every token that it signed is refused within a second, on every replica. False when it
    /// was revoked before.
    ///
    /// The newest key that can sign stays: without one nobody could log in.
    ///
    /// # Errors
    /// [`RevokeError`] says what to do.
    pub async fn revoke(&self, storage: &Storage, kid: &str) -> Result<bool, RevokeError> {
        let rows = all_rows(storage).await.map_err(KeyError::Database)?;
        let row = rows.iter().find(|row| row.kid == kid);
        let row = row.ok_or_else(|| RevokeError::Unknown(kid.to_owned()))?;
        let can_sign =
            |row: &&Model| is_live(row) && row.algorithm == self.settings.algorithm && self.open(row).is_ok();
        if rows.iter().find(can_sign).is_some_and(|newest| newest.id == row.id) {
            return Err(RevokeError::Newest(kid.to_owned()));
        }
        let revoke = Revoke { id: row.id, now: self.clock.now() };
        let revoked = storage.write(revoke).await.map_err(KeyError::Database)?;
        self.reload(storage).await?;
        Ok(revoked)
    }
}

struct Rotate {
    key: AddKey,
    now: Timestamp,
}

impl Write for Rotate {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        self.key.run(tx).await?;
        audit::record(tx, Kind::KeyRotated, Subject::default(), &Client::system(), self.now).await
    }
}

struct Revoke {
    id: i64,
    now: Timestamp,
}

impl Write for Revoke {
    type Output = bool;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<bool> {
        let revoked = Entity::update_many()
            .col_expr(Column::RetiredAt, Expr::value(self.now.micros()))
            .filter(Column::Id.eq(self.id))
            .filter(Column::RetiredAt.is_null())
            .exec(tx)
            .await?;
        if revoked.rows_affected == 0 {
            return Ok(false);
        }
        audit::record(tx, Kind::KeyRevoked, Subject::default(), &Client::system(), self.now).await?;
        Ok(true)
    }
}
