//! The signing keys: rows sealed under the root secret, so that they can overlap and rotate.

use crate::error::{Error, Result};
use crate::model::signing_keys::{ActiveModel, Column, Entity, Model};
use crate::storage::{Storage, Write, is_unique_violation};
use portcullis_security::clock::{Clock, Timestamp};
use portcullis_security::random::Random;
use portcullis_security::seal::KeyRing;
use portcullis_security::secret::Secret;
use portcullis_security::token::{KeySet, Purpose, RootKey, SigningKey};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

const SEAL_CONTEXT: &str = "signing_keys.sealed";
const RELOAD_EVERY: Duration = Duration::from_secs(5);

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
}

/// The current set of keys.
pub struct Keys {
    clock: Clock,
    seal: Arc<KeyRing>,
    settings: KeySettings,
    current: RwLock<Arc<KeySet>>,
    loaded_at: AtomicI64,
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
        let row = AddKey {
            kid: key.kid().to_owned(),
            algorithm: settings.algorithm,
            origin: first.origin,
            sealed: sealed(&seal, &first.secret, random)?,
            now: clock.now(),
        };
        let rows = active_rows(storage).await.map_err(KeyError::Database)?;
        let is_present = match first.origin {
            "generated" => rows.iter().any(|row| row.algorithm == settings.algorithm),
            _ => rows.iter().any(|stored| stored.kid == row.kid),
        };
        if !is_present {
            storage.write(row).await.map_err(KeyError::Database)?;
        }
        let keys = Self {
            current: RwLock::new(Arc::new(KeySet::new(key))),
            loaded_at: AtomicI64::new(0),
            clock,
            seal,
            settings,
        };
        keys.reload(storage).await?;
        Ok(keys)
    }

    /// The keys as of now.
    pub fn current(&self) -> Arc<KeySet> {
        match self.current.read() {
            Ok(keys) => keys.clone(),
            // The value is replaced whole, so a panicked writer cannot have left half of one.
            Err(poisoned) => poisoned.into_inner().clone(),
        }
    }

    /// Reads the table again every few seconds: another process may have rotated.
    pub(super) async fn reload_if_due(&self, storage: &Storage) {
        let loaded_at = Timestamp::from_micros(self.loaded_at.load(Ordering::SeqCst));
        if self.clock.now().since(loaded_at) >= RELOAD_EVERY
            && let Err(error) = self.reload(storage).await
        {
            tracing::warn!(%error, "the signing keys were not read again");
        }
    }

    async fn reload(&self, storage: &Storage) -> Result<(), KeyError> {
        let now = self.clock.now();
        let rows = active_rows(storage).await.map_err(KeyError::Database)?;
        let mut usable = Vec::new();
        for row in &rows {
            match self.open(row) {
                Ok(key) => usable.push(key),
                Err(error) => tracing::warn!(kid = row.kid, %error, "a signing key is not used"),
            }
        }
        // The newest key of the algorithm in use signs.
        let active = usable.iter().position(|key| key.algorithm() == self.settings.algorithm);
        let active = active.ok_or_else(|| KeyError::Unusable("was SECRET_KEY changed?".into()))?;
        let mut set = KeySet::new(usable.remove(active));
        for key in usable {
            set = set.and(key);
        }
        if let Some(secret) = &self.settings.signing_key {
            set = set.with_legacy(signing_key("HS256", secret)?);
        }
        if let Ok(mut current) = self.current.write() {
            *current = Arc::new(set);
        }
        self.loaded_at.store(now.micros(), Ordering::SeqCst);
        Ok(())
    }

    fn open(&self, row: &Model) -> Result<SigningKey, KeyError> {
        let opened = self.seal.open(&row.sealed, SEAL_CONTEXT);
        let secret = opened.map_err(|error| KeyError::Unusable(error.to_string()))?;
        signing_key(&row.algorithm, &Secret::new(secret.to_vec()))
    }

    /// Adds a fresh key, which signs from now on; the others go on verifying.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn rotate(&self, storage: &Storage, random: &Random) -> Result<String, KeyError> {
        let secret = Secret::new(random.bytes::<32>().to_vec());
        let kid = signing_key(self.settings.algorithm, &secret)?.kid().to_owned();
        let row = AddKey {
            kid: kid.clone(),
            algorithm: self.settings.algorithm,
            origin: "generated",
            sealed: sealed(&self.seal, &secret, random)?,
            now: self.clock.now(),
        };
        storage.write(row).await.map_err(KeyError::Database)?;
        self.reload(storage).await?;
        Ok(kid)
    }
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

async fn active_rows(storage: &Storage) -> Result<Vec<Model>> {
    let active = Entity::find().filter(Column::RetiredAt.is_null()).order_by_desc(Column::Id);
    Ok(active.all(storage.reader()).await?)
}

struct AddKey {
    kid: String,
    algorithm: &'static str,
    origin: &'static str,
    sealed: Vec<u8>,
    now: Timestamp,
}

impl Write for AddKey {
    type Output = ();
    const SINGLE_STATEMENT: bool = true;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let row = ActiveModel {
            kid: Set(self.kid.clone()),
            algorithm: Set(self.algorithm.to_owned()),
            origin: Set(self.origin.to_owned()),
            sealed: Set(self.sealed.clone()),
            created_at: Set(self.now.micros()),
            ..ActiveModel::default()
        };
        match Entity::insert(row).exec_without_returning(tx).await {
            // Another replica that started at the same moment has written it.
            Err(error) if is_unique_violation(&error, "kid") => Ok(()),
            outcome => Ok(outcome.map(drop)?),
        }
    }
}
