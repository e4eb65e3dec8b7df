//! Work that goes on after the buyer was told `submitted`.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adcp_core::TaskId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// The background tasks of one agent: bounded in number, waited for at shutdown.
#[derive(Debug, Clone)]
pub(crate) struct Tasks {
    slots: Arc<Semaphore>,
    running: TaskTracker,
    /// Calls that are being answered.
    calls: TaskTracker,
    signals: Signals,
    /// Asks the work to stop.
    asked: CancellationToken,
    /// Ends the work that did not.
    forced: CancellationToken,
}

/// Something that a shutdown waits for.
#[derive(Debug)]
pub(crate) struct Open(#[expect(dead_code, reason = "held for its drop")] TaskTrackerToken);

/// Room for one background task.
#[derive(Debug)]
pub(crate) struct Slot {
    #[expect(dead_code, reason = "held for its drop")]
    permit: OwnedSemaphorePermit,
    #[expect(dead_code, reason = "held for its drop")]
    open: Open,
}

impl Tasks {
    pub(crate) fn new(max_tasks: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(max_tasks.min(Semaphore::MAX_PERMITS))),
            running: TaskTracker::new(),
            calls: TaskTracker::new(),
            signals: Signals::default(),
            asked: CancellationToken::new(),
            forced: CancellationToken::new(),
        }
    }

    /// Begins something that a shutdown waits for; `None` once the agent is shutting down.
    pub(crate) fn open(&self) -> Option<Open> {
        // The token comes first: a shutdown that begins in between waits for it.
        let token = self.running.token();
        (!self.is_stopping()).then(|| Open(token))
    }

    /// Takes a place, or says that there is none: too many tasks run, or the agent is shutting down.
    pub(crate) fn slot(&self) -> Option<Slot> {
        let open = self.open()?;
        let permit = Arc::clone(&self.slots).try_acquire_owned().ok()?;
        Some(Slot { permit, open })
    }

    /// Whether the agent is shutting down.
    pub(crate) fn is_stopping(&self) -> bool {
        self.asked.is_cancelled()
    }

    /// A signal that asks one task's work to stop, set at a shutdown at the latest.
    pub(crate) fn stop(&self) -> CancellationToken {
        self.asked.child_token()
    }

    /// The signal that time is up.
    pub(crate) fn forced(&self) -> CancellationToken {
        self.forced.clone()
    }

    /// The tasks whose functions run here.
    pub(crate) const fn signals(&self) -> &Signals {
        &self.signals
    }

    /// Runs `work` in its place.
    pub(crate) fn spawn(&self, slot: Slot, work: impl Future<Output = ()> + Send + 'static) {
        self.running.spawn(async move {
            work.await;
            drop(slot);
        });
    }

    /// Runs `work` that has its place elsewhere. A shutdown waits for it.
    pub(crate) fn run(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.running.spawn(work);
    }

    /// A call that is being answered. A shutdown waits for it as long as it may, also when the buyer has hung up.
    pub(crate) fn call(&self) -> TaskTrackerToken {
        self.calls.token()
    }

    /// Asks everything to stop, waits, then ends the rest and waits until it is recorded.
    pub(crate) async fn drain(&self, within: Duration) {
        self.asked.cancel();
        let begun = Instant::now();
        self.calls.close();
        if timeout(within, self.calls.wait()).await.is_err() {
            tracing::warn!("some calls were not answered within the time of the shutdown");
        }
        let within = within.saturating_sub(begun.elapsed());
        self.running.close();
        if timeout(within, self.running.wait()).await.is_err() {
            self.forced.cancel();
            self.running.wait().await;
        }
    }
}

/// Reaches the functions of this process when somebody else ends their tasks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signals(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    /// Whoever comes later takes the place of one that lost its task and did not notice yet.
    rows: HashMap<TaskId, (u64, [CancellationToken; 2])>,
    next: u64,
}

/// A running function's place in the table; leaves it when dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    signals: Signals,
    id: TaskId,
    number: u64,
}

impl Signals {
    /// Has these set when the task is ended by somebody else.
    pub(crate) fn listen(&self, id: TaskId, set: [CancellationToken; 2]) -> Listening {
        let mut table = self.table();
        table.next += 1;
        let number = table.next;
        table.rows.insert(id.clone(), (number, set));
        drop(table);
        Listening { signals: self.clone(), id, number }
    }

    /// Tells the function of a task, if it runs here, that the task has ended.
    pub(crate) fn ended(&self, id: &TaskId) {
        let set = self.table().rows.get(id).map(|(_, set)| set.clone());
        for token in set.into_iter().flatten() {
            token.cancel();
        }
    }

    /// The table is whole after a panic elsewhere: nothing is written in two steps.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut table = self.signals.table();
        if table.rows.get(&self.id).is_some_and(|(number, _)| *number == self.number) {
            table.rows.remove(&self.id);
        }
    }
}
