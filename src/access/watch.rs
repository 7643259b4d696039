//! Signs of an attack on logins, seen in what they do together.
//!
//! Throttles hold each attempt back; they do not see that attempts belong together. Here are counted, in windows of
//! ten minutes, the accounts that fail from one network (credential stuffing), the failures and networks of one
//! account (guessing), and the networks from which one account logs in (a stolen password that is passed around).
//! Each sign becomes an [`Alarm`], which is recorded with the login that gave it (ASVS v5.0.0-6.3.1, 16.3.3).
//!
//! Memory is bounded: 10,000 windows of a kind, each of at most as many entries as its limit. Each process counts for
//! itself. Nothing is refused for a sign.

use super::Client;
use crate::audit::{self, Kind, Subject};
use crate::error::Result;
use crate::mail::{Letter, Outbox};
use crate::model::audit_events::{Column, Entity};
use moka::sync::Cache;
use portcullis_security::clock::Timestamp;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(10 * 60);
/// One attack is one alarm, not one for each attempt.
const QUIET: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// What stands behind the detail of an event of which the owner was mailed.
const TOLD: &str = "; the owner was told";
const WINDOWS: u64 = 10_000;
const ACCOUNTS_PER_NETWORK: usize = 20;
const NETWORKS_PER_ACCOUNT: usize = 8;
const FAILURES_PER_ACCOUNT: usize = 20;
const NETWORKS_PER_LOGIN: usize = 4;

/// Watches logins. One for the process.
pub struct Watch {
    hasher: RandomState,
    /// The accounts that failed, by network.
    stuffing: Windows,
    /// The networks from which it failed, by account.
    guessing: Windows,
    /// The failures, by account.
    failures: Windows,
    /// The networks from which it logged in, by account.
    logins: Windows,
}

/// A sign of an attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What it is a sign of.
    pub kind: Kind,
    /// Whose account is attacked; nobody's alone where many are.
    pub user_id: Option<i64>,
    /// What was counted, in words.
    pub detail: String,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            stuffing: Windows::new(ACCOUNTS_PER_NETWORK),
            guessing: Windows::new(NETWORKS_PER_ACCOUNT),
            failures: Windows::new(FAILURES_PER_ACCOUNT),
            logins: Windows::new(NETWORKS_PER_LOGIN),
        }
    }
}

impl Watch {
    /// Notes a login that failed; `login` is what was typed, `user_id` whose account it named, if any's.
    pub fn failed(&self, client: &Client, login: &str, user_id: Option<i64>, now: Timestamp) -> Vec<Alarm> {
        let network = self.hasher.hash_one(&client.ip_prefix);
        let mut alarms = Vec::new();
        if self.stuffing.note(network, self.hasher.hash_one(login), now) {
            let detail = format!("{ACCOUNTS_PER_NETWORK} accounts failed from one network within 10 minutes");
            alarms.push(Alarm { kind: Kind::CredentialStuffing, user_id: None, detail });
        }
        let Some(id) = user_id else { return alarms };
        let account = self.hasher.hash_one(id);
        let from_many = self.guessing.note(account, network, now);
        let often = self.failures.note(account, self.hasher.hash_one(&client.request_id), now);
        if from_many || often {
            let detail = match from_many {
                true => format!("failed from {NETWORKS_PER_ACCOUNT} networks within 10 minutes"),
                false => format!("failed {FAILURES_PER_ACCOUNT} times within 10 minutes"),
            };
            alarms.push(Alarm { kind: Kind::PasswordGuessing, user_id, detail });
        }
        alarms
    }

    /// Notes a login that succeeded.
    pub fn succeeded(&self, client: &Client, user_id: i64, now: Timestamp) -> Option<Alarm> {
        let network = self.hasher.hash_one(&client.ip_prefix);
        self.logins.note(self.hasher.hash_one(user_id), network, now).then(|| Alarm {
            kind: Kind::LoginBurst,
            user_id: Some(user_id),
            detail: format!("logged in from {NETWORKS_PER_LOGIN} networks within 10 minutes"),
        })
    }
}

impl Alarm {
    /// Records it in the transaction of the login that gave it, and tells the owner of a guessed password, who hears
    /// of it once a day.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn record(
        &self,
        tx: &DatabaseTransaction,
        client: &Client,
        outbox: &Outbox,
        now: Timestamp,
    ) -> Result<()> {
        let mut detail = self.detail.clone();
        if let (Kind::PasswordGuessing, Some(user_id)) = (self.kind, self.user_id)
            && !was_told(tx, user_id, now.minus(DAY)).await?
        {
            outbox.enqueue(tx, &Letter::PasswordGuessed { user_id, at: now }, now).await?;
            detail.push_str(TOLD);
        }
        let subject = Subject { user_id: self.user_id, session_id: None };
        audit::record_detail(tx, (self.kind, subject), client, &detail, now).await
    }
}

/// Whether the owner was told since. The audit log knows it after a restart and of other processes too.
async fn was_told(tx: &DatabaseTransaction, user_id: i64, since: Timestamp) -> Result<bool> {
    let told = Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::At.gt(since.micros()))
        .filter(Column::Kind.eq(Kind::PasswordGuessing.slug()))
        .filter(Column::Detail.ends_with(TOLD))
        .limit(1);
    Ok(told.one(tx).await?.is_some())
}

/// Windows that count distinct things, of which the least used go when there are too many.
struct Windows {
    limit: usize,
    windows: Cache<u64, Arc<Mutex<Window>>>,
}

#[derive(Default)]
struct Window {
    /// What was seen, and when last.
    seen: Vec<(u64, Timestamp)>,
    alarmed: Option<Timestamp>,
}

impl Windows {
    fn new(limit: usize) -> Self {
        Self { limit, windows: Cache::builder().max_capacity(WINDOWS).time_to_idle(QUIET).build() }
    }

    /// Notes that `key` had to do with `other`; whether that makes as many others as the limit, the first time
    /// within an hour.
    fn note(&self, key: u64, other: u64, now: Timestamp) -> bool {
        let window = self.windows.get_with(key, Arc::default);
        let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
        window.seen.retain(|(seen, at)| *seen != other && now.since(*at) < WINDOW);
        if window.seen.len() == self.limit {
            window.seen.remove(0);
        }
        window.seen.push((other, now));
        let is_quiet = window.alarmed.is_some_and(|at| now.since(at) < QUIET);
        if window.seen.len() < self.limit || is_quiet {
            return false;
        }
        window.alarmed = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn client(network: usize, request: usize) -> Client {
        Client {
            ip_prefix: format!("198.51.{network}.0/24"),
            request_id: format!("{request:016x}"),
            ..Client::system()
        }
    }

    fn kinds(alarms: &[Alarm]) -> Vec<Kind> {
        alarms.iter().map(|alarm| alarm.kind).collect()
    }

    #[test]
    fn many_accounts_from_one_network_are_one_alarm_an_hour() {
        let watch = Watch::default();
        let start = Timestamp::from_seconds(1_790_000_000);
        let mut alarms = 0;
        for attempt in 0..200 {
            let login = format!("user{attempt}");
            let now = start.plus(Duration::from_secs(attempt));
            alarms += watch.failed(&client(1, 0), &login, None, now).len();
        }
        assert_eq!(alarms, 1);
        let later = start.plus(Duration::from_secs(3_600 + 20));
        let again: usize =
            (0..20).map(|n| watch.failed(&client(1, 0), &format!("user{n}"), None, later).len()).sum();
        assert_eq!(again, 1);
    }

    #[test]
    fn one_forgetful_person_and_slow_failures_are_no_attack() {
        let watch = Watch::default();
        let start = Timestamp::from_seconds(1_790_000_000);
        for attempt in 0..19 {
            assert!(watch.failed(&client(1, attempt), "ada", Some(1), start).is_empty());
        }
        for attempt in 0..100 {
            let now = start.plus(Duration::from_secs(3_600 + 61 * attempt));
            let network = usize::try_from(attempt).unwrap() % 7;
            let alarms = watch.failed(&client(network, network), &format!("user{attempt}"), None, now);
            assert!(alarms.is_empty(), "{attempt}");
        }
    }

    #[test]
    fn one_account_from_many_networks_or_many_times_is_guessed() {
        let now = Timestamp::from_seconds(1_790_000_000);
        let watch = Watch::default();
        let alarms: Vec<_> = (0..8).flat_map(|n| watch.failed(&client(n, n), "ada", Some(1), now)).collect();
        assert_eq!(kinds(&alarms), [Kind::PasswordGuessing]);
        let watch = Watch::default();
        let alarms: Vec<_> = (0..20).flat_map(|n| watch.failed(&client(1, n), "ada", Some(1), now)).collect();
        assert_eq!(kinds(&alarms), [Kind::PasswordGuessing]);
    }

    #[test]
    fn an_account_that_is_everywhere_at_once_is_told() {
        let now = Timestamp::from_seconds(1_790_000_000);
        let watch = Watch::default();
        let alarms: Vec<_> = (0..6).filter_map(|n| watch.succeeded(&client(n, n), 1, now)).collect();
        assert_eq!(kinds(&alarms), [Kind::LoginBurst]);
        assert!((0..6).all(|n| watch.succeeded(&client(1, n), 2, now).is_none()), "one network");
    }

    #[test]
    fn a_flood_of_names_takes_no_more_memory_than_its_bound() {
        let windows = Windows::new(2);
        let now = Timestamp::from_seconds(1_790_000_000);
        for key in 0..30_000 {
            windows.note(key, 1, now);
        }
        windows.windows.run_pending_tasks();
        assert!(windows.windows.entry_count() <= WINDOWS);
    }
}
