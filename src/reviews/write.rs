//! Making, changing and removing a review.

use super::body::{NewReview, ReviewPatch, ReviewRequest};
use super::owned::{EditableReview, RemovableReview};
use super::store::{CreateReview, DeleteReview, UpdateReview};
use super::view::Review;
use crate::access::CurrentUser;
use crate::error::Result;
use crate::extract::Body;
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

/// Makes a review of a book by the caller.
#[utoipa::path(post, path = "/reviews", tag = "reviews", request_body = ReviewRequest, responses(
    (status = 201, description = "The review as it is stored.", body = Review),
    (status = 400, description = "A field is wrong, there is no such book, or the caller has reviewed it.")))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    Body(review): Body<NewReview>,
) -> Result<(StatusCode, Json<Review>)> {
    let create =
        CreateReview { user_id: caller.user.id, review, outbox: Some(app.outbox.clone()), now: app.now() };
    let review = app.write(create).await?;
    Ok((StatusCode::CREATED, Json(Review::of(review, caller.user.username.clone()))))
}

/// Puts a review in place of the caller's.
#[utoipa::path(put, path = "/reviews/{id}", tag = "reviews", request_body = ReviewRequest,
    params(("id" = i64, Path, description = "Of the list.")),
    responses(
    (status = 200, description = "The review as it is stored.", body = Review),
    (status = 400, description = "A field is wrong, there is no such book, or the caller has reviewed it."),
    (status = 403, description = "It is somebody else's."),
    (status = 404, description = "There is no such review, or the caller may not see it.")))]
pub async fn replace(
    State(app): State<Arc<App>>,
    target: EditableReview,
    Body(review): Body<NewReview>,
) -> Result<Json<Review>> {
    write(&app, target, review.into()).await
}

/// Changes the caller's review.
#[utoipa::path(patch, path = "/reviews/{id}", tag = "reviews", request_body = ReviewPatch,
    params(("id" = i64, Path, description = "Of the list.")),
    responses(
    (status = 200, description = "The review as it is stored.", body = Review),
    (status = 400, description = "A field is wrong, there is no such book, or the caller has reviewed it."),
    (status = 403, description = "It is somebody else's."),
    (status = 404, description = "There is no such review, or the caller may not see it.")))]
pub async fn change(
    State(app): State<Arc<App>>,
    target: EditableReview,
    Body(patch): Body<ReviewPatch>,
) -> Result<Json<Review>> {
    write(&app, target, patch).await
}

async fn write(app: &App, target: EditableReview, patch: ReviewPatch) -> Result<Json<Review>> {
    let EditableReview { review, caller } = target;
    let update = UpdateReview { id: review.id, user_id: review.user_id, patch, now: app.now() };
    let review = app.write(update).await?;
    Ok(Json(Review::of(review, caller.user.username.clone())))
}

/// Removes the caller's review, or for staff anybody's.
#[utoipa::path(delete, path = "/reviews/{id}", tag = "reviews",
    params(("id" = i64, Path, description = "Of the list.")),
    responses(
    (status = 204, description = "It is gone."),
    (status = 403, description = "It is somebody else's."),
    (status = 404, description = "There is no such review, or the caller may not see it.")))]
pub async fn delete(State(app): State<Arc<App>>, target: RemovableReview) -> Result<StatusCode> {
    let RemovableReview(review) = target;
    app.write(DeleteReview { id: review.id, user_id: review.user_id }).await?;
    Ok(StatusCode::NO_CONTENT)
}
