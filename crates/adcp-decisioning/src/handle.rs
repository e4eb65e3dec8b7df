//! A running task, as its own function sees it.

use std::sync::Arc;

use adcp_core::{LeaseToken, Registry, RegistryError, ReportProgress, TaskId, TaskRef};
use tokio_util::sync::CancellationToken;

use crate::progress::IntoProgress;

/// A running task, as its own function sees it.
#[derive(Debug, Clone)]
pub struct TaskHandle {
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) task: TaskRef,
    /// Proves to the store that the function still works on the task.
    pub(crate) lease: Option<LeaseToken>,
    /// Asks the function to stop; set by the other, or by a shutdown.
    pub(crate) stop: CancellationToken,
    /// Set once somebody else has ended the task.
    pub(crate) ended: CancellationToken,
}

impl TaskHandle {
    /// The id the buyer polls.
    #[must_use]
    pub const fn id(&self) -> &TaskId {
        &self.task.id
    }

    /// The reference by which a [`TaskDesk`](crate::TaskDesk) reaches the task.
    #[must_use]
    pub const fn reference(&self) -> &TaskRef {
        &self.task
    }

    /// Reports how far the work is: a [`Progress`](adcp_core::Progress), or the body of the tool's `working` arm.
    ///
    /// A report that cannot be stored is logged and otherwise ignored. One about a task that somebody else has
    /// ended sets the signal to stop.
    pub async fn progress(&self, progress: impl IntoProgress + Send) {
        let report = ReportProgress::new(self.task.id.clone(), self.task.scope(), progress.into_progress())
            .under(self.lease);
        match self.registry.report(report).await {
            Ok(()) => {}
            Err(RegistryError::AlreadyEnded(_) | RegistryError::LeaseLost(_)) => self.end(),
            Err(error) => {
                tracing::warn!(task_id = %self.task.id, error = &error as &dyn std::error::Error, "progress not stored");
            }
        }
    }

    /// Resolves when the work should stop: somebody else ended the task, or the agent is shutting down.
    ///
    /// A function that goes on is dropped: half a minute after its task has ended, or when the shutdown's time is over.
    pub async fn cancelled(&self) {
        self.stop.cancelled().await;
    }

    /// Whether the work should stop. What it still returns cannot change the end of a task that has ended.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Whether somebody else has ended the task.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_cancelled()
    }

    /// Has the function stop: what it returns cannot count any more.
    pub(crate) fn end(&self) {
        self.ended.cancel();
        self.stop.cancel();
    }
}
