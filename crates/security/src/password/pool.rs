//! Hashing on threads of its own, within a budget of memory.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::sync::oneshot;

use super::arena::Arena;
use super::argon2::{Argon2Params, Salt, hash_with_memory};
use super::encoded::{Encoded, is_obsolete};
use super::queue::{Job, Limits, PoolStats, Queue, Task, Work};
use crate::secret::Secret;

/// The answer to a verification.
///
/// ```
/// use portcullis_security::password::Verified;
///
/// let verified = Verified { matches: true, obsolete: false };
/// assert!(!(verified.matches && verified.obsolete), "nothing to replace");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The password is right.
    pub matches: bool,
    /// The hash should be replaced now, if the password is right: see
    /// [`is_obsolete`](super::is_obsolete).
    pub obsolete: bool,
}

/// Why a pool has no answer.
///
/// ```
/// use portcullis_security::password::PoolError;
///
/// let error = PoolError::OverBudget { needed_kib: 262_144, budget_kib: 131_072 };
/// assert_eq!(error.to_string(), "a password hash needs 262144 KiB of memory, the budget is 131072 KiB");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PoolError {
    /// The queue is full: answer 503 with `Retry-After`.
    #[error("too many passwords are waiting to be hashed")]
    Busy {
        /// How long the jobs that wait now will take, as far as one can tell.
        retry_after: Duration,
    },
    /// A stored hash needs more memory than the whole budget: log it, since its owner cannot log in until
    /// the budget is raised, and answer as to a wrong password.
    #[error("a password hash needs {needed_kib} KiB of memory, the budget is {budget_kib} KiB")]
    OverBudget {
        /// What the hash needs.
        needed_kib: u32,
        /// What the pool has.
        budget_kib: u32,
    },
    /// The computation found no memory, or panicked.
    #[error("a password could not be hashed")]
    Failed,
    /// The pool was dropped.
    #[error("the password pool has stopped")]
    Stopped,
}

/// Why a pool cannot start.
///
/// ```
/// use portcullis_security::password::{PasswordPool, PoolConfig, StartError};
///
/// let small = PoolConfig { budget_kib: 1024, ..PoolConfig::default() };
/// assert!(matches!(PasswordPool::new(small), Err(StartError::BudgetTooSmall { .. })));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// Not even one new hash fits into the budget.
    #[error("one password hash needs {needed_kib} KiB of memory, the budget is only {budget_kib} KiB")]
    BudgetTooSmall {
        /// What one hash needs.
        needed_kib: u32,
        /// What the pool was given.
        budget_kib: u32,
    },
    /// The system gave no thread.
    #[error("cannot start a thread for password hashing")]
    Thread(#[from] io::Error),
}

/// The size of a pool. The default leaves one core to the rest of the server.
///
/// ```
/// use portcullis_security::password::PoolConfig;
///
/// let config = PoolConfig::default();
/// assert_eq!(config.budget_kib, 128 * 1024);
/// assert_eq!(config.queue_kib, 16 * 128 * 1024);
/// ```
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// The cost of new hashes, and the measure of obsolete ones.
    pub params: Argon2Params,
    /// Threads, at least 1; by default the cores less one.
    pub threads: u32,
    /// Memory in KiB that jobs and kept arenas may take together; by default 128 MiB.
    pub budget_kib: u32,
    /// What may wait, in KiB; a job weighs its memory, but no less than one of the setting. By default 16
    /// budgets: 107 jobs of the default setting.
    pub queue_kib: u64,
    /// How long memory, and what the last job left in it, is kept for the next one; by default 5 s.
    pub idle: Duration,
}

impl Default for PoolConfig {
    fn default() -> Self {
        let cores =
            thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1));
        let budget_kib = 128 * 1024;
        Self {
            params: Argon2Params::default(),
            threads: (cores - 1).max(1),
            budget_kib,
            queue_kib: 16 * u64::from(budget_kib),
            idle: Duration::from_secs(5),
        }
    }
}

/// Threads that hash and verify passwords, first come, first served, within a budget of memory.
///
/// Argon2 is made to be expensive; a flood of logins must not become a flood of memory (CWE-770), and
/// no hash may run on a thread that serves requests. So the jobs that run never hold more than the budget
/// together, imported hashes of another cost included; those that wait are bounded too, and beyond that
/// callers get [`PoolError::Busy`]. A job whose caller has gone away is skipped. Memory is not allocated
/// before the first job, is kept for the next (fresh memory nearly doubles the cost of a hash), and is wiped
/// and goes back to the system after some seconds without work. Dropping the pool ends its threads.
///
/// ```
/// use portcullis_security::password::{Argon2Params, PasswordPool, PoolConfig, Salt};
/// use portcullis_security::random::Random;
/// use portcullis_security::secret::Secret;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = PasswordPool::new(PoolConfig { params: Argon2Params::new(64, 1, 1)?, ..PoolConfig::default() })?;
/// let encoded = pool.hash(Secret::from("correct horse"), Salt::generate(&Random::system())).await?;
/// let verified = pool.verify(encoded, Secret::from("correct horse")).await?;
/// assert!(verified.matches && !verified.obsolete);
/// # Ok(())
/// # }
/// ```
pub struct PasswordPool {
    queue: Arc<Queue>,
    params: Argon2Params,
}

impl PasswordPool {
    /// Starts the threads; they sleep until there is work.
    ///
    /// # Errors
    /// [`StartError`] when a new hash would not fit into the budget, or the system gives no threads.
    pub fn new(config: PoolConfig) -> Result<Self, StartError> {
        let PoolConfig { params, threads, budget_kib, queue_kib, idle } = config;
        let needed_kib = params.memory_kib();
        if needed_kib > budget_kib {
            return Err(StartError::BudgetTooSmall { needed_kib, budget_kib });
        }
        let threads = threads.max(1);
        let limits = Limits { threads, budget_kib, queue_kib, least_weight_kib: needed_kib, idle };
        let pool = Self { queue: Arc::new(Queue::new(limits)), params };
        for number in 0..threads {
            let queue = Arc::clone(&pool.queue);
            thread::Builder::new()
                .name(format!("password-{number}"))
                .spawn(move || serve(&queue, &params))?;
        }
        Ok(pool)
    }

    /// Hashes `password` with the pool's setting, in Django's spelling.
    ///
    /// # Errors
    /// [`PoolError::Busy`] when the queue is full, [`PoolError::Failed`] without memory.
    pub async fn hash(&self, password: Secret, salt: Salt) -> Result<String, PoolError> {
        let (reply, answer) = oneshot::channel();
        let memory_kib = self.params.memory_kib();
        self.queue.push(Job {
            work: Work::Hash { password, salt, reply },
            memory_kib,
            arena_kib: memory_kib,
        })?;
        answer.await.unwrap_or(Err(PoolError::Stopped))
    }

    /// Whether `password` is the one that `encoded` was made from; see
    /// [`verify_password`](super::verify_password) for the formats.
    ///
    /// What no password can match (`!…`, malformed, too costly) takes the time of a hash of the pool's
    /// setting, so that the answer does not tell such accounts from others.
    ///
    /// # Errors
    /// [`PoolError::Busy`] when the queue is full, [`PoolError::OverBudget`] for a hash that never fits,
    /// [`PoolError::Failed`] without memory.
    pub async fn verify(&self, encoded: String, password: Secret) -> Result<Verified, PoolError> {
        let setting = self.params.memory_kib();
        let (memory_kib, arena_kib) = Encoded::parse(&encoded)
            .map_or((setting, setting), |parsed| (parsed.scheme.memory_kib(), parsed.arena_kib()));
        let (reply, answer) = oneshot::channel();
        self.queue.push(Job { work: Work::Verify { password, encoded, reply }, memory_kib, arena_kib })?;
        answer.await.unwrap_or(Err(PoolError::Stopped))
    }

    /// The setting of new hashes.
    #[must_use]
    pub const fn params(&self) -> &Argon2Params {
        &self.params
    }

    /// What the pool does at this moment, and did so far.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.queue.stats()
    }
}

impl Drop for PasswordPool {
    fn drop(&mut self) {
        self.queue.stop();
    }
}

/// The life of one thread.
fn serve(queue: &Queue, params: &Argon2Params) {
    while let Some(Task { job, arena, evicted }) = queue.next() {
        drop(evicted);
        let start = Instant::now();
        let mut arena = prepare(arena, job.arena_kib);
        run(job.work, arena.as_mut(), params);
        if let Some(arena) = &mut arena {
            arena.rest();
        }
        queue.finish(job.memory_kib, arena.filter(|arena| arena.kib() > 0), start.elapsed());
    }
}

/// The arena that was given, or a new one; none without memory.
fn prepare(arena: Option<Arena>, kib: u32) -> Option<Arena> {
    arena.or_else(|| Arena::allocate(kib).ok())
}

/// Does the work and answers; the caller may be gone by now.
fn run(work: Work, arena: Option<&mut Arena>, params: &Argon2Params) {
    match work {
        Work::Hash { password, salt, reply } => {
            let answer = guarded(arena, |arena| {
                hash_with_memory(password.expose(), &salt, params, arena.blocks())
                    .map_err(|_| PoolError::Failed)
            });
            let _ = reply.send(answer);
        }
        Work::Verify { password, encoded, reply } => {
            let _ = reply.send(guarded(arena, |arena| verify(&encoded, &password, arena, params)));
        }
        #[cfg(test)]
        Work::Panic { reply } => {
            let _ = reply.send(guarded(arena, |arena| {
                arena.blocks()[0].as_mut()[0] = 1;
                panic!("as the test wants")
            }));
        }
    }
}

/// Runs `work` so that a panic in it fails one job and not the thread.
fn guarded<T>(
    arena: Option<&mut Arena>,
    work: impl FnOnce(&mut Arena) -> Result<T, PoolError>,
) -> Result<T, PoolError> {
    let arena = arena.ok_or(PoolError::Failed)?;
    // The next job overwrites the arena, and everything else is dropped: no broken state survives.
    catch_unwind(AssertUnwindSafe(|| work(arena))).unwrap_or(Err(PoolError::Failed))
}

fn verify(
    encoded: &str,
    password: &Secret,
    arena: &mut Arena,
    params: &Argon2Params,
) -> Result<Verified, PoolError> {
    let matches = match Encoded::parse(encoded) {
        Ok(parsed) => parsed.matches(password.expose(), arena.blocks()),
        Err(_) => {
            hash_with_memory(password.expose(), &Salt::of_nobody(), params, arena.blocks())
                .map_err(|_| PoolError::Failed)?;
            false
        }
    };
    Ok(Verified { matches, obsolete: is_obsolete(encoded, params) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::Scheme;
    use super::*;
    use proptest::prelude::*;
    use tokio::task::JoinSet;

    const RIGHT: &str = "correct horse";

    fn config(threads: u32, budget_kib: u32) -> PoolConfig {
        PoolConfig {
            params: Argon2Params::new(64, 1, 1).unwrap(),
            threads,
            budget_kib,
            queue_kib: u64::MAX,
            idle: Duration::from_secs(60),
        }
    }

    fn encoded(memory_kib: u32, iterations: u32) -> String {
        let params = Argon2Params::new(memory_kib, iterations, 1).unwrap();
        super::super::hash_password(&RIGHT.into(), &Salt::fixed("saltsaltsaltsalt"), &params).unwrap()
    }

    /// Polls the counters: a job is booked out after its caller has the answer.
    async fn until(pool: &PasswordPool, reached: impl Fn(PoolStats) -> bool) {
        while !reached(pool.stats()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn panic_in(pool: &PasswordPool) -> Result<Verified, PoolError> {
        let (reply, answer) = oneshot::channel();
        pool.queue.push(Job { work: Work::Panic { reply }, memory_kib: 64, arena_kib: 64 })?;
        answer.await.unwrap_or(Err(PoolError::Stopped))
    }

    #[tokio::test]
    async fn a_hash_verifies_in_the_pool_and_a_wrong_password_does_not() {
        let pool = PasswordPool::new(config(2, 1024)).unwrap();
        let made = pool.hash(RIGHT.into(), Salt::fixed("saltsaltsaltsalt")).await.unwrap();
        assert_eq!(made, encoded(64, 1));
        let right = pool.verify(made.clone(), RIGHT.into()).await;
        assert_eq!(right, Ok(Verified { matches: true, obsolete: false }));
        let wrong = pool.verify(made, "wrong".into()).await;
        assert_eq!(wrong, Ok(Verified { matches: false, obsolete: false }));
        let weak = pool.verify(encoded(32, 1), RIGHT.into()).await;
        assert_eq!(weak, Ok(Verified { matches: true, obsolete: true }));
        until(&pool, |stats| stats.finished == 4 && stats.running == 0).await;
        assert!(pool.stats().busy_time > Duration::ZERO);
    }

    #[tokio::test]
    async fn what_cannot_match_costs_a_hash_and_is_a_wrong_password() {
        let pool = PasswordPool::new(config(1, 1024)).unwrap();
        for nobody in
            ["!", "", "argon2$", "bcrypt$$2b$31$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i"]
        {
            let answer = pool.verify(nobody.to_owned(), RIGHT.into()).await;
            assert_eq!(answer, Ok(Verified { matches: false, obsolete: false }));
        }
        until(&pool, |stats| stats.finished == 4).await;
        assert_eq!(pool.stats().idle_memory_kib, 64, "the setting's memory was used");
    }

    #[tokio::test]
    async fn a_hash_above_the_whole_budget_is_refused_by_name() {
        let pool = PasswordPool::new(config(1, 100)).unwrap();
        let refusal = PoolError::OverBudget { needed_kib: 101, budget_kib: 100 };
        assert_eq!(pool.verify(encoded(101, 1), RIGHT.into()).await, Err(refusal));
        assert!(pool.verify(encoded(100, 1), RIGHT.into()).await.unwrap().matches);
    }

    #[tokio::test]
    async fn a_full_queue_says_when_to_come_back_and_abandoned_jobs_make_room() {
        let pool = Arc::new(PasswordPool::new(PoolConfig { queue_kib: 128, ..config(1, 4096) }).unwrap());
        let slow = encoded(4096, 200);
        let busy = spawn_verify(&pool, &slow);
        until(&pool, |stats| stats.running == 1).await;
        let waiting = [spawn_verify(&pool, &encoded(64, 1)), spawn_verify(&pool, &encoded(8, 1))];
        until(&pool, |stats| stats.queued == 2).await;
        let refused = pool.verify(encoded(8, 1), RIGHT.into()).await;
        assert!(matches!(refused, Err(PoolError::Busy { retry_after }) if retry_after > Duration::ZERO));
        assert_eq!(pool.stats().refused, 1);

        let [first, second] = waiting;
        first.abort();
        assert!(first.await.is_err());
        assert!(pool.verify(encoded(8, 1), RIGHT.into()).await.unwrap().matches);
        assert!(second.await.unwrap().unwrap().matches && busy.await.unwrap().unwrap().matches);
        until(&pool, |stats| stats.finished == 3).await;
    }

    fn spawn_verify(
        pool: &Arc<PasswordPool>,
        encoded: &str,
    ) -> tokio::task::JoinHandle<Result<Verified, PoolError>> {
        let (pool, encoded) = (Arc::clone(pool), encoded.to_owned());
        tokio::spawn(async move { pool.verify(encoded, RIGHT.into()).await })
    }

    #[tokio::test]
    async fn a_job_that_panics_fails_alone() {
        let pool = PasswordPool::new(config(1, 1024)).unwrap();
        assert_eq!(panic_in(&pool).await, Err(PoolError::Failed));
        assert!(pool.verify(encoded(64, 1), RIGHT.into()).await.unwrap().matches);
        until(&pool, |stats| stats.running == 0 && stats.running_memory_kib == 0).await;
    }

    #[tokio::test]
    async fn idle_memory_is_given_back_and_none_is_taken_at_first() {
        let idle = Duration::from_millis(20);
        let pool = PasswordPool::new(PoolConfig { idle, ..config(2, 1024) }).unwrap();
        assert_eq!(pool.stats().idle_memory_kib, 0);
        pool.verify(encoded(64, 1), RIGHT.into()).await.unwrap();
        until(&pool, |stats| stats.finished == 1).await;
        until(&pool, |stats| stats.idle_memory_kib == 0).await;
    }

    #[test]
    fn a_wiped_arena_holds_nothing() {
        let mut arena = Arena::allocate(64).unwrap();
        let params = Argon2Params::new(64, 1, 1).unwrap();
        hash_with_memory(b"secret", &Salt::fixed("saltsalt"), &params, arena.blocks()).unwrap();
        assert!(arena.blocks().iter().any(|block| block.as_ref().iter().any(|word| *word != 0)));
        arena.wipe();
        assert!(arena.blocks().iter().all(|block| block.as_ref().iter().all(|word| *word == 0)));
    }

    #[tokio::test]
    async fn dropping_the_pool_ends_its_threads() {
        let pool = PasswordPool::new(config(2, 1024)).unwrap();
        let queue = Arc::downgrade(&pool.queue);
        pool.verify(encoded(64, 1), RIGHT.into()).await.unwrap();
        drop(pool);
        while queue.strong_count() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn memory_stays_within_the_budget_whatever_comes(
            costs in prop::collection::vec((1_u32..=20, 1_u32..4), 1..40),
            threads in 1_u32..5,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let hashes: Vec<String> = costs.iter().map(|(m, t)| encoded(m * 8, *t)).collect();
            runtime.block_on(async {
                let pool = Arc::new(PasswordPool::new(config(threads, 200)).unwrap());
                let mut jobs = JoinSet::new();
                for hash in hashes {
                    let pool = Arc::clone(&pool);
                    jobs.spawn(async move { pool.verify(hash, RIGHT.into()).await });
                }
                while !jobs.is_empty() {
                    let stats = pool.stats();
                    assert!(stats.running_memory_kib + stats.idle_memory_kib <= 200, "{stats:?}");
                    assert!(stats.running <= threads as usize);
                    if let Ok(Some(done)) = tokio::time::timeout(Duration::from_micros(50), jobs.join_next()).await {
                        assert!(done.unwrap().unwrap().matches);
                    }
                }
                until(&pool, |stats| stats.running == 0).await;
                assert_eq!(pool.stats().finished, costs.len() as u64);
            });
        }
    }

    #[tokio::test]
    async fn every_scheme_is_charged_its_memory() {
        let charged = |text: &str| text.parse::<Scheme>().unwrap().memory_kib();
        assert_eq!(charged("argon2id:102400:2:8"), 102_400);
        assert_eq!(charged("scrypt:16384:8:5"), 16_390);
        assert_eq!(charged("bcrypt_sha256:12"), 1);
        let pool = PasswordPool::new(config(1, 100)).unwrap();
        let scrypt = format!("scrypt$1024$salt$8$1${}==", "A".repeat(86));
        assert!(matches!(pool.verify(scrypt, RIGHT.into()).await, Err(PoolError::OverBudget { .. })));
    }
}
