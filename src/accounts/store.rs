//! Queries and changes of accounts that several actions share.

use crate::error::{Error, Result};
use crate::model::one_time_tokens::{self, Purpose};
use crate::model::users::{ActiveModel, Column, Entity, Model};
use crate::model::{notification_preferences, profiles};
use crate::storage::{Storage, is_unique_violation};
use portcullis_security::clock::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};

/// The guide's words (§3.4).
pub const TAKEN: &str = "Username already exists";
/// The guide's words (§3.4).
pub const REGISTERED: &str = "Email already registered";

/// Inserts an account with the rows that every one has beside its own; gives its id.
///
/// # Errors
/// 400 when the username or the address is taken, or the id if one is given.
pub async fn insert_user(tx: &DatabaseTransaction, user: ActiveModel) -> Result<i64> {
    let user_id = match Entity::insert(user).exec(tx).await {
        Ok(inserted) => inserted.last_insert_id,
        Err(error) if is_unique_violation(&error, "username_key") => {
            return Err(Error::field("username", TAKEN));
        }
        Err(error) if is_unique_violation(&error, "email_claim") => {
            return Err(Error::field("email", REGISTERED));
        }
        // SQLite names the column, MySQL the key.
        Err(error) if ["users.id", "PRIMARY"].iter().any(|key| is_unique_violation(&error, key)) => {
            return Err(Error::field("id", "A user with that id already exists."));
        }
        Err(error) => return Err(error.into()),
    };
    insert_companions(tx, user_id).await?;
    Ok(user_id)
}

async fn insert_companions(tx: &DatabaseTransaction, user_id: i64) -> Result<()> {
    let profile = profiles::ActiveModel {
        user_id: Set(user_id),
        bio: Set(String::new()),
        visibility: Set("public".to_owned()),
        ..profiles::ActiveModel::default()
    };
    profiles::Entity::insert(profile).exec_without_returning(tx).await?;
    let preferences = notification_preferences::ActiveModel {
        user_id: Set(user_id),
        new_follower: Set(true),
        follow_request: Set(true),
        follow_approved: Set(true),
        book_reviewed: Set(true),
    };
    notification_preferences::Entity::insert(preferences).exec_without_returning(tx).await?;
    Ok(())
}

/// Whether a username is taken.
///
/// # Errors
/// When the database does not answer.
pub async fn is_taken(storage: &Storage, username_key: &str) -> Result<bool> {
    let same = Entity::find().filter(Column::UsernameKey.eq(username_key));
    Ok(same.count(storage.reader()).await? > 0)
}

/// Whether any account, verified or not, has an address.
///
/// # Errors
/// When the database does not answer.
pub async fn is_registered(db: &impl ConnectionTrait, email: &str) -> Result<bool> {
    Ok(Entity::find().filter(Column::Email.eq(email)).count(db).await? > 0)
}

/// The account to which an address belongs.
///
/// # Errors
/// When the database does not answer.
pub async fn owner_of_address(db: &impl ConnectionTrait, email: &str) -> Result<Option<Model>> {
    let owner =
        Entity::find().filter(Column::EmailClaim.eq(email)).filter(Column::EmailVerifiedAt.is_not_null());
    Ok(owner.one(db).await?)
}

/// Those of the accounts that wait for an address whose last letter is the longest ago, five at most.
///
/// Anybody may register any address, and as often as they like: with turns, nobody who does keeps the letters from
/// another.
///
/// # Errors
/// When the database does not answer.
pub async fn next_to_mail(db: &impl ConnectionTrait, email: &str) -> Result<Vec<Model>> {
    use one_time_tokens::{Column as Token, Entity as Tokens};
    let mailed_at = Tokens::find()
        .select_only()
        .expr(Token::CreatedAt.max())
        .filter(Expr::col((Tokens, Token::UserId)).equals((Entity, Column::Id)))
        .filter(Token::Purpose.eq(Purpose::Verify))
        .into_query();
    let joined_at = Expr::col((Entity, Column::DateJoined));
    let last_heard = Func::coalesce([Expr::expr(mailed_at), joined_at]);
    let next = waiting(email).order_by_asc(Expr::expr(last_heard)).order_by_asc(Column::Id).limit(5);
    Ok(next.all(db).await?)
}

/// The accounts that wait for an address to be verified.
pub fn waiting(email: &str) -> Select<Entity> {
    Entity::find()
        .filter(Column::Email.eq(email))
        .filter(Column::EmailVerifiedAt.is_null())
        .filter(Column::EmailConflict.eq(false))
}

/// An account's row, inside a change.
///
/// # Errors
/// When the row is gone or the database does not answer.
pub async fn load(db: &impl ConnectionTrait, user_id: i64) -> Result<Model> {
    Entity::find_by_id(user_id).one(db).await?.ok_or_else(Error::token_not_valid)
}

/// Uses a one-time token up; `None` when it is unknown, used, expired or meant for something else.
///
/// One statement decides, so that of two calls at once only one wins.
///
/// # Errors
/// When the database does not answer.
pub async fn consume(
    tx: &DatabaseTransaction,
    hash: [u8; 32],
    purpose: Purpose,
    now: Timestamp,
) -> Result<Option<one_time_tokens::Model>> {
    use one_time_tokens::{Column, Entity};
    let used = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now.micros()))
        .filter(Column::Hash.eq(hash.to_vec()))
        .filter(Column::Purpose.eq(purpose))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now.micros()))
        .exec(tx)
        .await?;
    if used.rows_affected == 0 {
        return Ok(None);
    }
    Ok(Entity::find().filter(Column::Hash.eq(hash.to_vec())).one(tx).await?)
}

/// The row of a one-time token that could be used now, without using it.
///
/// # Errors
/// When the database does not answer.
pub async fn peek(
    storage: &Storage,
    hash: [u8; 32],
    purpose: Purpose,
    now: Timestamp,
) -> Result<Option<one_time_tokens::Model>> {
    use one_time_tokens::{Column, Entity};
    let usable = Entity::find()
        .filter(Column::Hash.eq(hash.to_vec()))
        .filter(Column::Purpose.eq(purpose))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now.micros()));
    Ok(usable.one(storage.reader()).await?)
}

/// Ends an account's unused tokens of some purposes: links die with what they were for.
///
/// # Errors
/// When the database does not answer.
pub async fn end_tokens(
    tx: &DatabaseTransaction,
    user_id: i64,
    purposes: &[Purpose],
    now: Timestamp,
) -> Result<()> {
    use one_time_tokens::{Column, Entity};
    Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now.micros()))
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Purpose.is_in(purposes.iter().copied()))
        .filter(Column::UsedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}
