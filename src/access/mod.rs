//! Who is calling, and in which session: permission as a type in a handler's signature.
//!
//! | Type | Means |
//! |---|---|
//! | [`CurrentUser`] | a valid access token of an active account, else 401 |
//! | [`Staff`] | the same of a member of staff, else 401 or 403 |
//! | [`Viewer`] | who looks at what others made: anybody, and what the truth table shows them |
//! | [`Client`] | where the call comes from: network, device, request id |
//!
//! [`guard`] decides before a handler runs; [`Access`] is what it asks.

mod client;
mod current_user;
mod device_cookie;
mod feed;
mod guard;
mod keys;
mod limits;
mod passwords;
mod refresh_token;
mod session;
mod staff;
mod users;
mod visibility;

pub use client::{Client, Origin, RequestId, describe_device};
pub use current_user::{CurrentUser, MaybeUser};
pub use device_cookie::DeviceCookies;
pub use feed::publish_change;
pub use guard::{Door, Guard, GuardContext, Limit, check, find_by_login, fold};
pub use keys::{KeyError, KeySettings, KeyState, Keys, ListedKey, RevokeError};
pub use limits::{DropExpiredSnapshots, Limits, Rates};
pub use passwords::{NewHash, Passwords, attributes};
pub use refresh_token::{Presented, RefreshOutcome};
pub use session::{EndSessions, Lifetimes, Live, NewSession, TokenPair};
pub use staff::Staff;
pub use users::Users;
pub use visibility::{
    Viewer, add_to_books, audience_of_new, in_use, is_blocked, refresh_audience, relation, standing,
    visibility,
};

use crate::error::{Error, Result};
use crate::model::users::{Model as User, Status};
use crate::storage::Storage;
use feed::Feed;
use portcullis_security::clock::Clock;
use portcullis_security::token::{Claims, TokenType};
use std::sync::Arc;

/// Everything that says yes or no to a token.
pub struct Access {
    clock: Clock,
    storage: Arc<Storage>,
    keys: Keys,
    lifetimes: Lifetimes,
    users: Users,
    feed: Feed,
    live: Live,
}

/// A caller whose token was good a moment ago.
#[derive(Clone)]
pub struct Identity {
    /// The account, as of at most half a second ago.
    pub user: Arc<User>,
    /// The session of the token; a Django's token has none.
    pub session_id: Option<i64>,
}

impl Access {
    /// Loads the ended sessions of the last access lifetime, so that no ended one is accepted.
    ///
    /// # Errors
    /// When the database does not answer: without it nothing may be accepted.
    pub async fn start(
        clock: Clock,
        storage: Arc<Storage>,
        keys: Keys,
        lifetimes: Lifetimes,
    ) -> Result<Self> {
        let users = Users::new(storage.clone());
        let feed = Feed::load(&storage, clock.clone(), lifetimes.access).await?;
        Ok(Self { clock, storage, keys, lifetimes, users, feed, live: Live::new() })
    }

    /// The signing keys.
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Accounts by id, cached.
    pub const fn users(&self) -> &Users {
        &self.users
    }

    /// Reads the news of other processes; to be called every 500 ms.
    pub async fn poll(&self) {
        self.feed.poll(&self.storage, &self.users, &self.live).await;
        self.keys.poll(&self.storage).await;
    }

    /// Ends sessions here and now, after their end is on disk.
    pub fn forget(&self, user_id: i64, ended: &[i64]) {
        self.users.forget(user_id);
        for session_id in ended {
            self.live.forget(*session_id);
        }
        self.feed.ended(ended);
    }

    /// Whose token this is.
    ///
    /// The signature comes first, then whether the session has ended, then whether the account is
    /// active: no database read in the common case.
    ///
    /// # Errors
    /// 401 `token_not_valid`, or 503 when the database is needed and does not answer.
    pub async fn authenticate(&self, token: &str) -> Result<Identity> {
        let now = self.clock.now();
        let keys = self.keys.current();
        let claims = keys.verify(token, TokenType::Access, now).map_err(|_| Error::token_not_valid())?;
        if let Some(session_id) = claims.sid {
            self.check_session(session_id).await?;
        }
        let user = self.users.find(claims.user_id).await?.ok_or_else(Error::token_not_valid)?;
        if !is_accepted(&user, &claims) {
            return Err(Error::token_not_valid());
        }
        Ok(Identity { user, session_id: claims.sid })
    }

    /// When the news is old, the memory of ended sessions proves nothing: the row does.
    async fn check_session(&self, session_id: i64) -> Result<()> {
        let ended = if self.feed.is_fresh() {
            self.feed.has_ended(session_id)
        } else {
            !session::is_live(&self.storage, session_id).await?
        };
        if ended { Err(Error::token_not_valid()) } else { Ok(()) }
    }
}

/// Active, verified, and for a token without a session: issued after the last "log out everywhere".
fn is_accepted(user: &User, claims: &Claims) -> bool {
    let since = portcullis_security::clock::Timestamp::from_micros(user.sessions_valid_from).seconds();
    user.status == Status::Active
        && user.email_verified_at.is_some()
        && (claims.sid.is_some() || claims.iat >= since)
}
