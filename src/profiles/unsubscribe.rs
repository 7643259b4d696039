//! Turning a sort of mails off by the link in one of them (RFC 8058).
//!
//! A mail program sends a POST; a person opens the page, which asks for a click. Opening it changes
//! nothing, since scanners of mail open every link. The link needs no login: it proves that it came from
//! us, and can do no more than turn one sort of mails to one account off.

use super::preferences::Preference;
use super::store::set_preference;
use crate::error::{Error, Result};
use crate::extract::ListQuery;
use crate::state::App;
use crate::storage::Write;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use minijinja::HtmlEscape;
use portcullis_security::headers::{Nonce, page_csp};
use portcullis_security::secret::Secret;
use portcullis_security::token::prf;
use sea_orm::DatabaseTransaction;
use std::sync::Arc;
use subtle::ConstantTimeEq;

const PAGE: &str = include_str!("unsubscribe.html");

/// Whose mails of which sort a link turns off; it has proved that we made it.
pub struct Unsubscription {
    user_id: i64,
    preference: Preference,
    token: String,
}

impl FromRequestParts<Arc<App>> for Unsubscription {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self> {
        let query = ListQuery::from_request_parts(parts, app).await?;
        let token = query.parameter("token").unwrap_or_default();
        read(app, token).ok_or_else(|| Error::bad_request("invalid", "This link is not valid. Is it whole?"))
    }
}

/// The token of a link for one user and one sort of mails: `{user}.{sort}.{MAC}`, good for ever, since
/// mails are kept for ever.
pub(super) fn token(app: &App, user_id: i64, preference: Preference) -> Secret {
    let text = format!("{user_id}.{}", preference.slug());
    Secret::from(format!("{text}.{}", mac(app.unsubscribe_keys.active(), &text)))
}

fn read(app: &App, token: &str) -> Option<Unsubscription> {
    let (text, presented) = token.rsplit_once('.')?;
    let is_ours = |key| mac(key, text).as_bytes().ct_eq(presented.as_bytes()).into();
    let (user_id, slug) = text.split_once('.').filter(|_| app.unsubscribe_keys.all().any(is_ours))?;
    let preference = Preference::of_slug(slug)?;
    Some(Unsubscription { user_id: user_id.parse().ok()?, preference, token: token.to_owned() })
}

fn mac(key: &[u8; 32], text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(prf(key, &[b"unsubscribe", text.as_bytes()]))
}

/// Shows a page that asks whether mails of one sort shall stop. It changes nothing.
#[utoipa::path(get, path = "/notifications/unsubscribe", tag = "profiles",
    params(("token" = String, Query, description = "Of the link in a mail.")), responses(
    (status = 200, description = "A page with a button.", content_type = "text/html", body = String),
    (status = 400, description = "The token is none of ours.")))]
pub async fn ask(State(app): State<Arc<App>>, asked: Unsubscription) -> Response {
    let what = asked.preference.in_words();
    let form = format!(
        "<h1>Turn mails off?</h1>\n<p>You will get no more mails that tell you that {what}.</p>\n\
         <form method=\"post\" action=\"?token={}\">\
         <input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\
         <button>Turn them off</button></form>",
        HtmlEscape(&asked.token)
    );
    page(&app, &form)
}

/// Turns one sort of mails off. The body is not looked at; doing it again is the same.
#[utoipa::path(post, path = "/notifications/unsubscribe", tag = "profiles",
    params(("token" = String, Query, description = "Of the link in a mail, or of its List-Unsubscribe field.")),
    responses(
    (status = 200, description = "They are off.", content_type = "text/html", body = String),
    (status = 400, description = "The token is none of ours.")))]
pub async fn unsubscribe(State(app): State<Arc<App>>, asked: Unsubscription) -> Result<Response> {
    let what = asked.preference.in_words();
    app.storage.write(TurnOff { user_id: asked.user_id, preference: asked.preference }).await?;
    let done = format!(
        "<h1>They are off</h1>\n<p>You get no more mails that tell you that {what}. In the settings of your \
         profile you can turn them on again.</p>"
    );
    Ok(page(&app, &done))
}

struct TurnOff {
    user_id: i64,
    preference: Preference,
}

impl Write for TurnOff {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        set_preference(tx, self.user_id, self.preference, false).await
    }
}

fn page(app: &App, content: &str) -> Response {
    let nonce = Nonce::generate(&app.random);
    let site_name = HtmlEscape(&app.config.site.name).to_string();
    let text = PAGE.replace("{nonce}", nonce.as_str()).replace("{content}", content);
    let headers = [
        (header::CONTENT_SECURITY_POLICY, page_csp(&nonce, "'none'")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    // The operator's own words come last, so that nothing in them is taken for a place.
    (headers, Html(text.replace("{site_name}", &site_name))).into_response()
}
