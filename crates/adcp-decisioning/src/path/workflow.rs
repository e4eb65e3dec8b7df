//! A task that another system carries: written, handed over once, then shown to the buyer or taken back.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{AdcpError, ConfirmTask, DiscardTask, RegistryError, TaskRef, fault};
use adcp_types::json::JsonObject;
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::envelope::Envelope;
use super::settle::fence_key;
use super::task::Start;
use crate::agent::Reply;
use crate::background::Open;
use crate::end::retrying;
use crate::handoff::{Enqueue, Errand};
use crate::incident::Incident;
use crate::parts::Parts;
use crate::scrub::scrub_error;

/// Writes the task where the buyer cannot see it, hands it over, and answers.
pub(super) async fn start(
    parts: &Arc<Parts>,
    start: Start,
    _open: Open,
    errand: Errand,
    envelope: &Envelope,
) -> Result<Reply, AdcpError> {
    let lease = parts.enqueue_lease;
    let tool = start.asked.spec.name;
    let issue = start.issue(envelope).enqueuing(lease);
    let (start, record) = start.write(parts, issue, None).await?;
    let task = record.reference();
    fault::point("enqueue-before");
    let handed = hand_over(errand.enqueue, &task, lease, &parts.background.forced()).await;
    fault::point("enqueue-after");
    let Err(error) = handed else { return confirm(parts, &start, &task, errand.deadline, envelope).await };
    match take_back(parts, &start, &task).await {
        // The other system was quicker than its own failure: the task has ended, and the buyer can read how.
        Err(RegistryError::NotEnqueuing(_) | RegistryError::AlreadyEnded(_)) => {
            tracing::error!(task_id = %task.id, tool, %error, "enqueuing failed after the task had ended");
            confirm(parts, &start, &task, None, envelope).await
        }
        // A first try may have worked whose answer was lost.
        Ok(()) | Err(RegistryError::UnknownTask(_)) => Err(error),
        Err(left) => {
            tracing::error!(
                task_id = %task.id,
                error = &left as &dyn std::error::Error,
                "a task was not taken back; it ends as failed when its lease is over"
            );
            Err(error)
        }
    }
}

/// Calls the adopter's function once. Its error is the buyer's; anything else stays in the log.
async fn hand_over(
    enqueue: Enqueue,
    task: &TaskRef,
    lease: Duration,
    forced: &CancellationToken,
) -> Result<(), AdcpError> {
    let carried = task.clone();
    let enqueuing = AssertUnwindSafe(async move { enqueue(carried).await }).catch_unwind();
    let incident = Incident::new();
    let why = tokio::select! {
        done = tokio::time::timeout(lease, enqueuing) => match done {
            Ok(Ok(done)) => return done.map_err(scrub_error),
            Ok(Err(_)) => "it panicked",
            Err(_) => "it took longer than the lease",
        },
        () = forced.cancelled() => "the agent is shutting down",
    };
    tracing::error!(correlation_id = incident.id(), task_id = %task.id, why, "a workflow was not enqueued");
    Err(incident.error())
}

/// Shows the task to the buyer and records the answer, in one step.
async fn confirm(
    parts: &Arc<Parts>,
    start: &Start,
    task: &TaskRef,
    deadline: Option<Duration>,
    envelope: &Envelope,
) -> Result<Reply, AdcpError> {
    let reply: JsonObject = start.reply();
    fault::point("before-confirm");
    let confirmed = retrying(|| {
        let mut confirm = ConfirmTask::new(task.id.clone(), task.scope()).with_deadline(deadline);
        if let Some(ticket) = start.ticket.clone() {
            confirm = confirm.settling(ticket, reply.clone());
        }
        parts.registry.confirm(confirm)
    })
    .await;
    fault::point("after-confirm");
    match confirmed {
        Ok(_) => Ok(Reply::new(envelope.wrap(reply), false)),
        Err(error) => {
            // The work was handed over, so the key must not run it again. The task ends with its lease.
            let incident = Incident::new();
            tracing::error!(
                correlation_id = incident.id(),
                task_id = %task.id,
                error = &error as &dyn std::error::Error,
                "a task was handed over and not confirmed"
            );
            fence_key(parts, start.ticket.clone()).await;
            Err(incident.error())
        }
    }
}

/// Nobody was told of the task: it goes, with its reservation, and the key is free.
async fn take_back(parts: &Arc<Parts>, start: &Start, task: &TaskRef) -> Result<(), RegistryError> {
    retrying(|| {
        let discard = DiscardTask::new(task.id.clone(), task.scope());
        parts.registry.discard(discard.releasing(start.ticket.clone()))
    })
    .await
}
