//! Leaving: one session, or all of them (guide §3.4).

use super::cookies::{Cookies, PresentedRefresh};
use super::responses::Message;
use crate::access::{Client, CurrentUser, EndSessions, MaybeUser};
use crate::audit::{self, Kind, Subject};
use crate::error::{Error, Result};
use crate::extract::{Body, FromInput, Input};
use crate::state::App;
use crate::storage::Write;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use portcullis_security::clock::Timestamp;
use portcullis_security::secret::Secret;
use sea_orm::DatabaseTransaction;
use std::sync::Arc;
use utoipa::ToSchema;

/// A refresh token under either name, or nothing where it is in the cookie.
#[derive(ToSchema)]
pub struct LogoutRequest {
    /// The guide's name.
    #[schema(value_type = Option<String>)]
    pub refresh_token: Option<Secret>,
    /// simplejwt's name.
    #[schema(value_type = Option<String>)]
    pub refresh: Option<Secret>,
}

impl FromInput for LogoutRequest {
    fn from_input(input: &mut Input) -> Option<Self> {
        let refresh_token = input.optional_secret("refresh_token");
        Some(Self { refresh_token, refresh: input.optional_secret("refresh") })
    }
}

/// Ends the session of a refresh token; doing it again changes nothing.
///
/// No access token is needed, so that one can always leave; one that is somebody else's ends nothing.
#[utoipa::path(post, path = "/logout", tag = "tokens", request_body = LogoutRequest, responses(
    (status = 200, description = "The session has ended.", body = Message),
    (status = 400, description = "No token was sent, or one that was never ours."),
    (status = 403, description = "`csrf_failed`.")))]
pub async fn logout(
    State(app): State<Arc<App>>,
    MaybeUser(bearer): MaybeUser,
    headers: HeaderMap,
    client: Client,
    Body(request): Body<LogoutRequest>,
) -> Result<Response> {
    let body = request.refresh_token.or(request.refresh);
    let required = || Error::field("refresh_token", "Refresh token required");
    let presented = PresentedRefresh::find(&app, &headers, body)?.ok_or_else(required)?;
    app.access.log_out(presented.token.expose_text(), bearer, &client, &app.random).await?;
    let answer = Json(Message { message: "Logout successful" });
    if !presented.from_cookie {
        return Ok(answer.into_response());
    }
    let mut cookies = Cookies::default();
    cookies.clear_refresh(&app)?;
    Ok(cookies.with(answer))
}

/// Ends every session of the caller, this one too.
#[utoipa::path(post, path = "/logout-all", tag = "tokens", responses(
    (status = 200, description = "No token of the account works any more.", body = Message)))]
pub async fn logout_all(
    State(app): State<Arc<App>>,
    caller: CurrentUser,
    client: Client,
) -> Result<Response> {
    let user_id = caller.user.id;
    let ended = app.write(EndAll { user_id, client, now: app.now() }).await?;
    app.access.forget(user_id, &ended);
    let mut cookies = Cookies::default();
    cookies.clear_refresh(&app)?;
    Ok(cookies.with(Json(Message { message: "Logged out everywhere" })))
}

struct EndAll {
    user_id: i64,
    client: Client,
    now: Timestamp,
}

impl Write for EndAll {
    type Output = Vec<i64>;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Vec<i64>> {
        let subject = Subject::user(self.user_id);
        audit::record(tx, Kind::AllSessionsEnded, subject, &self.client, self.now).await?;
        EndSessions::All.run(tx, self.user_id, self.now).await
    }
}
