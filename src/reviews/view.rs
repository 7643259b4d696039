//! A review as others see it.

use super::owned::VisibleReview;
use crate::error::Result;
use crate::model::reviews::Model;
use crate::model::users;
use crate::state::App;
use axum::Json;
use axum::extract::State;
use portcullis_security::clock::Timestamp;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::Serialize;
use std::collections::HashMap;
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
        }
    }
}

/// Shows a review.
#[utoipa::path(get, path = "/reviews/{id}", tag = "reviews",
    params(("id" = i64, Path, description = "Of the list.")),
    responses(
    (status = 200, description = "The review.", body = Review),
    (status = 404, description = "There is no such review, or the caller may not see it.")))]
pub async fn read(State(app): State<Arc<App>>, review: VisibleReview) -> Result<Json<Review>> {
    let VisibleReview(review) = review;
    let names = usernames(app.storage.reader(), [review.user_id]).await?;
    let name = names.get(&review.user_id).cloned().unwrap_or_default();
    Ok(Json(Review::of(review, name)))
}

/// The usernames of some users.
pub(super) async fn usernames(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, String>> {
    let rows: Vec<(i64, String)> = users::Entity::find()
        .select_only()
        .columns([users::Column::Id])
        .columns([users::Column::Username])
        .filter(users::Column::Id.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}
