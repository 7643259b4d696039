//! The door for what stands in a path.

use crate::error::Error;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use std::str::FromStr;

/// The only parameter of a path as the type that it has to be.
///
/// Whatever else stands there, bytes that are no text too, names nothing: 404.
pub struct Parameter<T>(pub T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Parameter<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        let value = text.ok().and_then(|Path(text)| text.parse().ok());
        value.map(Self).ok_or_else(Error::not_found)
    }
}
