//! Ends tasks, and says how far they are, from anywhere.

use std::sync::Arc;

use adcp_core::{
    AdcpError, Backing, EndOverdue, FinishTask, Finished, Issue, Outcome, Pause, PauseTask, Registry,
    ReportProgress, TaskRecord, TaskRef, TaskStatus, TenantId,
};
use adcp_schemas::Part;
use adcp_types::json::{JsonObject, ToJson};
use adcp_types::tools::{self, ToolSpec};
use serde_json::Value;

use crate::answer::{self, Fault};
use crate::background::Signals;
use crate::decision::Makes;
use crate::desk_error::DeskError;
use crate::end;
use crate::generated::routes;
use crate::hook::Made;
use crate::progress::IntoProgress;
use crate::proposal::Offer;
use crate::scrub::{scrub, scrub_error};

/// Where people and other systems end the tasks they were handed, by [`TaskRef`].
///
/// It needs a registry and nothing else: no agent, no seller, not the process that issued the task. Every end does
/// what an in-process one does: the result is checked against the tool's schema, a reserved proposal is bought or
/// given back, and the buyer's notification is queued, all in one step of the store. The first end wins. The same
/// one again changes nothing; a different one is [`DeskError::AlreadyEnded`].
///
/// The desk of [`Agent::desk`](crate::Agent::desk) also signals the function of a task that runs in this process.
///
/// ```
/// # use std::sync::Arc;
/// # use adcp_core::TaskRef;
/// # use adcp_decisioning::{DeskError, TaskDesk};
/// # use adcp_types::media_buy::CreateMediaBuySuccess;
/// async fn approved(desk: &TaskDesk, stored: &str, order: &CreateMediaBuySuccess) -> Result<(), DeskError> {
///     let task: TaskRef = stored.parse().expect("we wrote it ourselves");
///     desk.complete(&task, order).await?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct TaskDesk {
    registry: Arc<dyn Registry>,
    signals: Signals,
}

impl TaskDesk {
    /// A desk over a registry, in a process that need not have issued any task.
    #[must_use]
    pub fn new(registry: Arc<dyn Registry>) -> Self {
        Self { registry, signals: Signals::default() }
    }

    pub(crate) const fn of_agent(registry: Arc<dyn Registry>, signals: Signals) -> Self {
        Self { registry, signals }
    }

    /// Reads a task, also one that its buyer was not told of yet.
    ///
    /// # Errors
    ///
    /// [`DeskError::Unknown`], [`DeskError::Store`].
    pub async fn read(&self, task: &TaskRef) -> Result<TaskRecord, DeskError> {
        let found = end::read(&self.registry, task).await?;
        found.ok_or_else(|| DeskError::Unknown(task.id.clone()))
    }

    /// Ends a task well, with the answer that the tool would have given at once.
    ///
    /// # Errors
    ///
    /// [`DeskError::Invalid`], [`DeskError::EnvelopeField`] or [`DeskError::Refused`] for an answer that may not
    /// leave; the task stays as it is. [`DeskError::AlreadyEnded`] when it ended differently.
    pub async fn complete(&self, task: &TaskRef, answer: &impl ToJson) -> Result<Finished, DeskError> {
        self.complete_with(task, answer, Backing::default()).await
    }

    /// As [`Self::complete`], with what stands behind the answer and is not for the buyer.
    ///
    /// # Errors
    ///
    /// As [`Self::complete`].
    pub async fn complete_with(
        &self,
        task: &TaskRef,
        answer: &impl ToJson,
        backing: Backing,
    ) -> Result<Finished, DeskError> {
        self.complete_made(task, Made { body: object(task, answer)?, backing }).await
    }

    /// As [`Self::complete`] for `get_products`, with the recipes behind the offer.
    ///
    /// # Errors
    ///
    /// As [`Self::complete`].
    pub async fn complete_offer(&self, task: &TaskRef, offer: &Offer) -> Result<Finished, DeskError> {
        self.complete_made(task, offer.made()).await
    }

    async fn complete_made(&self, task: &TaskRef, made: Made) -> Result<Finished, DeskError> {
        let record = self.read(task).await?;
        let spec = spec_of(&record, TaskStatus::Completed)?;
        if let Some(error) = answer::error_arm(spec, &made.body) {
            return self.fail(task, error).await;
        }
        let hook = routes::hook(spec.name);
        let mut made = hook.finish(&record.effects, None, made).map_err(DeskError::Refused)?;
        scrub(&mut made.body);
        check(spec, Part::Response, TaskStatus::Completed, &made.body)?;
        self.finish(task, Outcome::Completed(made.body), made.backing).await
    }

    /// Ends a task badly.
    ///
    /// # Errors
    ///
    /// [`DeskError::AlreadyEnded`] when it ended differently.
    pub async fn fail(&self, task: &TaskRef, error: AdcpError) -> Result<Finished, DeskError> {
        self.finish(task, Outcome::Failed(scrub_error(error)), Backing::default()).await
    }

    /// Ends a task by a refusal: it will not be done, whatever the reason.
    ///
    /// # Errors
    ///
    /// [`DeskError::AlreadyEnded`] when it ended differently.
    pub async fn reject(&self, task: &TaskRef, error: AdcpError) -> Result<Finished, DeskError> {
        self.finish(task, Outcome::Rejected(scrub_error(error)), Backing::default()).await
    }

    /// Ends a task by a cancellation, with words for the buyer.
    ///
    /// # Errors
    ///
    /// [`DeskError::AlreadyEnded`] when it ended differently.
    pub async fn cancel(&self, task: &TaskRef, reason: impl Into<String>) -> Result<Finished, DeskError> {
        self.finish(task, Outcome::Canceled(reason.into()), Backing::default()).await
    }

    /// Says how far a task is.
    ///
    /// # Errors
    ///
    /// [`DeskError::AlreadyEnded`] once it has ended.
    pub async fn progress(&self, task: &TaskRef, progress: impl IntoProgress) -> Result<(), DeskError> {
        let report = ReportProgress::new(task.id.clone(), task.scope(), progress.into_progress());
        Ok(self.registry.report(report).await?)
    }

    /// Asks the buyer something, with the body of the tool's input-required arm.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchAnswer`] for a tool that cannot ask, [`DeskError::Invalid`] for a body that its schema
    /// refuses, [`DeskError::AlreadyEnded`] once the task has ended.
    pub async fn require_input(&self, task: &TaskRef, question: &impl ToJson) -> Result<(), DeskError> {
        let mut body = object(task, question)?;
        let record = self.read(task).await?;
        let spec = spec_of(&record, TaskStatus::InputRequired)?;
        scrub(&mut body);
        check(spec, Part::InputRequired, TaskStatus::InputRequired, &body)?;
        self.pause(task, Pause::Input(body)).await
    }

    /// Has the buyer authenticate somewhere; `details` say where.
    ///
    /// # Errors
    ///
    /// [`DeskError::AlreadyEnded`] once the task has ended.
    pub async fn require_authentication(
        &self,
        task: &TaskRef,
        mut details: JsonObject,
    ) -> Result<(), DeskError> {
        scrub(&mut details);
        self.pause(task, Pause::Authentication(details)).await
    }

    /// Goes on after the buyer has answered or authenticated.
    ///
    /// # Errors
    ///
    /// [`DeskError::NoSuchStep`] for a task that waits for no buyer, [`DeskError::AlreadyEnded`] once it has ended.
    pub async fn resume(&self, task: &TaskRef) -> Result<(), DeskError> {
        self.pause(task, Pause::Resubmitted).await
    }

    /// Ends the tasks of a tenant whose deadline has passed, as failed, at once: agents do it, too, for every task of
    /// their registry, at each of their rescue intervals.
    ///
    /// # Errors
    ///
    /// [`DeskError::Store`].
    pub async fn end_overdue(&self, tenant: &TenantId) -> Result<Vec<TaskRef>, DeskError> {
        let ended = self.registry.end_overdue(EndOverdue::new(tenant.clone())).await?;
        ended.iter().for_each(|task| self.signals.ended(&task.id));
        Ok(ended.iter().map(TaskRecord::reference).collect())
    }

    async fn finish(
        &self,
        task: &TaskRef,
        outcome: Outcome,
        backing: Backing,
    ) -> Result<Finished, DeskError> {
        let finish = FinishTask::new(task.id.clone(), task.scope(), outcome).with_backing(backing);
        let finished = self.registry.finish(finish).await?;
        self.signals.ended(&task.id);
        Ok(finished)
    }

    async fn pause(&self, task: &TaskRef, pause: Pause) -> Result<(), DeskError> {
        Ok(self.registry.pause(PauseTask::new(task.id.clone(), task.scope(), pause)).await?)
    }
}

/// The body as an object, which every answer is.
fn object(task: &TaskRef, body: &impl ToJson) -> Result<JsonObject, DeskError> {
    match body.to_json() {
        Value::Object(object) => Ok(object),
        _ => Err(DeskError::NoObject(task.id.clone())),
    }
}

fn spec_of(record: &TaskRecord, kind: TaskStatus) -> Result<&'static ToolSpec, DeskError> {
    tools::find(&record.tool).ok_or_else(|| DeskError::NoSuchAnswer { tool: record.tool.clone(), kind })
}

fn check(
    spec: &'static ToolSpec,
    part: Part,
    status: TaskStatus,
    body: &JsonObject,
) -> Result<(), DeskError> {
    answer::check(spec, part, status, body).map_err(|fault| match fault {
        Fault::Envelope(name) => DeskError::EnvelopeField(name),
        Fault::NoSchema(_) => DeskError::NoSuchAnswer { tool: spec.name.to_owned(), kind: status },
        Fault::Invalid(violations) => {
            let issue = |violation: &adcp_schemas::Violation| {
                let message = match violation.missing() {
                    Some(name) => format!("`{name}` is required"),
                    None => format!("expected {}", violation.expected()),
                };
                Issue::new(violation.pointer(), message, violation.keyword())
                    .with_schema_path(violation.schema_path())
            };
            DeskError::Invalid { tool: spec.name.to_owned(), issues: violations.iter().map(issue).collect() }
        }
    })
}
