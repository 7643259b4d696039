//! Accounts: the whole life of one, over HTTP (guide §2–§6, contract §2).

mod change_password;
pub mod cleanup;
mod cookies;
mod csrf;
mod delete;
mod email_change;
mod export;
pub mod invite;
pub mod letters;
mod login;
mod logout;
mod me;
pub mod names;
mod password_policy;
mod password_reset;
mod refresh;
mod register;
mod resend;
mod responses;
mod sessions;
pub mod store;
mod verify_email;
mod verify_token;

use crate::access::{Door, Limit};
use crate::routes::Routes;
use utoipa_axum::routes;

/// What the tags of these routes are about, for the OpenAPI document.
pub const TAGS: &[(&str, &str)] = &[
    ("accounts", "Registering, proving an address, logging in, and what an account says of its owner."),
    ("tokens", "Keeping a session alive, checking it, ending it."),
    ("passwords", "Changing a password, and setting a new one when it is lost."),
    ("sessions", "Where an account is logged in."),
];

/// The table of routes, under `/api/auth`.
pub fn routes(routes: Routes) -> Routes {
    use Door::{Closed, Ignoring, Lenient, Open};
    routes
        .add(Ignoring, Limit::AuthByIp, routes!(register::register))
        .add(Ignoring, Limit::AuthByName, routes!(login::login))
        .add(Ignoring, Limit::OwnToken, routes!(refresh::refresh))
        .add(Ignoring, Limit::OwnToken, routes!(verify_token::verify_token))
        .add(Lenient, Limit::OwnToken, routes!(logout::logout))
        .add(Closed, Limit::General, routes!(logout::logout_all))
        .add(Ignoring, Limit::AuthByEmail, routes!(verify_email::verify_email))
        .add(Ignoring, Limit::Reset, routes!(resend::resend_verification))
        .add(Ignoring, Limit::Reset, routes!(password_reset::request))
        .add(Ignoring, Limit::AuthByIp, routes!(password_reset::confirm))
        .add(Closed, Limit::AuthByBearer, routes!(change_password::patch, change_password::post))
        .add(Closed, Limit::General, routes!(me::read, me::update))
        .add(Closed, Limit::AuthByBearer, routes!(delete::delete))
        .add(Closed, Limit::General, routes!(export::export))
        .add(Closed, Limit::AuthByBearer, routes!(email_change::request))
        .add(Open, Limit::General, routes!(email_change::confirm))
        .add(Closed, Limit::General, routes!(sessions::list))
        .add(Closed, Limit::General, routes!(sessions::end))
        .add(Open, Limit::General, routes!(csrf::csrf))
        .add(Open, Limit::General, routes!(password_policy::password_policy))
}
