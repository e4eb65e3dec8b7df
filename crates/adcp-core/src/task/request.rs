//! What a registry is asked to do with tasks. Times are durations: each backend adds them to its own clock.

use std::time::Duration;

use adcp_types::json::JsonObject;

use super::{JobOrder, LeaseToken, Outcome, Progress, TaskPhase, TaskStatus};
use crate::{Backing, Effects, Owner, Scope, TaskId, TenantId, Ticket};

/// Issues a task: its row, what its end will do, and the recorded reply of the call.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct IssueTask {
    /// The id, already random.
    pub id: TaskId,
    /// Whose it is.
    pub owner: Owner,
    /// The tool that was called.
    pub tool: String,
    /// Value of `enums/task-type.json`.
    pub task_type: String,
    /// The protocol area of the tool.
    pub protocol: String,
    /// Whether the buyer is told at once.
    pub phase: TaskPhase,
    /// How long it may take; it is ended as failed afterwards.
    pub deadline: Option<Duration>,
    /// Who works on it, and how long that counts without a word.
    pub lease: Option<(LeaseToken, Duration)>,
    /// The work that any process with a handler for it may do.
    pub job: Option<JobOrder>,
    /// The caller's `context`.
    pub context: Option<JsonObject>,
    /// What happens in the store when it ends. A reservation among them belongs to the task from now on.
    pub effects: Effects,
    /// The idempotency claim to settle in the same step, with the reply to record for it.
    pub settles: Option<(Ticket, JsonObject)>,
}

impl IssueTask {
    /// A task for `owner`, started by a call of `tool`.
    #[must_use]
    pub fn new(
        id: TaskId,
        owner: Owner,
        tool: impl Into<String>,
        task_type: impl Into<String>,
        protocol: impl Into<String>,
    ) -> Self {
        Self {
            id,
            owner,
            tool: tool.into(),
            task_type: task_type.into(),
            protocol: protocol.into(),
            phase: TaskPhase::Open,
            deadline: None,
            lease: None,
            job: None,
            context: None,
            effects: Effects::default(),
            settles: None,
        }
    }

    /// Keeps the caller's context for later echoes.
    #[must_use]
    pub fn with_context(mut self, context: Option<JsonObject>) -> Self {
        self.context = context;
        self
    }

    /// Sets what happens when the task ends.
    #[must_use]
    pub fn with_effects(mut self, effects: Effects) -> Self {
        self.effects = effects;
        self
    }

    /// Bounds how long the task may take.
    #[must_use]
    pub const fn with_deadline(mut self, within: Option<Duration>) -> Self {
        self.deadline = within;
        self
    }

    /// Says who works on it. When the lease runs out without being renewed, the task is ended as failed; a job is
    /// claimed by somebody else instead, as long as it has attempts left.
    #[must_use]
    pub const fn leased(mut self, token: LeaseToken, within: Duration) -> Self {
        self.lease = Some((token, within));
        self
    }

    /// Makes it a job. Leased, its first attempt has begun; otherwise whoever comes first claims it.
    #[must_use]
    pub fn as_job(mut self, order: JobOrder) -> Self {
        self.job = Some(order);
        self
    }

    /// Hides the task until [`ConfirmTask`], which must come `within` this time.
    #[must_use]
    pub const fn enqueuing(mut self, within: Duration) -> Self {
        self.phase = TaskPhase::Enqueuing;
        self.deadline = Some(within);
        self
    }

    /// Records `reply` for the claim that `ticket` holds, together with the task or not at all.
    #[must_use]
    pub fn settling(mut self, ticket: Ticket, reply: JsonObject) -> Self {
        self.settles = Some((ticket, reply));
        self
    }
}

/// Ends the phase `enqueuing`: the work was handed over, and the buyer is told.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConfirmTask {
    /// The task.
    pub id: TaskId,
    /// Whose it is.
    pub scope: Scope,
    /// How long its carrier has from now on.
    pub deadline: Option<Duration>,
    /// The idempotency claim to settle in the same step, with the reply to record for it.
    pub settles: Option<(Ticket, JsonObject)>,
}

impl ConfirmTask {
    /// Confirms one task.
    #[must_use]
    pub const fn new(id: TaskId, scope: Scope) -> Self {
        Self { id, scope, deadline: None, settles: None }
    }

    /// Bounds how long the carrier has.
    #[must_use]
    pub const fn with_deadline(mut self, within: Option<Duration>) -> Self {
        self.deadline = within;
        self
    }

    /// Records `reply` for the claim that `ticket` holds, in the same step.
    #[must_use]
    pub fn settling(mut self, ticket: Ticket, reply: JsonObject) -> Self {
        self.settles = Some((ticket, reply));
        self
    }
}

/// Takes a task back that was never shown to a buyer: the row goes, reservations and the key are free again.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DiscardTask {
    /// The task, still `enqueuing`.
    pub id: TaskId,
    /// Whose it is.
    pub scope: Scope,
    /// The idempotency claim to release in the same step.
    pub releases: Option<Ticket>,
}

impl DiscardTask {
    /// Discards one task.
    #[must_use]
    pub const fn new(id: TaskId, scope: Scope) -> Self {
        Self { id, scope, releases: None }
    }

    /// Frees the key that `ticket` holds, in the same step.
    #[must_use]
    pub fn releasing(mut self, ticket: Option<Ticket>) -> Self {
        self.releases = ticket;
        self
    }
}

/// Reports how far a task is. Moves it to `working`; refused once it has ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReportProgress {
    /// The task.
    pub id: TaskId,
    /// Who may see it.
    pub scope: Scope,
    /// How far it is.
    pub progress: Progress,
    /// Proves that the writer works on it, when it says so.
    pub lease: Option<LeaseToken>,
}

impl ReportProgress {
    /// A report about one task.
    #[must_use]
    pub const fn new(id: TaskId, scope: Scope, progress: Progress) -> Self {
        Self { id, scope, progress, lease: None }
    }

    /// Counts only while the writer works on the task.
    #[must_use]
    pub const fn under(mut self, lease: Option<LeaseToken>) -> Self {
        self.lease = lease;
        self
    }
}

/// Why a task stands still, or that it no longer does.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Pause {
    /// The buyer must say more; the body of the tool's input-required arm, without envelope.
    Input(JsonObject),
    /// The buyer must authenticate somewhere; says where.
    Authentication(JsonObject),
    /// What was asked is settled, and the task waits for the seller again.
    Resubmitted,
}

impl Pause {
    /// The status this leads to.
    #[must_use]
    pub const fn status(&self) -> TaskStatus {
        match self {
            Self::Input(_) => TaskStatus::InputRequired,
            Self::Authentication(_) => TaskStatus::AuthRequired,
            Self::Resubmitted => TaskStatus::Submitted,
        }
    }

    pub(super) fn into_question(self) -> Option<JsonObject> {
        match self {
            Self::Input(body) | Self::Authentication(body) => Some(body),
            Self::Resubmitted => None,
        }
    }
}

/// Makes a task wait for its buyer, or go on.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PauseTask {
    /// The task.
    pub id: TaskId,
    /// Who may see it.
    pub scope: Scope,
    /// For what it waits.
    pub pause: Pause,
}

impl PauseTask {
    /// Pauses one task.
    #[must_use]
    pub const fn new(id: TaskId, scope: Scope, pause: Pause) -> Self {
        Self { id, scope, pause }
    }
}

/// Ends a task.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FinishTask {
    /// The task.
    pub id: TaskId,
    /// Who may see it.
    pub scope: Scope,
    /// How it ended.
    pub outcome: Outcome,
    /// What stands behind a good outcome and is not for the buyer.
    pub backing: Backing,
    /// Proves that the writer works on it, when it says so.
    pub lease: Option<LeaseToken>,
}

impl FinishTask {
    /// The end of one task.
    #[must_use]
    pub fn new(id: TaskId, scope: Scope, outcome: Outcome) -> Self {
        Self { id, scope, outcome, backing: Backing::default(), lease: None }
    }

    /// Counts only while the writer works on the task.
    #[must_use]
    pub const fn under(mut self, lease: Option<LeaseToken>) -> Self {
        self.lease = lease;
        self
    }

    /// Adds what stands behind the outcome.
    #[must_use]
    pub fn with_backing(mut self, backing: Backing) -> Self {
        self.backing = backing;
        self
    }
}

/// What ending a task did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "first, or the same again; anything else is an error")]
pub enum Finished {
    /// This call ended it.
    Now,
    /// It had already ended with the same outcome; nothing changed.
    Before,
}

/// Ends tasks whose deadline has passed, whose lease was not renewed, or whose job has no attempt left, as failed and
/// with their effects.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EndOverdue {
    /// Whose tasks; `None` is every tenant's.
    pub tenant: Option<TenantId>,
    /// At most so many in one step.
    pub limit: usize,
}

impl EndOverdue {
    /// Ends up to a hundred overdue tasks of a tenant.
    #[must_use]
    pub const fn new(tenant: TenantId) -> Self {
        Self { tenant: Some(tenant), limit: 100 }
    }

    /// Ends up to a hundred overdue tasks, whosever they are: for the machinery of a deployment.
    #[must_use]
    pub const fn everywhere() -> Self {
        Self { tenant: None, limit: 100 }
    }

    /// Sets how many are ended in one step.
    #[must_use]
    pub const fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}
