//! Following somebody, and leaving them again.

use super::person::Person;
use super::show::status_of;
use super::store::{between, find_follow, lock_pair};
use crate::access::{CurrentUser, is_blocked, standing, visibility};
use crate::error::{Error, Result};
use crate::mail::{Letter, Outbox};
use crate::model::{follows, profiles, users};
use crate::state::App;
use crate::storage::Write;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_security::clock::Timestamp;
use portcullis_security::permission::{Standing, Visibility};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What has come of it.
#[derive(Serialize, ToSchema)]
pub struct FollowResponse {
    /// `accepted`, or `pending` until the other approves.
    pub(super) status: &'static str,
}

/// Follows somebody, or asks to: a public profile is followed at once, one for followers only when its
/// owner approves.
#[utoipa::path(post, path = "/profiles/{username}/follow", tag = "follows",
    params(("username" = String, Path, description = "Without regard to case.")), responses(
    (status = 201, description = "The follow or request is made.", body = FollowResponse),
    (status = 200, description = "It was there before.", body = FollowResponse),
    (status = 400, description = "Nobody follows themselves."),
    (status = 404, description = "There is nobody of that name whom the caller may follow.")))]
pub async fn follow(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    Person(owner): Person,
) -> Result<(StatusCode, Json<FollowResponse>)> {
    let (follower_id, followed_id) = (caller.user.id, owner.id);
    if follower_id == followed_id {
        return Err(Error::bad_request("invalid", "You cannot follow yourself"));
    }
    let follow = Follow { follower_id, followed_id, outbox: app.outbox.clone(), now: app.now() };
    let (is_new, status) = app.write(follow).await?;
    let code = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((code, Json(FollowResponse { status })))
}

struct Follow {
    follower_id: i64,
    followed_id: i64,
    outbox: Outbox,
    now: Timestamp,
}

impl Write for Follow {
    /// Whether it is new, and its status.
    type Output = (bool, &'static str);

    async fn run(&self, tx: &DatabaseTransaction) -> Result<(bool, &'static str)> {
        let profiles = lock_pair(tx, self.follower_id, self.followed_id).await?;
        let is_at_once = followable(tx, &profiles, self.follower_id, self.followed_id).await?;
        match find_follow(tx, self.follower_id, self.followed_id).await? {
            None => {
                self.insert(tx, is_at_once).await?;
                self.tell(tx, is_at_once).await?;
                Ok((true, if is_at_once { "accepted" } else { "pending" }))
            }
            // The profile has become public since it was asked for.
            Some(found) if found.accepted_at.is_none() && is_at_once => {
                accept(tx, found.id, self.now).await?;
                self.tell(tx, true).await?;
                Ok((false, "accepted"))
            }
            Some(found) => Ok((false, status_of(&found))),
        }
    }
}

impl Follow {
    async fn insert(&self, tx: &DatabaseTransaction, is_at_once: bool) -> Result<()> {
        let row = follows::ActiveModel {
            follower_id: Set(self.follower_id),
            followed_id: Set(self.followed_id),
            accepted_at: Set(is_at_once.then(|| self.now.micros())),
            created_at: Set(self.now.micros()),
            ..follows::ActiveModel::default()
        };
        follows::Entity::insert(row).exec_without_returning(tx).await?;
        Ok(())
    }

    async fn tell(&self, tx: &DatabaseTransaction, is_at_once: bool) -> Result<()> {
        let (user_id, by) = (self.followed_id, self.follower_id);
        let letter = match is_at_once {
            true => Letter::NewFollower { user_id, by },
            false => Letter::FollowRequest { user_id, by },
        };
        self.outbox.enqueue(tx, &letter, self.now).await
    }
}

/// Whether somebody is followed at once; 404 for whom the follower cannot follow. To be asked with both
/// profiles locked.
async fn followable(
    tx: &DatabaseTransaction,
    profiles: &[profiles::Model],
    follower_id: i64,
    followed_id: i64,
) -> Result<bool> {
    let owner = users::Entity::find_by_id(followed_id).one(tx).await?.ok_or_else(Error::not_found)?;
    if standing(&owner) != Standing::Active || is_blocked(tx, follower_id, followed_id).await? {
        return Err(Error::not_found());
    }
    let profile = profiles.iter().find(|profile| profile.user_id == followed_id);
    match profile.map(visibility) {
        Some(Visibility::Public) => Ok(true),
        Some(Visibility::FollowersOnly) => Ok(false),
        Some(Visibility::Private) | None => Err(Error::not_found()),
    }
}

/// Makes a request a follow.
pub(super) async fn accept(tx: &DatabaseTransaction, follow_id: i64, now: Timestamp) -> Result<()> {
    follows::Entity::update_many()
        .col_expr(follows::Column::AcceptedAt, Expr::value(now.micros()))
        .filter(follows::Column::Id.eq(follow_id))
        .filter(follows::Column::AcceptedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Ends following somebody, or takes the request back. Where the caller does not follow, nothing is ended,
/// and the answer is the same.
#[utoipa::path(delete, path = "/profiles/{username}/follow", tag = "follows",
    params(("username" = String, Path, description = "Without regard to case.")), responses(
    (status = 204, description = "The caller does not follow any more."),
    (status = 404, description = "There is nobody of that name whom the caller follows or may follow.")))]
pub async fn unfollow(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    Person(owner): Person,
) -> Result<StatusCode> {
    app.storage.write(Unfollow { follower_id: caller.user.id, followed_id: owner.id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

struct Unfollow {
    follower_id: i64,
    followed_id: i64,
}

impl Write for Unfollow {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let own = follows::Entity::delete_many().filter(between(self.follower_id, self.followed_id));
        if own.exec(tx).await?.rows_affected > 0 {
            return Ok(());
        }
        // A name that hides from the caller answers here as it does to a follow.
        let profiles = lock_pair(tx, self.follower_id, self.followed_id).await?;
        followable(tx, &profiles, self.follower_id, self.followed_id).await.map(drop)
    }
}
