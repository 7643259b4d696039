//! What happens without a call: mail, news of other processes, cleaning up.

use crate::access::DropExpiredSnapshots;
use crate::accounts;
use crate::audit;
use crate::chat;
use crate::config::Accounts;
use crate::error::Error;
use crate::health;
use crate::mail::{Mailer, Prepare, Worker};
use crate::profiles;
use crate::search::{self, Search};
use crate::state::App;
use crate::webhooks::{DropOld, Webhooks};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const POLL_EVERY: Duration = Duration::from_millis(500);
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
const SAVE_EVERY: Duration = Duration::from_secs(1);
const TIDY_METRICS_EVERY: Duration = Duration::from_secs(5);
const CLEAN_EVERY: Duration = Duration::from_secs(10 * 60);
const CLEAN_AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// Begins all of it; it ends when `cancel` is cancelled, and `tasks` waits for it.
pub fn spawn(
    app: &Arc<App>,
    search: &Arc<Search>,
    (mailer, webhooks): (Mailer, Option<Webhooks>),
    (cancel, tasks): (&CancellationToken, &TaskTracker),
) {
    let worker = Worker {
        storage: app.storage.clone(),
        outbox: app.outbox.clone(),
        mailer: Arc::new(mailer),
        prepare: prepare(app),
        clock: app.clock.clone(),
    };
    tasks.spawn(worker.run(cancel.clone()));
    if let Some(webhooks) = webhooks {
        tasks.spawn(webhooks.run(cancel.clone()));
    }
    let poll = app.clone();
    every(POLL_EVERY, cancel, tasks, move || {
        let app = poll.clone();
        async move { app.access.poll().await }
    });
    if app.config.community.enabled {
        let listening = cancel.clone().run_until_cancelled_owned(chat::listen(app.clone()));
        tasks.spawn(listening);
        let rooms = app.clone();
        every(POLL_EVERY, cancel, tasks, move || chat::poll(rooms.clone()));
        follow(search, cancel, tasks);
    }
    every(TIDY_METRICS_EVERY, cancel, tasks, || async { health::tidy_metrics() });
    let save = app.clone();
    every(SAVE_EVERY, cancel, tasks, move || {
        let app = save.clone();
        async move { warn("the throttles were not saved", app.guard.limits.save(&app.storage).await) }
    });
    let clean = app.clone();
    every(clean_every(&app.config.accounts), cancel, tasks, move || {
        let app = clean.clone();
        async move {
            warn("the clean-up failed", accounts::cleanup::run(&app).await);
            let old = app.now().minus(app.config.log.events_kept);
            warn("old events were not dropped", audit::drop_old(&app.storage, old).await);
            let empty = DropExpiredSnapshots(app.now());
            warn("old throttles were not dropped", app.storage.write(empty).await);
            warn("old webhooks were not dropped", app.storage.write(DropOld(app.now())).await);
            warn("deleted rooms were not removed", chat::purge(&app.storage).await);
            warn("passwords were not counted", app.passwords.count_schemes(&app.storage).await);
            warn("old news of books was not dropped", search::clean(&app).await);
        }
    });
}

/// So often that what has run out goes soon after, as seen from the time it had.
fn clean_every(accounts: &Accounts) -> Duration {
    let shortest = accounts.deletion_grace.min(accounts.unverified_lifetime);
    (shortest / 2).clamp(CLEAN_AT_MOST_EVERY, CLEAN_EVERY)
}

/// The first round fills the index, beside a server that answers already.
fn follow(search: &Arc<Search>, cancel: &CancellationToken, tasks: &TaskTracker) {
    let (search, stop) = (search.clone(), cancel.clone());
    every(FOLLOW_EVERY, cancel, tasks, move || {
        let (search, stop) = (search.clone(), stop.clone());
        async move {
            stop.run_until_cancelled(search.follow()).await;
        }
    });
}

/// Every letter is prepared by the feature that knows what it is about.
fn prepare(app: &Arc<App>) -> Prepare {
    let (of_accounts, of_community) = (accounts::letters::prepare(app), profiles::letters::prepare(app));
    let is_enabled = app.config.community.enabled;
    Arc::new(move |letter, created_at| match letter.is_of_community() {
        true if is_enabled => of_community(letter, created_at),
        _ => of_accounts(letter, created_at),
    })
}

fn warn(message: &'static str, outcome: Result<(), Error>) {
    if let Err(error) = outcome {
        tracing::warn!(?error, "{message}");
    }
}

fn every<F, W>(period: Duration, cancel: &CancellationToken, tasks: &TaskTracker, work: W)
where
    F: Future<Output = ()> + Send + 'static,
    W: Fn() -> F + Send + Sync + 'static,
{
    let cancel = cancel.clone();
    tasks.spawn(async move {
        let mut timer = tokio::time::interval(period);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while cancel.run_until_cancelled(timer.tick()).await.is_some() {
            work().await;
        }
    });
}
