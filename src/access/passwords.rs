//! Passwords: hashed and checked in the pool, at the same cost whether or not the account exists.

use super::guard::fold;
use crate::error::{Error, Result};
use crate::model::users::{Column, Entity, Model as User};
use crate::storage::Storage;
use portcullis_security::password::{
    Argon2Params, PasswordPool, Policy, PoolConfig, PoolError, Salt, Scheme, StartError, UserAttributes,
    Verified, Violation, dummy_hash,
};
use portcullis_security::random::Random;
use portcullis_security::secret::Secret;
use sea_orm::{EntityTrait, QuerySelect};
use std::str::FromStr;
use std::sync::{Arc, RwLock};
use zeroize::Zeroizing;

/// Longer ones are refused unhashed (contract §2); nothing is ever cut.
const MAX_LOGIN_PASSWORD: usize = 4096;

/// The policy, the pool, and the mix of stored hashes that dummies imitate.
pub struct Passwords {
    pool: PasswordPool,
    params: Argon2Params,
    policy: Policy,
    dummy_key: Zeroizing<[u8; 32]>,
    mix: RwLock<Vec<(Scheme, u64)>>,
    random: Arc<Random>,
}

/// A new hash and its scheme, as the columns of an account.
#[derive(Clone)]
pub struct NewHash {
    /// The encoded hash.
    pub encoded: String,
    /// Its algorithm and cost.
    pub scheme: String,
}

impl Passwords {
    /// Starts the pool's threads.
    ///
    /// # Errors
    /// When the budget is too small for one hash, or there is no thread.
    pub fn start(
        config: PoolConfig,
        policy: Policy,
        dummy_key: Zeroizing<[u8; 32]>,
        random: Arc<Random>,
    ) -> Result<Self, StartError> {
        let params = config.params;
        let pool = PasswordPool::new(config)?;
        Ok(Self { pool, params, policy, dummy_key, mix: RwLock::default(), random })
    }

    /// The rules for new passwords.
    pub const fn policy(&self) -> Policy {
        self.policy
    }

    /// The pool, for metrics.
    pub const fn pool(&self) -> &PasswordPool {
        &self.pool
    }

    /// What is wrong with a new password.
    pub fn violations(&self, password: &Secret, user: &UserAttributes<'_>) -> Vec<Violation> {
        self.policy.check(password.expose_text(), user)
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// 503 when too many wait.
    pub async fn hash(&self, password: Secret) -> Result<NewHash> {
        let salt = Salt::generate(&self.random);
        let encoded = self.pool.hash(password, salt).await.map_err(refusal)?;
        Ok(NewHash { scheme: Scheme::of_encoded(&encoded).to_string(), encoded })
    }

    /// Whether the password is the account's; an account that is not there costs as much as one that is.
    ///
    /// # Errors
    /// 503 when too many wait.
    pub async fn verify(&self, user: Option<&User>, login: &str, password: &Secret) -> Result<Verified> {
        let wrong = Verified { matches: false, obsolete: false };
        if password.expose().len() > MAX_LOGIN_PASSWORD {
            return Ok(wrong);
        }
        let usable = user.filter(|user| !user.password.starts_with('!'));
        let encoded = usable.map_or_else(|| self.dummy(login), |user| user.password.clone());
        match self.pool.verify(encoded, password.clone()).await {
            Ok(verified) if usable.is_some() => Ok(verified),
            Ok(_) => Ok(wrong),
            Err(error @ PoolError::OverBudget { .. }) => {
                tracing::error!(%error, user_id = user.map(|user| user.id), "raise PASSWORD__MEMORY_BUDGET_MIB");
                self.pool.verify(self.dummy(login), password.clone()).await.map_err(refusal)?;
                Ok(wrong)
            }
            Err(error) => Err(refusal(error)),
        }
    }

    fn dummy(&self, login: &str) -> String {
        let mix = self.mix.read().map(|mix| mix.clone()).unwrap_or_default();
        dummy_hash(&self.dummy_key, &fold(login), &mix, &self.params)
    }

    /// Counts the stored schemes again; to be called every few minutes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_schemes(&self, storage: &Storage) -> Result<()> {
        let rows: Vec<(String, i64)> = Entity::find()
            .select_only()
            .column(Column::PasswordScheme)
            .column_as(sea_orm::ColumnTrait::count(&Column::Id), "count")
            .group_by(Column::PasswordScheme)
            .into_tuple()
            .all(storage.reader())
            .await?;
        let counted = rows.iter().filter_map(|(scheme, count)| {
            let scheme = Scheme::from_str(scheme).ok().filter(|scheme| *scheme != Scheme::Unusable)?;
            Some((scheme, count.unsigned_abs()))
        });
        if let Ok(mut mix) = self.mix.write() {
            *mix = counted.collect();
        }
        Ok(())
    }
}

/// The attributes that a password must not resemble.
pub fn attributes(user: &User) -> UserAttributes<'_> {
    UserAttributes {
        username: &user.username,
        first_name: &user.first_name,
        last_name: &user.last_name,
        email: &user.email,
    }
}

fn refusal(error: PoolError) -> Error {
    match error {
        PoolError::Busy { retry_after } => Error::Busy(retry_after),
        PoolError::Stopped => Error::unavailable(error),
        _ => Error::internal(error),
    }
}
