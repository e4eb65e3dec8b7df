//! Work that goes on after the buyer was told `submitted`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The background tasks of one agent: bounded in number, waited for at shutdown.
#[derive(Debug, Clone)]
pub(crate) struct Background {
    slots: Arc<Semaphore>,
    running: TaskTracker,
    /// Asks the work to stop.
    asked: CancellationToken,
    /// Ends the work that did not.
    forced: CancellationToken,
}

/// Room for one background task.
#[derive(Debug)]
pub(crate) struct Slot(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Background {
    pub(crate) fn new(max_tasks: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(max_tasks.min(Semaphore::MAX_PERMITS))),
            running: TaskTracker::new(),
            asked: CancellationToken::new(),
            forced: CancellationToken::new(),
        }
    }

    /// Takes a place, or says that there is none: too many tasks run, or the agent is shutting down.
    pub(crate) fn slot(&self) -> Option<Slot> {
        if self.asked.is_cancelled() {
            return None;
        }
        Arc::clone(&self.slots).try_acquire_owned().ok().map(Slot)
    }

    /// The signal that asks work to stop.
    pub(crate) fn cancellation(&self) -> CancellationToken {
        self.asked.clone()
    }

    /// Runs `work`, telling it when it is out of time.
    pub(crate) fn spawn<F>(&self, slot: Slot, work: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let work = work(self.forced.clone());
        self.running.spawn(async move {
            work.await;
            drop(slot);
        });
    }

    /// Asks everything to stop, waits, then ends the rest and waits until it is recorded.
    pub(crate) async fn drain(&self, within: Duration) {
        self.asked.cancel();
        self.running.close();
        if tokio::time::timeout(within, self.running.wait()).await.is_err() {
            self.forced.cancel();
            self.running.wait().await;
        }
    }
}
