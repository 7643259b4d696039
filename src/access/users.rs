//! Accounts by id, from memory where their rows have not changed.

use super::guard::fold;
use crate::error::Result;
use crate::model::users::{Column, Entity, Model};
use crate::storage::Storage;
use moka::sync::Cache;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use std::sync::Arc;
use std::time::Duration;

const CAPACITY: u64 = 10_000;
/// News drops what has changed; this bounds what a lost piece of news could do.
const LIFETIME: Duration = Duration::from_secs(60);

/// No username is longer; what is asked for beyond is not looked up.
const MAX_USERNAME: usize = 150;

/// The account of a username, without regard to case.
///
/// # Errors
/// When the database does not answer.
pub async fn find_by_username(db: &impl ConnectionTrait, username: &str) -> Result<Option<Model>> {
    if username.chars().count() > MAX_USERNAME {
        return Ok(None);
    }
    Ok(Entity::find().filter(Column::UsernameKey.eq(fold(username))).one(db).await?)
}

/// A cache of account rows, told of changes by the feed.
pub struct Users {
    storage: Arc<Storage>,
    cache: Cache<i64, Arc<Model>>,
}

impl Users {
    pub(super) fn new(storage: Arc<Storage>) -> Self {
        let cache = Cache::builder().max_capacity(CAPACITY).time_to_live(LIFETIME).build();
        Self { storage, cache }
    }

    /// The account, if there is one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find(&self, user_id: i64) -> Result<Option<Arc<Model>>> {
        if let Some(user) = self.cache.get(&user_id) {
            return Ok(Some(user));
        }
        let Some(user) = self.load(user_id).await? else { return Ok(None) };
        self.cache.insert(user_id, user.clone());
        Ok(Some(user))
    }

    /// The account as the database has it now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn load(&self, user_id: i64) -> Result<Option<Arc<Model>>> {
        Ok(Entity::find_by_id(user_id).one(self.storage.reader()).await?.map(Arc::new))
    }

    /// Drops the cached row.
    pub(super) fn forget(&self, user_id: i64) {
        self.cache.invalidate(&user_id);
    }
}
