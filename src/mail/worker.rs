//! Delivering the outbox: at least once, from as many replicas as there are.

use super::letter::{Letter, Prepared};
use super::mailer::Mailer;
use super::message::Origin;
use super::outbox::{Forget, Outbox};
use super::transport::SendError;
use crate::error::{Error, Result};
use crate::model::outbox::{Entity, Model};
use crate::storage::{PutBack, Storage, claim};
use futures_util::future::BoxFuture;
use portcullis_security::clock::{Clock, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Makes a letter ready to be worded, or says with `None` that nobody gets it: a decoy, which looks like a
/// letter until here so that an address that is known costs the asker the same as one that is not.
///
/// It is called anew for every attempt, with the moment at which the letter was caused.
pub type Prepare =
    Arc<dyn Fn(Letter, Timestamp) -> BoxFuture<'static, Result<Option<Prepared>>> + Send + Sync>;

const CONCURRENT: usize = 8;
/// Other processes, and letters whose time has come, are looked for this often.
const TICK: Duration = Duration::from_secs(1);
/// Longer than preparing, sending and asking the server may take together; the clocks of replicas must
/// not be further apart than the difference.
const LEASE: Duration = Duration::from_secs(60);
const PREPARE_TIMEOUT: Duration = Duration::from_secs(10);
/// After so many refusals, or when it is so old, a letter is given up.
const ATTEMPTS: i64 = 12;
const GIVE_UP: Duration = Duration::from_secs(3 * 86_400);
const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
/// How long a letter waits after each refusal.
const BACK_OFF: [u64; 11] =
    [5, 30, 2 * MINUTE, 10 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 12 * HOUR, 12 * HOUR, 12 * HOUR];

/// Takes letters from the outbox and sees them delivered.
///
/// A letter is claimed by a compare-and-set that moves its next try ahead by the lease, so two workers
/// never hold one; a worker that dies loses it after 60 s. It is deleted after the mail was taken. A crash
/// in between sends it again, with the same Message-ID.
///
/// While the mail server is away no letter is claimed and none is counted as tried: the server is asked
/// every second, and all that is due goes out when it is back. A letter that the server refuses waits
/// longer each time; after 12 refusals or 3 days it is logged as lost.
#[derive(Clone)]
pub struct Worker {
    /// Where the outbox is.
    pub storage: Arc<Storage>,
    /// How letters are opened and when to look.
    pub outbox: Outbox,
    /// How they are worded and where they go.
    pub mailer: Arc<Mailer>,
    /// Who looks users up and makes tokens.
    pub prepare: Prepare,
    /// What time it is.
    pub clock: Clock,
}

enum Outcome {
    Sent,
    Decoy,
}

enum Failure {
    /// The server is away: not the letter's fault.
    Away(String),
    /// It may work later.
    Refused(String),
    /// It will never work.
    Hopeless(String),
}

impl Worker {
    /// Delivers until `cancel` is cancelled; then finishes the letters in flight and returns.
    pub async fn run(self, cancel: CancellationToken) {
        let away = Arc::new(AtomicBool::new(false));
        let mut asked = Instant::now();
        let mut in_flight = JoinSet::new();
        while !cancel.is_cancelled() {
            if away.load(Ordering::SeqCst) && asked.elapsed() >= TICK {
                tokio::select! {
                    () = cancel.cancelled() => break,
                    () = self.ask_server(&away) => {}
                }
                asked = Instant::now();
            }
            let free = CONCURRENT - in_flight.len();
            if free > 0 && !away.load(Ordering::SeqCst) {
                for claimed in self.claim(free).await {
                    in_flight.spawn(self.clone().deliver(claimed, away.clone()));
                }
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                Some(finished) = in_flight.join_next() => note_panic(finished),
                () = self.outbox.woken(), if in_flight.len() < CONCURRENT => {}
                () = sleep(TICK) => {}
            }
        }
        while let Some(finished) = in_flight.join_next().await {
            note_panic(finished);
        }
    }

    async fn claim(&self, limit: usize) -> Vec<Model> {
        let limit = u64::try_from(limit).unwrap_or(1);
        match claim::<Entity>(&self.storage, limit, self.clock.now(), LEASE).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(error = ?error, "the outbox cannot be read");
                Vec::new()
            }
        }
    }

    async fn ask_server(&self, away: &AtomicBool) {
        if self.mailer.transport().probe().await.is_ok() {
            away.store(false, Ordering::SeqCst);
            tracing::info!("the mail server is back");
        }
    }

    async fn deliver(self, claimed: Model, away: Arc<AtomicBool>) {
        let kind = claimed.kind.clone();
        let outcome = match self.attempt(&claimed).await {
            Ok(Outcome::Sent) => self.forget(&claimed, "sent").await,
            Ok(Outcome::Decoy) => self.forget(&claimed, "decoy").await,
            Err(Failure::Hopeless(reason)) => self.give_up(&claimed, &reason).await,
            Err(Failure::Refused(reason)) => self.try_later(&claimed, &reason).await,
            Err(Failure::Away(reason)) => {
                if !away.swap(true, Ordering::SeqCst) {
                    tracing::warn!(error = reason, "the mail server is away; letters wait for it");
                }
                self.wait_for_server(&claimed, &reason).await
            }
        };
        metrics::counter!("portcullis_letters_total", "kind" => kind, "outcome" => outcome).increment(1);
    }

    async fn attempt(&self, claimed: &Model) -> Result<Outcome, Failure> {
        if claimed.attempts > ATTEMPTS {
            return Err(Failure::Hopeless("every attempt was cut short".into()));
        }
        let created = Timestamp::from_micros(claimed.created_at);
        let letter = self.outbox.open(&claimed.body).map_err(|error| refused(&error))?;
        let preparing = timeout(PREPARE_TIMEOUT, (self.prepare)(letter, created)).await;
        let prepared =
            preparing.map_err(|_| Failure::Refused("the letter took too long to prepare".into()))?;
        let Some(prepared) = prepared.map_err(|error| refused(&error))? else { return Ok(Outcome::Decoy) };
        let origin = Origin { outbox_id: claimed.id, created };
        let mail = self.mailer.word(&prepared, origin).map_err(|error| refused(&error))?;
        let mail = mail.map_err(|error| Failure::Hopeless(error.to_string()))?;
        match self.mailer.transport().send(&mail).await {
            Ok(()) => Ok(Outcome::Sent),
            Err(error) => Err(self.whose_fault(&error).await),
        }
    }

    /// A server that greets us and lets us in has refused the letter; one that does not is away.
    async fn whose_fault(&self, error: &SendError) -> Failure {
        match self.mailer.transport().probe().await {
            Ok(()) => Failure::Refused(error.to_string()),
            Err(_) => Failure::Away(error.to_string()),
        }
    }

    async fn forget(&self, claimed: &Model, outcome: &'static str) -> &'static str {
        if let Err(error) = self.storage.write(Forget { id: claimed.id }).await {
            tracing::warn!(outbox.id = claimed.id, error = ?error, "a sent letter stays in the outbox and will be sent again");
        }
        outcome
    }

    async fn give_up(&self, claimed: &Model, reason: &str) -> &'static str {
        let (id, kind) = (claimed.id, claimed.kind.as_str());
        tracing::error!(
            outbox.id = id,
            mail.kind = kind,
            attempts = claimed.attempts,
            reason,
            "a letter is lost"
        );
        self.forget(claimed, "lost").await
    }

    async fn try_later(&self, claimed: &Model, reason: &str) -> &'static str {
        let attempts = claimed.attempts;
        if attempts >= ATTEMPTS || self.is_too_old(claimed) {
            return self.give_up(claimed, reason).await;
        }
        let (id, kind) = (claimed.id, claimed.kind.as_str());
        tracing::warn!(
            outbox.id = id,
            mail.kind = kind,
            attempts,
            reason,
            "a letter was not taken and waits"
        );
        self.put_back(claimed, attempts, back_off(attempts)).await;
        "refused"
    }

    async fn wait_for_server(&self, claimed: &Model, reason: &str) -> &'static str {
        if self.is_too_old(claimed) {
            return self.give_up(claimed, reason).await;
        }
        self.put_back(claimed, claimed.attempts - 1, Duration::ZERO).await;
        "waiting"
    }

    /// When this fails the lease ends by itself.
    async fn put_back(&self, claimed: &Model, attempts: i64, wait: Duration) {
        let next_try = self.clock.now().plus(wait);
        let put_back = PutBack::<Entity> { row: claimed.clone(), attempts, next_try };
        if let Err(error) = self.storage.write(put_back).await {
            tracing::warn!(outbox.id = claimed.id, error = ?error, "a letter waits for the end of its lease");
        }
    }

    fn is_too_old(&self, claimed: &Model) -> bool {
        self.clock.now().since(Timestamp::from_micros(claimed.created_at)) >= GIVE_UP
    }
}

fn refused(error: &Error) -> Failure {
    Failure::Refused(format!("{error:?}"))
}

fn back_off(attempts: i64) -> Duration {
    let index = usize::try_from(attempts - 1).unwrap_or(0).min(BACK_OFF.len() - 1);
    Duration::from_secs(BACK_OFF[index])
}

fn note_panic(finished: std::result::Result<(), JoinError>) {
    if let Err(error) = finished {
        tracing::error!(error = %error, "delivering a letter panicked; it is tried again after its lease");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::mail::smtp_sink::{Behaviour, Received, SmtpSink};
    use crate::mail::{Content, Enqueue, Memory, Settings, Transport};
    use crate::model::Migrator;
    use crate::model::outbox::{Entity, Model};
    use futures_util::FutureExt;
    use portcullis_security::random::Random;
    use portcullis_security::seal::KeyRing;
    use sea_orm::EntityTrait;
    use std::collections::BTreeSet;
    use tokio::task::JoinHandle;

    struct Post {
        worker: Worker,
        cancel: CancellationToken,
        _folder: tempfile::TempDir,
    }

    impl Post {
        async fn new(transport: Transport) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}", folder.path().join("test.db").display());
            let storage = Storage::connect(&url).await.unwrap();
            storage.migrate::<Migrator>().await.unwrap();
            let settings = Settings {
                site_name: "Portcullis".into(),
                public_url: "https://accounts.example.com".into(),
                links_url: "https://accounts.example.com".into(),
                from: "no-reply@example.com".into(),
                templates_dir: None,
            };
            let worker = Worker {
                storage: Arc::new(storage),
                outbox: Outbox::new(Arc::new(KeyRing::new(&[1; 32], &[])), Arc::new(Random::seeded(1))),
                mailer: Arc::new(Mailer::new(&settings, transport).unwrap()),
                prepare: Arc::new(|letter, _| async { Ok(answer(letter)) }.boxed()),
                clock: Clock::manual(Timestamp::from_seconds(1_767_225_600)),
            };
            Self { worker, cancel: CancellationToken::new(), _folder: folder }
        }

        async fn smtp() -> (Self, SmtpSink) {
            let sink = SmtpSink::start().await;
            let post = Self::new(Transport::open(&sink.url(), "accounts.example.com").unwrap()).await;
            (post, sink)
        }

        async fn memory() -> (Self, Memory) {
            let memory = Memory::default();
            (Self::new(Transport::Memory(memory.clone())).await, memory)
        }

        async fn enqueue(&self, address: &str) {
            let letter = Letter::Test { address: address.into() };
            let (outbox, now) = (self.worker.outbox.clone(), self.worker.clock.now());
            self.worker.storage.write(Enqueue { outbox, letter, now }).await.unwrap();
            self.worker.outbox.wake();
        }

        fn start(&self) -> JoinHandle<()> {
            tokio::spawn(self.worker.clone().run(self.cancel.clone()))
        }

        async fn rows(&self) -> Vec<Model> {
            Entity::find().all(self.worker.storage.reader()).await.unwrap()
        }

        async fn wait_until(&self, what: &str, holds: impl Fn(&[Model]) -> bool) -> Vec<Model> {
            let started = Instant::now();
            loop {
                let rows = self.rows().await;
                if holds(&rows) {
                    return rows;
                }
                assert!(started.elapsed() < Duration::from_secs(10), "{what}: {rows:?}");
                sleep(Duration::from_millis(10)).await;
            }
        }
    }

    /// Nobody has an account at nobody.example.
    fn answer(letter: Letter) -> Option<Prepared> {
        let Letter::Test { address } = letter else { panic!("an unexpected letter") };
        let known = !address.ends_with("@nobody.example");
        known.then(|| Prepared { to: address, username: None, content: Content::Test })
    }

    fn addresses(received: &[Received]) -> BTreeSet<String> {
        received.iter().flat_map(|mail| mail.to.clone()).collect()
    }

    #[tokio::test]
    async fn letters_wait_for_a_mail_server_that_is_away_and_lose_no_attempt() {
        let (post, mut sink) = Post::smtp().await;
        sink.stop().await;
        for number in 0..20 {
            post.enqueue(&format!("a{number}@example.com")).await;
        }
        post.start();
        sleep(Duration::from_millis(1500)).await;
        let waiting = post.wait_until("released", |rows| rows.iter().all(|row| row.attempts == 0)).await;
        assert_eq!(waiting.len(), 20);

        sink.restart().await;
        let back = Instant::now();
        let received = sink.wait_for(20).await;
        assert!(back.elapsed() < Duration::from_secs(2), "{:?}", back.elapsed());
        assert_eq!(addresses(&received).len(), 20);
        post.wait_until("sent letters are deleted", <[Model]>::is_empty).await;
        assert_eq!(sink.received().len(), 20);
    }

    #[tokio::test]
    async fn a_letter_leaves_at_once_and_carries_what_a_mail_needs() {
        let (post, sink) = Post::smtp().await;
        post.start();
        sleep(Duration::from_millis(50)).await;
        let started = Instant::now();
        post.enqueue("ann@example.com").await;
        let mail = sink.wait_for(1).await.remove(0);
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
        assert_eq!(
            (mail.from.as_str(), mail.to.as_slice()),
            ("no-reply@example.com", &["ann@example.com".to_owned()][..])
        );
        let expected = [
            ("From", "Portcullis <no-reply@example.com>"),
            ("To", "ann@example.com"),
            ("Subject", "Test mail from Portcullis"),
            ("Date", "Thu, 01 Jan 2026 00:00:00 +0000"),
            ("Message-ID", "<1.1767225600000000@accounts.example.com>"),
            ("Auto-Submitted", "auto-generated"),
        ];
        for (name, value) in expected {
            assert_eq!(mail.header(name).as_deref(), Some(value), "{name}");
        }
    }

    #[tokio::test]
    async fn a_lost_acknowledgement_sends_again_with_the_same_message_id() {
        let (post, sink) = Post::smtp().await;
        sink.behave(Behaviour::DropAfterData);
        post.enqueue("ann@example.com").await;
        post.start();
        sink.wait_for(1).await;
        let due = post.worker.clock.now().plus(Duration::from_secs(5)).micros();
        post.wait_until("backs off", |rows| rows[0].attempts == 1 && rows[0].next_try_at == due).await;
        sink.behave(Behaviour::Accept);
        post.worker.clock.advance(Duration::from_secs(5));
        post.worker.outbox.wake();
        let received = sink.wait_for(2).await;
        assert_eq!(received[0].header("message-id"), received[1].header("message-id"));
        assert_eq!(received[0].to, received[1].to);
    }

    #[tokio::test]
    async fn a_worker_that_dies_between_sending_and_deleting_is_followed_by_another_after_its_lease() {
        let (post, sink) = Post::smtp().await;
        sink.behave(Behaviour::HangAfterData);
        post.enqueue("ann@example.com").await;
        let dying = post.start();
        sink.wait_for(1).await;
        dying.abort();
        sink.behave(Behaviour::Accept);
        post.start();
        sleep(Duration::from_millis(1200)).await;
        assert_eq!(sink.received().len(), 1, "the lease still holds");

        post.worker.clock.advance(LEASE);
        let received = sink.wait_for(2).await;
        assert_eq!(received[0].header("message-id"), received[1].header("message-id"));
        post.wait_until("deleted", <[Model]>::is_empty).await;
    }

    #[tokio::test]
    async fn two_workers_never_send_one_letter_twice() {
        let (post, memory) = Post::memory().await;
        for number in 0..150 {
            post.enqueue(&format!("a{number}@example.com")).await;
        }
        let workers = [post.start(), post.start(), post.start()];
        post.wait_until("all are sent", <[Model]>::is_empty).await;
        post.cancel.cancel();
        for worker in workers {
            worker.await.unwrap();
        }
        let mails = memory.messages();
        let distinct: BTreeSet<_> = mails.iter().map(|mail| &mail.message_id).collect();
        assert_eq!((mails.len(), distinct.len()), (150, 150));
    }

    #[tokio::test]
    async fn a_decoy_is_dropped_and_looks_like_a_letter_until_then() {
        let (post, memory) = Post::memory().await;
        post.enqueue("known@somebody.example").await;
        post.enqueue("ghost@nobody.example.com").await;
        post.enqueue("other@nobody.example").await;
        let rows = post.rows().await;
        assert_eq!(rows[0].body.len(), rows[1].body.len() - 2);
        for row in rows {
            let body = String::from_utf8_lossy(&row.body).into_owned();
            assert!(
                !body.contains("example") && !body.contains("known") && !body.contains("address"),
                "{body}"
            );
        }
        post.start();
        post.wait_until("nothing is left", <[Model]>::is_empty).await;
        let to: BTreeSet<_> = memory.messages().into_iter().map(|mail| mail.to).collect();
        assert_eq!(to, BTreeSet::from(["ghost@nobody.example.com".into(), "known@somebody.example".into()]));
    }

    #[tokio::test]
    async fn a_refused_letter_waits_longer_each_time_and_is_lost_in_the_end() {
        let (post, sink) = Post::smtp().await;
        sink.behave(Behaviour::RefuseRecipient(550));
        post.enqueue("full@example.com").await;
        post.start();
        for (attempt, wait) in (1..).zip(BACK_OFF) {
            let due = post.worker.clock.now().plus(Duration::from_secs(wait)).micros();
            post.wait_until("backs off", |rows| rows[0].attempts == attempt && rows[0].next_try_at == due)
                .await;
            post.worker.clock.advance(Duration::from_secs(wait));
            post.worker.outbox.wake();
        }
        post.wait_until("given up", <[Model]>::is_empty).await;
        assert_eq!(sink.received(), []);
    }

    #[tokio::test]
    async fn one_refused_letter_does_not_hold_up_the_others() {
        let (post, sink) = Post::smtp().await;
        sink.behave(Behaviour::RefuseData(451));
        post.enqueue("first@example.com").await;
        post.start();
        post.wait_until("backs off", |rows| {
            rows[0].attempts == 1 && rows[0].next_try_at % 60_000_000 == 5_000_000
        })
        .await;
        sink.behave(Behaviour::Accept);
        post.enqueue("second@example.com").await;
        assert_eq!(sink.wait_for(1).await[0].to, ["second@example.com"]);
    }

    #[tokio::test]
    async fn an_address_that_no_mail_can_reach_is_given_up_at_once() {
        let (post, memory) = Post::memory().await;
        post.enqueue("a@example.com\r\nBcc: b@example.com").await;
        post.start();
        post.wait_until("given up", <[Model]>::is_empty).await;
        assert!(memory.messages().is_empty());
    }

    #[tokio::test]
    async fn stopping_finishes_the_letters_in_flight() {
        let (mut post, memory) = Post::memory().await;
        let begun = Arc::new(tokio::sync::Notify::new());
        let bell = begun.clone();
        post.worker.prepare = Arc::new(move |letter, _| {
            let bell = bell.clone();
            async move {
                bell.notify_one();
                sleep(Duration::from_millis(300)).await;
                Ok(answer(letter))
            }
            .boxed()
        });
        post.enqueue("ann@example.com").await;
        let worker = post.start();
        begun.notified().await;
        post.cancel.cancel();
        worker.await.unwrap();
        assert_eq!(memory.messages().len(), 1);
        assert!(post.rows().await.is_empty());
    }
}
