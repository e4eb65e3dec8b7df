//! A task that a function of this process carries: issued first, then run, then ended exactly once.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{AdcpError, Backing, LeaseToken, Outcome, TaskRef, TaskStatus, fault};
use adcp_schemas::Part;
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::decide::Asked;
use super::envelope::Envelope;
use super::task::Start;
use crate::agent::Reply;
use crate::background::{Listening, Slot};
use crate::handle::TaskHandle;
use crate::handoff::{Ended, OnFailure, Ran, Work};
use crate::hook::Made;
use crate::incident::{Incident, internal_error};
use crate::parts::Parts;
use crate::scrub::{scrub, scrub_error};
use crate::{answer, end, lease, overdue};

/// How long a function may go on after somebody else has ended its task.
const WIND_DOWN: Duration = Duration::from_secs(30);

/// How long an adopter's `on_failure` may take.
const FAILURE_HOOK: Duration = Duration::from_secs(10);

/// Issues the task with its recorded reply, and only then lets the function begin.
pub(super) async fn start(
    parts: &Arc<Parts>,
    start: Start,
    slot: Slot,
    work: Work,
    envelope: &Envelope,
) -> Result<Reply, AdcpError> {
    let reply = start.reply();
    let lease = match LeaseToken::random() {
        Ok(token) => token,
        Err(error) => {
            let error = internal_error("drawing a lease", &error);
            start.give_back(parts, &error).await;
            return Err(error);
        }
    };
    let mut issue = start.issue(envelope).with_deadline(work.deadline).leased(lease, parts.lease);
    if let Some(ticket) = start.ticket.clone() {
        issue = issue.settling(ticket, reply.clone());
    }
    // It listens before the task exists, so that no end by somebody else is missed.
    let (stop, ended) = (parts.background.stop(), CancellationToken::new());
    let listening = parts.background.signals().listen(start.id.clone(), [ended.clone(), stop.clone()]);
    fault::point("before-issue");
    let record = match parts.registry.issue(issue).await {
        Ok(record) => record,
        Err(error) => {
            let tool = start.asked.spec.name;
            tracing::error!(tool, error = &error as &dyn std::error::Error, "a task was not issued");
            let error = AdcpError::from(error);
            start.give_back(parts, &error).await;
            return Err(error);
        }
    };
    fault::point("after-issue");
    if let Some(within) = work.deadline {
        overdue::watch(&parts.registry, parts.background.signals(), &record, within);
    }
    let task = TaskHandle {
        registry: Arc::clone(&parts.registry),
        task: record.reference(),
        lease: Some(lease),
        stop,
        ended,
    };
    let job =
        Job { asked: start.asked, task, listening, forced: parts.background.forced(), lease: parts.lease };
    parts.background.spawn(slot, job.run(work));
    Ok(Reply::new(envelope.wrap(reply), false))
}

struct Job {
    asked: Asked,
    task: TaskHandle,
    listening: Listening,
    forced: CancellationToken,
    lease: Duration,
}

impl Job {
    async fn run(self, work: Work) {
        let Work { run, on_failure, deadline } = work;
        let Self { asked, task, listening, forced, lease } = self;
        fault::point("work-started");
        let making = bounded(make(&asked, &task, run), &task, deadline, &forced);
        // The adopter's code runs inside, and its values are dropped there: no panic of theirs leaves a task open.
        let made = AssertUnwindSafe(leased(making, &task, lease)).catch_unwind().await.unwrap_or_else(|_| {
            let incident = Incident::new();
            tracing::error!(
                correlation_id = incident.id(),
                task_id = %task.id(),
                tool = asked.spec.name,
                "the function of a task, or its hook, panicked"
            );
            Err(incident.error())
        });
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
        let ended = match ended {
            Ok(Outcome::Completed(_)) => return,
            Ok(Outcome::Failed(error)) => Ended::Failed(error),
            Ok(other) => Ended::Elsewhere(Some(other)),
            Err(ended) => ended,
        };
        tracing::info!(task_id = %task.id(), tool = asked.spec.name, ended = ended.word(), "a task did not complete");
        if let Some(hook) = on_failure {
            told(&task.task, hook, ended).await;
        }
    }
}

/// Keeps the hold on the task while the function runs. The keeping has stopped before the end is recorded, so that
/// neither can overtake the other.
async fn leased<T>(work: impl Future<Output = T>, task: &TaskHandle, within: Duration) -> T {
    let keeping = async {
        lease::keep(task, within).await;
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        done = work => done,
        never = keeping => match never {},
    }
}

/// Runs the function, checks what it made, and lets its adopter act on that before it counts.
async fn make(
    asked: &Asked,
    task: &TaskHandle,
    run: impl FnOnce(TaskHandle) -> futures_util::future::BoxFuture<'static, Result<Ran, AdcpError>>,
) -> Result<Made, AdcpError> {
    let Ran { made, then } = run(task.clone()).await?;
    if let Some(error) = answer::error_arm(asked.spec, &made.body) {
        return Err(error);
    }
    let mut made = asked.hook.finish(&asked.effects, Some(&asked.request), made)?;
    scrub(&mut made.body);
    answer::check(asked.spec, Part::Response, TaskStatus::Completed, &made.body)
        .map_err(|fault| fault.log(asked.spec))?;
    if let Some(then) = then.filter(|_| !task.has_ended()) {
        then().await?;
    }
    Ok(made)
}

/// Cuts the work off when its time, or the agent's, is over, and when it goes on for nothing.
async fn bounded(
    work: impl Future<Output = Result<Made, AdcpError>>,
    task: &TaskHandle,
    deadline: Option<Duration>,
    forced: &CancellationToken,
) -> Result<Made, AdcpError> {
    let overdue = async {
        match deadline {
            Some(within) => tokio::time::sleep(within).await,
            None => std::future::pending().await,
        }
    };
    let idle = async {
        task.ended.cancelled().await;
        tokio::time::sleep(WIND_DOWN).await;
    };
    tokio::select! {
        made = work => made,
        () = idle => {
            tracing::warn!(task_id = %task.id(), "a function went on after its task had ended, and was dropped");
            Err(AdcpError::unavailable())
        }
        () = overdue => Err(AdcpError::overdue()),
        () = forced.cancelled() => Err(AdcpError::unavailable()),
    }
}

/// Tells the adopter how the task ended. Whatever comes of it, the task stays as it is.
async fn told(task: &TaskRef, hook: OnFailure, ended: Ended) {
    let telling = AssertUnwindSafe(async move { hook(ended).await }).catch_unwind();
    match tokio::time::timeout(FAILURE_HOOK, telling).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::error!(task_id = %task.id, %error, "on_failure failed"),
        Ok(Err(_)) => tracing::error!(task_id = %task.id, "on_failure panicked"),
        Err(_) => tracing::error!(task_id = %task.id, "on_failure took too long"),
    }
}
