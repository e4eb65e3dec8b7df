//! A call that becomes a task: what every handoff has in common.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{AdcpError, IssueTask, Owner, TaskId, TaskRecord, TaskStatus, Ticket, fault};
use adcp_types::json::JsonObject;

use super::decide::Asked;
use super::envelope::Envelope;
use super::settle::give_back;
use super::{job, work, workflow};
use crate::agent::Reply;
use crate::background::{Open, Slot};
use crate::handoff::{Errand, Work};
use crate::job::{Order, Ordered};
use crate::parts::Parts;

/// How long a buyer should wait whose task has no place.
const FULL_WAIT: Duration = Duration::from_secs(10);

/// A call that was handed off.
pub(super) struct Handover {
    pub(super) asked: Asked,
    pub(super) owner: Option<Owner>,
    pub(super) ticket: Option<Ticket>,
    /// The field by which the request asked for an answer at once.
    pub(super) at_once: Option<&'static str>,
}

/// Who does the work.
pub(super) enum Carrier {
    Function(Work),
    Elsewhere(Errand),
    Anybody(Order),
}

/// A task about to be issued.
pub(super) struct Start {
    pub(super) asked: Asked,
    pub(super) owner: Owner,
    pub(super) ticket: Option<Ticket>,
    pub(super) id: TaskId,
    pub(super) task_type: &'static str,
}

/// Where the work goes.
enum Place {
    Here(Slot, Work),
    Elsewhere(Open, Errand),
    Queue(Open, Ordered),
}

/// Checks everything that can be refused before anything exists, then begins.
pub(super) async fn start(
    parts: &Arc<Parts>,
    over: Handover,
    carrier: Carrier,
    envelope: &Envelope,
) -> Result<Reply, AdcpError> {
    let Handover { asked, owner, ticket, at_once } = over;
    let admitted = admit(&asked, owner.as_ref(), at_once).and_then(|task_type| {
        let id = TaskId::random().map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "no task id");
            AdcpError::unavailable()
        })?;
        Ok((task_type, id))
    });
    let admitted = match admitted {
        Ok((task_type, id)) => place(parts, carrier, asked.spec.name).map(|place| (task_type, id, place)),
        Err(error) => {
            let_go(carrier);
            Err(error)
        }
    };
    let (owner, (task_type, id, place)) = match (owner, admitted) {
        (Some(owner), Ok(admitted)) => (owner, admitted),
        (owner, admitted) => {
            let error = admitted.err().unwrap_or_else(AdcpError::unavailable);
            give_back(parts, ticket, owner.as_ref(), &asked.effects, &error).await;
            return Err(error);
        }
    };
    let start = Start { asked, owner, ticket, id, task_type };
    match place {
        Place::Here(slot, work) => work::start(parts, start, slot, work, envelope).await,
        Place::Elsewhere(open, errand) => workflow::start(parts, start, open, errand, envelope).await,
        Place::Queue(open, ordered) => job::start(parts, start, open, ordered, envelope).await,
    }
}

/// Whether the call may become a task; its type if so.
fn admit(asked: &Asked, owner: Option<&Owner>, at_once: Option<&str>) -> Result<&'static str, AdcpError> {
    let spec = asked.spec;
    if let Some(field) = at_once {
        tracing::error!(tool = spec.name, field, "a request for an answer at once was handed off");
        return Err(AdcpError::invalid_request(field, "this cannot be answered at once")
            .with_suggestion("ask in brief mode, or narrow the request"));
    }
    let (Some(task_type), true) = (spec.task_type, spec.submitted_arm) else {
        tracing::error!(tool = spec.name, "this tool has no submitted answer, so it cannot become a task");
        return Err(AdcpError::unavailable());
    };
    let Some(owner) = owner else {
        tracing::error!(tool = spec.name, "a call without a caller cannot become a task");
        return Err(AdcpError::unavailable());
    };
    if owner.account.is_none() {
        return Err(needs_account());
    }
    Ok(task_type)
}

/// A task belongs to an account, so that the right caller can poll it and nobody else.
pub(super) fn needs_account() -> AdcpError {
    AdcpError::invalid_request("account", "an answer that comes later belongs to an account; name one")
        .with_suggestion(
            "send the account, or leave out push_notification_config and ask for an answer at once",
        )
}

fn place(parts: &Arc<Parts>, carrier: Carrier, tool: &'static str) -> Result<Place, AdcpError> {
    let full = match carrier {
        Carrier::Function(work) => match parts.background.slot() {
            Some(slot) => return Ok(Place::Here(slot, work)),
            None => Some(Carrier::Function(work)),
        },
        Carrier::Elsewhere(errand) => match parts.background.open() {
            Some(open) => return Ok(Place::Elsewhere(open, errand)),
            None => Some(Carrier::Elsewhere(errand)),
        },
        Carrier::Anybody(order) => {
            let ordered = parts.jobs.admit(order, tool)?;
            match parts.background.open() {
                Some(open) => return Ok(Place::Queue(open, ordered)),
                None => None,
            }
        }
    };
    if let Some(carrier) = full {
        let_go(carrier);
    }
    tracing::warn!(tool, stopping = parts.background.is_stopping(), "no place for another task");
    Err(AdcpError::unavailable().with_retry_after(FULL_WAIT))
}

/// Drops what will not be run. It is the adopter's, and its panic must not keep the key and the reservation.
fn let_go(carrier: Carrier) {
    if catch_unwind(AssertUnwindSafe(|| drop(carrier))).is_err() {
        tracing::error!("what a handoff held panicked when it was dropped");
    }
}

impl Start {
    /// The task as it is written.
    pub(super) fn issue(&self, envelope: &Envelope) -> IssueTask {
        let spec = self.asked.spec;
        IssueTask::new(self.id.clone(), self.owner.clone(), spec.name, self.task_type, spec.protocol.as_str())
            .with_context(envelope.context().cloned())
            .with_effects(self.asked.effects.clone())
    }

    /// Writes the task, with the reply that a repeated call gets. When that fails, nothing was written.
    pub(super) async fn write(
        self,
        parts: &Arc<Parts>,
        mut issue: IssueTask,
        reply: Option<&JsonObject>,
    ) -> Result<(Self, TaskRecord), AdcpError> {
        if let Some((ticket, reply)) = self.ticket.clone().zip(reply) {
            issue = issue.settling(ticket, reply.clone());
        }
        fault::point("before-issue");
        match parts.registry.issue(issue).await {
            Ok(record) => Ok((self, record)),
            Err(error) => {
                let tool = self.asked.spec.name;
                tracing::error!(tool, error = &error as &dyn std::error::Error, "a task was not issued");
                let error = AdcpError::from(error);
                self.give_back(parts, &error).await;
                Err(error)
            }
        }
    }

    /// What the buyer is told, and told again when it repeats the call: the same for every kind of handoff.
    pub(super) fn reply(&self) -> JsonObject {
        JsonObject::from_iter([
            ("status".to_owned(), TaskStatus::Submitted.as_str().into()),
            ("task_id".to_owned(), self.id.as_str().into()),
        ])
    }

    /// Nothing was written: the key is free again, and so is what the call reserved.
    pub(super) async fn give_back(self, parts: &Arc<Parts>, error: &AdcpError) {
        give_back(parts, self.ticket, Some(&self.owner), &self.asked.effects, error).await;
    }
}
