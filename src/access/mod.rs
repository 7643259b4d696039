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
mod socket;
mod staff;
mod ticket;
mod users;
mod visibility;
mod watch;

pub use client::{Client, Origin, RequestId, describe_device};
pub use current_user::{CurrentUser, MaybeUser};
pub use device_cookie::DeviceCookies;
pub use feed::publish_change;
pub use guard::{Door, Guard, GuardContext, Limit, RefusedUser, check, find_by_login, fold};
pub use keys::{KeyError, KeySettings, KeyState, Keys, ListedKey, RevokeError};
pub use limits::{DropExpiredSnapshots, Limits, Rates};
pub use passwords::{NewHash, Passwords, attributes};
pub use refresh_token::{Presented, RefreshOutcome};
pub use session::{EndSessions, Lifetimes, Live, NewSession, TokenPair};
pub use socket::{BEARER_PROTOCOL, SocketCredentials, protocols};
pub use staff::Staff;
pub use ticket::TICKET_LIFETIME;
pub use users::{Users, find_by_username};
pub use visibility::{
    Viewer, add_to_books, audience_of_new, in_use, is_blocked, refresh_audience, relation, standing,
    visibility,
};
pub use watch::{Alarm, Watch};

use crate::error::{Error, Result};
use crate::mail::Outbox;
use crate::model::users::{Model as User, Status};
use crate::storage::Storage;
use feed::Feed;
use portcullis_security::clock::{Clock, Timestamp};
use portcullis_security::token::{KeyId, TokenType};
use std::sync::Arc;
use tokio::sync::broadcast;

/// Everything that says yes or no to a token.
pub struct Access {
    clock: Clock,
    storage: Arc<Storage>,
    keys: Keys,
    lifetimes: Lifetimes,
    users: Users,
    feed: Feed,
    live: Live,
    news: broadcast::Sender<i64>,
    outbox: Outbox,
}

/// News that wait for whoever listens; whoever comes later than that has to ask about everybody.
const NEWS_KEPT: usize = 1024;

/// A caller whose token was good a moment ago.
#[derive(Clone)]
pub struct Identity {
    /// The account, as of at most half a second ago.
    pub user: Arc<User>,
    /// The session of the token; a Django's token has none.
    pub session_id: Option<i64>,
    /// The key that signed the token.
    pub key: KeyId,
    /// When the token was issued.
    pub issued_at: Timestamp,
    /// When the token ends, and with it what it opened: for one of a session an access lifetime after it was issued,
    /// whatever it says. Whoever has the key may write what they like, and ended sessions are remembered no longer.
    pub expires_at: Timestamp,
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
        outbox: Outbox,
    ) -> Result<Self> {
        let users = Users::new(storage.clone());
        let feed = Feed::load(&storage, clock.clone(), lifetimes.access).await?;
        let (news, _) = broadcast::channel(NEWS_KEPT);
        Ok(Self { clock, storage, keys, lifetimes, users, feed, live: Live::new(), news, outbox })
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
        for user_id in self.feed.poll(&self.storage, &self.users, &self.live).await {
            self.tell(user_id);
        }
        self.keys.poll(&self.storage).await;
    }

    /// The accounts of which something has changed that may end what their tokens have opened: sessions that
    /// ended, a ban. Told at once for what this process did, and within 500 ms for others. Whoever hears of one
    /// asks [`check_again`](Self::check_again); so does whoever hears of [`Keys::changes`].
    pub fn news(&self) -> broadcast::Receiver<i64> {
        self.news.subscribe()
    }

    fn tell(&self, user_id: i64) {
        // An error means that nobody listens.
        let _ = self.news.send(user_id);
    }

    /// Ends sessions here and now, after their end is on disk.
    pub fn forget(&self, user_id: i64, ended: &[i64]) {
        self.users.forget(user_id);
        for session_id in ended {
            self.live.forget(*session_id);
        }
        self.feed.ended(ended);
        self.tell(user_id);
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
        let verified = keys.verify_signed(token, TokenType::Access, now);
        let (claims, key) = verified.map_err(|_| Error::token_not_valid())?;
        let issued_at = Timestamp::from_seconds(claims.iat);
        let mut expires_at = Timestamp::from_seconds(claims.exp);
        if let Some(session_id) = claims.sid {
            expires_at = expires_at.min(issued_at.plus(self.lifetimes.access));
            if now >= expires_at {
                return Err(Error::token_not_valid());
            }
            self.check_session(session_id).await?;
        }
        let user = self.users.find(claims.user_id).await?.ok_or_else(Error::token_not_valid)?;
        let identity = Identity { user, session_id: claims.sid, key, issued_at, expires_at };
        if is_accepted(&identity.user, &identity) { Ok(identity) } else { Err(Error::token_not_valid()) }
    }

    /// Whether a caller whose token was good still may what it allowed.
    ///
    /// # Errors
    /// 401 when the token has expired, its key was revoked, its session has ended or the account is no longer active;
    /// 503 when the database is needed and does not answer.
    pub async fn check_again(&self, identity: &Identity) -> Result<()> {
        if self.clock.now() >= identity.expires_at || !self.keys.current().has(identity.key) {
            return Err(Error::token_not_valid());
        }
        if let Some(session_id) = identity.session_id {
            self.check_session(session_id).await?;
        }
        let user = self.users.find(identity.user.id).await?.ok_or_else(Error::token_not_valid)?;
        if is_accepted(&user, identity) { Ok(()) } else { Err(Error::token_not_valid()) }
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
fn is_accepted(user: &User, identity: &Identity) -> bool {
    let since = Timestamp::from_micros(user.sessions_valid_from).seconds();
    user.status == Status::Active
        && user.email_verified_at.is_some()
        && (identity.session_id.is_some() || identity.issued_at.seconds() >= since)
}
