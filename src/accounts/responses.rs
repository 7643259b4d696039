//! Bodies that several actions answer with.

use crate::model::users::Model as User;
use portcullis_security::clock::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// A sentence for the user.
#[derive(Serialize, ToSchema)]
pub struct Message {
    /// The sentence.
    pub message: &'static str,
}

/// An account in three fields.
#[derive(Serialize, ToSchema)]
pub struct ShortUser {
    /// The user's id.
    pub id: i64,
    /// As it was typed at registration.
    pub username: String,
    /// The address.
    pub email: String,
}

impl ShortUser {
    /// The account's three fields.
    pub fn of(user: &User) -> Self {
        Self { id: user.id, username: user.username.clone(), email: user.email.clone() }
    }
}

/// An account as a login shows it (guide §3.2).
#[derive(Serialize, ToSchema)]
pub struct LoginUser {
    /// The user's id.
    pub id: i64,
    /// As it was typed at registration.
    pub username: String,
    /// The address.
    pub email: String,
    /// Given name, may be empty.
    pub first_name: String,
    /// Family name, may be empty.
    pub last_name: String,
}

impl LoginUser {
    /// The account's five fields.
    pub fn of(user: &User) -> Self {
        Self {
            id: user.id,
            username: user.username.clone(),
            email: user.email.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
        }
    }
}

/// A column of microseconds as RFC 3339.
pub fn time(micros: i64) -> String {
    Timestamp::from_micros(micros).to_string()
}
