//! Changes of reviews, with the public figures of their books in the same transaction.
//!
//! Everything here locks in one order: the owner's profile, the review, the book. A change of the profile's
//! setting begins with the profile too, so that no review keeps an audience of before.

use super::body::{NewReview, ReviewPatch};
use crate::access::{add_to_books, audience_of_new};
use crate::error::{Error, Result};
use crate::extract::{WordTable, delete_words, insert_words};
use crate::mail::{Letter, Outbox};
use crate::model::reviews::{ActiveModel, Column, Entity, Model};
use crate::model::{books, profiles, review_words};
use crate::storage::{Write, is_unique_violation};
use portcullis_security::clock::Timestamp;
use portcullis_security::permission::Audience;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect,
    QueryTrait,
};

/// By which words reviews are found.
pub(super) const WORDS: WordTable<review_words::Entity> =
    (review_words::Entity, review_words::Column::ReviewId, review_words::Column::Word);

const TAKEN: &str = "You have already reviewed this book.";

/// Makes a review; gives it as it is stored.
pub struct CreateReview {
    /// Whose.
    pub user_id: i64,
    /// What it says.
    pub review: NewReview,
    /// Where the letters to others who reviewed the book go; none where nobody is to be told.
    pub outbox: Option<Outbox>,
    /// When.
    pub now: Timestamp,
}

impl Write for CreateReview {
    type Output = Model;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Model> {
        let NewReview { book, title, review_text, rating, .. } = &self.review;
        let is_public = self.review.is_public();
        let audience = audience_of_new(tx, self.user_id, is_public).await?;
        let now = self.now.micros();
        let values = ActiveModel {
            book_id: Set(*book),
            user_id: Set(self.user_id),
            title: Set(title.clone()),
            review_text: Set(review_text.clone()),
            rating: Set(*rating),
            is_public: Set(is_public),
            audience: Set(audience.code()),
            created_at: Set(now),
            updated_at: Set(now),
            ..ActiveModel::default()
        };
        let id = Entity::insert(values).exec(tx).await.map_err(taken_or)?.last_insert_id;
        insert_words(tx, WORDS, &[(id, title)]).await?;
        let review = Model {
            id,
            book_id: *book,
            user_id: self.user_id,
            title: title.clone(),
            review_text: review_text.clone(),
            rating: *rating,
            is_public,
            audience: audience.code(),
            created_at: now,
            updated_at: now,
        };
        count(tx, &review, 1).await?;
        let has_others = require_book(tx, &review).await?;
        self.tell_others(tx, &review, has_others).await?;
        Ok(review)
    }
}

impl CreateReview {
    /// One letter, which becomes one for each reader: a popular book does not make this write long.
    async fn tell_others(&self, tx: &DatabaseTransaction, review: &Model, has_others: bool) -> Result<()> {
        let Some(outbox) = &self.outbox else { return Ok(()) };
        if has_others && Audience::from_code(review.audience) < Audience::OwnerOnly {
            outbox.enqueue(tx, &Letter::BookReviewed { review_id: review.id }, self.now).await?;
        }
        Ok(())
    }
}

/// Changes a review; gives it as it is stored.
pub(super) struct UpdateReview {
    pub(super) id: i64,
    pub(super) user_id: i64,
    pub(super) patch: ReviewPatch,
    pub(super) now: Timestamp,
}

impl Write for UpdateReview {
    type Output = Model;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Model> {
        let public = audience_of_new(tx, self.user_id, true).await?;
        let old = lock(tx, self.id, self.user_id).await?;
        let patch = self.patch.clone();
        let is_public = patch.is_public.unwrap_or(old.is_public);
        let audience = if is_public { public } else { public.max(Audience::OwnerOnly) };
        let new = Model {
            book_id: patch.book.unwrap_or(old.book_id),
            title: patch.title.unwrap_or_else(|| old.title.clone()),
            review_text: patch.review_text.unwrap_or_else(|| old.review_text.clone()),
            rating: patch.rating.unwrap_or(old.rating),
            is_public,
            audience: audience.code(),
            updated_at: self.now.micros(),
            ..old.clone()
        };
        let values = ActiveModel {
            book_id: Set(new.book_id),
            title: Set(new.title.clone()),
            review_text: Set(new.review_text.clone()),
            rating: Set(new.rating),
            is_public: Set(new.is_public),
            audience: Set(new.audience),
            updated_at: Set(new.updated_at),
            ..ActiveModel::default()
        };
        Entity::update_many().set(values).filter(Column::Id.eq(self.id)).exec(tx).await.map_err(taken_or)?;
        if new.title != old.title {
            delete_words(tx, WORDS, self.id).await?;
            insert_words(tx, WORDS, &[(self.id, &new.title)]).await?;
        }
        count(tx, &old, -1).await?;
        count(tx, &new, 1).await?;
        if new.book_id != old.book_id {
            require_book(tx, &new).await?;
        }
        Ok(new)
    }
}

/// Removes a review.
pub(super) struct DeleteReview {
    pub(super) id: i64,
    pub(super) user_id: i64,
}

impl Write for DeleteReview {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        profiles::Entity::find_by_id(self.user_id).lock_shared().one(tx).await?;
        let review = lock(tx, self.id, self.user_id).await?;
        Entity::delete_by_id(self.id).exec(tx).await?;
        delete_words(tx, WORDS, self.id).await?;
        count(tx, &review, -1).await
    }
}

/// The row, which nobody else changes until the commit.
async fn lock(tx: &DatabaseTransaction, id: i64, user_id: i64) -> Result<Model> {
    let own = Entity::find_by_id(id).filter(Column::UserId.eq(user_id)).lock_exclusive();
    own.one(tx).await?.ok_or_else(Error::not_found)
}

/// Adds a review to the public figures of its book, or takes it out, if everybody sees it.
async fn count(tx: &DatabaseTransaction, review: &Model, sign: i64) -> Result<()> {
    if review.audience != Audience::Everyone.code() {
        return Ok(());
    }
    add_to_books(tx, &[review.book_id], sign * review.rating, sign).await
}

/// Whether the book has reviews beside this one. It stays until the commit: a review that was counted has locked
/// it by that; two who share the lock and then both count would wait for each other.
async fn require_book(tx: &DatabaseTransaction, review: &Model) -> Result<bool> {
    let id = review.book_id;
    let others = Entity::find().select_only().column(Column::Id);
    let others = others.filter(Column::BookId.eq(id)).filter(Column::Id.ne(review.id)).into_query();
    let mut found = books::Entity::find_by_id(id).select_only().expr_as(Expr::exists(others), "has_others");
    if review.audience != Audience::Everyone.code() {
        found = found.lock_shared();
    }
    match found.into_tuple::<bool>().one(tx).await? {
        Some(has_others) => Ok(has_others),
        None => Err(Error::field("book", format!("Invalid pk \"{id}\" - object does not exist."))),
    }
}

pub(super) fn taken_or(error: DbErr) -> Error {
    if is_unique_violation(&error, "user_id") { Error::field("book", TAKEN) } else { error.into() }
}
