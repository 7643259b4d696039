//! Somebody's profile, as others see it.

use super::person::VisibleProfile;
use super::store::{count_follows, find_follow};
use crate::error::Result;
use crate::extract::Include;
use crate::model::follows;
use crate::state::App;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A profile as others see it.
#[derive(Serialize, ToSchema)]
pub struct Profile {
    username: String,
    /// Plain text.
    bio: String,
    /// Where the picture is, if there is one.
    avatar_url: Option<String>,
    followers_count: u64,
    following_count: u64,
    /// Whether the caller follows, where it is asked for: `accepted`, `pending`, or null for not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    follow_status: Option<Option<&'static str>>,
}

/// Shows a profile. One that the caller may not see is answered as if it did not exist.
#[utoipa::path(get, path = "/profiles/{username}", tag = "profiles",
    params(("username" = String, Path, description = "Without regard to case."),
    ("include" = Option<String>, Query, description = "`follow_status`: whether the caller follows.")), responses(
    (status = 200, description = "The profile.", body = Profile),
    (status = 404, description = "There is none, or none that the caller may see.")))]
pub async fn show(
    State(app): State<Arc<App>>,
    shown: VisibleProfile,
    include: Include,
) -> Result<Json<Profile>> {
    let VisibleProfile { user, profile, viewer } = shown;
    let db = app.storage.reader();
    let (followers_count, following_count) = count_follows(db, viewer, user.id).await?;
    let follow_status = match (include.has("follow_status"), viewer.user_id()) {
        (false, _) => None,
        (true, None) => Some(None),
        (true, Some(viewer_id)) => Some(find_follow(db, viewer_id, user.id).await?.as_ref().map(status_of)),
    };
    Ok(Json(Profile {
        username: user.username,
        bio: profile.bio,
        avatar_url: app.media_url(profile.avatar.as_deref()),
        followers_count,
        following_count,
        follow_status,
    }))
}

/// `accepted` or `pending`.
pub(super) const fn status_of(follow: &follows::Model) -> &'static str {
    if follow.accepted_at.is_some() { "accepted" } else { "pending" }
}
