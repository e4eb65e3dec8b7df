//! Jobs: work that any replica with a handler for it can do, and begin again after a crash.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{AdcpError, JobOrder, TaskId, TaskRef};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Notify;

use crate::decision::Makes;
use crate::handle::TaskHandle;
use crate::handoff::Ran;
use crate::progress::IntoProgress;

/// Does one kind of job: work that outlives the process it began in.
///
/// **It runs at least once, and may run more often.** When a process dies, or loses its hold on the task because it
/// stood still for too long, another one begins again with the same input, and for a moment both may run. So what a
/// handler does to the world must come to the same when it is done again: pass [`JobHandle::key`], which every attempt
/// sees alike, to whatever it calls, or look up under it what an earlier attempt did. The *task* ends once in any case:
/// the store hears only who holds it.
///
/// What becomes of a run:
///
/// | It | Then the task |
/// | --- | --- |
/// | returns an answer that the tool's schema accepts | ends as completed |
/// | returns an answer that the schema refuses | ends as failed |
/// | returns an error that is not transient | ends as failed with it |
/// | returns a transient error, or panics | is tried again after a wait, and ends as failed when no attempt is left |
/// | is cut short by a shutdown | is given up at once, for another replica; the attempt does not count |
/// | dies with its process | is tried again when its lease is over, and ends as failed when no attempt is left |
/// | takes longer than the deadline | ends as failed |
///
/// The input is stored as JSON, sealed where the registry has a key and as it is where it has none: keep credentials
/// out of it, and look them up in the handler. Older and newer versions of the seller run side by side while it is
/// upgraded, and each claims only the kinds it knows: read what older versions wrote, or give the new form a new
/// [`Self::KIND`]. An input that does not decode ends the task as failed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` handles no jobs",
    label = "expected a `JobHandler`",
    note = "implement `adcp_decisioning::JobHandler` for it"
)]
pub trait JobHandler: Send + Sync + 'static {
    /// Names the kind. It is stored with every job: a new name is a new kind.
    const KIND: &'static str;

    /// What it is given.
    type Input: Serialize + DeserializeOwned + Send + 'static;

    /// What it makes: the success struct of the tool that hands off to it.
    type Output: Send + Sync + 'static;

    /// Does the work.
    fn run(
        &self,
        job: JobHandle,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, AdcpError>> + Send;
}

/// A running job, as its handler sees it.
#[derive(Debug, Clone)]
pub struct JobHandle {
    task: TaskHandle,
    attempt: u32,
    max_attempts: u32,
}

impl JobHandle {
    pub(crate) const fn new(task: TaskHandle, attempt: u32, max_attempts: u32) -> Self {
        Self { task, attempt, max_attempts }
    }

    /// The id the buyer polls.
    #[must_use]
    pub const fn id(&self) -> &TaskId {
        self.task.id()
    }

    /// The reference by which a [`TaskDesk`](crate::TaskDesk) reaches the task; it says whose it is.
    #[must_use]
    pub const fn reference(&self) -> &TaskRef {
        self.task.reference()
    }

    /// The same for every attempt at this job, and for no other: an idempotency key for whatever the handler calls.
    #[must_use]
    pub fn key(&self) -> &str {
        self.task.id().as_str()
    }

    /// Which attempt this is, from 1. One that a crash or a wait cut short counts.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether the task ends as failed unless this attempt succeeds.
    #[must_use]
    pub const fn is_last_attempt(&self) -> bool {
        self.attempt >= self.max_attempts
    }

    /// Reports how far the work is, as [`TaskHandle::progress`].
    pub async fn progress(&self, progress: impl IntoProgress + Send) {
        self.task.progress(progress).await;
    }

    /// Resolves when the work should stop: somebody else ended the task or works on it now, or the agent is shutting
    /// down. A handler that stops at a shutdown with a transient error leaves the job to another replica at once.
    pub async fn cancelled(&self) {
        self.task.cancelled().await;
    }

    /// Whether the work should stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.task.is_cancelled()
    }
}

/// Work for a [`JobHandler`]. Only [`Ctx::handoff_to_job`](crate::Ctx::handoff_to_job) makes one.
pub struct JobHandoff<T> {
    order: Order,
    answer: PhantomData<fn() -> T>,
}

impl<T> JobHandoff<T> {
    pub(crate) fn new<J: JobHandler<Output = T>>(input: J::Input) -> Self {
        let input = serde_json::to_value(input).map_err(|error| error.to_string());
        let order = Order { kind: J::KIND, input, max_attempts: None, deadline: None };
        Self { order, answer: PhantomData }
    }

    /// Bounds how long the job may take in all, waits and attempts together. Then the task ends as failed.
    #[must_use]
    pub const fn with_deadline(mut self, within: Duration) -> Self {
        self.order.deadline = Some(within);
        self
    }

    /// Sets how often it may be begun, [`adcp_core::DEFAULT_JOB_ATTEMPTS`] by default. With one attempt it never runs
    /// twice: what a crash or a shutdown cuts short ends as failed.
    #[must_use]
    pub const fn with_max_attempts(mut self, attempts: u32) -> Self {
        self.order.max_attempts = Some(attempts);
        self
    }

    pub(crate) fn erase(self) -> Order {
        self.order
    }
}

impl<T> fmt::Debug for JobHandoff<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandoff").field("kind", &self.order.kind).finish_non_exhaustive()
    }
}

/// A [`JobHandoff`] without its type, before it was looked at.
pub(crate) struct Order {
    kind: &'static str,
    input: Result<Value, String>,
    max_attempts: Option<u32>,
    deadline: Option<Duration>,
}

/// A job that can be issued.
pub(crate) struct Ordered {
    pub(crate) order: JobOrder,
    pub(crate) deadline: Option<Duration>,
}

/// The handlers of an agent, by kind.
#[derive(Clone, Default)]
pub(crate) struct Jobs {
    handlers: Arc<HashMap<&'static str, Arc<dyn DynJob>>>,
    wake: Arc<Notify>,
}

impl Jobs {
    pub(crate) fn new(handlers: HashMap<&'static str, Arc<dyn DynJob>>) -> Self {
        Self { handlers: Arc::new(handlers), wake: Arc::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.handlers.is_empty()
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.handlers.keys().map(|kind| (*kind).to_owned()).collect()
    }

    pub(crate) fn handler(&self, kind: &str) -> Option<&Arc<dyn DynJob>> {
        self.handlers.get(kind)
    }

    /// Says that there is a job to claim.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Resolves when there may be a job to claim.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Refuses what could never run: before anything is written, and with words for the operator.
    pub(crate) fn admit(&self, order: Order, tool: &'static str) -> Result<Ordered, AdcpError> {
        let Order { kind, input, max_attempts, deadline } = order;
        if !self.handlers.contains_key(kind) {
            tracing::error!(
                tool,
                kind,
                "no handler for this kind of job is registered: add it with `.job(…)`"
            );
            return Err(AdcpError::configuration_error());
        }
        let input = input.map_err(|error| {
            tracing::error!(tool, kind, error, "the input of a job has no JSON form");
            AdcpError::configuration_error()
        })?;
        let order = JobOrder::new(kind, input);
        let order = match max_attempts {
            Some(attempts) => order.with_max_attempts(attempts),
            None => order,
        };
        Ok(Ordered { order, deadline })
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.handlers.keys()).finish()
    }
}

/// A [`JobHandler`] without its types.
pub(crate) trait DynJob: Send + Sync {
    /// Decodes the input and does the work.
    fn run(&self, job: JobHandle, input: Value) -> BoxFuture<'static, Result<Ran, AdcpError>>;
}

/// A handler, shared by its runs.
pub(crate) struct Handler<J>(pub(crate) Arc<J>);

impl<J: JobHandler> DynJob for Handler<J>
where
    J::Output: Makes,
{
    fn run(&self, job: JobHandle, input: Value) -> BoxFuture<'static, Result<Ran, AdcpError>> {
        let handler = Arc::clone(&self.0);
        async move {
            let input = serde_json::from_value(input).map_err(|error| unreadable(J::KIND, &error))?;
            let answer = handler.run(job, input).await?;
            Ok(Ran { made: answer.made(), then: None })
        }
        .boxed()
    }
}

/// The input was written by a version that gave the kind another one.
fn unreadable(kind: &str, error: &serde_json::Error) -> AdcpError {
    tracing::error!(kind, error = error as &dyn std::error::Error, "the input of a job does not decode");
    let words = format!("this version of the seller cannot read the work of kind `{kind}`");
    AdcpError::configuration_error().with_detail("job", words)
}
