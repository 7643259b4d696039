//! The caller, as an extractor.

use super::Identity;
use super::guard::Caller;
use crate::error::{Error, Result};
use crate::model::users::Model as User;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::sync::Arc;

/// A caller with a valid access token of an active account.
///
/// The guard has read the token; a route that forgot its guard answers 401 to everybody.
pub struct CurrentUser {
    /// The account, as of at most half a second ago.
    pub user: Arc<User>,
    /// The session of the token; a Django's token has none.
    pub session_id: Option<i64>,
}

impl<S: Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        match parts.extensions.get() {
            Some(Caller::User(Identity { user, session_id, .. })) => {
                Ok(Self { user: user.clone(), session_id: *session_id })
            }
            _ => Err(Error::not_authenticated()),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        match parts.extensions.get() {
            Some(Caller::User(identity)) => Ok(identity.clone()),
            _ => Err(Error::not_authenticated()),
        }
    }
}

/// The caller's account if there is one, for the few open routes that treat it differently.
pub struct MaybeUser(pub Option<i64>);

impl<S: Sync> FromRequestParts<S> for MaybeUser {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(match parts.extensions.get() {
            Some(Caller::User(identity)) => Some(identity.user.id),
            _ => None,
        }))
    }
}
