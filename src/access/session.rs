//! Sessions: a family of refresh tokens in one row, of which one is current.
//!
//! The current token is recomputed, never stored: its id is a keyed function of session and generation,
//! its times come from the row, and the row keeps only a hash to compare with.

use super::{Access, Client, feed};
use crate::error::{Error, Result};
use crate::model::sessions::{ActiveModel, Column, Entity, Model};
use crate::model::users::{self, Model as User};
use crate::storage::{Storage, Write};
use moka::sync::Cache;
use portcullis_security::clock::Timestamp;
use portcullis_security::random::Random;
use portcullis_security::token::{Claims, KeyChain, Profile, TokenType, kid_of, session_jti};
use sea_orm::Condition;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use std::sync::Arc;
use std::time::Duration;

/// Identifiers stay exact in JavaScript's numbers.
const ID_BITS: u32 = 53;
pub(super) const SPENT_KEPT: usize = 8;

/// How long tokens live, and the keys that name them.
pub struct Lifetimes {
    /// Of an access token.
    pub access: Duration,
    /// Of a refresh token that is not used.
    pub refresh: Duration,
    /// Of a session, however often it is refreshed.
    pub absolute: Duration,
    /// How long a spent refresh token still gets its family's current one.
    pub grace: Duration,
    /// Makes the ids of refresh tokens.
    pub prf_keys: KeyChain,
}

/// What a client gets.
pub struct TokenPair {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// When the refresh token ends, for a cookie's Max-Age.
    pub refresh_expires_at: Timestamp,
}

/// A session about to begin.
#[derive(Clone)]
pub struct NewSession {
    row: Model,
}

impl NewSession {
    /// Draws the id and the first token of a session.
    pub fn new(
        user_id: i64,
        client: &Client,
        lifetimes: &Lifetimes,
        now: Timestamp,
        random: &Random,
    ) -> Self {
        let id = draw_id(random);
        let mut row = Model {
            id,
            user_id,
            token_hash: Vec::new(),
            generation: 0,
            prf_kid: lifetimes.prf_kid(),
            spent: Vec::new(),
            origin_hash: None,
            created_at: now.micros(),
            rotated_at: now.micros(),
            idle_expires_at: 0,
            absolute_expires_at: now.plus(lifetimes.absolute).micros(),
            user_agent: client.user_agent.clone(),
            ip_prefix: client.ip_prefix.clone(),
            revoked_at: None,
        };
        lifetimes.make_current(&mut row, now);
        Self { row }
    }

    /// Begins it in exchange for a foreign refresh token, which is thereby spent.
    #[must_use]
    pub fn in_exchange_for(mut self, jti_hash: [u8; 32]) -> Self {
        self.row.origin_hash = Some(jti_hash.to_vec());
        self
    }

    /// Marks it as ended before it began: a foreign token that was logged out.
    #[must_use]
    pub fn ended(mut self, now: Timestamp) -> Self {
        self.row.revoked_at = Some(now.micros());
        self
    }

    /// Gives it to a user who was not known when it was drawn.
    #[must_use]
    pub const fn of_user(mut self, user_id: i64) -> Self {
        self.row.user_id = user_id;
        self
    }

    /// The session's id.
    pub const fn id(&self) -> i64 {
        self.row.id
    }

    /// The row as it will be stored.
    pub const fn row(&self) -> &Model {
        &self.row
    }

    /// The row itself.
    pub fn into_row(self) -> Model {
        self.row
    }

    /// Writes the row.
    ///
    /// # Errors
    /// When the database refuses; the caller may know the unique index `origin_hash`.
    pub async fn insert(&self, tx: &DatabaseTransaction) -> Result<(), sea_orm::DbErr> {
        let row: ActiveModel = self.row.clone().into();
        Entity::insert(row.reset_all()).exec_without_returning(tx).await.map(drop)
    }
}

fn draw_id(random: &Random) -> i64 {
    let drawn = u64::from_le_bytes(random.bytes()) >> (u64::BITS - ID_BITS);
    i64::try_from(drawn.max(1)).unwrap_or(1)
}

impl Lifetimes {
    /// Gives the row its token of the present generation.
    pub(super) fn make_current(&self, row: &mut Model, now: Timestamp) {
        row.rotated_at = now.micros();
        row.idle_expires_at = now.plus(self.refresh).micros().min(row.absolute_expires_at);
        row.token_hash = self.claims_of(row).jti_hash().to_vec();
    }

    /// The name of the key that makes the next id.
    pub(super) fn prf_kid(&self) -> String {
        kid_of(self.prf_keys.active())
    }

    /// The key that made the id of the row's current token: the fallback's, if the secret was changed since.
    fn prf_key_of(&self, row: &Model) -> &[u8; 32] {
        let made = self.prf_keys.all().find(|key| kid_of(key.as_slice()) == row.prf_kid);
        made.unwrap_or_else(|| self.prf_keys.active())
    }

    /// The claims of the row's current refresh token.
    pub(super) fn claims_of(&self, row: &Model) -> Claims {
        Claims {
            token_type: TokenType::Refresh,
            exp: Timestamp::from_micros(row.idle_expires_at).seconds(),
            iat: Timestamp::from_micros(row.rotated_at).seconds(),
            jti: session_jti(self.prf_key_of(row), row.id, row.generation),
            user_id: row.user_id,
            sid: Some(row.id),
        }
    }
}

impl Access {
    /// How long tokens live.
    pub const fn lifetimes(&self) -> &Lifetimes {
        &self.lifetimes
    }

    /// The tokens of a session as its row stands: the current refresh token and a fresh access token.
    pub fn tokens(&self, row: &Model, user: &User, random: &Random) -> TokenPair {
        let now = self.clock.now();
        let keys = self.keys.current();
        let access = Claims {
            token_type: TokenType::Access,
            exp: now.plus(self.lifetimes.access).seconds(),
            iat: now.seconds(),
            jti: random.bytes(),
            user_id: user.id,
            sid: Some(row.id),
        };
        let profile = Profile { username: &user.username, email: &user.email, is_staff: user.is_staff };
        TokenPair {
            access: keys.sign_access(&access, &profile),
            refresh: keys.sign(&self.lifetimes.claims_of(row)),
            refresh_expires_at: Timestamp::from_micros(row.idle_expires_at),
        }
    }
}

/// Rows of sessions that were refreshed lately: hints that save a read, never proof, since the
/// compare-and-set that follows names the whole old state.
pub struct Live(Cache<i64, Arc<Model>>);

impl Live {
    pub(super) fn new() -> Self {
        let idle = Duration::from_secs(30 * 60);
        Self(Cache::builder().max_capacity(10_000).time_to_idle(idle).build())
    }

    pub(super) fn get(&self, session_id: i64) -> Option<Arc<Model>> {
        self.0.get(&session_id)
    }

    pub(super) fn insert(&self, row: Model) {
        self.0.insert(row.id, Arc::new(row));
    }

    pub(super) fn forget(&self, session_id: i64) {
        self.0.invalidate(&session_id);
    }
}

/// Whether the session can still be used, from its row.
pub(super) async fn is_live(storage: &Storage, session_id: i64) -> Result<bool> {
    let row = Entity::find_by_id(session_id).one(storage.reader()).await?;
    Ok(row.is_some_and(|row| row.revoked_at.is_none()))
}

/// Which sessions of an account to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndSessions {
    /// Every one, and tokens without a session.
    All,
    /// Every one but this, and tokens without a session.
    AllBut(i64),
    /// This alone.
    One(i64),
}

impl EndSessions {
    /// What `sessions_valid_from` becomes when sessions end. Tokens without a session tell their age in whole
    /// seconds, so those of this second end too.
    const fn valid_from(now: Timestamp) -> i64 {
        Timestamp::from_seconds(now.seconds() + 1).micros()
    }

    /// Ends them and publishes it; gives their ids, for [`Access::forget`] after the commit.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn run(self, tx: &DatabaseTransaction, user_id: i64, now: Timestamp) -> Result<Vec<i64>> {
        if !matches!(self, Self::One(_)) {
            users::Entity::update_many()
                .col_expr(users::Column::SessionsValidFrom, Expr::value(Self::valid_from(now)))
                .filter(users::Column::Id.eq(user_id))
                .exec(tx)
                .await?;
        }
        let live = Condition::all().add(Column::UserId.eq(user_id)).add(Column::RevokedAt.is_null());
        let chosen = match self {
            Self::All => live,
            Self::AllBut(kept) => live.add(Column::Id.ne(kept)),
            Self::One(session_id) => live.add(Column::Id.eq(session_id)),
        };
        let ids: Vec<i64> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(chosen.clone())
            .into_tuple()
            .all(tx)
            .await?;
        Entity::update_many()
            .col_expr(Column::RevokedAt, Expr::value(now.micros()))
            .filter(chosen)
            .exec(tx)
            .await?;
        feed::publish(tx, user_id, &ids, now).await?;
        Ok(ids)
    }
}

/// Ends one session by itself.
pub(super) struct EndOne {
    pub(super) user_id: i64,
    pub(super) session_id: i64,
    pub(super) now: Timestamp,
    pub(super) audit: Option<(crate::audit::Kind, Client)>,
    pub(super) outbox: crate::mail::Outbox,
}

impl Write for EndOne {
    type Output = Vec<i64>;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Vec<i64>> {
        let ended = EndSessions::One(self.session_id).run(tx, self.user_id, self.now).await?;
        if let (Some((kind, client)), false) = (&self.audit, ended.is_empty()) {
            let subject = crate::audit::Subject::session(self.user_id, self.session_id);
            crate::audit::record(tx, *kind, subject, client, self.now).await?;
            if *kind == crate::audit::Kind::TokenReused {
                self.outbox.enqueue(tx, &self.warning(client), self.now).await?;
            }
        }
        Ok(ended)
    }
}

impl EndOne {
    fn warning(&self, client: &Client) -> crate::mail::Letter {
        crate::mail::Letter::TokenReused {
            user_id: self.user_id,
            ip_prefix: client.ip_prefix.clone(),
            device: client.device.clone(),
            at: self.now,
        }
    }
}

/// The error of a token whose session is gone.
pub(super) const fn gone() -> Error {
    Error::token_not_valid()
}
