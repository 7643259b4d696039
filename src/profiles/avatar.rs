//! The picture of a profile: uploading and removing one (guide §13).

use crate::access::CurrentUser;
use crate::error::{Error, Result};
use crate::model::profiles;
use crate::state::App;
use crate::storage::{FileName, Write};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use bytes::Bytes;
use portcullis_security::upload::OUTPUT_EXTENSION;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The folder of avatars, in names and addresses.
pub(super) const FOLDER: &str = "avatars";
/// Bytes of an upload, at most: this many pass, one more does not (contract §3).
const MAX_FILE: usize = 5 * 1024 * 1024;
const FIELD: &str = "avatar";

/// A form with a file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body; the fields are read as they arrive")]
pub struct AvatarUpload {
    /// A JPEG, PNG or WebP of at most 5 MiB and 25 megapixels, told by its content. It is turned upright,
    /// fitted into 512 × 512 without being cropped or enlarged, and stored as a JPEG without metadata.
    #[schema(value_type = String, format = Binary)]
    avatar: Vec<u8>,
}

/// Where the new picture is.
#[derive(Serialize, ToSchema)]
pub struct AvatarResponse {
    message: &'static str,
    avatar_url: Option<String>,
}

/// Sets the caller's picture; the one before is removed.
#[utoipa::path(patch, path = "/profile/avatar", tag = "profiles",
    request_body(content = AvatarUpload, content_type = "multipart/form-data"), responses(
    (status = 200, description = "It is shown from now on.", body = AvatarResponse),
    (status = 400, description = "There is no file, it is no picture, or a virus scanner refused it."),
    (status = 413, description = "The file is larger than 5 MiB."),
    (status = 415, description = "The body is not multipart/form-data.")))]
pub async fn upload(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    request: Request,
) -> Result<Json<AvatarResponse>> {
    let file = app.uploads.receive(request, FIELD, MAX_FILE).await?;
    let file = file.ok_or_else(|| Error::field(FIELD, "No file provided"))?;
    let picture = app.uploads.draw(FIELD, file).await?;
    let name = keep(&app, caller.user.id, picture).await?;
    let avatar_url = app.media_url(Some(name.as_str()));
    Ok(Json(AvatarResponse { message: "Avatar uploaded successfully", avatar_url }))
}

/// Removes the caller's picture, if there is one.
#[utoipa::path(delete, path = "/profile/avatar", tag = "profiles", responses(
    (status = 204, description = "There is no picture any more.")))]
pub async fn remove(State(app): State<Arc<App>>, caller: CurrentUser) -> Result<StatusCode> {
    let old = app.write(SetAvatar { user_id: caller.user.id, name: None }).await?;
    app.discard(old.as_deref()).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The file first, then the row, then the old file: at no moment does a profile name a file that is not
/// there.
async fn keep(app: &App, user_id: i64, picture: Bytes) -> Result<FileName> {
    let name = FileName::draw(FOLDER, OUTPUT_EXTENSION, &app.random);
    app.files.put(&name, picture).await?;
    match app.write(SetAvatar { user_id, name: Some(name.clone()) }).await {
        Ok(old) => {
            app.discard(old.as_deref()).await;
            Ok(name)
        }
        Err(error) => {
            // A refused change is not in the database; of one whose end is unknown the file stays.
            if matches!(error, Error::Refused(_)) {
                app.discard(Some(name.as_str())).await;
            }
            Err(error)
        }
    }
}

/// Names another file, or none; returns the name before. The row is locked: of two uploads at once each
/// removes what the other has left.
struct SetAvatar {
    user_id: i64,
    name: Option<FileName>,
}

impl Write for SetAvatar {
    type Output = Option<String>;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Option<String>> {
        let profile = profiles::Entity::find_by_id(self.user_id).lock_exclusive().one(tx).await?;
        let profile = profile.ok_or_else(Error::token_not_valid)?;
        let name = self.name.as_ref().map(|name| name.as_str().to_owned());
        profiles::Entity::update_many()
            .col_expr(profiles::Column::Avatar, Expr::value(name))
            .filter(profiles::Column::UserId.eq(self.user_id))
            .exec(tx)
            .await?;
        Ok(profile.avatar)
    }
}
