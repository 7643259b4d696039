//! Looks up who gets a letter and makes its tokens, at the moment it is sent.
//!
//! Doing it here rather than in the request keeps every row and backup free of working tokens, and makes
//! the request's work the same whether or not an account exists.

use super::{invite, store};
use crate::access::Client;
use crate::audit::{self, Kind, Subject};
use crate::error::{Error, Result};
use crate::mail::{AskedBy, Content, Letter, Outbox, Prepare, Prepared};
use crate::model::one_time_tokens::{self, Purpose};
use crate::model::users::{Column, Entity, Model as User, Status};
use crate::state::App;
use crate::storage::Write;
use portcullis_security::clock::Timestamp;
use portcullis_security::secret::Secret;
use portcullis_security::token::{Code, OneTimeToken};
use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use std::sync::Arc;
use std::time::Duration;

const CODE_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// What the mail worker asks for every letter.
pub fn prepare(app: &Arc<App>) -> Prepare {
    let app = app.clone();
    Arc::new(move |letter, created_at| {
        let app = app.clone();
        Box::pin(async move { prepare_letter(&app, letter, created_at).await })
    })
}

async fn prepare_letter(app: &App, letter: Letter, created_at: Timestamp) -> Result<Option<Prepared>> {
    match letter {
        Letter::VerifyEmail { user_id } => verify_email(app, user_id).await,
        Letter::ResendVerification { address } => resend(app, &address).await,
        Letter::AlreadyRegistered { address } => already_registered(app, address).await,
        Letter::ResetPassword { address, by } => reset_password(app, &address, by, created_at).await,
        Letter::ConfirmEmailChange { user_id, address, password_changed_at } => {
            confirm_change(app, user_id, address, password_changed_at).await
        }
        Letter::PasswordChanged { user_id, ip_prefix, device } => {
            notice(app, user_id, Content::PasswordChanged { ip_prefix, device }).await
        }
        Letter::EmailChanged { user_id, old_address } => {
            let user = find(app, user_id).await?;
            let username = user.map(|user| user.username);
            Ok(Some(Prepared { to: old_address, username, content: Content::EmailChanged }))
        }
        Letter::AccountDeleted { user_id, delete_at } => {
            notice(app, user_id, Content::AccountDeleted { delete_at }).await
        }
        Letter::NewDevice { user_id, ip_prefix, device, at } => {
            notice(app, user_id, Content::NewDevice { ip_prefix, device, at }).await
        }
        Letter::TokenReused { user_id, ip_prefix, device, at } => {
            warning(app, user_id, Content::TokenReused { ip_prefix, device, at }).await
        }
        Letter::PasswordGuessed { user_id, at } => {
            warning(app, user_id, Content::PasswordGuessed { at }).await
        }
        Letter::Invitation { address, lifetime } => {
            invite::send(app, address, Duration::from_secs(lifetime)).await.map(Some)
        }
        // What the community has to say is its features' to prepare.
        Letter::NewFollower { .. }
        | Letter::FollowRequest { .. }
        | Letter::FollowApproved { .. }
        | Letter::BookReviewed { .. }
        | Letter::ReviewOfSameBook { .. } => Ok(None),
        Letter::Test { address } => {
            Ok(Some(Prepared { to: address, username: None, content: Content::Test }))
        }
    }
}

async fn find(app: &App, user_id: i64) -> Result<Option<User>> {
    Ok(app.access.users().load(user_id).await?.map(|user| user.as_ref().clone()))
}

fn to(user: &User, content: Content) -> Prepared {
    Prepared { to: user.email.clone(), username: Some(user.username.clone()), content }
}

async fn notice(app: &App, user_id: i64, content: Content) -> Result<Option<Prepared>> {
    Ok(find(app, user_id).await?.map(|user| to(&user, content)))
}

/// Of attacks only the owner hears: an unproved address may be a stranger's.
async fn warning(app: &App, user_id: i64, content: Content) -> Result<Option<Prepared>> {
    let owner = find(app, user_id).await?.filter(|user| user.email_verified_at.is_some());
    Ok(owner.filter(|user| user.status == Status::Active).map(|user| to(&user, content)))
}

async fn verify_email(app: &App, user_id: i64) -> Result<Option<Prepared>> {
    let Some(user) = find(app, user_id).await? else { return Ok(None) };
    if user.email_verified_at.is_some() || user.email_conflict || user.status != Status::Active {
        return Ok(None);
    }
    let lifetime = app.config.accounts.verification_lifetime;
    let token = OneTimeToken::generate(&app.random);
    let code = Code::generate(&app.random);
    let now = app.now();
    let mint =
        |hash: [u8; 32], purpose, lifetime| mint(&user, &user.email, hash, purpose).lasting(now, lifetime);
    let rows = vec![
        mint(token.hash(), Purpose::Verify, lifetime),
        mint(code.hash(&app.code_key, user.id), Purpose::VerifyCode, CODE_LIFETIME),
    ];
    app.storage.write(InsertTokens(rows)).await?;
    Ok(Some(to(
        &user,
        Content::VerifyEmail {
            token: Secret::from(token.expose()),
            lifetime,
            code: Secret::from(code.expose()),
            code_lifetime: CODE_LIFETIME,
        },
    )))
}

/// Those who wait for the address get letters of their own, which name them. The first is what was asked for, and
/// throttled as such; the others count as letters that nobody asked for.
async fn resend(app: &App, address: &str) -> Result<Option<Prepared>> {
    let next = store::next_to_mail(app.storage.reader(), address).await?;
    let is_admitted = |place: usize| place == 0 || app.guard.limits.admits_letter(address);
    let admitted = next.iter().enumerate().take_while(|(place, _)| is_admitted(*place));
    let user_ids: Vec<i64> = admitted.map(|(_, user)| user.id).collect();
    if !user_ids.is_empty() {
        app.write(EnqueueVerifications { outbox: app.outbox.clone(), user_ids, now: app.now() }).await?;
    }
    Ok(None)
}

async fn already_registered(app: &App, address: String) -> Result<Option<Prepared>> {
    let owner = store::owner_of_address(app.storage.reader(), &address).await?;
    Ok(owner.map(|user| to(&user, Content::AlreadyRegistered)))
}

async fn reset_password(
    app: &App,
    address: &str,
    by: AskedBy,
    asked_at: Timestamp,
) -> Result<Option<Prepared>> {
    let Some(user) = store::owner_of_address(app.storage.reader(), address).await? else { return Ok(None) };
    let lifetime = app.config.accounts.reset_lifetime;
    let token = OneTimeToken::generate(&app.random);
    let row = mint(&user, &user.email, token.hash(), Purpose::Reset).lasting(app.now(), lifetime);
    let since = Column::PasswordChangedAt.lte(asked_at.micros());
    let unless_changed = Column::EmailClaim.eq(address).and(since);
    if !app.storage.write(InsertLink { row, unless_changed, by: Some(Client::from(by)) }).await? {
        return Ok(None);
    }
    let content = Content::ResetPassword { token: Secret::from(token.expose()), lifetime };
    Ok(Some(to(&user, content)))
}

async fn confirm_change(
    app: &App,
    user_id: i64,
    address: String,
    password_changed_at: i64,
) -> Result<Option<Prepared>> {
    if let Some(owner) = store::owner_of_address(app.storage.reader(), &address).await?
        && owner.id != user_id
    {
        return Ok(Some(to(&owner, Content::AlreadyRegistered)));
    }
    let Some(user) = find(app, user_id).await? else { return Ok(None) };
    let lifetime = app.config.accounts.verification_lifetime;
    let token = OneTimeToken::generate(&app.random);
    let row = mint(&user, &address, token.hash(), Purpose::EmailChange).lasting(app.now(), lifetime);
    let unless_changed = Column::PasswordChangedAt.eq(password_changed_at);
    if !app.storage.write(InsertLink { row, unless_changed, by: None }).await? {
        return Ok(None);
    }
    let content = Content::ConfirmEmailChange { token: Secret::from(token.expose()), lifetime };
    Ok(Some(Prepared { to: address, username: Some(user.username), content }))
}

fn mint(user: &User, email: &str, hash: [u8; 32], purpose: Purpose) -> Minted {
    Minted { user_id: user.id, email: email.to_owned(), hash, purpose, created_at: 0, expires_at: 0 }
}

#[derive(Clone)]
struct Minted {
    user_id: i64,
    email: String,
    hash: [u8; 32],
    purpose: Purpose,
    created_at: i64,
    expires_at: i64,
}

impl Minted {
    fn lasting(mut self, now: Timestamp, lifetime: Duration) -> Self {
        self.created_at = now.micros();
        self.expires_at = now.plus(lifetime).micros();
        self
    }
}

struct InsertTokens(Vec<Minted>);

impl Write for InsertTokens {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        for minted in &self.0 {
            if minted.purpose == Purpose::VerifyCode {
                // A code is good for the letter that it stands in, and no other.
                let now = Timestamp::from_micros(minted.created_at);
                // One after the other, whichever process sends them.
                Entity::find_by_id(minted.user_id).lock_exclusive().one(tx).await?;
                store::end_tokens(tx, minted.user_id, &[Purpose::VerifyCode], now).await?;
            }
            let row = one_time_tokens::ActiveModel {
                hash: Set(minted.hash.to_vec()),
                purpose: Set(minted.purpose),
                user_id: Set(minted.user_id),
                email: Set(minted.email.clone()),
                attempts: Set(0),
                created_at: Set(minted.created_at),
                expires_at: Set(minted.expires_at),
                ..one_time_tokens::ActiveModel::default()
            };
            one_time_tokens::Entity::insert(row).exec_without_returning(tx).await.map_err(Error::from)?;
        }
        Ok(())
    }
}

/// The token of a link, unless its account was shut or has changed since the link was asked for: a letter may wait
/// for days, and what ends links finds none while it does.
struct InsertLink {
    row: Minted,
    unless_changed: SimpleExpr,
    /// Who asked, for the event.
    by: Option<Client>,
}

impl Write for InsertLink {
    type Output = bool;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<bool> {
        // Locked, so that a change at the same moment is seen here or ends this token.
        let account = Entity::find_by_id(self.row.user_id)
            .filter(Column::Status.eq(Status::Active))
            .filter(self.unless_changed.clone())
            .lock_exclusive();
        if account.one(tx).await?.is_none() {
            return Ok(false);
        }
        InsertTokens(vec![self.row.clone()]).run(tx).await?;
        if let Some(by) = &self.by {
            let now = Timestamp::from_micros(self.row.created_at);
            audit::record(tx, Kind::ResetRequested, Subject::user(self.row.user_id), by, now).await?;
        }
        Ok(true)
    }
}

struct EnqueueVerifications {
    outbox: Outbox,
    user_ids: Vec<i64>,
    now: Timestamp,
}

impl Write for EnqueueVerifications {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        for user_id in &self.user_ids {
            self.outbox.enqueue(tx, &Letter::VerifyEmail { user_id: *user_id }, self.now).await?;
        }
        Ok(())
    }
}
