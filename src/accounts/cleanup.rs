//! What goes by itself: accounts never verified, deleted accounts after their grace, rows that have expired.

use crate::error::Result;
use crate::model::users::{Column, Entity, Status};
use crate::model::{
    audit_events, notification_preferences, one_time_tokens, profiles, revocations, sessions, socket_tickets,
};
use crate::state::{App, Feature};
use crate::storage::Write;
use portcullis_security::clock::Timestamp;
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use std::time::Duration;

/// After a long time without a clean-up there is much to do, and some accounts have much.
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// Accounts at a time, so that no other write waits long.
const BATCH: u64 = 100;
/// Expired sessions and used links are kept this long, to tell a replay from nonsense.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// A Django's refresh token is exchanged once, and its session is all that remembers it: how long it lives, only
/// that Django knows.
const FOREIGN_KEPT: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Removes what has run out; to be called every few minutes.
///
/// # Errors
/// When the database does not answer; the next call goes on.
pub async fn run(app: &App) -> Result<()> {
    let now = app.now();
    loop {
        let ids = expired_accounts(app, now).await?;
        let is_last = (ids.len() as u64) < BATCH;
        for user_id in ids {
            let expired = expired(app, now);
            let avatar = app.storage.write(Erase { user_id, expired, features: app.features }).await?;
            app.discard(avatar.as_deref()).await;
            app.access.forget(user_id, &[]);
        }
        if is_last {
            break;
        }
    }
    // The memory of ended sessions outlives their access tokens.
    let kept = KEPT + app.config.tokens.access_lifetime;
    app.storage.write(DropExpired { before: now.minus(kept), foreign_before: now.minus(FOREIGN_KEPT) }).await
}

/// The condition that an account has run out.
fn expired(app: &App, now: Timestamp) -> Condition {
    // A ban since then changes nothing about it.
    let deleted = Column::DeleteAt.lte(now.micros());
    let never_verified = Condition::all()
        .add(Column::EmailVerifiedAt.is_null())
        .add(Column::Status.ne(Status::Banned))
        .add(Column::DateJoined.lte(now.minus(app.config.accounts.unverified_lifetime).micros()));
    Condition::any().add(deleted).add(never_verified)
}

async fn expired_accounts(app: &App, now: Timestamp) -> Result<Vec<i64>> {
    let ids = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(expired(app, now))
        .limit(BATCH)
        .into_tuple()
        .all(app.storage.reader())
        .await?;
    Ok(ids)
}

/// Removes an account with everything that belongs to it; returns the file of its picture, which goes after
/// the commit.
struct Erase {
    user_id: i64,
    /// What has to be true of it still: its owner may have come back since it was found.
    expired: Condition,
    features: &'static [Feature],
}

impl Write for Erase {
    const LONGEST: Duration = LONGEST;
    type Output = Option<String>;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Option<String>> {
        let id = self.user_id;
        let account = Entity::find_by_id(id).filter(self.expired.clone()).lock_exclusive();
        if account.one(tx).await?.is_none() {
            return Ok(None);
        }
        let profile = profiles::Entity::find_by_id(id).lock_exclusive().one(tx).await?;
        for feature in self.features {
            (feature.erase)(tx, id).await?;
        }
        sessions::Entity::delete_many().filter(sessions::Column::UserId.eq(id)).exec(tx).await?;
        one_time_tokens::Entity::delete_many()
            .filter(one_time_tokens::Column::UserId.eq(id))
            .exec(tx)
            .await?;
        profiles::Entity::delete_by_id(id).exec(tx).await?;
        notification_preferences::Entity::delete_by_id(id).exec(tx).await?;
        audit_events::Entity::delete_many().filter(audit_events::Column::UserId.eq(id)).exec(tx).await?;
        Entity::delete_by_id(id).exec(tx).await?;
        Ok(profile.and_then(|profile| profile.avatar))
    }
}

struct DropExpired {
    before: Timestamp,
    foreign_before: Timestamp,
}

impl Write for DropExpired {
    const LONGEST: Duration = LONGEST;
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let before = self.before.micros();
        let ended = Condition::any()
            .add(sessions::Column::AbsoluteExpiresAt.lte(before))
            .add(sessions::Column::IdleExpiresAt.lte(before));
        let is_forgotten = Condition::any()
            .add(sessions::Column::OriginHash.is_null())
            .add(sessions::Column::CreatedAt.lte(self.foreign_before.micros()));
        let ended = Condition::all().add(ended).add(is_forgotten);
        sessions::Entity::delete_many().filter(ended).exec(tx).await?;
        let old = one_time_tokens::Column::ExpiresAt.lte(before);
        one_time_tokens::Entity::delete_many().filter(old).exec(tx).await?;
        let unused = socket_tickets::Column::ExpiresAt.lte(before);
        socket_tickets::Entity::delete_many().filter(unused).exec(tx).await?;
        revocations::Entity::delete_many().filter(revocations::Column::At.lte(before)).exec(tx).await?;
        Ok(())
    }
}
