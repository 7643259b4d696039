//! Fields of other objects, for callers who ask for them: `?include=book_title,avatar_url`.
//!
//! An object's own fields are fixed. What a page would otherwise fetch row by row is added where it is asked for,
//! and read for all rows at once.

use super::ListQuery;
use crate::error::{Error, Result};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// The fields that a caller asks for beside an object's own. What nobody knows is ignored.
#[derive(Clone, Debug, Default)]
pub struct Include(String);

impl Include {
    /// Whether a field is asked for, by its name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.split(',').any(|asked| asked.trim() == name)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Include {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let query = ListQuery::from_request_parts(parts, state).await?;
        Ok(query.include())
    }
}

impl ListQuery {
    /// The fields that are asked for beside those of the list's objects. They are a part of
    /// [`ListQuery::first_page_key`], as every parameter is.
    #[must_use]
    pub fn include(&self) -> Include {
        Include(self.parameter("include").unwrap_or_default().to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use axum::http::Request;

    async fn include(query: &str) -> Result<Include> {
        let request = Request::get(format!("/api/reviews/?{query}")).body(()).unwrap();
        Include::from_request_parts(&mut request.into_parts().0, &()).await
    }

    #[tokio::test]
    async fn fields_are_asked_for_by_their_names() {
        let asked = include("include=title,%20picture").await.unwrap();
        assert!(asked.has("title") && asked.has("picture") && !asked.has("pic") && !asked.has("include"));
        for query in ["", "include", "include=", "include=,,", "include=Title"] {
            assert!(!include(query).await.unwrap().has("title"), "{query}");
        }
        assert_eq!(include("include=%00").await.unwrap_err().status(), 400);
    }
}
