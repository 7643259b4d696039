//! Avatars as files: for everybody who knows the address, which nobody can guess and which only those hear
//! who may see the profile.
//!
//! Outside of throttles, since a page shows many. A file is served while a profile of an account in use
//! names it: the picture of a deleted or banned account is hidden with the rest.

use super::avatar::FOLDER;
use crate::access::in_use;
use crate::error::{Error, Result};
use crate::model::{profiles, users};
use crate::state::App;
use crate::storage::FileName;
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use portcullis_security::headers::UPLOAD_CSP;
use portcullis_security::upload::OUTPUT_TYPE;
use sea_orm::{ColumnTrait, EntityTrait, JoinType, PaginatorTrait, QueryFilter, QuerySelect, RelationDef};
use std::sync::Arc;

/// A name never gets another content.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// The name under which somebody saves it is ours (ASVS v5.0.0-5.4.1).
const SAVED_AS: HeaderValue = HeaderValue::from_static("inline; filename=\"avatar.jpg\"");

/// The route of the files.
pub fn router(app: &Arc<App>) -> Router {
    Router::new().route("/media/avatars/{file}", get(show)).with_state(app.clone())
}

async fn show(State(app): State<Arc<App>>, file: Result<Path<String>, PathRejection>) -> Result<Response> {
    // What is no text is no name.
    let Path(file) = file.map_err(|_| Error::not_found())?;
    let name = FileName::parse(&format!("{FOLDER}/{file}")).ok_or_else(Error::not_found)?;
    if !is_shown(&app, &name).await? {
        return Err(Error::not_found());
    }
    let content = app.files.read(&name).await?.ok_or_else(Error::not_found)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(OUTPUT_TYPE)),
        (header::CACHE_CONTROL, FOR_EVER),
        (header::CONTENT_DISPOSITION, SAVED_AS),
        (header::CONTENT_SECURITY_POLICY, UPLOAD_CSP),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("cross-origin"),
        ),
    ];
    Ok((headers, content).into_response())
}

async fn is_shown(app: &App, name: &FileName) -> Result<bool> {
    let account: RelationDef = profiles::Entity::belongs_to(users::Entity)
        .from(profiles::Column::UserId)
        .to(users::Column::Id)
        .into();
    let named = profiles::Entity::find()
        .filter(profiles::Column::Avatar.eq(name.as_str()))
        .join(JoinType::InnerJoin, account)
        .filter(in_use());
    Ok(named.count(app.storage.reader()).await? > 0)
}
