//! The caller's own profile and settings.

use super::preferences::{Preferences, PreferencesPatch};
use super::store::count_follows;
use crate::access::{CurrentUser, Viewer, refresh_audience};
use crate::error::{Error, Result};
use crate::extract::{Body, FromInput, Input};
use crate::model::{notification_preferences, profiles};
use crate::state::App;
use crate::storage::Write;
use axum::Json;
use axum::extract::State;
use portcullis_security::permission::Visibility;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Characters of a bio, at most (contract §1).
const MAX_BIO: usize = 500;

/// A profile as its owner sees it.
#[derive(Serialize, ToSchema)]
pub struct OwnProfile {
    username: String,
    /// Plain text, at most 500 characters.
    bio: String,
    /// Where the picture is, if there is one.
    avatar_url: Option<String>,
    followers_count: u64,
    following_count: u64,
    /// `public`, `followers_only` or `private`.
    profile_visibility: String,
    /// Which mails the owner wants.
    notification_preferences: Preferences,
}

/// Shows the caller's own profile and settings.
#[utoipa::path(get, path = "/profile", tag = "profiles", responses(
    (status = 200, description = "The profile.", body = OwnProfile)))]
pub async fn read(State(app): State<Arc<App>>, caller: CurrentUser) -> Result<Json<OwnProfile>> {
    let user_id = caller.user.id;
    let db = app.storage.reader();
    let profile = profiles::Entity::find_by_id(user_id).one(db).await?.ok_or_else(Error::not_found)?;
    let preferences = notification_preferences::Entity::find_by_id(user_id).one(db).await?;
    let preferences = preferences.ok_or_else(Error::not_found)?;
    let (followers_count, following_count) = count_follows(db, Viewer::of(&caller.user), user_id).await?;
    Ok(Json(OwnProfile {
        username: caller.user.username.clone(),
        bio: profile.bio,
        avatar_url: app.media_url(profile.avatar.as_deref()),
        followers_count,
        following_count,
        profile_visibility: profile.visibility,
        notification_preferences: Preferences::of(&preferences),
    }))
}

/// What to change; the rest stays.
#[derive(ToSchema)]
pub struct ProfilePatch {
    /// Plain text, at most 500 characters, may be empty.
    pub bio: Option<String>,
    /// `public`, `followers_only` or `private`.
    #[schema(value_type = Option<String>)]
    pub profile_visibility: Option<Visibility>,
    /// The mails to turn on or off.
    pub notification_preferences: Option<PreferencesPatch>,
}

impl FromInput for ProfilePatch {
    fn from_input(input: &mut Input) -> Option<Self> {
        let (bio, visibility) = (input.optional_text("bio"), input.optional_text("profile_visibility"));
        let bio = input.parse("bio", bio, parse_bio);
        let profile_visibility = input.parse("profile_visibility", visibility, parse_visibility);
        let preferences = input.optional_object("notification_preferences", PreferencesPatch::read);
        Some(Self { bio, profile_visibility, notification_preferences: preferences })
    }
}

fn parse_bio(text: &str) -> Result<String, String> {
    match text.chars().count() > MAX_BIO {
        true => Err(format!("Ensure this field has no more than {MAX_BIO} characters.")),
        false => Ok(text.to_owned()),
    }
}

fn parse_visibility(text: &str) -> Result<Visibility, String> {
    Visibility::parse(text).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        format!("\"{shown}\" is not a valid choice.")
    })
}

/// Changes the caller's profile and settings. A new visibility holds at once, also for every review.
#[utoipa::path(patch, path = "/profile", tag = "profiles", request_body = ProfilePatch, responses(
    (status = 200, description = "The profile as it is now.", body = OwnProfile),
    (status = 400, description = "A field is not as it has to be.")))]
pub async fn update(
    state: State<Arc<App>>,
    caller: CurrentUser,
    Body(patch): Body<ProfilePatch>,
) -> Result<Json<OwnProfile>> {
    state.write(UpdateProfile { user_id: caller.user.id, patch }).await?;
    read(state, caller).await
}

struct UpdateProfile {
    user_id: i64,
    patch: ProfilePatch,
}

impl Write for UpdateProfile {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        use profiles::Column::{Bio, UserId};
        if let Some(bio) = &self.patch.bio {
            let update = profiles::Entity::update_many().col_expr(Bio, Expr::value(bio.clone()));
            update.filter(UserId.eq(self.user_id)).exec(tx).await?;
        }
        if let Some(visibility) = self.patch.profile_visibility {
            let update = profiles::Entity::update_many()
                .col_expr(profiles::Column::Visibility, Expr::value(visibility.as_str()));
            update.filter(UserId.eq(self.user_id)).exec(tx).await?;
            refresh_audience(tx, self.user_id).await?;
        }
        for (preference, is_wanted) in
            self.patch.notification_preferences.iter().flat_map(PreferencesPatch::changes)
        {
            super::store::set_preference(tx, self.user_id, preference, is_wanted).await?;
        }
        Ok(())
    }
}
