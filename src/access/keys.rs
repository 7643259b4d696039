//! The signing keys: rows sealed under the root secret, so that they can overlap and rotate.
//!
//! A new key is read by every process before it begins to sign ([`SIGNS_AFTER`]), so that no replica meets
//! a token whose key it does not know.

mod rotation;

pub use rotation::{KeyState, ListedKey, RevokeError};

use crate::error::{Error, Result};
use crate::model::signing_keys::{ActiveModel, Column, Entity, Model};
use crate::storage::{Storage, Write, is_unique_violation};
use portcullis_security::clock::{Clock, Timestamp};
use portcullis_security::random::Random;
use portcullis_security::seal::KeyRing;
use portcullis_security::secret::Secret;
use portcullis_security::token::{KeySet, Parties, Purpose, RootKey, SigningKey};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

const SEAL_CONTEXT: &str = "signing_keys.sealed";
/// Processes read the keys every half second; this is ten times that.
const SIGNS_AFTER: Duration = Duration::from_secs(5);

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The table does not answer.
    #[error("the signing keys cannot be read: {0:?}")]
    Database(Error),
    /// No stored key can be opened or used.
    #[error("there is no usable signing key: {0}")]
    Unusable(String),
}

/// What the keys are made of.
pub struct KeySettings {
    /// `TOKENS__SIGNING_KEY`, if set: the first key, and the one for tokens without a `kid`.
    pub signing_key: Option<Secret>,
    /// `HS256` or `EdDSA`.
    pub algorithm: &'static str,
    /// For whom tokens are, and whose.
    pub parties: Parties,
}

/// The current set of keys.
pub struct Keys {
    clock: Clock,
    seal: Arc<KeyRing>,
    settings: KeySettings,
    current: watch::Sender<Arc<KeySet>>,
    /// The rows that the current set was made of.
    seen: Mutex<Vec<Seen>>,
}

/// What of a row decides about the set: nothing else of it ever changes.
#[derive(PartialEq, Eq)]
struct Seen {
    id: i64,
    is_retired: bool,
    is_due: bool,
}

impl Keys {
    /// Reads the keys, making the first one where there is none.
    ///
    /// # Errors
    /// When the table does not answer or holds nothing usable.
    pub async fn load(
        storage: &Storage,
        context: (Clock, &Random, &RootKey, Arc<KeyRing>),
        settings: KeySettings,
    ) -> Result<Self, KeyError> {
        let (clock, random, root, seal) = context;
        let first = first_key(&settings, root, random);
        let key = signing_key(settings.algorithm, &first.secret)?;
        let rows = all_rows(storage).await.map_err(KeyError::Database)?;
        let now = clock.now();
        let row = AddKey {
            kid: key.kid().to_owned(),
            algorithm: settings.algorithm,
            origin: first.origin,
            sealed: sealed(&seal, &first.secret, random)?,
            // Where others may be running they read it first.
            signs_from: if rows.iter().any(is_live) { now.plus(SIGNS_AFTER) } else { now },
        };
        let is_present = match first.origin {
            "generated" => rows.iter().any(|row| is_live(row) && row.algorithm == settings.algorithm),
            // A revoked one too: it is not to come back at the next start.
            _ => rows.iter().any(|stored| stored.kid == row.kid),
        };
        if !is_present {
            storage.write(row).await.map_err(KeyError::Database)?;
        }
        let current = watch::Sender::new(Arc::new(KeySet::new(key)));
        let keys = Self { current, seen: Mutex::default(), clock, seal, settings };
        keys.reseal(&rows, storage, random).await?;
        keys.reload(storage).await?;
        Ok(keys)
    }

    /// Seals anew what was sealed under the fallback of `SECRET_KEY`, so that it can be forgotten.
    async fn reseal(&self, rows: &[Model], storage: &Storage, random: &Random) -> Result<(), KeyError> {
        for row in rows.iter().filter(|row| is_live(row) && self.seal.is_stale(&row.sealed)) {
            let Ok(secret) = self.seal.open(&row.sealed, SEAL_CONTEXT) else { continue };
            let sealed = sealed(&self.seal, &Secret::new(secret.to_vec()), random)?;
            storage.write(Reseal { id: row.id, sealed }).await.map_err(KeyError::Database)?;
        }
        Ok(())
    }

    /// The keys as of now.
    pub fn current(&self) -> Arc<KeySet> {
        self.current.borrow().clone()
    }

    /// Told of every change of the keys, by whichever process: one that was revoked ends what its tokens have opened,
    /// see [`Access::check_again`](super::Access::check_again).
    pub fn changes(&self) -> watch::Receiver<Arc<KeySet>> {
        self.current.subscribe()
    }

    /// Reads the table again: another process may have rotated or revoked.
    pub(super) async fn poll(&self, storage: &Storage) {
        if let Err(error) = self.reload(storage).await {
            tracing::warn!(%error, "the signing keys were not read again");
        }
    }

    async fn reload(&self, storage: &Storage) -> Result<(), KeyError> {
        let rows = all_rows(storage).await.map_err(KeyError::Database)?;
        let now_seen = self.seen(&rows);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen != now_seen {
            self.current.send_replace(Arc::new(self.set_of(&rows)?));
            *seen = now_seen;
        }
        Ok(())
    }

    fn seen(&self, rows: &[Model]) -> Vec<Seen> {
        let now = self.clock.now().micros();
        let seen =
            |row: &Model| Seen { id: row.id, is_retired: !is_live(row), is_due: row.created_at <= now };
        rows.iter().map(seen).collect()
    }

    fn set_of(&self, rows: &[Model]) -> Result<KeySet, KeyError> {
        let mut usable = Vec::new();
        for row in rows.iter().filter(|row| is_live(row)) {
            match self.open(row) {
                Ok(key) => usable.push((row, key)),
                Err(error) => tracing::warn!(kid = row.kid, %error, "a signing key is not used"),
            }
        }
        let active = self.active_of(usable.iter().map(|(row, _)| *row));
        let active = active.ok_or_else(|| KeyError::Unusable("was SECRET_KEY changed?".into()))?;
        let mut set = KeySet::new(usable.remove(active).1).for_parties(self.settings.parties.clone());
        for (_, key) in usable {
            set = set.and(key);
        }
        match self.legacy(rows)? {
            Some(key) => Ok(set.with_legacy(key)),
            None => Ok(set),
        }
    }

    /// Which of the usable rows, newest first, signs: the newest of the algorithm in use whose time has
    /// come, or the newest at all where the older ones were revoked before it came.
    fn active_of<'a>(&self, usable: impl Iterator<Item = &'a Model> + Clone) -> Option<usize> {
        let now = self.clock.now().micros();
        let is_candidate = |row: &Model| row.algorithm == self.settings.algorithm;
        let due = usable.clone().position(|row| is_candidate(row) && row.created_at <= now);
        due.or_else(|| usable.clone().position(is_candidate))
    }

    /// The key of tokens without a `kid`, unless it was revoked under its own.
    fn legacy(&self, rows: &[Model]) -> Result<Option<SigningKey>, KeyError> {
        let Some(secret) = &self.settings.signing_key else { return Ok(None) };
        let key = signing_key("HS256", secret)?;
        let is_revoked = rows.iter().any(|row| row.kid == key.kid() && !is_live(row));
        Ok((!is_revoked).then_some(key))
    }

    fn open(&self, row: &Model) -> Result<SigningKey, KeyError> {
        let opened = self.seal.open(&row.sealed, SEAL_CONTEXT);
        let secret = opened.map_err(|error| KeyError::Unusable(error.to_string()))?;
        signing_key(&row.algorithm, &Secret::new(secret.to_vec()))
    }
}

const fn is_live(row: &Model) -> bool {
    row.retired_at.is_none()
}

struct FirstKey {
    origin: &'static str,
    secret: Secret,
}

/// An Ed25519 seed is never derived from a setting: whoever learns `SECRET_KEY` later must not be able
/// to forge what a public key vouches for.
fn first_key(settings: &KeySettings, root: &RootKey, random: &Random) -> FirstKey {
    match (&settings.signing_key, settings.algorithm) {
        (_, "EdDSA") => FirstKey { origin: "generated", secret: Secret::new(random.bytes::<32>().to_vec()) },
        (Some(secret), _) => FirstKey { origin: "setting", secret: secret.clone() },
        (None, _) => FirstKey { origin: "derived", secret: Secret::new(root.derive(Purpose::Jwt).to_vec()) },
    }
}

fn sealed(seal: &KeyRing, secret: &Secret, random: &Random) -> Result<Vec<u8>, KeyError> {
    let cell = seal.seal(secret.expose(), SEAL_CONTEXT, random);
    cell.map_err(|error| KeyError::Unusable(error.to_string()))
}

fn signing_key(algorithm: &str, secret: &Secret) -> Result<SigningKey, KeyError> {
    let key = if algorithm == "EdDSA" { SigningKey::ed25519(secret) } else { SigningKey::hs256(secret) };
    key.map_err(|error| KeyError::Unusable(error.to_string()))
}

/// Newest first.
async fn all_rows(storage: &Storage) -> Result<Vec<Model>> {
    Ok(Entity::find().order_by_desc(Column::Id).all(storage.reader()).await?)
}

struct Reseal {
    id: i64,
    sealed: Vec<u8>,
}

impl Write for Reseal {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let update = Entity::update_many().col_expr(Column::Sealed, Expr::value(self.sealed.clone()));
        update.filter(Column::Id.eq(self.id)).exec(tx).await?;
        Ok(())
    }
}

struct AddKey {
    kid: String,
    algorithm: &'static str,
    origin: &'static str,
    sealed: Vec<u8>,
    signs_from: Timestamp,
}

impl Write for AddKey {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let row = ActiveModel {
            kid: Set(self.kid.clone()),
            algorithm: Set(self.algorithm.to_owned()),
            origin: Set(self.origin.to_owned()),
            sealed: Set(self.sealed.clone()),
            created_at: Set(self.signs_from.micros()),
            ..ActiveModel::default()
        };
        match Entity::insert(row).exec_without_returning(tx).await {
            // Another replica that started at the same moment has written it.
            Err(error) if is_unique_violation(&error, "kid") => Ok(()),
            outcome => Ok(outcome.map(drop)?),
        }
    }
}
