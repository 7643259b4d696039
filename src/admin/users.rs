//! What operators do to accounts. A server that runs meanwhile hears of it within a second.

use super::AdminError;
use crate::access::{
    Client, EndSessions, describe_device, find_by_username, publish_change, refresh_audience,
};
use crate::accounts::store;
use crate::audit::{self, Kind, Subject};
use crate::error::{Error, Result};
use crate::mail::{Letter, Outbox};
use crate::model::one_time_tokens::Purpose;
use crate::model::sessions;
use crate::model::users::{Column, Entity, Model, Status};
use crate::state::App;
use crate::storage::{Write, is_unique_violation};
use portcullis_security::clock::{Clock, Timestamp};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Value,
};

/// Rows of a list, at most.
const LISTED: u64 = 100;

/// What is done to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Ends its sessions and lets nobody log in; others see nothing of it.
    Ban,
    /// Undoes that; an account that its owner had deleted is deleted again.
    Unban,
    /// Ends every session; its owner may log in again.
    EndSessions,
    /// Makes it staff.
    Promote,
    /// Takes the rights of staff and of a superuser; its sessions end, whose tokens tell of them.
    Demote,
    /// Takes its address for proved.
    Verify,
    /// Has the running server mail a link that sets a new password.
    MailReset,
}

impl Act {
    const fn done(self) -> &'static str {
        match self {
            Self::Ban => "is shut out; every session has ended",
            Self::Unban => "may log in again",
            Self::EndSessions => "has no session any more",
            Self::Promote => "is staff",
            Self::Demote => "has no rights beyond those of every user; every session has ended",
            Self::Verify => "has proved the address, as you say",
            Self::MailReset => "is mailed a link by the running server",
        }
    }
}

/// Does it; gives a sentence that says so.
///
/// # Errors
/// When there is no such account, or it is not in the state for that.
pub async fn act(app: &App, name: &str, act: Act) -> Result<String, AdminError> {
    let user = find(app, name).await?;
    let change = Change { user, act, outbox: app.outbox.clone(), clock: app.clock.clone() };
    let username = change.user.username.clone();
    app.storage.write(change).await.map_err(AdminError::of)?;
    Ok(format!("{username} {}.", act.done()))
}

/// The newest accounts whose username or address has a text in it, as a table.
///
/// # Errors
/// When the database does not answer.
pub async fn list(app: &App, search: Option<&str>) -> Result<String, AdminError> {
    let refused = |error: sea_orm::DbErr| AdminError::of(error.into());
    let mut found = Entity::find();
    if let Some(text) = search {
        let (key, text) = (crate::access::fold(text), text.trim().to_lowercase());
        let either =
            Condition::any().add(Column::UsernameKey.contains(key)).add(Column::Email.contains(text));
        found = found.filter(either);
    }
    let count = found.clone().count(app.storage.reader()).await.map_err(refused)?;
    let newest = found.order_by_desc(Column::Id).limit(LISTED).all(app.storage.reader()).await;
    let newest = newest.map_err(refused)?;
    let mut text = row(["ID", "USERNAME", "ADDRESS", "STATE", "LAST LOGIN"]);
    for user in &newest {
        let last_login = user.last_login.map_or_else(|| "never".to_owned(), time);
        text += &row([&user.id.to_string(), &user.username, &user.email, &state(user), &last_login]);
    }
    if count > LISTED {
        text += &format!("… and {} older ones: --search TEXT finds them.\n", count - LISTED);
    }
    Ok(text)
}

fn row([id, username, email, state, last_login]: [&str; 5]) -> String {
    format!("{id:<8}{username:<24}{email:<34}{state:<24}{last_login}\n")
}

/// An account and its live sessions, for a person.
///
/// # Errors
/// When there is no such account, or the database does not answer.
pub async fn show(app: &App, name: &str) -> Result<String, AdminError> {
    let user = find(app, name).await?;
    let verified =
        user.email_verified_at.map_or_else(|| "not proved".to_owned(), |at| format!("proved {}", time(at)));
    let mut text = format!("{} (id {}), {}\n", user.username, user.id, state(&user));
    text += &format!("address     {}, {verified}\n", user.email);
    text += &format!("joined      {}\n", time(user.date_joined));
    text += &format!("last login  {}\n", user.last_login.map_or_else(|| "never".to_owned(), time));
    if let Some(at) = user.delete_at {
        text += &format!("goes        {}\n", time(at));
    }
    let live = sessions::Entity::find()
        .filter(sessions::Column::UserId.eq(user.id))
        .filter(sessions::Column::RevokedAt.is_null())
        .filter(sessions::Column::IdleExpiresAt.gt(app.now().micros()))
        .order_by_desc(sessions::Column::RotatedAt);
    let live = live.all(app.storage.reader()).await.map_err(|error| AdminError::of(error.into()))?;
    text += &format!("sessions    {}\n", live.len());
    for session in live {
        let device = describe_device(&session.user_agent);
        text += &format!("  {device}, from {}, last seen {}\n", session.ip_prefix, time(session.rotated_at));
    }
    Ok(text)
}

fn state(user: &Model) -> String {
    let mut words = match user.status {
        Status::Active if user.email_verified_at.is_none() => vec!["not verified"],
        Status::Active => vec!["active"],
        Status::Banned => vec!["banned"],
        Status::Deleted => vec!["deleted"],
    };
    words.extend(user.is_staff.then_some("staff"));
    words.extend(user.is_superuser.then_some("superuser"));
    words.join(", ")
}

fn time(micros: i64) -> String {
    Timestamp::from_micros(micros).to_string()
}

/// By username or by address; a username that is somebody else's address names nobody.
async fn find(app: &App, name: &str) -> Result<Model, AdminError> {
    let db = app.storage.reader();
    let by_name = find_by_username(db, name).await.map_err(AdminError::of)?;
    let same =
        Entity::find().filter(Column::Email.eq(name.trim().to_lowercase())).limit(LISTED).all(db).await;
    let mut same = same.map_err(|error| AdminError::of(error.into()))?;
    // Those who only wait for an address have no claim to it once somebody has proved it.
    if same.iter().any(|user| user.email_claim.is_some()) {
        same.retain(|user| user.email_claim.is_some());
    }
    same.retain(|user| by_name.as_ref().is_none_or(|named| named.id != user.id));
    let mut found: Vec<Model> = by_name.into_iter().chain(same).collect();
    match found.len() {
        0 => Err(AdminError(format!("there is no account {name}: portcullis users list"))),
        1 => Ok(found.swap_remove(0)),
        _ => {
            let names: Vec<_> = found.into_iter().map(|user| user.username).collect();
            Err(AdminError(format!("{name} may be one of several: name {}", names.join(" or "))))
        }
    }
}

struct Change {
    user: Model,
    act: Act,
    outbox: Outbox,
    /// Asked inside the transaction: other processes look for news by its time, and this one may have waited long.
    clock: Clock,
}

impl Write for Change {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let now = self.clock.now();
        match self.act {
            Act::Ban => self.ban(tx, now).await,
            Act::Unban => self.unban(tx, now).await,
            Act::EndSessions => {
                self.record(tx, Kind::AllSessionsEnded, now).await?;
                EndSessions::All.run(tx, self.user.id, now).await.map(drop)
            }
            Act::Promote => {
                self.set(tx, [(Column::IsStaff, true.into())]).await?;
                self.changed(tx, Kind::Promoted, now).await
            }
            Act::Demote => {
                self.set(tx, [(Column::IsStaff, false.into()), (Column::IsSuperuser, false.into())]).await?;
                self.record(tx, Kind::Demoted, now).await?;
                EndSessions::All.run(tx, self.user.id, now).await.map(drop)
            }
            Act::Verify => self.verify(tx, now).await,
            Act::MailReset => self.mail_reset(tx, now).await,
        }
    }
}

impl Change {
    async fn ban(&self, tx: &DatabaseTransaction, now: Timestamp) -> Result<()> {
        let banned = [(Column::Status, Status::Banned.into())];
        self.set_if(tx, banned, Column::Status.ne(Status::Banned), "is banned already").await?;
        refresh_audience(tx, self.user.id).await?;
        let purposes = [Purpose::Reset, Purpose::EmailChange];
        store::end_tokens(tx, self.user.id, &purposes, now).await?;
        self.record(tx, Kind::Banned, now).await?;
        EndSessions::All.run(tx, self.user.id, now).await.map(drop)
    }

    async fn unban(&self, tx: &DatabaseTransaction, now: Timestamp) -> Result<()> {
        let is_deleted = store::load(tx, self.user.id).await?.delete_at.is_some();
        let status = if is_deleted { Status::Deleted } else { Status::Active };
        self.set_if(
            tx,
            [(Column::Status, status.into())],
            Column::Status.eq(Status::Banned),
            "is not banned",
        )
        .await?;
        refresh_audience(tx, self.user.id).await?;
        self.changed(tx, Kind::Unbanned, now).await
    }

    async fn verify(&self, tx: &DatabaseTransaction, now: Timestamp) -> Result<()> {
        let verified = [
            (Column::EmailVerifiedAt, now.micros().into()),
            (Column::EmailClaim, self.user.email.clone().into()),
            (Column::EmailConflict, false.into()),
        ];
        let is_open = Column::EmailVerifiedAt.is_null();
        self.set_if(tx, verified, is_open, "has proved the address already").await?;
        let purposes = [Purpose::Verify, Purpose::VerifyCode];
        store::end_tokens(tx, self.user.id, &purposes, now).await?;
        refresh_audience(tx, self.user.id).await?;
        self.changed(tx, Kind::EmailVerified, now).await
    }

    async fn mail_reset(&self, tx: &DatabaseTransaction, now: Timestamp) -> Result<()> {
        if self.user.email_verified_at.is_none() || self.user.status != Status::Active {
            return Err(self.refused("is banned or deleted, or has not proved the address"));
        }
        let letter = Letter::ResetPassword { address: self.user.email.clone(), by: Client::system().into() };
        self.outbox.enqueue(tx, &letter, now).await
    }

    async fn set<const N: usize>(&self, tx: &DatabaseTransaction, cells: [(Column, Value); N]) -> Result<()> {
        self.set_if(tx, cells, Column::Id.is_not_null(), "is gone").await
    }

    /// Sets cells of the account where a condition holds.
    async fn set_if<const N: usize>(
        &self,
        tx: &DatabaseTransaction,
        cells: [(Column, Value); N],
        condition: SimpleExpr,
        otherwise: &str,
    ) -> Result<()> {
        let update = Entity::update_many().filter(Column::Id.eq(self.user.id)).filter(condition);
        let update = cells
            .into_iter()
            .fold(update, |update, (column, value)| update.col_expr(column, Expr::value(value)));
        match update.exec(tx).await {
            Ok(result) if result.rows_affected > 0 => Ok(()),
            Ok(_) => Err(self.refused(otherwise)),
            Err(error) if is_unique_violation(&error, "email_claim") => {
                Err(self.refused("cannot have that address: it is another account's"))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn changed(&self, tx: &DatabaseTransaction, kind: Kind, now: Timestamp) -> Result<()> {
        self.record(tx, kind, now).await?;
        publish_change(tx, self.user.id, now).await
    }

    async fn record(&self, tx: &DatabaseTransaction, kind: Kind, now: Timestamp) -> Result<()> {
        audit::record(tx, kind, Subject::user(self.user.id), &Client::system(), now).await
    }

    fn refused(&self, why: &str) -> Error {
        Error::field("name", format!("{} {why}.", self.user.username))
    }
}
