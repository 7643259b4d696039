//! A review as others see it.

use super::companions::{self, Companions};
use super::owned::VisibleReview;
use crate::error::Result;
use crate::extract::Include;
use crate::model::reviews::Model;
use crate::state::App;
use axum::Json;
use axum::extract::State;
use portcullis_security::clock::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A review.
#[derive(Debug, Serialize, ToSchema)]
pub struct Review {
    id: i64,
    /// The book's id.
    book: i64,
    /// The owner's username.
    user: String,
    /// Plain text: encode it where it is shown.
    title: String,
    /// Harmless HTML.
    review_text: String,
    /// 1 to 5.
    rating: i64,
    is_public: bool,
    created_at: String,
    updated_at: String,
    /// The book's title, for those who include it.
    #[serde(skip_serializing_if = "Option::is_none")]
    book_title: Option<String>,
    /// Where the owner's picture is, or null without one; for those who include it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    avatar_url: Option<Option<String>>,
}

impl Review {
    pub(super) fn of(review: Model, user: String) -> Self {
        let time = |micros| Timestamp::from_micros(micros).to_string();
        Self {
            id: review.id,
            book: review.book_id,
            user,
            title: review.title,
            review_text: review.review_text,
            rating: review.rating,
            is_public: review.is_public,
            created_at: time(review.created_at),
            updated_at: time(review.updated_at),
            book_title: None,
            avatar_url: None,
        }
    }

    pub(super) fn with(self, book_title: Option<String>, avatar_url: Option<Option<String>>) -> Self {
        Self { book_title, avatar_url, ..self }
    }
}

/// Shows a review.
#[utoipa::path(get, path = "/reviews/{id}", tag = "reviews",
    params(("id" = i64, Path, description = "Of the list."),
    ("include" = Option<String>, Query, description = companions::ABOUT)),
    responses(
    (status = 200, description = "The review.", body = Review),
    (status = 404, description = "There is no such review, or the caller may not see it.")))]
pub async fn read(
    State(app): State<Arc<App>>,
    review: VisibleReview,
    include: Include,
) -> Result<Json<Review>> {
    let VisibleReview(review) = review;
    let companions = Companions::read(&app, std::slice::from_ref(&review), &include).await?;
    Ok(Json(companions.show(review)))
}
