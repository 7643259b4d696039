//! First come, first served: which job of the pool may start, and in which memory.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

use super::arena::Arena;
use super::argon2::Salt;
use super::pool::{PoolError, Verified};
use crate::secret::Secret;

/// The wait that is guessed while no job has been measured.
const FIRST_GUESS: Duration = Duration::from_millis(50);

/// What is to be done, and who waits for it.
pub(super) enum Work {
    Hash {
        password: Secret,
        salt: Salt,
        reply: oneshot::Sender<Result<String, PoolError>>,
    },
    Verify {
        password: Secret,
        encoded: String,
        reply: oneshot::Sender<Result<Verified, PoolError>>,
    },
    #[cfg(test)]
    Panic {
        reply: oneshot::Sender<Result<Verified, PoolError>>,
    },
}

/// A piece of work and what it is charged.
pub(super) struct Job {
    pub(super) work: Work,
    /// Memory while it runs.
    pub(super) memory_kib: u32,
    /// The part of it that lies in an arena.
    pub(super) arena_kib: u32,
}

impl Job {
    fn is_abandoned(&self) -> bool {
        match &self.work {
            Work::Hash { reply, .. } => reply.is_closed(),
            Work::Verify { reply, .. } => reply.is_closed(),
            #[cfg(test)]
            Work::Panic { reply } => reply.is_closed(),
        }
    }
}

/// A job that may run now.
pub(super) struct Task {
    pub(super) job: Job,
    /// An arena of the right size that lay idle.
    pub(super) arena: Option<Arena>,
    /// Idle arenas that had to make room; dropped outside the lock.
    pub(super) evicted: Vec<Arena>,
}

/// The bounds of a queue.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) threads: u32,
    /// What the jobs that run, and the arenas that lie idle, may hold together.
    pub(super) budget_kib: u32,
    /// What the jobs that wait may weigh together.
    pub(super) queue_kib: u64,
    /// What each job weighs at least: PBKDF2 and bcrypt take little memory and much time.
    pub(super) least_weight_kib: u32,
    /// How long an arena may lie idle.
    pub(super) idle: Duration,
}

/// Counters of a pool, for metrics.
///
/// Gauges are of this moment, `refused`, `finished` and `busy_time` count from the start of the pool.
///
/// ```
/// use portcullis_security::password::{PasswordPool, PoolConfig};
///
/// let pool = PasswordPool::new(PoolConfig::default())?;
/// assert_eq!(pool.stats().queued, 0);
/// assert_eq!(pool.stats().idle_memory_kib, 0);
/// # Ok::<(), portcullis_security::password::StartError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Jobs that wait.
    pub queued: usize,
    /// Jobs that run.
    pub running: usize,
    /// Memory of the jobs that run, in KiB.
    pub running_memory_kib: u64,
    /// Memory kept for the next jobs, in KiB.
    pub idle_memory_kib: u64,
    /// Jobs refused because the queue was full.
    pub refused: u64,
    /// Jobs done.
    pub finished: u64,
    /// Time spent on the jobs done, all threads together.
    pub busy_time: Duration,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    waiting_kib: u64,
    running: usize,
    running_kib: u64,
    idle_arenas: Vec<Arena>,
    refused: u64,
    finished: u64,
    busy_time: Duration,
    stopping: bool,
}

/// The queue, shared by callers and threads.
pub(super) struct Queue {
    limits: Limits,
    state: Mutex<State>,
    wake: Condvar,
}

impl Queue {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default(), wake: Condvar::new() }
    }

    /// Lines a job up, or says why not.
    pub(super) fn push(&self, job: Job) -> Result<(), PoolError> {
        let Limits { budget_kib, queue_kib, .. } = self.limits;
        if job.memory_kib > budget_kib {
            return Err(PoolError::OverBudget { needed_kib: job.memory_kib, budget_kib });
        }
        let weight = self.weight(&job);
        let mut state = self.lock();
        if state.waiting_kib + weight > queue_kib {
            self.drop_abandoned(&mut state);
        }
        if state.waiting_kib + weight > queue_kib && !state.waiting.is_empty() {
            state.refused += 1;
            return Err(PoolError::Busy { retry_after: self.expected_wait(&state) });
        }
        state.waiting_kib += weight;
        state.waiting.push_back(job);
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// Waits for the job whose turn it is and whose memory is free; nothing when the pool stops.
    pub(super) fn next(&self) -> Option<Task> {
        let mut state = self.lock();
        loop {
            if state.stopping {
                return None;
            }
            if let Some(job) = self.pop(&mut state) {
                return Some(self.start(&mut state, job));
            }
            let expired = state.take_expired(self.limits.idle);
            if expired.is_empty() {
                state = self.wait(state);
            } else {
                // Wiping and freeing take milliseconds, in which nobody shall wait for the lock.
                drop(state);
                drop(expired);
                state = self.lock();
            }
        }
    }

    /// Books a job out and keeps its arena for the next one.
    pub(super) fn finish(&self, memory_kib: u32, arena: Option<Arena>, took: Duration) {
        let mut state = self.lock();
        state.running -= 1;
        state.running_kib -= u64::from(memory_kib);
        state.finished += 1;
        state.busy_time += took;
        if !state.stopping {
            state.idle_arenas.extend(arena);
        }
    }

    /// Ends the threads after what they are doing now; waiting jobs are dropped.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopping = true;
        state.waiting.clear();
        state.waiting_kib = 0;
        let arenas = std::mem::take(&mut state.idle_arenas);
        drop(state);
        drop(arenas);
        self.wake.notify_all();
    }

    pub(super) fn stats(&self) -> PoolStats {
        let state = self.lock();
        PoolStats {
            queued: state.waiting.len(),
            running: state.running,
            running_memory_kib: state.running_kib,
            idle_memory_kib: state.idle_kib(),
            refused: state.refused,
            finished: state.finished,
            busy_time: state.busy_time,
        }
    }

    /// No code that can panic runs under the lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn weight(&self, job: &Job) -> u64 {
        u64::from(job.memory_kib.max(self.limits.least_weight_kib))
    }

    fn drop_abandoned(&self, state: &mut State) {
        state.waiting.retain(|job| !job.is_abandoned());
        state.waiting_kib = state.waiting.iter().map(|job| self.weight(job)).sum();
    }

    /// The first job, if its memory is free. Nobody overtakes it: a large job would else wait for ever.
    fn pop(&self, state: &mut State) -> Option<Job> {
        while state.waiting.front().is_some_and(Job::is_abandoned) {
            self.take_first(state);
        }
        let needed = u64::from(state.waiting.front()?.memory_kib);
        if state.running_kib + needed > u64::from(self.limits.budget_kib) {
            return None;
        }
        self.take_first(state)
    }

    fn take_first(&self, state: &mut State) -> Option<Job> {
        let job = state.waiting.pop_front()?;
        state.waiting_kib -= self.weight(&job);
        Some(job)
    }

    /// Books a job in. The next one may fit as well, so another thread is called.
    fn start(&self, state: &mut State, job: Job) -> Task {
        let arena = state.take_arena(job.arena_kib);
        state.running += 1;
        state.running_kib += u64::from(job.memory_kib);
        let evicted = state.evict(u64::from(self.limits.budget_kib).saturating_sub(state.running_kib));
        if !state.waiting.is_empty() {
            self.wake.notify_one();
        }
        Task { job, arena, evicted }
    }

    /// Sleeps until a job comes, or until an arena has lain idle for long enough to be freed.
    fn wait<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let idle = self.limits.idle;
        let longest = state.idle_arenas.iter().map(Arena::idle).max();
        match longest {
            None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(longest) => {
                let rest = idle.saturating_sub(longest);
                self.wake.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    fn expected_wait(&self, state: &State) -> Duration {
        let jobs = u32::try_from(state.finished).unwrap_or(u32::MAX);
        let each = state.busy_time.checked_div(jobs).unwrap_or(FIRST_GUESS);
        let waiting = u32::try_from(state.waiting.len()).unwrap_or(u32::MAX);
        each.saturating_mul(waiting).checked_div(self.limits.threads).unwrap_or_default()
    }
}

impl State {
    fn idle_kib(&self) -> u64 {
        self.idle_arenas.iter().map(|arena| arena.kib() as u64).sum()
    }

    /// The idle arena of that size that was used last: its pages are the likeliest to be in the cache.
    fn take_arena(&mut self, kib: u32) -> Option<Arena> {
        let found = self.idle_arenas.iter().rposition(|arena| arena.kib() as u64 == u64::from(kib))?;
        Some(self.idle_arenas.remove(found))
    }

    /// Takes away the arenas that nobody has used for that long.
    fn take_expired(&mut self, idle: Duration) -> Vec<Arena> {
        self.idle_arenas.extract_if(.., |arena| arena.idle() >= idle).collect()
    }

    /// Takes away the arenas that were used longest ago until the others fit into `room`.
    fn evict(&mut self, room: u64) -> Vec<Arena> {
        let mut kept = self.idle_kib();
        let surplus = self.idle_arenas.iter().take_while(|arena| {
            let over = kept > room;
            kept = kept.saturating_sub(arena.kib() as u64);
            over
        });
        let surplus = surplus.count();
        self.idle_arenas.drain(..surplus).collect()
    }
}
