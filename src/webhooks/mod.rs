//! Webhooks: an operator's server is told of attacks, by calls that are signed and tried again.
//!
//! `audit` puts a row beside each event that alerts, in the event's own transaction. [`Webhooks`] claims rows with a
//! lease, as the mail worker does, so that a process that is killed loses nothing and two replicas do not tell the
//! same thing at once; a row goes when it was taken (any 2xx), or is given up after three days. The operator has
//! chosen the address: it may be private, but no redirect is followed from it (ASVS v5.0.0-1.3.6).

mod signature;

use crate::access::Client as Caller;
use crate::audit::{self, Kind, Subject};
use crate::config;
use crate::error::Result;
use crate::model::webhooks::{Column, Entity, Model};
use crate::storage::{PutBack, Queue, Storage, Write, claim};
use futures_util::future::join_all;
use portcullis_security::clock::{Clock, Timestamp};
use portcullis_security::secret::Secret;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const TICK: Duration = Duration::from_secs(1);
const CONCURRENT: u64 = 8;
/// Longer than a call may take: a claim never ends while it is under way.
const LEASE: Duration = Duration::from_secs(60);
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
const DAY: Duration = Duration::from_secs(86_400);
const GIVE_UP: Duration = Duration::from_secs(3 * 86_400);
const HOUR: u64 = 3_600;
/// How long one waits after each refusal; the last for all that follow.
const BACK_OFF: [u64; 8] = [5, 30, 120, 600, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR];

/// Tells the operator's server.
pub struct Webhooks {
    storage: Arc<Storage>,
    clock: Clock,
    client: reqwest::Client,
    url: Secret,
    key: Secret,
}

impl Webhooks {
    /// The worker of the settings; none when they name no address.
    ///
    /// # Errors
    /// When the settings cannot be used, or there is no TLS to be had.
    pub fn open(
        settings: &config::Webhooks,
        storage: Arc<Storage>,
        clock: Clock,
    ) -> std::result::Result<Option<Self>, String> {
        let Some(url) = settings.url.clone() else { return Ok(None) };
        let key = settings.key().ok_or("PORTCULLIS_WEBHOOKS__SECRET is of the wrong form")?;
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(CALL_TIMEOUT)
            .user_agent(concat!("Portcullis/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Some(Self { storage, clock, client, url, key }))
    }

    /// Tells until `cancel` is cancelled; a call that is under way then is made again after its lease.
    pub async fn run(self, cancel: CancellationToken) {
        let mut timer = tokio::time::interval(TICK);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while cancel.run_until_cancelled(timer.tick()).await.is_some() {
            cancel.run_until_cancelled(self.tell_all()).await;
        }
    }

    /// One round: whatever is due, until nothing is.
    async fn tell_all(&self) {
        loop {
            match claim::<Entity>(&self.storage, CONCURRENT, self.clock.now(), LEASE).await {
                Ok(claimed) if claimed.is_empty() => return,
                Ok(claimed) => {
                    join_all(claimed.into_iter().map(|row| self.tell(row))).await;
                }
                Err(error) => return tracing::warn!(?error, "the webhooks cannot be read"),
            }
        }
    }

    async fn tell(&self, row: Model) {
        let reason = match self.call(&row).await {
            Ok(()) => return self.finish(End::Told(row.id), "told").await,
            Err(reason) => reason,
        };
        let now = self.clock.now();
        if now.since(Timestamp::from_micros(row.created_at)) >= GIVE_UP {
            tracing::error!(webhook.id = row.id, kind = row.kind, reason, "a webhook is lost");
            return self.finish(End::Lost { id: row.id, kind: row.kind, now }, "lost").await;
        }
        tracing::warn!(webhook.id = row.id, kind = row.kind, reason, "a webhook was not taken and waits");
        // The last try is made when the time is up.
        let end = Timestamp::from_micros(row.created_at).plus(GIVE_UP);
        let next_try = now.plus(back_off(row.attempts)).min(end);
        let attempts = row.attempts;
        self.finish(PutBack::<Entity> { row, attempts, next_try }, "refused").await;
    }

    /// Calls the server; the reason of a failure holds neither the address nor what the server said.
    async fn call(&self, row: &Model) -> std::result::Result<(), String> {
        // Ids begin anew in a database that was restored or moved; with its time a row has no double.
        let id = format!("msg_{:x}_{}", row.created_at, row.id);
        let moment = self.clock.now().seconds();
        let call = self
            .client
            .post(self.url.expose_text())
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", moment)
            .header("webhook-signature", signature::sign(&self.key, &id, moment, &row.body))
            .body(row.body.clone());
        let answer = call.send().await.map_err(|error| error.without_url().to_string())?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("the server answered {}", status.as_u16())),
        }
    }

    /// When the database refuses, the lease ends by itself and the call is made again.
    async fn finish(&self, finish: impl Write, outcome: &'static str) {
        metrics::counter!("portcullis_webhooks_total", "outcome" => outcome).increment(1);
        if let Err(error) = self.storage.write(finish).await {
            tracing::warn!(?error, "what became of a webhook was not written down; it is sent again");
        }
    }
}

fn back_off(attempts: i64) -> Duration {
    let index = usize::try_from(attempts - 1).unwrap_or(0).min(BACK_OFF.len() - 1);
    Duration::from_secs(BACK_OFF[index])
}

impl Queue for Entity {
    const ID: Column = Column::Id;
    const ATTEMPTS: Column = Column::Attempts;
    const NEXT_TRY_AT: Column = Column::NextTryAt;

    fn turn(row: &Model) -> (i64, i64) {
        (row.id, row.next_try_at)
    }

    fn taken(row: &Model, lease: i64) -> Model {
        Model { attempts: row.attempts + 1, next_try_at: lease, ..row.clone() }
    }
}

/// The end of a row: it was taken, or is given up.
enum End {
    Told(i64),
    Lost { id: i64, kind: String, now: Timestamp },
}

impl Write for End {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let (Self::Told(id) | Self::Lost { id, .. }) = self;
        Entity::delete_by_id(*id).exec(tx).await?;
        if let Self::Lost { kind, now, .. } = self {
            let event = (Kind::WebhookLost, Subject::default());
            audit::record_detail(tx, event, &Caller::system(), kind, *now).await?;
        }
        Ok(())
    }
}

/// Drops the rows of a server without an address, of which nobody was told: the worker gives up before.
pub struct DropOld(pub Timestamp);

impl Write for DropOld {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let oldest = self.0.minus(GIVE_UP + DAY);
        Entity::delete_many().filter(Column::CreatedAt.lt(oldest.micros())).exec(tx).await?;
        Ok(())
    }
}
