//! Work that is finished though its caller has gone.

use std::sync::{Arc, OnceLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinHandle};

/// How much may go on without a caller. One who hangs up again and again, which HTTP/2 makes cheap, fills these
/// places; whoever hangs up then is not worked for any more.
const PLACES: usize = 1_000;

/// The places of work whose caller has gone.
pub struct Finisher(Arc<Semaphore>);

impl Default for Finisher {
    fn default() -> Self {
        Self::with_places(PLACES)
    }
}

impl Finisher {
    fn with_places(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)))
    }

    /// Runs `work`, to its end though the caller drops this future, while there is a place.
    ///
    /// # Errors
    /// When the work panicked, or the program ends.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, JoinError> {
        let place = Arc::new(OnceLock::new());
        let held = place.clone();
        let task = tokio::spawn(async move {
            let _held = held;
            work.await
        });
        (&mut Begun { task, place, places: &self.0 }.task).await
    }
}

struct Begun<'a, T> {
    task: JoinHandle<T>,
    /// Given back when the task has ended, too.
    place: Arc<OnceLock<OwnedSemaphorePermit>>,
    places: &'a Arc<Semaphore>,
}

impl<T> Drop for Begun<'_, T> {
    fn drop(&mut self) {
        if self.task.is_finished() {
            return;
        }
        match self.places.clone().try_acquire_owned() {
            Ok(place) => drop(self.place.set(place)),
            Err(_) => self.task.abort(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[tokio::test]
    async fn of_work_that_lost_its_caller_as_much_goes_on_as_there_are_places() {
        let finisher = Finisher::with_places(2);
        let finished = Arc::new(AtomicUsize::new(0));
        let work = || {
            let finished = finished.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                finished.fetch_add(1, Ordering::SeqCst)
            }
        };
        for round in 0..2 {
            for _ in 0..5 {
                tokio::time::timeout(Duration::from_millis(1), finisher.run(work())).await.unwrap_err();
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert_eq!(finished.load(Ordering::SeqCst), round * 3 + 2, "two without a caller");
            finisher.run(work()).await.unwrap();
        }
        finisher.run(async { panic!("on purpose") }).await.unwrap_err();
    }
}
