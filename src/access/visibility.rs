//! Who sees what, in rows: queries made from the truth table of `portcullis_security::permission`.
//!
//! A list asks with [`Viewer::visible`], a single thing with [`relation`]; both come from the same table,
//! so that what is hidden in one is hidden in the other. [`refresh_audience`] keeps the stored audience of
//! a user's reviews, and the public figures of the books they are about, true when the profile's setting
//! or the account's state changes.

use super::guard::Caller;
use crate::error::{Error, Result};
use crate::model::{blocks, books, follows, profiles, reviews, users};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use portcullis_security::permission::{Audience, Relation, Standing, Visibility};
use sea_orm::sea_query::{Expr, LockType, Query, SelectStatement, UnionType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    QuerySelect, QueryTrait,
};

/// Ids in one statement.
const CHUNK: usize = 500;
/// What a viewer can be to the owner of a thing that is neither theirs nor blocked.
const UNBLOCKED: [Relation; 3] = [Relation::Stranger, Relation::Requested, Relation::Follower];

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Nobody is logged in.
    Anonymous,
    /// An account.
    User {
        /// Whose.
        id: i64,
        /// Whether it is staff, whom blocks neither hide nor bind.
        is_staff: bool,
    },
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(match parts.extensions.get() {
            Some(Caller::User(identity)) => Self::of(&identity.user),
            _ => Self::Anonymous,
        })
    }
}

impl Viewer {
    /// An account as a viewer.
    pub const fn of(user: &users::Model) -> Self {
        Self::User { id: user.id, is_staff: user.is_staff }
    }

    /// The account's id.
    pub const fn user_id(self) -> Option<i64> {
        match self {
            Self::Anonymous => None,
            Self::User { id, .. } => Some(id),
        }
    }

    /// The condition that a thing is visible, given the columns of its owner and of its audience.
    ///
    /// It is right for every plan and fast for few rows; a list over many reads each slice by its own
    /// index and may take [`Viewer::unblocked`] and [`Viewer::followed`] for it.
    pub fn visible<O: ColumnTrait, A: ColumnTrait>(self, owner: O, audience: A) -> Condition {
        let Self::User { id, is_staff } = self else {
            return Condition::all().add(seen_by(Relation::Anonymous, audience));
        };
        let own = Condition::all().add(owner.eq(id)).add(seen_by(Relation::Owner, audience));
        if is_staff {
            let others = Condition::all().add(owner.ne(id)).add(seen_by(Relation::Staff, audience));
            return Condition::any().add(own).add(others);
        }
        let others = Condition::all().add(owner.ne(id)).add(self.unblocked(owner));
        let others = others.add(visible_unblocked(id, owner, audience));
        let visible = Condition::any().add(own).add(others);
        match Relation::Blocked.audiences().next() {
            None => visible,
            Some(_) => visible.add(
                Condition::all().add(self.unblocked(owner).not()).add(seen_by(Relation::Blocked, audience)),
            ),
        }
    }

    /// The condition that no block stands between the viewer and an owner.
    pub fn unblocked<O: ColumnTrait>(self, owner: O) -> Condition {
        match self {
            Self::User { id, is_staff: false } => Condition::all()
                .add(owner.not_in_subquery(counterparts(
                    id,
                    blocks::Column::BlockerId,
                    blocks::Column::BlockedId,
                )))
                .add(owner.not_in_subquery(counterparts(
                    id,
                    blocks::Column::BlockedId,
                    blocks::Column::BlockerId,
                ))),
            Self::Anonymous | Self::User { is_staff: true, .. } => Condition::all(),
        }
    }

    /// [`Viewer::unblocked`] for a list of many rows, each of which costs less beside a short list of ids than
    /// beside a query.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unblocked_ids<O: ColumnTrait>(
        self,
        db: &impl ConnectionTrait,
        owner: O,
    ) -> Result<Condition> {
        let blocked = self.blocked_ids(db).await?;
        Ok(match blocked.len() {
            0 => Condition::all(),
            1..=CHUNK => Condition::all().add(owner.is_not_in(blocked)),
            _ => self.unblocked(owner),
        })
    }

    /// Those with whom the viewer is in a block, whichever of the two began it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn blocked_ids(self, db: &impl ConnectionTrait) -> Result<Vec<i64>> {
        use blocks::Column::{BlockedId, BlockerId};
        let Self::User { id, is_staff: false } = self else { return Ok(Vec::new()) };
        let mut query = counterparts(id, BlockerId, BlockedId);
        query.union(UnionType::All, counterparts(id, BlockedId, BlockerId));
        let rows = db.query_all(&query).await?;
        Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<std::result::Result<_, _>>()?)
    }

    /// The condition that the viewer follows an owner, who has accepted it.
    pub fn followed<O: ColumnTrait>(self, owner: O) -> Condition {
        match self {
            Self::User { id, .. } => Condition::all().add(owner.in_subquery(followed_ids(id, true))),
            Self::Anonymous => Condition::any().add(Expr::val(1).eq(0)),
        }
    }
}

/// Those with whom a user is in a block, seen from one side. Staff are exempt, whatever the rows say.
fn counterparts(user_id: i64, own: blocks::Column, other: blocks::Column) -> SelectStatement {
    Query::select()
        .column((blocks::Entity, other))
        .from(blocks::Entity)
        .inner_join(
            users::Entity,
            Expr::col((users::Entity, users::Column::Id)).equals((blocks::Entity, other)),
        )
        .and_where(own.eq(user_id))
        .and_where(users::Column::IsStaff.eq(false))
        .to_owned()
}

fn followed_ids(follower_id: i64, is_accepted: bool) -> SelectStatement {
    let accepted_at = follows::Column::AcceptedAt;
    Query::select()
        .column(follows::Column::FollowedId)
        .from(follows::Entity)
        .and_where(follows::Column::FollowerId.eq(follower_id))
        .and_where(if is_accepted { accepted_at.is_not_null() } else { accepted_at.is_null() })
        .to_owned()
}

fn seen_by<A: ColumnTrait>(relation: Relation, audience: A) -> Expr {
    audience.is_in(relation.audiences().map(Audience::code))
}

/// What strangers, those who ask and those who follow all see needs no look at the follows; what only some
/// of them see does.
fn visible_unblocked<O: ColumnTrait, A: ColumnTrait>(viewer_id: i64, owner: O, audience: A) -> Condition {
    let for_all = |audience: &Audience| UNBLOCKED.iter().all(|relation| relation.may_see(*audience));
    let base = Audience::ALL.into_iter().filter(for_all).map(Audience::code);
    let mut visible = Condition::any().add(audience.is_in(base));
    for relation in UNBLOCKED {
        let more: Vec<_> = relation.audiences().filter(|seen| !for_all(seen)).map(Audience::code).collect();
        if more.is_empty() {
            continue;
        }
        let members = match relation {
            Relation::Follower => Condition::all().add(owner.in_subquery(followed_ids(viewer_id, true))),
            Relation::Requested => Condition::all().add(owner.in_subquery(followed_ids(viewer_id, false))),
            _ => Condition::all()
                .add(owner.not_in_subquery(followed_ids(viewer_id, true)))
                .add(owner.not_in_subquery(followed_ids(viewer_id, false))),
        };
        visible = visible.add(members.add(audience.is_in(more)));
    }
    visible
}

/// What a viewer is to an owner.
///
/// # Errors
/// When the database does not answer.
pub async fn relation(db: &impl ConnectionTrait, viewer: Viewer, owner_id: i64) -> Result<Relation> {
    let Viewer::User { id, is_staff } = viewer else { return Ok(Relation::Anonymous) };
    if id == owner_id {
        return Ok(Relation::Owner);
    }
    if is_staff {
        return Ok(Relation::Staff);
    }
    if is_blocked(db, id, owner_id).await? {
        return Ok(Relation::Blocked);
    }
    let follow = follows::Entity::find()
        .filter(follows::Column::FollowerId.eq(id))
        .filter(follows::Column::FollowedId.eq(owner_id));
    Ok(match follow.one(db).await? {
        Some(follow) if follow.accepted_at.is_some() => Relation::Follower,
        Some(_) => Relation::Requested,
        None => Relation::Stranger,
    })
}

/// Whether either of two users has blocked the other; never where one of them is staff.
///
/// # Errors
/// When the database does not answer.
pub async fn is_blocked(db: &impl ConnectionTrait, one: i64, other: i64) -> Result<bool> {
    use blocks::Column::{BlockedId, BlockerId};
    let either = Condition::any()
        .add(Condition::all().add(BlockerId.eq(one)).add(BlockedId.eq(other)))
        .add(Condition::all().add(BlockerId.eq(other)).add(BlockedId.eq(one)));
    if blocks::Entity::find().filter(either).one(db).await?.is_none() {
        return Ok(false);
    }
    let staff = users::Entity::find()
        .filter(users::Column::Id.is_in([one, other]))
        .filter(users::Column::IsStaff.eq(true));
    Ok(staff.one(db).await?.is_none())
}

/// Whether an account is in use.
pub fn standing(user: &users::Model) -> Standing {
    standing_of(user.status, user.email_verified_at)
}

fn standing_of(status: users::Status, email_verified_at: Option<i64>) -> Standing {
    match status {
        users::Status::Deleted => Standing::Deleted,
        users::Status::Banned => Standing::Suspended,
        users::Status::Active if email_verified_at.is_none() => Standing::Suspended,
        users::Status::Active => Standing::Active,
    }
}

/// The condition on accounts that [`standing`] calls active.
pub fn in_use() -> Condition {
    Condition::all()
        .add(users::Column::Status.eq(users::Status::Active))
        .add(users::Column::EmailVerifiedAt.is_not_null())
}

/// The setting of a profile; one that cannot be read hides it.
pub fn visibility(profile: &profiles::Model) -> Visibility {
    parse_visibility(&profile.visibility)
}

fn parse_visibility(setting: &str) -> Visibility {
    Visibility::parse(setting).unwrap_or(Visibility::Private)
}

/// For whom a thing is that its owner is about to write, inside the writing transaction.
///
/// The profile's row stays locked until the commit, so that a change of its setting comes either before
/// or after, and [`refresh_audience`] misses nothing.
///
/// # Errors
/// 401 when the account is gone.
pub async fn audience_of_new(tx: &DatabaseTransaction, user_id: i64, is_public: bool) -> Result<Audience> {
    let (visibility, standing) = owner(tx, user_id, LockType::Share).await?;
    Ok(Audience::of(visibility, is_public, standing))
}

/// The profile's setting, whose row stays locked, and whether the account is in use.
async fn owner(tx: &DatabaseTransaction, user_id: i64, lock: LockType) -> Result<(Visibility, Standing)> {
    let account = |column: users::Column| {
        let own = users::Column::Id.into_expr().equals(profiles::Column::UserId.as_column_ref());
        let row = users::Entity::find().select_only().column(column).filter(own);
        Expr::expr(row.into_query())
    };
    let found = profiles::Entity::find_by_id(user_id)
        .select_only()
        .column(profiles::Column::Visibility)
        .expr_as(account(users::Column::Status), "status")
        .expr_as(account(users::Column::EmailVerifiedAt), "email_verified_at")
        .lock(lock)
        .into_tuple::<(String, Option<users::Status>, Option<i64>)>()
        .one(tx)
        .await?;
    let Some((setting, Some(status), verified_at)) = found else { return Err(Error::token_not_valid()) };
    Ok((parse_visibility(&setting), standing_of(status, verified_at)))
}

/// Makes the stored audience of a user's reviews, and the public sums of their books, what they have to be
/// now. Belongs into every transaction that changes the profile's setting or the account's state, after
/// the change.
///
/// # Errors
/// 401 when the account is gone.
pub async fn refresh_audience(tx: &DatabaseTransaction, user_id: i64) -> Result<()> {
    let (visibility, standing) = owner(tx, user_id, LockType::Update).await?;
    for is_public in [true, false] {
        let wanted = Audience::of(visibility, is_public, standing);
        let stale = Condition::all()
            .add(reviews::Column::UserId.eq(user_id))
            .add(reviews::Column::IsPublic.eq(is_public))
            .add(reviews::Column::Audience.ne(wanted.code()));
        match wanted {
            Audience::Everyone => count_in_books(tx, stale.clone(), 1).await?,
            _ => {
                let everyone = reviews::Column::Audience.eq(Audience::Everyone.code());
                count_in_books(tx, stale.clone().add(everyone), -1).await?;
            }
        }
        reviews::Entity::update_many()
            .col_expr(reviews::Column::Audience, Expr::value(wanted.code()))
            .filter(stale)
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Adds reviews to the public figures of their books, or takes them out.
async fn count_in_books(tx: &DatabaseTransaction, which: Condition, sign: i64) -> Result<()> {
    let mut rated: Vec<(i64, i64)> = reviews::Entity::find()
        .select_only()
        .columns([reviews::Column::Rating, reviews::Column::BookId])
        .filter(which)
        .into_tuple()
        .all(tx)
        .await?;
    // In one order for each rating: two users with the same books and other ratings may still wait for each other,
    // which the database ends and the writer tries again.
    rated.sort_unstable_by_key(|(_, book_id)| *book_id);
    for rating in 1..=5 {
        let of_rating = rated.iter().filter(|(found, _)| *found == rating);
        let book_ids: Vec<i64> = of_rating.map(|(_, book_id)| *book_id).collect();
        for chunk in book_ids.chunks(CHUNK) {
            add_to_books(tx, chunk, sign * rating, sign).await?;
        }
    }
    Ok(())
}

/// Changes the public figures of books: the sum of the ratings and their number.
///
/// # Errors
/// When the database does not answer.
pub async fn add_to_books(tx: &DatabaseTransaction, book_ids: &[i64], sum: i64, count: i64) -> Result<()> {
    use books::Column::{Id, PublicRatingSum, PublicReviewCount};
    books::Entity::update_many()
        .col_expr(PublicRatingSum, Expr::col(PublicRatingSum).add(sum))
        .col_expr(PublicReviewCount, Expr::col(PublicReviewCount).add(count))
        .filter(Id.is_in(book_ids.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}
