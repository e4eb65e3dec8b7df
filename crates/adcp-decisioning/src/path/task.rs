//! A call that becomes a task: issued first, then run, then ended exactly once.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use adcp_core::{AdcpError, Backing, FinishTask, IssueTask, Outcome, Owner, TaskId, TaskStatus, Ticket};
use adcp_schemas::Part;
use adcp_types::json::JsonObject;
use adcp_types::tools::ToolSpec;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::decide::Asked;
use super::envelope::Envelope;
use super::settle::{give_back, refuse_envelope_names};
use super::validate;
use crate::agent::Reply;
use crate::ctx::TaskHandle;
use crate::hook::Made;
use crate::parts::Parts;

type Work = Box<dyn FnOnce(TaskHandle) -> BoxFuture<'static, Result<Made, AdcpError>> + Send>;

/// A task about to be issued.
pub(super) struct Start {
    pub(super) asked: Asked,
    pub(super) owner: Owner,
    pub(super) ticket: Option<Ticket>,
    pub(super) work: Work,
}

/// Issues the task with its recorded reply, and only then lets the work begin.
pub(super) async fn start(parts: &Arc<Parts>, start: Start, envelope: &Envelope) -> Result<Reply, AdcpError> {
    let Start { asked, owner, ticket, work } = start;
    let spec = asked.spec;
    let (Some(task_type), true) = (spec.task_type, spec.submitted_arm) else {
        tracing::error!(tool = spec.name, "this tool has no submitted answer, so it cannot become a task");
        let error = AdcpError::unavailable();
        give_back(parts, ticket, Some(&owner), &asked.effects, &error).await;
        return Err(error);
    };
    let (Some(slot), Ok(id)) = (parts.background.slot(), TaskId::random()) else {
        tracing::warn!(tool = spec.name, "no room for another background task");
        let error = AdcpError::unavailable();
        give_back(parts, ticket, Some(&owner), &asked.effects, &error).await;
        return Err(error);
    };
    let mut reply = JsonObject::new();
    reply.insert("status".into(), TaskStatus::Submitted.as_str().into());
    reply.insert("task_id".into(), id.as_str().into());

    let mut issue = IssueTask::new(id.clone(), owner.clone(), spec.name, task_type, spec.protocol.as_str())
        .with_context(envelope.context().cloned())
        .with_effects(asked.effects.clone());
    if let Some(ticket) = ticket.clone() {
        issue = issue.settling(ticket, reply.clone());
    }
    if let Err(error) = parts.registry.issue(issue).await {
        tracing::error!(tool = spec.name, error = &error as &dyn std::error::Error, "a task was not issued");
        let error = AdcpError::from(error);
        give_back(parts, ticket, Some(&owner), &asked.effects, &error).await;
        return Err(error);
    }

    let handle = TaskHandle {
        parts: Arc::clone(parts),
        id,
        scope: owner.scope(),
        cancellation: parts.background.cancellation(),
    };
    let envelope_of_result = envelope.clone();
    parts.background.spawn(slot, move |forced| run(asked, handle, work, envelope_of_result, forced));
    Ok(Reply::new(envelope.wrap(reply), false))
}

async fn run(asked: Asked, task: TaskHandle, work: Work, envelope: Envelope, forced: CancellationToken) {
    let spec = asked.spec;
    let running = AssertUnwindSafe(async { work(task.clone()).await }).catch_unwind();
    let ended = tokio::select! {
        ended = running => ended,
        () = forced.cancelled() => {
            tracing::warn!(task_id = %task.id, tool = spec.name, "ended by the shutdown of the agent");
            Ok(Err(AdcpError::unavailable()))
        }
    };
    let failed = |error| (Outcome::Failed(error), Backing::default());
    let (outcome, backing) = match ended {
        Ok(Ok(made)) => match asked.hook.finish(&asked.effects, Some(&asked.request), made) {
            Ok(made) => match check(spec, &made.body, &envelope) {
                Ok(()) => (Outcome::Completed(made.body), made.backing),
                Err(error) => failed(error),
            },
            Err(error) => failed(error),
        },
        Ok(Err(error)) => failed(error),
        Err(_) => {
            tracing::error!(task_id = %task.id, tool = spec.name, "the task's function panicked");
            failed(AdcpError::unavailable())
        }
    };
    let finish = FinishTask::new(task.id.clone(), task.scope.clone(), outcome).with_backing(backing);
    if let Err(error) = task.parts.registry.finish(finish).await {
        tracing::error!(task_id = %task.id, error = &error as &dyn std::error::Error, "the end was not recorded");
    }
}

/// Whether a task's result may be shown as the tool's success.
fn check(spec: &'static ToolSpec, body: &JsonObject, envelope: &Envelope) -> Result<(), AdcpError> {
    refuse_envelope_names(spec, body)?;
    let mut message = envelope.wrap(body.clone());
    message.insert("status".into(), TaskStatus::Completed.as_str().into());
    let message = Value::Object(message);
    validate::answer(spec, Part::Response, &message)
}
