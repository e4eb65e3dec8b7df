//! Handoffs: work that goes on after the buyer was told `submitted`.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{AdcpError, Outcome, TaskRef};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::decision::Makes;
use crate::handle::TaskHandle;
use crate::hook::Made;

type Run<T> = Box<dyn FnOnce(TaskHandle) -> BoxFuture<'static, Result<T, AdcpError>> + Send>;
type OnComplete<T> = Box<dyn FnOnce(Arc<T>) -> BoxFuture<'static, Result<(), AdcpError>> + Send>;
pub(crate) type OnFailure = Box<dyn FnOnce(Ended) -> BoxFuture<'static, Result<(), AdcpError>> + Send>;
pub(crate) type Then = Box<dyn FnOnce() -> BoxFuture<'static, Result<(), AdcpError>> + Send>;
pub(crate) type Enqueue = Box<dyn FnOnce(TaskRef) -> BoxFuture<'static, Result<(), AdcpError>> + Send>;

/// A function that goes on in this process. Only [`Ctx::handoff_to_task`](crate::Ctx::handoff_to_task) makes one.
///
/// The task ends exactly once: with the function's result, or as failed when the function returns an error,
/// panics, takes too long, is cut off by a shutdown, or gives a result that the tool's schema refuses.
///
/// ```no_run
/// # use std::time::Duration;
/// # use adcp_core::AdcpError;
/// # use adcp_decisioning::{Ctx, Decision};
/// # use adcp_types::signals::GetSignalsResponse;
/// # async fn search() -> Result<GetSignalsResponse, AdcpError> { Err(AdcpError::unavailable()) }
/// fn decide(ctx: &Ctx) -> Decision<GetSignalsResponse> {
///     ctx.handoff_to_task(|_task| search())
///         .with_deadline(Duration::from_secs(600))
///         .on_complete(|answer| async move {
///             tracing::info!(found = ?answer.signals, "searched");
///             Ok(())
///         })
///         .on_failure(|ended| async move {
///             tracing::warn!(?ended, "the search came to nothing");
///             Ok(())
///         })
///         .into()
/// }
/// ```
pub struct Handoff<T> {
    run: Run<T>,
    on_complete: Option<OnComplete<T>>,
    on_failure: Option<OnFailure>,
    deadline: Option<Duration>,
}

impl<T> Handoff<T> {
    pub(crate) fn new<F, Fut>(work: F) -> Self
    where
        F: FnOnce(TaskHandle) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, AdcpError>> + Send + 'static,
    {
        let run: Run<T> = Box::new(|task| work(task).boxed());
        Self { run, on_complete: None, on_failure: None, deadline: None }
    }

    /// Does something with the result before the task ends as completed, at most once.
    ///
    /// The result was checked by then, so what is done here is not done for an answer that nobody will see. An
    /// error or a panic ends the task as failed instead. A second call replaces the first.
    #[must_use]
    pub fn on_complete<F, Fut>(mut self, hook: F) -> Self
    where
        F: FnOnce(Arc<T>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), AdcpError>> + Send + 'static,
    {
        self.on_complete = Some(Box::new(|answer| hook(answer).boxed()));
        self
    }

    /// Does something once the task has ended otherwise than by this function's result, at most once.
    ///
    /// It runs after the end was recorded, also after a failed [`Self::on_complete`]. It has ten seconds; its own
    /// failure is logged and changes nothing. A second call replaces the first.
    #[must_use]
    pub fn on_failure<F, Fut>(mut self, hook: F) -> Self
    where
        F: FnOnce(Ended) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), AdcpError>> + Send + 'static,
    {
        self.on_failure = Some(Box::new(|ended| hook(ended).boxed()));
        self
    }

    /// Bounds how long the function and [`Self::on_complete`] may take together. Then the task ends as failed, and
    /// the function is dropped.
    #[must_use]
    pub const fn with_deadline(mut self, within: Duration) -> Self {
        self.deadline = Some(within);
        self
    }

    pub(crate) fn erase(self) -> Work
    where
        T: Makes + Send + Sync + 'static,
    {
        let Self { run, on_complete, on_failure, deadline } = self;
        let run = Box::new(move |task| {
            async move {
                let answer = run(task).await?;
                let made = answer.made();
                let then = on_complete.map(|hook| -> Then { Box::new(move || hook(Arc::new(answer))) });
                Ok(Ran { made, then })
            }
            .boxed()
        });
        Work { run, on_failure, deadline }
    }
}

impl<T> fmt::Debug for Handoff<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handoff").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// Work that another system does. Only [`Ctx::handoff_to_workflow`](crate::Ctx::handoff_to_workflow) makes one.
///
/// Its end comes later and from anywhere, through a [`TaskDesk`](crate::TaskDesk); no closure survives until then,
/// so it has no hooks.
pub struct Workflow<T> {
    enqueue: Enqueue,
    deadline: Option<Duration>,
    answer: PhantomData<fn() -> T>,
}

impl<T> Workflow<T> {
    pub(crate) fn new<F, Fut>(enqueue: F) -> Self
    where
        F: FnOnce(TaskRef) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), AdcpError>> + Send + 'static,
    {
        Self { enqueue: Box::new(|task| enqueue(task).boxed()), deadline: None, answer: PhantomData }
    }

    /// Bounds how long the other system has, counted from when it took the work. Then the task ends as failed.
    #[must_use]
    pub const fn with_deadline(mut self, within: Duration) -> Self {
        self.deadline = Some(within);
        self
    }

    pub(crate) fn erase(self) -> Errand {
        Errand { enqueue: self.enqueue, deadline: self.deadline }
    }
}

impl<T> fmt::Debug for Workflow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workflow").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// How a task ended whose own function did not complete it, as [`Handoff::on_failure`] is told.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Ended {
    /// It failed: by an error, a panic, an invalid result, its deadline, a shutdown or its own `on_complete`.
    Failed(AdcpError),
    /// Somebody else ended it first: by a cancellation, a refusal or any other end, which stands here when it can
    /// be read. What the function made is dropped.
    Elsewhere(Option<Outcome>),
    /// The store was away for so long that no end could be recorded. The task still shows as open.
    Unrecorded(AdcpError),
}

impl Ended {
    /// One word for the log, without what stands in it.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Failed(_) => "failed",
            Self::Elsewhere(_) => "elsewhere",
            Self::Unrecorded(_) => "unrecorded",
        }
    }
}

/// A [`Handoff`] without its type.
pub(crate) struct Work {
    pub(crate) run: Run<Ran>,
    pub(crate) on_failure: Option<OnFailure>,
    pub(crate) deadline: Option<Duration>,
}

/// What a function made, and what its adopter does with it before it counts.
pub(crate) struct Ran {
    pub(crate) made: Made,
    pub(crate) then: Option<Then>,
}

/// A [`Workflow`] without its type.
pub(crate) struct Errand {
    pub(crate) enqueue: Enqueue,
    pub(crate) deadline: Option<Duration>,
}
