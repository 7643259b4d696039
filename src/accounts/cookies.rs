//! Cookie mode: the refresh token in a cookie that scripts cannot read (contract §2 "Cookie mode").

use crate::access::TokenPair;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::model::users::Model as User;
use crate::state::App;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use portcullis_security::csrf::{CSRF_COOKIE, SameSite, SetCookie, cookie, generate_token, host_name};
use portcullis_security::secret::Secret;

const REFRESH: &str = "refresh";
const MODE: HeaderName = HeaderName::from_static("x-auth-mode");

/// Whether the client wants its refresh token in a cookie.
pub fn is_cookie_mode(headers: &HeaderMap, config: &Config) -> bool {
    match headers.get(MODE) {
        Some(mode) => mode.as_bytes().eq_ignore_ascii_case(b"cookie"),
        None => config.accounts.cookie_mode,
    }
}

/// Where a refresh token came from.
pub struct PresentedRefresh {
    /// The token.
    pub token: Secret,
    /// Whether it came in the cookie, so that its successor goes there too.
    pub from_cookie: bool,
}

impl PresentedRefresh {
    /// The token of the body, or else of the cookie, which must prove that our own page sent it.
    ///
    /// # Errors
    /// 403 `csrf_failed`.
    pub fn find(app: &App, headers: &HeaderMap, body: Option<Secret>) -> Result<Option<Self>> {
        if let Some(token) = body {
            return Ok(Some(Self { token, from_cookie: false }));
        }
        let Some(token) = refresh_cookie(app, headers) else { return Ok(None) };
        let refusal = |_| Error::forbidden("csrf_failed", "CSRF check failed.");
        app.csrf.check(headers).map_err(refusal)?;
        Ok(Some(Self { token, from_cookie: true }))
    }
}

/// The token of the cookie, whoever sent it.
pub fn refresh_cookie(app: &App, headers: &HeaderMap) -> Option<Secret> {
    cookie(headers, &host_name(REFRESH, app.secure_cookies())).map(Secret::from)
}

/// The `Set-Cookie` fields of an answer.
#[derive(Default)]
pub struct Cookies(Vec<HeaderValue>);

impl Cookies {
    /// Keeps the refresh token, and gives the page a csrftoken to show with it.
    pub fn keep_refresh(&mut self, app: &App, tokens: &TokenPair, headers: &HeaderMap) -> Result<()> {
        let lifetime = tokens.refresh_expires_at.since(app.now());
        let kept =
            SetCookie::host(REFRESH, &tokens.refresh, app.secure_cookies()).map_err(Error::internal)?;
        self.0.push(kept.same_site(SameSite::Strict).max_age(lifetime).header());
        if cookie(headers, CSRF_COOKIE).is_none() {
            self.add_csrf(app, &generate_token(&app.random))?;
        }
        Ok(())
    }

    /// Takes the refresh token away.
    pub fn clear_refresh(&mut self, app: &App) -> Result<()> {
        let cleared = SetCookie::clear(REFRESH, app.secure_cookies()).map_err(Error::internal)?;
        self.0.push(cleared.header());
        Ok(())
    }

    /// The csrftoken: readable by scripts, since they have to send it back (guide §14.2).
    pub fn add_csrf(&mut self, app: &App, token: &str) -> Result<()> {
        let readable =
            SetCookie::readable(CSRF_COOKIE, token, app.secure_cookies()).map_err(Error::internal)?;
        self.0.push(readable.same_site(SameSite::Lax).header());
        Ok(())
    }

    /// Marks the device as one that the user has logged in from.
    pub fn add_device(&mut self, app: &App, user: &User, headers: &HeaderMap) {
        self.0.extend(app.devices.issue(user, headers, app.now(), &app.random));
    }

    /// The answer with its cookies.
    pub fn with(self, response: impl IntoResponse) -> Response {
        let fields = self.0.into_iter().map(|value| (header::SET_COOKIE, value));
        (AppendHeaders(fields.collect::<Vec<_>>()), response).into_response()
    }
}
