//! The one error of the server: what the caller reads, and the private cause that only the log sees.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The result of everything in the server that can be refused.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A refusal or a failure, in the contract's shape (§1): `error`, `detail`, `code`, and for a rejected
/// body `details` and `fields`.
#[derive(Debug)]
pub enum Error {
    /// The caller is told no, in the contract's words.
    Refused(Refusal),
    /// Fields of the body were wrong: 400 with every problem.
    Invalid(Invalid),
    /// The caller comes too often: 429 and when to come back.
    Throttled(Throttled),
    /// The server is at a limit of its own: 503 and when to come back.
    Busy(Duration),
    /// A part that we need does not answer (database, disk): 503. The cause goes to the log.
    Unavailable(Cause),
    /// A defect of ours: 500 without a word about it. The cause goes to the log.
    Internal(Cause),
}

/// A status, a slug for programs and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// simplejwt's `code`.
    pub code: &'static str,
    /// The guide's `error` and simplejwt's `detail`: the same text.
    pub message: Cow<'static, str>,
}

/// The problems of a body, by field, in the order in which they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invalid {
    /// The headline when it is not the first problem itself, e.g. "Password validation failed".
    pub headline: Option<&'static str>,
    /// Field name and what is wrong with it.
    pub fields: Vec<(&'static str, Vec<String>)>,
}

/// A throttle's refusal, ready for the `Retry-After` and `RateLimit` fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttled {
    /// The policy's name.
    pub policy: &'static str,
    /// Whole seconds to wait.
    pub retry_after: u64,
    /// The `RateLimit` field.
    pub limit_field: String,
    /// The `RateLimit-Policy` field.
    pub policy_field: String,
}

/// What went wrong behind the scenes, shared so that every job of a failed group can carry it.
#[derive(Debug, Clone)]
pub struct Cause(pub Arc<str>);

impl Error {
    /// A refusal with its status, slug and text.
    pub const fn refused(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self::Refused(Refusal { status, code, message: Cow::Borrowed(message) })
    }

    /// 400 with a slug and text.
    pub const fn bad_request(code: &'static str, message: &'static str) -> Self {
        Self::refused(StatusCode::BAD_REQUEST, code, message)
    }

    /// 401 as simplejwt words it: "No active account found with the given credentials".
    pub const fn no_active_account() -> Self {
        let message = "No active account found with the given credentials";
        Self::refused(StatusCode::UNAUTHORIZED, "no_active_account", message)
    }

    /// 401 for a token that is not, or no longer, good.
    pub const fn token_not_valid() -> Self {
        Self::refused(StatusCode::UNAUTHORIZED, "token_not_valid", "Token is invalid or expired")
    }

    /// 401 for a closed route without credentials.
    pub const fn not_authenticated() -> Self {
        let message = "Authentication credentials were not provided.";
        Self::refused(StatusCode::UNAUTHORIZED, "not_authenticated", message)
    }

    /// 403.
    pub const fn forbidden(code: &'static str, message: &'static str) -> Self {
        Self::refused(StatusCode::FORBIDDEN, code, message)
    }

    /// 403 for somebody whose right is missing, in Django REST framework's words.
    pub const fn permission_denied() -> Self {
        Self::forbidden("permission_denied", "You do not have permission to perform this action.")
    }

    /// 404, also for what is hidden (contract §1).
    pub const fn not_found() -> Self {
        Self::refused(StatusCode::NOT_FOUND, "not_found", "Not found.")
    }

    /// 405; the router adds `Allow`.
    pub const fn method_not_allowed() -> Self {
        let message = "This method is not allowed here.";
        Self::refused(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    /// 400 for one field.
    pub fn field(name: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid(Invalid { headline: None, fields: vec![(name, vec![problem.into()])] })
    }

    /// A defect of ours.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::Internal(Cause::new(cause))
    }

    /// A part of ours that does not answer.
    pub fn unavailable(cause: impl fmt::Display) -> Self {
        Self::Unavailable(Cause::new(cause))
    }

    /// The HTTP status that it is answered with.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => refusal.status,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy(_) | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Where the guide and Django REST framework word the same refusal differently, each client gets its own.
    fn detail(&self, message: &str) -> String {
        match self {
            Self::Throttled(throttled) => {
                format!("Request was throttled. Expected available in {} seconds.", throttled.retry_after)
            }
            _ => message.to_owned(),
        }
    }

    /// The contract's body.
    pub fn body(&self) -> Map<String, Value> {
        let (code, message) = self.words();
        let mut body = Map::new();
        body.insert("error".into(), message.as_ref().into());
        body.insert("detail".into(), self.detail(&message).into());
        body.insert("code".into(), code.into());
        if let Self::Invalid(invalid) = self {
            body.insert("details".into(), json!(invalid.details()));
            let fields = invalid.fields.iter().map(|(name, problems)| ((*name).into(), json!(problems)));
            body.insert("fields".into(), Value::Object(fields.collect()));
        }
        body
    }

    fn words(&self) -> (&'static str, Cow<'static, str>) {
        match self {
            Self::Refused(refusal) => (refusal.code, refusal.message.clone()),
            Self::Invalid(invalid) => ("invalid", invalid.message()),
            Self::Throttled(_) => ("throttled", "Rate limit exceeded".into()),
            Self::Busy(_) => ("busy", "The server is busy. Please try again shortly.".into()),
            Self::Unavailable(_) => {
                ("unavailable", "The service is temporarily unavailable. Please try again shortly.".into())
            }
            Self::Internal(_) => ("internal", "Something went wrong on our side.".into()),
        }
    }
}

impl Invalid {
    /// Notes a problem with a field.
    pub fn add(&mut self, field: &'static str, problem: impl Into<String>) {
        let problem = problem.into();
        match self.fields.iter_mut().find(|(name, _)| *name == field) {
            Some((_, problems)) => problems.push(problem),
            None => self.fields.push((field, vec![problem])),
        }
    }

    /// Nothing was wrong, or the error to answer with.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a problem was noted.
    pub fn into_result(self) -> Result<()> {
        if self.fields.is_empty() { Ok(()) } else { Err(Error::Invalid(self)) }
    }

    fn message(&self) -> Cow<'static, str> {
        match self.headline {
            Some(headline) => headline.into(),
            None => self
                .fields
                .first()
                .and_then(|(_, problems)| problems.first())
                .map_or("Invalid input.".into(), |problem| problem.clone().into()),
        }
    }

    fn details(&self) -> Vec<&str> {
        self.fields.iter().flat_map(|(_, problems)| problems.iter().map(String::as_str)).collect()
    }
}

impl Cause {
    fn new(cause: impl fmt::Display) -> Self {
        Self(cause.to_string().into())
    }
}

impl Throttled {
    fn add_fields(&self, headers: &mut HeaderMap) {
        headers.insert(header::RETRY_AFTER, self.retry_after.into());
        for (name, value) in [("ratelimit", &self.limit_field), ("ratelimit-policy", &self.policy_field)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(Value::Object(self.body()))).into_response();
        if self.status() == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(r#"Bearer realm="api""#);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        match self {
            Self::Busy(wait) => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                response.headers_mut().insert(header::RETRY_AFTER, seconds.max(1).into());
            }
            Self::Unavailable(cause) | Self::Internal(cause) => {
                if response.status() == StatusCode::SERVICE_UNAVAILABLE {
                    response.headers_mut().insert(header::RETRY_AFTER, 1.into());
                }
                // The edge logs it once, beside the request's id.
                response.extensions_mut().insert(cause);
            }
            Self::Throttled(throttled) => throttled.add_fields(response.headers_mut()),
            Self::Refused(_) | Self::Invalid(_) => {}
        }
        response
    }
}
