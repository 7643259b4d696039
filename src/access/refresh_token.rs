//! Refreshing: rotation by one compare-and-set, a grace for tabs that race, an end for thieves.
//!
//! A token spent less than the grace ago gets the family's *current* token, the same for every caller.
//! Any other spent token means that two parties hold the family: it ends (RFC 9700 §4.14.2).

use super::session::{EndOne, SPENT_KEPT, gone};
use super::{Access, Client, NewSession, TokenPair};
use crate::audit::Kind;
use crate::error::{Error, Result};
use crate::model::sessions::{Column, Entity, Model};
use crate::model::users::{self, Model as User, Status};
use crate::storage::{Write, is_unique_violation};
use portcullis_security::clock::Timestamp;
use portcullis_security::random::Random;
use portcullis_security::token::{Claims, TokenType, session_jti};
use sea_orm::sea_query::{Expr, SelectStatement};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
};
use std::sync::Arc;

/// Losing the race more often than this means that something else is wrong.
const ATTEMPTS: usize = 4;

/// A refresh token that carries our signature and has not expired.
pub struct Presented {
    claims: Claims,
}

/// What came of it.
pub struct RefreshOutcome {
    /// The new pair.
    pub tokens: TokenPair,
    /// Whose it is.
    pub user: Arc<User>,
}

/// A refresh token from a Django, without a session.
#[derive(Clone, Copy, Debug)]
pub struct Foreign {
    user_id: i64,
    jti_hash: [u8; 32],
}

impl Presented {
    /// Whose token it claims, with our signature, to be.
    pub const fn user_id(&self) -> i64 {
        self.claims.user_id
    }
}

enum Standing {
    Current,
    SpentAt(Timestamp),
    Unknown,
}

impl Access {
    /// Reads a refresh token.
    ///
    /// # Errors
    /// 401 when it is not one of ours or has expired.
    pub fn present(&self, token: &str) -> Result<Presented> {
        let keys = self.keys.current();
        let claims = keys.verify(token, TokenType::Refresh, self.clock.now());
        claims.map(|claims| Presented { claims }).map_err(|_| Error::token_not_valid())
    }

    /// Exchanges a refresh token for the next pair.
    ///
    /// # Errors
    /// 401 when the token is spent, ended or its account may not log in; 503 without the database.
    pub async fn refresh(
        &self,
        presented: &Presented,
        client: &Client,
        random: &Random,
    ) -> Result<RefreshOutcome> {
        let (row, user) = match presented.claims.sid {
            Some(session_id) => self.rotate(session_id, &presented.claims, client).await?,
            None => {
                let user = usable(self.users.load(presented.claims.user_id).await?)?;
                (self.exchange(&user, &presented.claims, client, random).await?, user)
            }
        };
        Ok(RefreshOutcome { tokens: self.tokens(&row, &user, random), user })
    }

    /// The family's row and its owner, both as the database has them.
    ///
    /// Both may come from memory at first: the compare-and-set holds only where neither has changed.
    async fn rotate(
        &self,
        session_id: i64,
        claims: &Claims,
        client: &Client,
    ) -> Result<(Arc<Model>, Arc<User>)> {
        let mut hint = self.live.get(session_id);
        for _ in 0..ATTEMPTS {
            let user = match &hint {
                Some(_) => self.users.find(claims.user_id).await?,
                None => self.users.load(claims.user_id).await?,
            };
            let user = match usable(user) {
                // What is remembered may be older than the row.
                Err(_) if hint.take().is_some() => continue,
                user => user?,
            };
            let is_hint = hint.is_some();
            let row = match hint.take() {
                Some(row) => row,
                None => self.load_session(session_id, claims.user_id).await?,
            };
            match self.standing(&row, claims) {
                Standing::Current => {
                    if let Some(next) = self.compare_and_set(&row, &user).await? {
                        return Ok((next, user));
                    }
                    self.users.forget(user.id);
                }
                // Only the row itself may condemn or pardon a spent token.
                _ if is_hint => {}
                Standing::SpentAt(at) if self.clock.now().since(at) <= self.lifetimes.grace => {
                    return Ok((row, user));
                }
                Standing::SpentAt(_) | Standing::Unknown => return Err(self.end_reused(&row, client).await),
            }
        }
        Err(Error::unavailable("a refresh lost every race"))
    }

    async fn load_session(&self, session_id: i64, user_id: i64) -> Result<Arc<Model>> {
        let row = Entity::find_by_id(session_id).one(self.storage.reader()).await?.ok_or_else(gone)?;
        let now = self.clock.now().micros();
        let is_over =
            row.revoked_at.is_some() || row.idle_expires_at <= now || row.absolute_expires_at <= now;
        if is_over || row.user_id != user_id { Err(gone()) } else { Ok(Arc::new(row)) }
    }

    fn standing(&self, row: &Model, claims: &Claims) -> Standing {
        if row.token_hash == claims.jti_hash() {
            return Standing::Current;
        }
        let spent = spent_times(row);
        let generations = (0..row.generation).rev();
        let is_of = |generation| {
            self.lifetimes.prf_keys.all().any(|key| session_jti(key, row.id, generation) == claims.jti)
        };
        generations
            .zip(spent)
            .find(|(generation, _)| is_of(*generation))
            .map_or(Standing::Unknown, |(_, at)| Standing::SpentAt(at))
    }

    async fn compare_and_set(&self, row: &Model, user: &Arc<User>) -> Result<Option<Arc<Model>>> {
        let now = self.clock.now();
        let mut next = row.clone();
        next.generation += 1;
        next.prf_kid = self.lifetimes.prf_kid();
        next.spent = spent_with(&row.spent, now);
        self.lifetimes.make_current(&mut next, now);
        let rotate = Rotate { old: row.clone(), next: next.clone(), owner: user.clone(), now };
        if !self.storage.write(rotate).await? {
            return Ok(None);
        }
        let next = Arc::new(next);
        self.live.insert(next.as_ref().clone());
        Ok(Some(next))
    }

    async fn end_reused(&self, row: &Model, client: &Client) -> Error {
        let audit = Some((Kind::TokenReused, client.clone()));
        match self.end_session(row.user_id, row.id, audit).await {
            Ok(()) => gone(),
            Err(error) => error,
        }
    }

    /// Ends one session; ending it again changes nothing.
    ///
    /// # Errors
    /// 503 without the database.
    pub async fn end_session(
        &self,
        user_id: i64,
        session_id: i64,
        audit: Option<(Kind, Client)>,
    ) -> Result<()> {
        let now = self.clock.now();
        let outbox = self.outbox.clone();
        let ended = self.storage.write(EndOne { user_id, session_id, now, audit, outbox }).await?;
        self.outbox.wake();
        self.forget(user_id, &ended);
        Ok(())
    }

    /// A Django's token: it starts a family, once.
    async fn exchange(
        &self,
        user: &User,
        claims: &Claims,
        client: &Client,
        random: &Random,
    ) -> Result<Arc<Model>> {
        let valid_from = Timestamp::from_micros(user.sessions_valid_from).seconds();
        if claims.iat < valid_from {
            return Err(gone());
        }
        let foreign = Foreign { user_id: user.id, jti_hash: claims.jti_hash() };
        let now = self.clock.now();
        let session =
            NewSession::new(user.id, client, &self.lifetimes, now, random).in_exchange_for(foreign.jti_hash);
        let exchange = Exchange { row: session.into_row(), valid_from: Some(user.sessions_valid_from) };
        if self.storage.write(exchange).await? {
            return self.exchanged(foreign).await;
        }
        let row = self.exchanged(foreign).await?;
        let spent_at = Timestamp::from_micros(row.created_at);
        if row.revoked_at.is_none() && now.since(spent_at) <= self.lifetimes.grace {
            return Ok(row);
        }
        Err(self.end_reused(&row, client).await)
    }

    async fn exchanged(&self, foreign: Foreign) -> Result<Arc<Model>> {
        let same = Column::OriginHash.eq(foreign.jti_hash.to_vec());
        let row = Entity::find().filter(same).one(self.storage.reader()).await?;
        row.filter(|row| row.user_id == foreign.user_id).map(Arc::new).ok_or_else(gone)
    }

    /// Ends what a refresh token belongs to, whatever its age: the holder wants to leave.
    ///
    /// # Errors
    /// 400 when the token was never ours, or `bearer` is somebody else.
    pub async fn log_out(
        &self,
        token: &str,
        bearer: Option<i64>,
        client: &Client,
        random: &Random,
    ) -> Result<i64> {
        let invalid = || Error::bad_request("token_not_valid", "Invalid or expired token");
        let claims = self.keys.current().verify_signature(token).map_err(|_| invalid())?;
        let is_others = bearer.is_some_and(|user_id| user_id != claims.user_id);
        if claims.token_type != TokenType::Refresh || is_others {
            return Err(invalid());
        }
        let audit = Some((Kind::SessionEnded, client.clone()));
        if let Some(session_id) = claims.sid {
            self.end_session(claims.user_id, session_id, audit).await?;
        } else {
            self.log_out_foreign(&claims, client, random).await?;
        }
        Ok(claims.user_id)
    }

    async fn log_out_foreign(&self, claims: &Claims, client: &Client, random: &Random) -> Result<()> {
        let foreign = Foreign { user_id: claims.user_id, jti_hash: claims.jti_hash() };
        let now = self.clock.now();
        let session = NewSession::new(foreign.user_id, client, &self.lifetimes, now, random)
            .in_exchange_for(foreign.jti_hash)
            .ended(now);
        if !self.storage.write(Exchange { row: session.into_row(), valid_from: None }).await? {
            let row = self.exchanged(foreign).await?;
            self.end_session(row.user_id, row.id, Some((Kind::SessionEnded, client.clone()))).await?;
        }
        Ok(())
    }

    /// Whether a token is good: simplejwt's `token/verify`.
    ///
    /// # Errors
    /// 401 when it is not; 503 without the database.
    pub async fn verify(&self, token: &str) -> Result<i64> {
        let keys = self.keys.current();
        let claims = keys.verify_any(token, self.clock.now()).map_err(|_| Error::token_not_valid())?;
        if claims.token_type == TokenType::Access {
            return self.authenticate(token).await.map(|identity| identity.user.id);
        }
        let user = self.users.find(claims.user_id).await?.ok_or_else(gone)?;
        if user.status != Status::Active {
            return Err(gone());
        }
        let is_good = match claims.sid {
            Some(session_id) => {
                let row = self.load_session(session_id, claims.user_id).await?;
                matches!(self.standing(&row, &claims), Standing::Current)
            }
            None => {
                let valid_from = Timestamp::from_micros(user.sessions_valid_from).seconds();
                let foreign = Foreign { user_id: user.id, jti_hash: claims.jti_hash() };
                claims.iat >= valid_from && self.exchanged(foreign).await.is_err()
            }
        };
        if is_good { Ok(claims.user_id) } else { Err(gone()) }
    }
}

/// When the last generations were spent, newest first.
fn spent_times(row: &Model) -> impl Iterator<Item = Timestamp> {
    row.spent.chunks_exact(8).filter_map(|chunk| {
        let bytes: [u8; 8] = chunk.try_into().ok()?;
        Some(Timestamp::from_micros(i64::from_be_bytes(bytes)))
    })
}

fn spent_with(spent: &[u8], now: Timestamp) -> Vec<u8> {
    let mut times = now.micros().to_be_bytes().to_vec();
    times.extend(spent.iter().take((SPENT_KEPT - 1) * 8));
    times
}

fn usable(user: Option<Arc<User>>) -> Result<Arc<User>> {
    user.filter(|user| user.status == Status::Active && user.email_verified_at.is_some()).ok_or_else(gone)
}

/// The compare-and-set: true when the row was still in its old state, and its owner is who we think.
struct Rotate {
    old: Model,
    next: Model,
    owner: Arc<User>,
    now: Timestamp,
}

impl Write for Rotate {
    type Output = bool;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<bool> {
        let now = self.now.micros();
        let updated = Entity::update_many()
            .col_expr(Column::TokenHash, Expr::value(self.next.token_hash.clone()))
            .col_expr(Column::Generation, Expr::value(self.next.generation))
            .col_expr(Column::PrfKid, Expr::value(self.next.prf_kid.clone()))
            .col_expr(Column::Spent, Expr::value(self.next.spent.clone()))
            .col_expr(Column::RotatedAt, Expr::value(self.next.rotated_at))
            .col_expr(Column::IdleExpiresAt, Expr::value(self.next.idle_expires_at))
            .filter(Column::Id.eq(self.old.id))
            .filter(Column::Generation.eq(self.old.generation))
            .filter(Column::TokenHash.eq(self.old.token_hash.clone()))
            .filter(Column::RevokedAt.is_null())
            .filter(Column::IdleExpiresAt.gt(now))
            .filter(Column::AbsoluteExpiresAt.gt(now))
            .filter(Expr::exists(unchanged(&self.owner)))
            .exec(tx)
            .await?;
        Ok(updated.rows_affected == 1)
    }
}

/// The owner's row, if what goes into tokens, and the right to have one, is still as we remember it: it
/// costs less than reading the row.
fn unchanged(owner: &User) -> SelectStatement {
    users::Entity::find()
        .select_only()
        .column(users::Column::Id)
        .filter(users::Column::Id.eq(owner.id))
        .filter(users::Column::Username.eq(&owner.username))
        .filter(users::Column::Email.eq(&owner.email))
        .filter(users::Column::IsStaff.eq(owner.is_staff))
        .filter(users::Column::Status.eq(owner.status))
        .filter(users::Column::EmailVerifiedAt.is_not_null())
        .into_query()
}

/// Begins the family of a foreign token: false when the token was exchanged before.
struct Exchange {
    row: Model,
    /// Since when the owner's tokens are good, as it was judged; a family that ends at once asks nobody.
    valid_from: Option<i64>,
}

impl Write for Exchange {
    type Output = bool;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<bool> {
        if let Some(valid_from) = self.valid_from {
            // Locked: what ends all sessions ends this one, too, or comes first.
            let owner = users::Entity::find_by_id(self.row.user_id)
                .filter(users::Column::Status.eq(Status::Active))
                .filter(users::Column::SessionsValidFrom.eq(valid_from));
            owner.lock_exclusive().one(tx).await?.ok_or_else(gone)?;
        }
        let row: crate::model::sessions::ActiveModel = self.row.clone().into();
        match Entity::insert(row.reset_all()).exec_without_returning(tx).await {
            Err(error) if is_unique_violation(&error, "origin_hash") => Ok(false),
            outcome => Ok(outcome.map(|_| true)?),
        }
    }
}
