//! The append-only record of security events (guide §17 "Logging", ASVS v5.0.0-16.3).
//!
//! Events are only appended ([`record`]): nothing in the server changes one. They go when they are old
//! ([`drop_old`]), or with the account that is erased. An event that an operator wants to hear of at once
//! ([`Kind::is_alert`]) puts a webhook beside itself, in the same transaction.

use crate::access::Client;
use crate::error::Result;
use crate::model::audit_events::{ActiveModel, Column, Entity};
use crate::model::webhooks;
use crate::storage::{Storage, Write};
use portcullis_security::clock::Timestamp;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QuerySelect,
};
use serde_json::json;

/// Old events that go at a time, so that no other write waits long: after an attack they may be many.
const BATCH: u64 = 500;

/// What happened. The slug is stored; a reader of the table should need no manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An account was made.
    Registered,
    /// A password was right, and a session began.
    LoginSucceeded,
    /// A password was wrong, or the account may not log in.
    LoginFailed,
    /// A throttle of secrets or mails refused a caller, the first time within a minute.
    LimitHit,
    /// A login from a device that the account had not used before.
    NewDevice,
    /// An address was proved.
    EmailVerified,
    /// A mail with a reset link was asked for.
    ResetRequested,
    /// A password was set by a reset link.
    PasswordReset,
    /// A password was changed by its owner.
    PasswordChanged,
    /// The address of an account was changed.
    EmailChanged,
    /// A spent refresh token was shown: its family was ended.
    TokenReused,
    /// One session was ended.
    SessionEnded,
    /// All sessions of an account were ended.
    AllSessionsEnded,
    /// An account was deleted by its owner.
    AccountDeleted,
    /// A deleted account came back.
    AccountRestored,
    /// An account was made staff or superuser from the command line.
    Promoted,
    /// An account lost its rights as staff and superuser, from the command line.
    Demoted,
    /// An account was shut out, from the command line.
    Banned,
    /// An account was let in again, from the command line.
    Unbanned,
    /// An invitation was made from the command line.
    Invited,
    /// A new signing key was made; the old ones go on verifying.
    KeyRotated,
    /// A signing key was revoked, and with it every token that it had signed.
    KeyRevoked,
    /// From one network many accounts' passwords were wrong.
    CredentialStuffing,
    /// One account's password was wrong many times, or from many networks.
    PasswordGuessing,
    /// One account logged in from many networks within minutes.
    LoginBurst,
    /// A webhook was given up.
    WebhookLost,
    /// The database was replaced by a backup, from the command line.
    DatabaseRestored,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 27] = [
        Self::Registered,
        Self::LoginSucceeded,
        Self::LoginFailed,
        Self::LimitHit,
        Self::NewDevice,
        Self::EmailVerified,
        Self::ResetRequested,
        Self::PasswordReset,
        Self::PasswordChanged,
        Self::EmailChanged,
        Self::TokenReused,
        Self::SessionEnded,
        Self::AllSessionsEnded,
        Self::AccountDeleted,
        Self::AccountRestored,
        Self::Promoted,
        Self::Demoted,
        Self::Banned,
        Self::Unbanned,
        Self::Invited,
        Self::KeyRotated,
        Self::KeyRevoked,
        Self::CredentialStuffing,
        Self::PasswordGuessing,
        Self::LoginBurst,
        Self::WebhookLost,
        Self::DatabaseRestored,
    ];

    /// The stored name.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Registered => "account.registered",
            Self::LoginSucceeded => "login.succeeded",
            Self::LoginFailed => "login.failed",
            Self::LimitHit => "limit.hit",
            Self::NewDevice => "login.new_device",
            Self::EmailVerified => "email.verified",
            Self::ResetRequested => "password.reset_requested",
            Self::PasswordReset => "password.reset",
            Self::PasswordChanged => "password.changed",
            Self::EmailChanged => "email.changed",
            Self::TokenReused => "token.reused",
            Self::SessionEnded => "session.ended",
            Self::AllSessionsEnded => "session.all_ended",
            Self::AccountDeleted => "account.deleted",
            Self::AccountRestored => "account.restored",
            Self::Promoted => "account.promoted",
            Self::Demoted => "account.demoted",
            Self::Banned => "account.banned",
            Self::Unbanned => "account.unbanned",
            Self::Invited => "account.invited",
            Self::KeyRotated => "key.rotated",
            Self::KeyRevoked => "key.revoked",
            Self::CredentialStuffing => "attack.credential_stuffing",
            Self::PasswordGuessing => "attack.password_guessing",
            Self::LoginBurst => "attack.login_burst",
            Self::WebhookLost => "webhook.lost",
            Self::DatabaseRestored => "database.restored",
        }
    }

    /// Whether operators are told of it by metric and webhook.
    pub const fn is_alert(self) -> bool {
        matches!(
            self,
            Self::TokenReused
                | Self::NewDevice
                | Self::CredentialStuffing
                | Self::PasswordGuessing
                | Self::LoginBurst
        )
    }
}

/// Whose account an event concerns, and in which session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject {
    /// The account, if one is known.
    pub user_id: Option<i64>,
    /// The session, if in one.
    pub session_id: Option<i64>,
}

impl Subject {
    /// An account.
    pub const fn user(user_id: i64) -> Self {
        Self { user_id: Some(user_id), session_id: None }
    }

    /// An account in one of its sessions.
    pub const fn session(user_id: i64, session_id: i64) -> Self {
        Self { user_id: Some(user_id), session_id: Some(session_id) }
    }
}

/// Appends an event, in the transaction of what it tells of.
///
/// # Errors
/// When the database refuses: what is not recorded must not happen.
pub async fn record(
    db: &impl ConnectionTrait,
    kind: Kind,
    subject: Subject,
    client: &Client,
    now: Timestamp,
) -> Result<()> {
    record_detail(db, (kind, subject), client, &client.device, now).await
}

/// Appends an event of which the device says less than `detail` does.
///
/// # Errors
/// When the database refuses.
pub async fn record_detail(
    db: &impl ConnectionTrait,
    (kind, subject): (Kind, Subject),
    client: &Client,
    detail: &str,
    now: Timestamp,
) -> Result<()> {
    let event = ActiveModel {
        at: Set(now.micros()),
        kind: Set(kind.slug().to_owned()),
        user_id: Set(subject.user_id),
        session_id: Set(subject.session_id),
        ip_prefix: Set(client.ip_prefix.clone()),
        request_id: Set(client.request_id.clone()),
        detail: Set(detail.to_owned()),
        ..ActiveModel::default()
    };
    Entity::insert(event).exec_without_returning(db).await?;
    if kind.is_alert() {
        metrics::counter!("portcullis_alerts_total", "kind" => kind.slug()).increment(1);
        webhooks::Entity::insert(webhook((kind, subject), client, detail, now))
            .exec_without_returning(db)
            .await?;
    }
    tracing::info!(
        event = kind.slug(),
        user_id = subject.user_id,
        request_id = client.request_id,
        "security event"
    );
    Ok(())
}

/// Drops the events from before a moment.
///
/// # Errors
/// When the database does not answer; the next call goes on.
pub async fn drop_old(storage: &Storage, before: Timestamp) -> Result<()> {
    loop {
        let old = Entity::find().select_only().column(Column::Id).filter(Column::At.lt(before.micros()));
        let ids: Vec<i64> = old.limit(BATCH).into_tuple().all(storage.reader()).await?;
        if ids.is_empty() {
            return Ok(());
        }
        let is_last = (ids.len() as u64) < BATCH;
        storage.write(DropEvents(ids)).await?;
        if is_last {
            return Ok(());
        }
    }
}

struct DropEvents(Vec<i64>);

impl Write for DropEvents {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let these = Column::Id.is_in(self.0.iter().copied());
        Entity::delete_many().filter(these).exec(tx).await?;
        Ok(())
    }
}

/// What the operator's server will be told (docs/webhooks.md). It waits there whether or not a URL is set: one that
/// is set within three days is told of what has been.
fn webhook(
    (kind, subject): (Kind, Subject),
    client: &Client,
    detail: &str,
    now: Timestamp,
) -> webhooks::ActiveModel {
    let body = json!({
        "type": kind.slug(),
        "timestamp": now.to_string(),
        "data": {
            "user_id": subject.user_id.map(|id| id.to_string()),
            "session_id": subject.session_id.map(|id| id.to_string()),
            "network": client.ip_prefix,
            "detail": detail,
            "request_id": client.request_id,
        },
    });
    webhooks::ActiveModel {
        kind: Set(kind.slug().to_owned()),
        body: Set(body.to_string()),
        attempts: Set(0),
        next_try_at: Set(now.micros()),
        created_at: Set(now.micros()),
        ..webhooks::ActiveModel::default()
    }
}
