//! A task that a function of this process carries: issued first, then run, then ended exactly once.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{AdcpError, LeaseToken, Outcome, TaskRef, fault};
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::envelope::Envelope;
use super::task::Start;
use crate::agent::Reply;
use crate::background::Slot;
use crate::handle::TaskHandle;
use crate::handoff::{Ended, OnFailure, Work};
use crate::incident::internal_error;
use crate::parts::Parts;
use crate::run::{Judge, Running, Stopped};

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
    let lease = match LeaseToken::random() {
        Ok(token) => token,
        Err(error) => {
            let error = internal_error("drawing a lease", &error);
            start.give_back(parts, &error).await;
            return Err(error);
        }
    };
    let reply = start.reply();
    let issue = start.issue(envelope).with_deadline(work.deadline).leased(lease, parts.lease);
    // It listens before the task exists, so that no end by somebody else is missed.
    let (stop, ended) = (parts.background.stop(), CancellationToken::new());
    let listening = parts.background.signals().listen(start.id.clone(), [ended.clone(), stop.clone()]);
    let (start, record) = start.write(parts, issue, Some(&reply)).await?;
    fault::point("after-issue");
    let task = TaskHandle {
        registry: Arc::clone(&parts.registry),
        task: record.reference(),
        lease: Some(lease),
        stop,
        ended,
    };
    let asked = start.asked;
    let judge =
        Judge { spec: asked.spec, hook: asked.hook, effects: asked.effects, request: Some(asked.request) };
    let running = Running { judge, task, listening, forced: parts.background.forced(), lease: parts.lease };
    parts.background.spawn(slot, run(running, work));
    Ok(Reply::new(envelope.wrap(reply), false))
}

async fn run(running: Running, work: Work) {
    let Work { run, on_failure, deadline } = work;
    let task = running.task.task.clone();
    let made = running.make(run, deadline).await.map_err(Stopped::error);
    let ended = match running.end(made).await {
        Ok(Outcome::Completed(_)) => return,
        Ok(Outcome::Failed(error)) => Ended::Failed(error),
        Ok(other) => Ended::Elsewhere(Some(other)),
        Err(ended) => ended,
    };
    if let Some(hook) = on_failure {
        told(&task, hook, ended).await;
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
