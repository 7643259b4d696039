//! A review of the path, as far as the caller may do something with it.
//!
//! What is hidden is 404; what is shown but not the caller's is 403 (contract §1, guide §7.1).

use crate::access::{CurrentUser, Viewer, relation};
use crate::error::{Error, Result};
use crate::extract::Parameter;
use crate::model::reviews::{Entity, Model};
use crate::state::App;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use portcullis_security::permission::{Action, Audience, Relation, Thing};
use sea_orm::EntityTrait;
use std::sync::Arc;

/// A review that the caller may see.
pub struct VisibleReview(pub Model);

/// A review whose text the caller may change.
pub struct EditableReview {
    /// As it was a moment ago.
    pub review: Model,
    /// Who changes it.
    pub caller: CurrentUser,
}

/// A review that the caller may remove.
pub struct RemovableReview(pub Model);

impl FromRequestParts<Arc<App>> for VisibleReview {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        Ok(Self(find(parts, app).await?.0))
    }
}

impl FromRequestParts<Arc<App>> for EditableReview {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let caller = CurrentUser::from_request_parts(parts, app).await?;
        let review = find_for(Action::Edit, parts, app).await?;
        Ok(Self { review, caller })
    }
}

impl FromRequestParts<Arc<App>> for RemovableReview {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        find_for(Action::Delete, parts, app).await.map(Self)
    }
}

async fn find_for(action: Action, parts: &mut Parts, app: &Arc<App>) -> Result<Model> {
    let (review, relation) = find(parts, app).await?;
    if relation.may(action, Thing::Text) { Ok(review) } else { Err(Error::permission_denied()) }
}

async fn find(parts: &mut Parts, app: &Arc<App>) -> Result<(Model, Relation)> {
    let Parameter(id) = Parameter::<i64>::from_request_parts(parts, app).await?;
    let Ok(viewer) = Viewer::from_request_parts(parts, app).await;
    let db = app.storage.reader();
    let review = Entity::find_by_id(id).one(db).await?.ok_or_else(Error::not_found)?;
    let relation = relation(db, viewer, review.user_id).await?;
    let audience = Audience::from_code(review.audience);
    if relation.may_see(audience) { Ok((review, relation)) } else { Err(Error::not_found()) }
}
