//! One book: shown to everybody, made and changed by staff.

use super::body::{BookPatch, BookRequest, NewBook};
use super::figures::{Figures, figures};
use super::store::{DeleteBook, InsertBooks, UpdateBook, find};
use crate::access::{Staff, Viewer};
use crate::error::{Error, Result};
use crate::extract::{Body, Parameter};
use crate::model::books::Model;
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A book as a viewer sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Book {
    id: i64,
    /// Plain text.
    title: String,
    /// Plain text.
    author: String,
    /// ISBN-13, digits alone.
    isbn: Option<String>,
    /// Plain text.
    description: String,
    /// When it was first published.
    year: Option<i64>,
    /// The mean of the ratings that the caller may see; null without one.
    average_rating: Option<f64>,
    /// The number of reviews that the caller may see.
    review_count: i64,
}

impl Book {
    pub(super) fn of(book: Model, figures: Figures) -> Self {
        Self {
            id: book.id,
            title: book.title,
            author: book.author,
            isbn: book.isbn,
            description: book.description,
            year: book.year,
            average_rating: figures.average(),
            review_count: figures.count,
        }
    }
}

/// Shows a book.
#[utoipa::path(get, path = "/books/{id}", tag = "books", params(("id" = i64, Path, description = "Of the list.")),
    responses(
    (status = 200, description = "The book; its figures count what the caller may see.", body = Book),
    (status = 404, description = "There is no such book.")))]
pub async fn read(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    Parameter(id): Parameter<i64>,
) -> Result<Json<Book>> {
    let book = find(app.storage.reader(), id).await?;
    shown(&app, viewer, book).await
}

/// Makes a book; staff only.
#[utoipa::path(post, path = "/books", tag = "books", request_body = BookRequest, responses(
    (status = 201, description = "The book.", body = Book),
    (status = 400, description = "A field is wrong, or another book has the ISBN."),
    (status = 403, description = "The caller is not staff.")))]
pub async fn create(
    State(app): State<Arc<App>>,
    staff: Staff,
    Body(book): Body<NewBook>,
) -> Result<(StatusCode, Json<Book>)> {
    let ids = app.write(InsertBooks { books: vec![book], now: app.now() }).await?;
    let id = ids.first().ok_or_else(|| Error::internal("a book was inserted without an id"))?;
    let book = find(app.storage.reader(), *id).await?;
    Ok((StatusCode::CREATED, shown(&app, Viewer::of(&staff.user), book).await?))
}

/// Changes a book; staff only.
#[utoipa::path(patch, path = "/books/{id}", tag = "books", request_body = BookPatch,
    params(("id" = i64, Path, description = "Of the list.")),
    responses(
    (status = 200, description = "The book as it is now.", body = Book),
    (status = 400, description = "A field is wrong, or another book has the ISBN."),
    (status = 403, description = "The caller is not staff."),
    (status = 404, description = "There is no such book.")))]
pub async fn update(
    State(app): State<Arc<App>>,
    staff: Staff,
    Parameter(id): Parameter<i64>,
    Body(patch): Body<BookPatch>,
) -> Result<Json<Book>> {
    let book = app.write(UpdateBook { id, patch, now: app.now() }).await?;
    shown(&app, Viewer::of(&staff.user), book).await
}

/// Removes a book with all of its reviews; staff only.
#[utoipa::path(delete, path = "/books/{id}", tag = "books", params(("id" = i64, Path, description = "Of the list.")),
    responses(
    (status = 204, description = "It is gone."),
    (status = 403, description = "The caller is not staff."),
    (status = 404, description = "There is no such book.")))]
pub async fn delete(
    State(app): State<Arc<App>>,
    _staff: Staff,
    Parameter(id): Parameter<i64>,
) -> Result<StatusCode> {
    app.write(DeleteBook { id, now: app.now() }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn shown(app: &App, viewer: Viewer, book: Model) -> Result<Json<Book>> {
    let books = [book];
    let of_books = figures(app.storage.reader(), viewer, &books).await?;
    let [book] = books;
    let of_book = of_books.get(&book.id).copied().unwrap_or_default();
    Ok(Json(Book::of(book, of_book)))
}
