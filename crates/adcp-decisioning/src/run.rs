//! A function that works on a task in this process: kept, bounded, judged, and ended exactly once.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use adcp_core::{AdcpError, Backing, Effects, Outcome, TaskStatus, fault};
use adcp_schemas::Part;
use adcp_types::tools::ToolSpec;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::background::Listening;
use crate::handle::TaskHandle;
use crate::handoff::{Ended, Ran};
use crate::hook::{Hook, Made};
use crate::incident::Incident;
use crate::scrub::{scrub, scrub_error};
use crate::{answer, end, lease};

/// How long a function may go on after somebody else has ended its task.
const WIND_DOWN: Duration = Duration::from_secs(30);

/// By what the result of a function is judged.
pub(crate) struct Judge {
    pub(crate) spec: &'static ToolSpec,
    pub(crate) hook: &'static dyn Hook,
    pub(crate) effects: Effects,
    /// What was asked; gone where the function did not begin with the call.
    pub(crate) request: Option<Value>,
}

/// A function at work on its task.
pub(crate) struct Running {
    pub(crate) judge: Judge,
    pub(crate) task: TaskHandle,
    pub(crate) listening: Listening,
    /// Set when the time of a shutdown is over.
    pub(crate) forced: CancellationToken,
    /// How long the hold on the task counts without being renewed.
    pub(crate) lease: Duration,
}

/// Why a function made nothing that counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stopped {
    /// It, or what its adopter does with its result, said so.
    Error(AdcpError),
    /// What it made may not leave.
    Refused(AdcpError),
    /// It panicked.
    Panicked(AdcpError),
    /// Its time is over.
    Overdue,
    /// It went on after its task had ended, or was lost.
    Idle,
    /// The time of a shutdown is over.
    ShutDown,
}

impl Stopped {
    /// What a buyer is told of it.
    pub(crate) fn error(self) -> AdcpError {
        match self {
            Self::Error(error) | Self::Refused(error) | Self::Panicked(error) => error,
            Self::Overdue => AdcpError::overdue(),
            Self::Idle | Self::ShutDown => AdcpError::unavailable(),
        }
    }
}

impl Running {
    /// Runs the function, no longer than `within`, and checks what it made.
    pub(crate) async fn make(
        &self,
        run: impl FnOnce(TaskHandle) -> BoxFuture<'static, Result<Ran, AdcpError>>,
        within: Option<Duration>,
    ) -> Result<Made, Stopped> {
        fault::point("work-started");
        let making = self.bounded(self.judged(run), within);
        // The adopter's code runs inside, and its values are dropped there: no panic of theirs leaves a task open.
        AssertUnwindSafe(self.leased(making)).catch_unwind().await.unwrap_or_else(|_| {
            let incident = Incident::new();
            tracing::error!(
                correlation_id = incident.id(),
                task_id = %self.task.id(),
                tool = self.judge.spec.name,
                "the function of a task, or its hook, panicked"
            );
            Err(Stopped::Panicked(incident.error()))
        })
    }

    /// Ends the task under its lease, with what was made or as failed, unless somebody else has ended it.
    pub(crate) async fn end(self, made: Result<Made, AdcpError>) -> Result<Outcome, Ended> {
        let Self { judge, task, listening, .. } = self;
        let (outcome, backing) = match made {
            Ok(made) => (Outcome::Completed(made.body), made.backing),
            Err(error) => (Outcome::Failed(scrub_error(error)), Backing::default()),
        };
        fault::point("before-finish");
        let ended = if task.has_ended() {
            Err(end::elsewhere(&task.registry, &task.task).await)
        } else {
            end::end(&task.registry, &task.task, task.lease, outcome, backing).await
        };
        fault::point("after-finish");
        drop(listening);
        let why = match &ended {
            Ok(Outcome::Completed(_)) => return ended,
            Ok(Outcome::Failed(_)) => "failed",
            Ok(_) => "elsewhere",
            Err(ended) => ended.word(),
        };
        tracing::info!(task_id = %task.id(), tool = judge.spec.name, ended = why, "a task did not complete");
        ended
    }

    /// Keeps the hold on the task while the function runs. The keeping has stopped before the end is recorded, so that
    /// neither can overtake the other.
    async fn leased<T>(&self, work: impl Future<Output = T>) -> T {
        let keeping = async {
            lease::keep(&self.task, self.lease).await;
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            done = work => done,
            never = keeping => match never {},
        }
    }

    /// Runs the function, checks what it made, and lets its adopter act on that before it counts.
    async fn judged(
        &self,
        run: impl FnOnce(TaskHandle) -> BoxFuture<'static, Result<Ran, AdcpError>>,
    ) -> Result<Made, Stopped> {
        let Judge { spec, hook, effects, request } = &self.judge;
        let Ran { made, then } = run(self.task.clone()).await.map_err(Stopped::Error)?;
        if let Some(error) = answer::error_arm(spec, &made.body) {
            return Err(Stopped::Error(error));
        }
        let mut made = hook.finish(effects, request.as_ref(), made).map_err(Stopped::Refused)?;
        scrub(&mut made.body);
        answer::check(spec, Part::Response, TaskStatus::Completed, &made.body)
            .map_err(|fault| Stopped::Refused(fault.log(spec)))?;
        if let Some(then) = then.filter(|_| !self.task.has_ended()) {
            then().await.map_err(Stopped::Error)?;
        }
        Ok(made)
    }

    /// Cuts the work off when its time, or the agent's, is over, and when it goes on for nothing.
    async fn bounded(
        &self,
        work: impl Future<Output = Result<Made, Stopped>>,
        within: Option<Duration>,
    ) -> Result<Made, Stopped> {
        let overdue = async {
            match within {
                Some(within) => tokio::time::sleep(within).await,
                None => std::future::pending().await,
            }
        };
        let idle = async {
            self.task.ended.cancelled().await;
            tokio::time::sleep(WIND_DOWN).await;
        };
        tokio::select! {
            made = work => made,
            () = idle => {
                let task_id = self.task.id();
                tracing::warn!(%task_id, "a function went on after its task had ended, and was dropped");
                Err(Stopped::Idle)
            }
            () = overdue => Err(Stopped::Overdue),
            () = self.forced.cancelled() => Err(Stopped::ShutDown),
        }
    }
}
