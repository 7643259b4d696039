//! Whom a path names: permission as a type.

use crate::access::{Viewer, find_by_username, relation, standing, visibility};
use crate::error::{Error, Result};
use crate::extract::Parameter;
use crate::model::users::Status;
use crate::model::{profiles, users};
use crate::state::App;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use portcullis_security::permission::Audience;
use sea_orm::EntityTrait;
use std::sync::Arc;

/// The profile that a path's `{username}` names and that the caller may see, else 404 (guide §7.1
/// `CanViewProfile`).
pub(super) struct VisibleProfile {
    pub(super) user: users::Model,
    pub(super) profile: profiles::Model,
    pub(super) viewer: Viewer,
}

impl FromRequestParts<Arc<App>> for VisibleProfile {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let Parameter(username) = Parameter::<String>::from_request_parts(parts, app).await?;
        let user = find_by_username(app.storage.reader(), &username).await?.ok_or_else(Error::not_found)?;
        let Ok(viewer) = Viewer::from_request_parts(parts, app).await;
        let db = app.storage.reader();
        let profile = profiles::Entity::find_by_id(user.id).one(db).await?.ok_or_else(Error::not_found)?;
        let audience = Audience::of(visibility(&profile), true, standing(&user));
        let relation = relation(db, viewer, user.id).await?;
        if !relation.may_see(audience) {
            return Err(Error::not_found());
        }
        Ok(Self { user, profile, viewer })
    }
}

/// The account that a path's `{username}` names, visible or not; 404 when there is none or its owner has
/// deleted it.
///
/// For what one does about people who may hide: asking to follow and blocking. That a name is taken is no
/// secret, registration says so.
pub(super) struct Person(pub(super) users::Model);

impl FromRequestParts<Arc<App>> for Person {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let Parameter(username) = Parameter::<String>::from_request_parts(parts, app).await?;
        let user = find_by_username(app.storage.reader(), &username).await?;
        let user = user.filter(|user| user.status != Status::Deleted);
        user.map(Self).ok_or_else(Error::not_found)
    }
}
