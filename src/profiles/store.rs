//! Queries and changes of profiles, follows and blocks that several actions share.

use super::preferences::Preference;
use crate::access::{Viewer, in_use};
use crate::error::{Error, Result};
use crate::model::{follows, notification_preferences, profiles, users};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, JoinType, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, RelationDef, Select,
};

/// How many follow somebody and how many they follow, as a viewer may know: people whose accounts are
/// not in use count for nobody, and people with whom the viewer is in a block do not count for the viewer.
pub(super) async fn count_follows(
    db: &impl ConnectionTrait,
    viewer: Viewer,
    user_id: i64,
) -> Result<(u64, u64)> {
    use follows::Column::{FollowedId, FollowerId};
    let followers = accepted(FollowedId.eq(user_id), FollowerId).filter(viewer.unblocked(FollowerId));
    let following = accepted(FollowerId.eq(user_id), FollowedId).filter(viewer.unblocked(FollowedId));
    Ok((followers.count(db).await?, following.count(db).await?))
}

fn accepted(whose: Expr, other: follows::Column) -> Select<follows::Entity> {
    follows::Entity::find()
        .filter(whose)
        .filter(follows::Column::AcceptedAt.is_not_null())
        .join(JoinType::InnerJoin, account_of(other))
        .filter(in_use())
}

/// Joins the account whose id stands in a column of follows.
pub(super) fn account_of(column: follows::Column) -> RelationDef {
    follows::Entity::belongs_to(users::Entity).from(column).to(users::Column::Id).into()
}

/// The row of one who follows, or asks to follow, another.
pub(super) async fn find_follow(
    db: &impl ConnectionTrait,
    follower_id: i64,
    followed_id: i64,
) -> Result<Option<follows::Model>> {
    Ok(follows::Entity::find().filter(between(follower_id, followed_id)).one(db).await?)
}

pub(super) fn between(follower_id: i64, followed_id: i64) -> Condition {
    Condition::all()
        .add(follows::Column::FollowerId.eq(follower_id))
        .add(follows::Column::FollowedId.eq(followed_id))
}

/// The profiles of two people, locked until the commit, so that of a follow and a block at once the later
/// sees the earlier. In the order of ids, so that two such changes do not wait for each other.
pub(super) async fn lock_pair(
    tx: &DatabaseTransaction,
    one: i64,
    other: i64,
) -> Result<Vec<profiles::Model>> {
    let both = profiles::Entity::find()
        .filter(profiles::Column::UserId.is_in([one, other]))
        .order_by_asc(profiles::Column::UserId)
        .lock_exclusive()
        .all(tx)
        .await?;
    if both.len() == 2 { Ok(both) } else { Err(Error::not_found()) }
}

/// Turns a sort of mails on or off.
pub(super) async fn set_preference(
    tx: &DatabaseTransaction,
    user_id: i64,
    preference: Preference,
    is_wanted: bool,
) -> Result<()> {
    notification_preferences::Entity::update_many()
        .col_expr(preference.column(), Expr::value(is_wanted))
        .filter(notification_preferences::Column::UserId.eq(user_id))
        .exec(tx)
        .await?;
    Ok(())
}
