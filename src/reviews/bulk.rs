//! Many reviews at once, for moving in: nobody is told about them.

use super::body::NewReview;
use super::store::{WORDS, taken_or};
use crate::access::{add_to_books, audience_of_new};
use crate::error::{Error, Result};
use crate::extract::insert_words;
use crate::model::books;
use crate::model::reviews::{ActiveModel, Column, Entity};
use crate::storage::Write;
use portcullis_security::clock::Timestamp;
use portcullis_security::permission::Audience;
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Rows in one statement: SQLite binds at most 32,766 values.
const CHUNK: usize = 500;

/// Inserts reviews, all of them or none.
pub struct InsertReviews {
    /// Whose, and what they say.
    pub reviews: Vec<(i64, NewReview)>,
    /// When.
    pub now: Timestamp,
}

impl Write for InsertReviews {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let audiences = self.audiences(tx).await?;
        self.require_books(tx).await?;
        let last = last_id(tx).await?;
        for chunk in self.reviews.chunks(CHUNK) {
            let rows: Vec<_> =
                chunk.iter().map(|(user, review)| self.row(*user, review, &audiences)).collect();
            Entity::insert_many(rows).exec_without_returning(tx).await.map_err(taken_or)?;
        }
        self.insert_words(tx, last).await?;
        self.count(tx, &audiences).await
    }
}

impl InsertReviews {
    /// For each user, for whom a public review and one that is not public are.
    async fn audiences(&self, tx: &DatabaseTransaction) -> Result<HashMap<i64, Audience>> {
        let mut users: Vec<i64> = self.reviews.iter().map(|(user, _)| *user).collect();
        users.sort_unstable();
        users.dedup();
        let mut audiences = HashMap::with_capacity(users.len());
        for user in users {
            audiences.insert(user, audience_of_new(tx, user, true).await?);
        }
        Ok(audiences)
    }

    async fn require_books(&self, tx: &DatabaseTransaction) -> Result<()> {
        let wanted: HashSet<i64> = self.reviews.iter().map(|(_, review)| review.book).collect();
        let found = books::Entity::find().select_only().column(books::Column::Id);
        let found = found.filter(books::Column::Id.is_in(wanted.iter().copied())).lock_shared();
        let found: Vec<i64> = found.into_tuple().all(tx).await?;
        if found.len() == wanted.len() { Ok(()) } else { Err(Error::field("book", "There is no such book.")) }
    }

    fn row(&self, user: i64, review: &NewReview, audiences: &HashMap<i64, Audience>) -> ActiveModel {
        let now = self.now.micros();
        ActiveModel {
            book_id: Set(review.book),
            user_id: Set(user),
            title: Set(review.title.clone()),
            review_text: Set(review.review_text.clone()),
            rating: Set(review.rating),
            is_public: Set(review.is_public()),
            audience: Set(audience_of(user, review, audiences).code()),
            created_at: Set(now),
            updated_at: Set(now),
            ..ActiveModel::default()
        }
    }

    /// The ids of many inserted rows are not told: they are read again.
    async fn insert_words(&self, tx: &DatabaseTransaction, last: i64) -> Result<()> {
        let users: HashSet<i64> = self.reviews.iter().map(|(user, _)| *user).collect();
        let new = Entity::find().filter(Column::Id.gt(last)).filter(Column::UserId.is_in(users));
        let new = new.select_only().columns([Column::Id]).columns([Column::UserId, Column::BookId]);
        let ids: Vec<(i64, i64, i64)> = new.into_tuple().all(tx).await?;
        let ids: HashMap<_, _> = ids.into_iter().map(|(id, user, book)| ((user, book), id)).collect();
        let of_review = |(user, review): &(i64, NewReview)| {
            Some((*ids.get(&(*user, review.book))?, review.title.clone()))
        };
        let texts: Vec<_> = self.reviews.iter().filter_map(of_review).collect();
        insert_words(tx, WORDS, &texts).await
    }

    /// In the order of the books' ids, as everywhere, against deadlocks.
    async fn count(&self, tx: &DatabaseTransaction, audiences: &HashMap<i64, Audience>) -> Result<()> {
        let mut sums: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        let is_public =
            |(user, review): &&(i64, NewReview)| audience_of(*user, review, audiences) == Audience::Everyone;
        for (_, review) in self.reviews.iter().filter(is_public) {
            let (sum, count) = sums.entry(review.book).or_default();
            *sum += review.rating;
            *count += 1;
        }
        for (book, (sum, count)) in sums {
            add_to_books(tx, &[book], sum, count).await?;
        }
        Ok(())
    }
}

fn audience_of(user: i64, review: &NewReview, audiences: &HashMap<i64, Audience>) -> Audience {
    let public = audiences.get(&user).copied().unwrap_or(Audience::Nobody);
    if review.is_public() { public } else { public.max(Audience::OwnerOnly) }
}

async fn last_id(tx: &DatabaseTransaction) -> Result<i64> {
    use sea_orm::QueryOrder;
    let last = Entity::find().select_only().column(Column::Id).order_by_desc(Column::Id);
    Ok(last.into_tuple().one(tx).await?.unwrap_or(0))
}
