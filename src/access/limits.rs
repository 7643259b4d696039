//! Throttles: which buckets a call falls into, and their survival of a restart (contract §2 "Throttles").

use super::client::{Client, Origin};
use crate::audit::{self, Subject};
use crate::error::{Error, Result, Throttled};
use crate::model::throttle_snapshots::{ActiveModel, Column, Entity, Model};
use crate::storage::{Storage, Write};
use portcullis_security::client_ip;
use portcullis_security::clock::{Clock, Timestamp};
use portcullis_security::throttle::{Bucket, Limiter, Rate, Refused, SnapshotRow, key_of, policy_field};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

/// How many devices of one user may use up their rates at once: else every login would buy more guesses.
const DEVICES: u32 = 6;
const CAPACITY: usize = 1_000_000;
const ROWS_PER_SNAPSHOT: usize = 20_000;
const ROWS_PER_STATEMENT: usize = 200;
/// A full bucket is put on record this often, however many calls it refuses.
const RECORDED_EVERY: Duration = Duration::from_secs(60);
/// Buckets on record at a time: more full ones within a minute are only counted in the metrics.
const MAX_RECORDED: usize = 10_000;

/// A rate that applies to a group of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Login, register and what else checks a secret.
    Auth = 1,
    /// Mails that anybody may cause.
    Reset = 2,
    /// Every other call of a user.
    User = 3,
    /// Every other call of nobody.
    Anon = 4,
    /// Those of them that change something.
    AnonPost = 5,
    /// Searches that may cost money.
    AiSearch = 6,
    /// Messages of an account in all its sockets.
    Messages = 7,
}

impl Policy {
    const ALL: [Self; 7] =
        [Self::Auth, Self::Reset, Self::User, Self::Anon, Self::AnonPost, Self::AiSearch, Self::Messages];

    /// Its name in the `RateLimit` fields and in the metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Reset => "reset",
            Self::User => "user",
            Self::Anon => "anon",
            Self::AnonPost => "anon_post",
            Self::AiSearch => "ai_search",
            Self::Messages => "messages",
        }
    }
}

/// Whose bucket it is.
#[derive(Clone, Copy, Debug)]
pub enum Holder<'a> {
    /// A network address; IPv6 by its /64.
    Ip(IpAddr),
    /// An account by its folded name, known or not.
    Account(&'a str),
    /// A mail address, as one who calls names it.
    Address(&'a str),
    /// A mail address, as one that is mailed to.
    Mailbox(&'a str),
    /// A user by id.
    User(i64),
    /// A device that a user has logged in from before.
    Device(&'a str),
    /// All such devices of a user together: [`DEVICES`] times the rate.
    Devices(i64),
}

impl Holder<'_> {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Ip(_) => "ip",
            Self::Account(_) => "account",
            Self::Address(_) => "address",
            Self::Mailbox(_) => "mailbox",
            Self::User(_) => "user",
            Self::Device(_) => "device",
            Self::Devices(_) => "devices",
        }
    }
}

/// The rates of the settings.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// False lets everything pass, for benchmarks.
    pub enabled: bool,
    /// `THROTTLE__AUTH`.
    pub auth: Rate,
    /// `THROTTLE__RESET`.
    pub reset: Rate,
    /// `THROTTLE__USER`.
    pub user: Rate,
    /// `THROTTLE__ANON`.
    pub anon: Rate,
    /// `THROTTLE__ANON_POST`.
    pub anon_post: Rate,
    /// `THROTTLE__AI_SEARCH`.
    pub ai_search: Rate,
    /// No setting.
    pub messages: Rate,
}

impl Rates {
    const fn of(&self, policy: Policy) -> Rate {
        match policy {
            Policy::Auth => self.auth,
            Policy::Reset => self.reset,
            Policy::User => self.user,
            Policy::Anon => self.anon,
            Policy::AnonPost => self.anon_post,
            Policy::AiSearch => self.ai_search,
            Policy::Messages => self.messages,
        }
    }
}

/// All windows of this process.
pub struct Limits {
    clock: Clock,
    limiter: Limiter,
    rates: Rates,
    key: [u8; 32],
    recorded: Mutex<HashMap<(u8, [u8; 16]), Timestamp>>,
}

impl Limits {
    /// Windows as the last process left them. `key` hides who is behind a stored bucket.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn load(storage: &Storage, clock: Clock, rates: Rates, key: [u8; 32]) -> Result<Self> {
        let limits = Self { limiter: Limiter::new(CAPACITY), rates, key, clock, recorded: Mutex::default() };
        let now = limits.clock.now();
        let rows = Entity::find().filter(Column::ExpiresAt.gt(now.micros())).all(storage.reader()).await?;
        let rows: Vec<_> = rows.iter().filter_map(snapshot_of).collect();
        limits.limiter.restore(&rows, now);
        Ok(limits)
    }

    /// Counts a call in all its buckets, or in none.
    ///
    /// # Errors
    /// 429 with the wait that is needed.
    pub fn check(&self, buckets: &[(Policy, Holder<'_>)]) -> Result<()> {
        self.admit(buckets).map_err(|refused| throttled(&refused))
    }

    /// Whether one more letter may go to an address that a stranger may have named; counts it if so. The call that
    /// causes it is answered alike either way.
    pub fn admits_letter(&self, address: &str) -> bool {
        self.admit(&[(Policy::Reset, Holder::Mailbox(address))]).is_ok()
    }

    /// Counts a message that a user sends, in whichever socket.
    ///
    /// # Errors
    /// 429 with the wait that is needed.
    pub fn check_message(&self, user_id: i64) -> Result<()> {
        self.check(&[(Policy::Messages, Holder::User(user_id))])
    }

    /// As [`check`](Self::check), for calls where a refusal is news to a security officer.
    ///
    /// The audit log hears of a full bucket once a minute, and of at most 10,000 in a minute: an attacker
    /// cannot fill a disk with calls that are refused, and each bucket takes as many accepted calls first
    /// as its policy allows. The event names the policy and the sort of bucket, never the name, address or
    /// secret that was sent; `user_id` only where the bucket is the account's own.
    ///
    /// # Errors
    /// 429 with the wait that is needed, whether or not the event could be written.
    pub async fn check_on_record(
        &self,
        storage: &Storage,
        from: Origin,
        user_id: Option<i64>,
        buckets: &[(Policy, Holder<'_>)],
    ) -> Result<()> {
        let Err(refused) = self.admit(buckets) else { return Ok(()) };
        if self.is_news((refused.policy, refused.key)) {
            let hit = self.hit(&refused, from, user_id, buckets);
            if let Err(error) = storage.write(hit).await {
                tracing::warn!(?error, "a limit that was hit is not on record");
            }
        }
        Err(throttled(&refused))
    }

    fn admit(&self, buckets: &[(Policy, Holder<'_>)]) -> Result<(), Refused> {
        if !self.rates.enabled {
            return Ok(());
        }
        let buckets: Vec<_> = buckets.iter().map(|(policy, holder)| self.bucket(*policy, *holder)).collect();
        self.limiter.check(&buckets, self.clock.now()).map(drop)
    }

    fn is_news(&self, key: (u8, [u8; 16])) -> bool {
        let now = self.clock.now();
        let Ok(mut recorded) = self.recorded.lock() else { return false };
        let is_recent = |at: &Timestamp| now.since(*at) < RECORDED_EVERY;
        if recorded.get(&key).is_some_and(is_recent) {
            return false;
        }
        if recorded.len() >= MAX_RECORDED {
            recorded.retain(|_, at| is_recent(at));
        }
        let is_news = recorded.len() < MAX_RECORDED;
        if is_news {
            recorded.insert(key, now);
        }
        is_news
    }

    fn hit(
        &self,
        refused: &Refused,
        from: Origin,
        user_id: Option<i64>,
        buckets: &[(Policy, Holder<'_>)],
    ) -> LimitHit {
        let full = buckets.iter().find(|(policy, holder)| self.bucket(*policy, *holder).key == refused.key);
        let kind = full.map_or("", |(_, holder)| holder.kind());
        let is_own = matches!(kind, "account" | "device" | "devices" | "user");
        LimitHit {
            detail: format!("{} by {kind}", name_of(refused)),
            user_id: user_id.filter(|_| is_own),
            from,
            now: self.clock.now(),
        }
    }

    fn bucket(&self, policy: Policy, holder: Holder<'_>) -> Bucket {
        let value: Vec<u8> = match holder {
            Holder::Ip(ip) => client_ip::bucket(ip).to_string().into_bytes(),
            Holder::User(id) | Holder::Devices(id) => id.to_le_bytes().to_vec(),
            Holder::Account(text) | Holder::Address(text) | Holder::Mailbox(text) | Holder::Device(text) => {
                text.as_bytes().to_vec()
            }
        };
        let key = key_of(&self.key, &[holder.kind().as_bytes(), &value]);
        let rate = self.rates.of(policy);
        let rate = if matches!(holder, Holder::Devices(_)) { rate.times(DEVICES) } else { rate };
        Bucket { policy: policy as u8, rate, key }
    }

    /// Writes what has changed since the last time; to be called every second.
    ///
    /// # Errors
    /// When the database does not take it; the rows are kept for the next time.
    pub async fn save(&self, storage: &Storage) -> Result<()> {
        let now = self.clock.now();
        self.limiter.sweep(now);
        let rows = self.limiter.dirty(ROWS_PER_SNAPSHOT);
        if rows.is_empty() {
            return Ok(());
        }
        let saved = storage.write(SaveSnapshot { rows: rows.iter().map(row_of).collect() }).await;
        if saved.is_err() {
            self.limiter.mark_dirty(&rows);
        }
        saved
    }
}

fn name_of(refused: &Refused) -> &'static str {
    let policy = Policy::ALL.into_iter().find(|policy| *policy as u8 == refused.policy);
    policy.map_or("limit", Policy::name)
}

fn throttled(refused: &Refused) -> Error {
    let name = name_of(refused);
    metrics::counter!("portcullis_throttled_total", "policy" => name).increment(1);
    Error::Throttled(Throttled {
        policy: name,
        retry_after: refused.retry_after_seconds(),
        limit_field: refused.field(name),
        policy_field: policy_field(name, refused.rate),
    })
}

fn row_of(row: &SnapshotRow) -> Model {
    let mut key_hash = vec![row.policy];
    key_hash.extend(row.key);
    Model {
        key_hash,
        policy: i64::from(row.policy),
        payload: row.payload.clone(),
        expires_at: row.expires.micros(),
    }
}

fn snapshot_of(row: &Model) -> Option<SnapshotRow> {
    let (policy, key) = row.key_hash.split_first()?;
    Some(SnapshotRow {
        policy: *policy,
        key: key.try_into().ok()?,
        payload: row.payload.clone(),
        expires: Timestamp::from_micros(row.expires_at),
    })
}

struct LimitHit {
    detail: String,
    user_id: Option<i64>,
    from: Origin,
    now: Timestamp,
}

impl Write for LimitHit {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let subject = Subject { user_id: self.user_id, session_id: None };
        let client = Client::unnamed(self.from);
        audit::record_detail(tx, (audit::Kind::LimitHit, subject), &client, &self.detail, self.now).await
    }
}

struct SaveSnapshot {
    rows: Vec<Model>,
}

impl Write for SaveSnapshot {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        for rows in self.rows.chunks(ROWS_PER_STATEMENT) {
            let rows = rows.iter().map(|row| ActiveModel {
                key_hash: Set(row.key_hash.clone()),
                policy: Set(row.policy),
                payload: Set(row.payload.clone()),
                expires_at: Set(row.expires_at),
            });
            let replace = OnConflict::column(Column::KeyHash)
                .update_columns([Column::Payload, Column::ExpiresAt])
                .to_owned();
            Entity::insert_many(rows).on_conflict(replace).exec_without_returning(tx).await?;
        }
        Ok(())
    }
}

/// Drops stored windows that have run empty.
pub struct DropExpiredSnapshots(pub Timestamp);

impl Write for DropExpiredSnapshots {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let expired = Column::ExpiresAt.lte(self.0.micros());
        Entity::delete_many().filter(expired).exec(tx).await?;
        Ok(())
    }
}
