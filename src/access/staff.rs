//! Staff, as an extractor.

use super::CurrentUser;
use crate::error::{Error, Result};
use crate::model::users::Model as User;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::sync::Arc;

/// A member of staff: 401 for nobody, 403 for anybody else.
///
/// Read from the account's row, never from a claim of the token (ASVS v5.0.0-8.3.1): who is staff no longer loses
/// the right within half a second.
pub struct Staff {
    /// The account.
    pub user: Arc<User>,
}

impl<S: Sync> FromRequestParts<S> for Staff {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let CurrentUser { user, .. } = CurrentUser::from_request_parts(parts, state).await?;
        if user.is_staff { Ok(Self { user }) } else { Err(Error::permission_denied()) }
    }
}
