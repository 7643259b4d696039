//! Changes of books.

use super::body::{BookPatch, Change, NewBook};
use crate::error::{Error, Result};
use crate::extract::{WordTable, delete_words, insert_words};
use crate::model::books::{ActiveModel, Column, Entity, Model};
use crate::model::{book_changes, book_words, review_words, reviews};
use crate::storage::{Write, is_unique_violation};
use portcullis_security::clock::Timestamp;
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    QuerySelect,
};

const TAKEN: &str = "A book with this ISBN already exists.";

/// By which words books are found.
pub(super) const WORDS: WordTable<book_words::Entity> =
    (book_words::Entity, book_words::Column::BookId, book_words::Column::Word);
/// Rows of news in one statement.
const CHUNK: usize = 500;

/// Inserts books, all of them or none; gives their ids.
pub struct InsertBooks {
    /// The books.
    pub books: Vec<NewBook>,
    /// When.
    pub now: Timestamp,
}

impl Write for InsertBooks {
    type Output = Vec<i64>;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Vec<i64>> {
        let mut ids = Vec::with_capacity(self.books.len());
        let mut texts = Vec::with_capacity(self.books.len());
        for book in &self.books {
            let inserted = Entity::insert(book_values(book, self.now)).exec(tx).await;
            let id = inserted.map_err(taken_or)?.last_insert_id;
            texts.push((id, found_by(&book.title, &book.author, book.isbn.as_deref())));
            ids.push(id);
        }
        insert_words(tx, WORDS, &texts).await?;
        publish(tx, &ids, self.now).await?;
        Ok(ids)
    }
}

fn book_values(book: &NewBook, now: Timestamp) -> ActiveModel {
    ActiveModel {
        title: Set(book.title.clone()),
        author: Set(book.author.clone()),
        isbn: Set(book.isbn.clone()),
        description: Set(book.description.clone()),
        year: Set(book.year),
        public_rating_sum: Set(0),
        public_review_count: Set(0),
        created_at: Set(now.micros()),
        ..ActiveModel::default()
    }
}

/// Changes a book; gives it as it is then.
pub(super) struct UpdateBook {
    pub(super) id: i64,
    pub(super) patch: BookPatch,
    pub(super) now: Timestamp,
}

impl Write for UpdateBook {
    type Output = Model;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Model> {
        // The lock keeps the public figures, which other changes add to, from being read and lost.
        let found = Entity::find_by_id(self.id).lock_exclusive().one(tx).await?;
        let mut book = found.ok_or_else(Error::not_found)?;
        let patch = &self.patch;
        let mut values = ActiveModel::default();
        for (new, old, value) in [
            (&patch.title, &mut book.title, &mut values.title),
            (&patch.author, &mut book.author, &mut values.author),
            (&patch.description, &mut book.description, &mut values.description),
        ] {
            if let Some(text) = new {
                text.clone_into(old);
                *value = Set(text.clone());
            }
        }
        if let Change::Set(isbn) = &patch.isbn {
            book.isbn.clone_from(isbn);
            values.isbn = Set(isbn.clone());
        }
        if let Change::Set(year) = patch.year {
            book.year = year;
            values.year = Set(year);
        }
        values.title = Set(book.title.clone());
        Entity::update_many().set(values).filter(Column::Id.eq(self.id)).exec(tx).await.map_err(taken_or)?;
        delete_words(tx, WORDS, self.id).await?;
        let text = found_by(&book.title, &book.author, book.isbn.as_deref());
        insert_words(tx, WORDS, &[(self.id, text)]).await?;
        publish(tx, &[self.id], self.now).await?;
        Ok(book)
    }
}

/// Removes a book with its reviews.
pub(super) struct DeleteBook {
    pub(super) id: i64,
    pub(super) now: Timestamp,
}

impl Write for DeleteBook {
    type Output = ();

    /// The book goes first: whoever writes a review of it at the same time waits, and then finds no book.
    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        if Entity::delete_by_id(self.id).exec(tx).await?.rows_affected == 0 {
            return Err(Error::not_found());
        }
        delete_words(tx, WORDS, self.id).await?;
        let of_book = reviews::Column::BookId.eq(self.id);
        let ids = Query::select()
            .column(reviews::Column::Id)
            .from(reviews::Entity)
            .and_where(of_book.clone())
            .to_owned();
        let words =
            review_words::Entity::delete_many().filter(review_words::Column::ReviewId.in_subquery(ids));
        words.exec(tx).await?;
        reviews::Entity::delete_many().filter(of_book).exec(tx).await?;
        publish(tx, &[self.id], self.now).await
    }
}

/// Tells every process that books are not as they were.
async fn publish(tx: &DatabaseTransaction, ids: &[i64], now: Timestamp) -> Result<()> {
    let row = |id: &i64| book_changes::ActiveModel {
        book_id: Set(*id),
        at: Set(now.micros()),
        ..book_changes::ActiveModel::default()
    };
    for chunk in ids.chunks(CHUNK) {
        book_changes::Entity::insert_many(chunk.iter().map(row)).exec_without_returning(tx).await?;
    }
    Ok(())
}

fn found_by(title: &str, author: &str, isbn: Option<&str>) -> String {
    format!("{title} {author} {}", isbn.unwrap_or_default())
}

fn taken_or(error: DbErr) -> Error {
    if is_unique_violation(&error, "isbn") { Error::field("isbn", TAKEN) } else { error.into() }
}

/// A book's row.
pub(super) async fn find(db: &impl ConnectionTrait, id: i64) -> Result<Model> {
    Entity::find_by_id(id).one(db).await?.ok_or_else(Error::not_found)
}
