//! The outbox: letters that are committed with what causes them, or not at all.

use super::letter::Letter;
use crate::error::{Error, Result};
use crate::model::outbox::{ActiveModel, Column, Entity, Model};
use crate::storage::{Queue, Write};
use portcullis_security::clock::Timestamp;
use portcullis_security::random::Random;
use portcullis_security::seal::KeyRing;
use sea_orm::{ActiveValue, DatabaseTransaction, EntityTrait};
use std::sync::Arc;
use tokio::sync::Notify;

/// Where sealed letters belong: a cell from elsewhere does not open.
const PLACE: &str = "outbox.body";

/// The way into the outbox. Clones share it.
#[derive(Clone)]
pub struct Outbox(Arc<Inner>);

struct Inner {
    keys: Arc<KeyRing>,
    random: Arc<Random>,
    bell: Notify,
}

impl Outbox {
    /// An outbox whose bodies are sealed.
    pub fn new(keys: Arc<KeyRing>, random: Arc<Random>) -> Self {
        Self(Arc::new(Inner { keys, random, bell: Notify::new() }))
    }

    /// Puts a letter into the transaction of the change that causes it: one row, whoever it is for.
    ///
    /// # Errors
    /// What the database says.
    pub async fn enqueue(&self, tx: &DatabaseTransaction, letter: &Letter, now: Timestamp) -> Result<()> {
        let body = serde_json::to_vec(letter).map_err(Error::internal)?;
        let row = ActiveModel {
            id: ActiveValue::NotSet,
            kind: ActiveValue::Set(letter.kind().slug().to_owned()),
            body: ActiveValue::Set(self.0.keys.seal(&body, PLACE, &self.0.random).map_err(Error::internal)?),
            attempts: ActiveValue::Set(0),
            next_try_at: ActiveValue::Set(now.micros()),
            created_at: ActiveValue::Set(now.micros()),
        };
        Entity::insert(row).exec_without_returning(tx).await?;
        Ok(())
    }

    /// Tells the worker that there is something to send: call it after the commit. Without it the letter
    /// leaves within a second all the same.
    pub fn wake(&self) {
        self.0.bell.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.0.bell.notified().await;
    }

    pub(super) fn open(&self, body: &[u8]) -> Result<Letter> {
        let letter = self.0.keys.open(body, PLACE).map_err(Error::internal)?;
        // The parser's words could quote the letter.
        serde_json::from_slice(&letter).map_err(|_| Error::internal("the letter is of no known kind"))
    }
}

/// Puts one letter into the outbox: the same work whoever asks.
pub struct Enqueue {
    /// The outbox.
    pub outbox: Outbox,
    /// What to say.
    pub letter: Letter,
    /// When.
    pub now: Timestamp,
}

impl Write for Enqueue {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        self.outbox.enqueue(tx, &self.letter, self.now).await
    }
}

impl Queue for Entity {
    const ID: Column = Column::Id;
    const ATTEMPTS: Column = Column::Attempts;
    const NEXT_TRY_AT: Column = Column::NextTryAt;

    fn turn(row: &Model) -> (i64, i64) {
        (row.id, row.next_try_at)
    }

    fn taken(row: &Model, lease: i64) -> Model {
        Model { attempts: row.attempts + 1, next_try_at: lease, ..row.clone() }
    }
}

/// The end of a claim: the letter was taken, or is given up.
pub(super) struct Forget {
    pub(super) id: i64,
}

impl Write for Forget {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        Entity::delete_by_id(self.id).exec(tx).await?;
        Ok(())
    }
}
