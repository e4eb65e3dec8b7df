//! Tasks: what a seller promised to finish.

use std::time::Duration;

use adcp_types::json::JsonObject;

use crate::{AdcpError, Owner, Scope, TaskId, Ticket, Timestamp};

/// Where a task stands.
///
/// Spec: `enums/task-status.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "complete by the protocol; a tenth status is a new release")]
pub enum TaskStatus {
    /// Accepted; waits for something outside the seller's process.
    Submitted,
    /// Being worked on.
    Working,
    /// Waits for the buyer.
    InputRequired,
    /// Ended well.
    Completed,
    /// Ended by a cancellation.
    Canceled,
    /// Ended badly.
    Failed,
    /// Ended by a refusal.
    Rejected,
    /// Waits for credentials of the buyer.
    AuthRequired,
    /// Lost from view; not an end.
    Unknown,
}

impl TaskStatus {
    /// All nine, in the order of the schema.
    pub const ALL: [Self; 9] = [
        Self::Submitted,
        Self::Working,
        Self::InputRequired,
        Self::Completed,
        Self::Canceled,
        Self::Failed,
        Self::Rejected,
        Self::AuthRequired,
        Self::Unknown,
    ];

    /// The wire value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Working => "working",
            Self::InputRequired => "input-required",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::AuthRequired => "auth-required",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a wire value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether nothing can follow.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Canceled | Self::Failed | Self::Rejected)
    }
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// With the tool's success body, without envelope.
    Completed(JsonObject),
    /// With an error.
    Failed(AdcpError),
    /// By a cancellation, with words why.
    Canceled(String),
    /// By a refusal.
    Rejected(AdcpError),
}

impl Outcome {
    /// The terminal status this outcome leads to.
    #[must_use]
    pub const fn status(&self) -> TaskStatus {
        match self {
            Self::Completed(_) => TaskStatus::Completed,
            Self::Failed(_) => TaskStatus::Failed,
            Self::Canceled(_) => TaskStatus::Canceled,
            Self::Rejected(_) => TaskStatus::Rejected,
        }
    }
}

/// How far a task is, as its function reports it.
///
/// Spec: `protocol/get-task-status-response.json`, `progress`.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Percent done, 0 to 100.
    pub percentage: Option<f64>,
    /// The step under way, in words.
    pub current_step: Option<String>,
    /// Number of the step under way, from 1.
    pub step_number: Option<u32>,
    /// Steps in all.
    pub total_steps: Option<u32>,
}

impl Progress {
    /// Percent done; values outside 0 to 100 are clamped.
    #[must_use]
    pub fn percent(percentage: f64) -> Self {
        let clamped = if percentage.is_nan() { 0.0 } else { percentage.clamp(0.0, 100.0) };
        Self { percentage: Some(clamped), ..Self::default() }
    }

    /// Names the step under way.
    #[must_use]
    pub fn with_step(mut self, words: impl Into<String>) -> Self {
        self.current_step = Some(words.into());
        self
    }

    /// Numbers the step under way, from 1, and all steps.
    #[must_use]
    pub const fn with_position(mut self, number: u32, total: u32) -> Self {
        self.step_number = Some(number);
        self.total_steps = Some(total);
        self
    }
}

/// One entry of a task's history.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Transition {
    /// When it happened, by the registry's clock.
    pub at: Timestamp,
    /// The status entered.
    pub status: TaskStatus,
    /// What was reported with it.
    pub progress: Option<Progress>,
}

impl Transition {
    /// The entry of `status` at an instant.
    #[must_use]
    pub const fn new(at: Timestamp, status: TaskStatus, progress: Option<Progress>) -> Self {
        Self { at, status, progress }
    }
}

/// A task as the registry keeps it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TaskRecord {
    /// Its id, as the buyer knows it.
    pub id: TaskId,
    /// Whose it is.
    pub owner: Owner,
    /// The tool that was called.
    pub tool: String,
    /// Value of `enums/task-type.json`.
    pub task_type: String,
    /// The protocol area of the tool.
    pub protocol: String,
    /// Where it stands.
    pub status: TaskStatus,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The caller's `context`, to be echoed verbatim.
    pub context: Option<JsonObject>,
    /// The newest report of its function.
    pub progress: Option<Progress>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Every status it went through, oldest first.
    pub history: Vec<Transition>,
}

impl TaskRecord {
    /// The record of a task that was just issued.
    #[must_use]
    pub fn submitted(req: IssueTask, now: Timestamp) -> Self {
        Self {
            id: req.id,
            owner: req.owner,
            tool: req.tool,
            task_type: req.task_type,
            protocol: req.protocol,
            status: TaskStatus::Submitted,
            created_at: now,
            updated_at: now,
            ended_at: None,
            context: req.context,
            progress: None,
            outcome: None,
            history: vec![Transition::new(now, TaskStatus::Submitted, None)],
        }
    }
}

/// Issues a task: its row and, with it, the recorded reply of the call.
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
    /// The caller's `context`.
    pub context: Option<JsonObject>,
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
        let (tool, task_type, protocol) = (tool.into(), task_type.into(), protocol.into());
        Self { id, owner, tool, task_type, protocol, context: None, settles: None }
    }

    /// Keeps the caller's context for later echoes.
    #[must_use]
    pub fn with_context(mut self, context: Option<JsonObject>) -> Self {
        self.context = context;
        self
    }

    /// Records `reply` for the claim that `ticket` holds, together with the task or not at all.
    #[must_use]
    pub fn settling(mut self, ticket: Ticket, reply: JsonObject) -> Self {
        self.settles = Some((ticket, reply));
        self
    }
}

/// Reports progress of a task that has not ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReportProgress {
    /// The task.
    pub id: TaskId,
    /// Who may see it.
    pub scope: Scope,
    /// How far it is.
    pub progress: Progress,
}

impl ReportProgress {
    /// A report about one task.
    #[must_use]
    pub const fn new(id: TaskId, scope: Scope, progress: Progress) -> Self {
        Self { id, scope, progress }
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
}

impl FinishTask {
    /// The end of one task.
    #[must_use]
    pub const fn new(id: TaskId, scope: Scope, outcome: Outcome) -> Self {
        Self { id, scope, outcome }
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

/// Which tasks to list.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct TaskFilter {
    /// Any of these statuses; empty means all.
    pub statuses: Vec<TaskStatus>,
    /// Any of these task types; empty means all.
    pub task_types: Vec<String>,
    /// Any of these protocol areas; empty means all.
    pub protocols: Vec<String>,
    /// Any of these ids; empty means all.
    pub ids: Vec<TaskId>,
    /// Created strictly after.
    pub created_after: Option<Timestamp>,
    /// Created strictly before.
    pub created_before: Option<Timestamp>,
    /// Updated strictly after.
    pub updated_after: Option<Timestamp>,
    /// Updated strictly before.
    pub updated_before: Option<Timestamp>,
    /// Text that the JSON of the context contains.
    pub context_contains: Option<String>,
}

impl TaskFilter {
    /// Whether `task` passes. The one definition every backend agrees with.
    #[must_use]
    pub fn admits(&self, task: &TaskRecord) -> bool {
        let any = |set: &[String], value: &str| set.is_empty() || set.iter().any(|v| v == value);
        let within = |at: Timestamp, after: Option<Timestamp>, before: Option<Timestamp>| {
            after.is_none_or(|t| at > t) && before.is_none_or(|t| at < t)
        };
        (self.statuses.is_empty() || self.statuses.contains(&task.status))
            && any(&self.task_types, &task.task_type)
            && any(&self.protocols, &task.protocol)
            && (self.ids.is_empty() || self.ids.contains(&task.id))
            && within(task.created_at, self.created_after, self.created_before)
            && within(task.updated_at, self.updated_after, self.updated_before)
            && self.context_contains.as_deref().is_none_or(|text| {
                task.context
                    .as_ref()
                    .and_then(|context| serde_json::to_string(context).ok())
                    .is_some_and(|json| json.contains(text))
            })
    }
}

/// What a list is sorted by; ties are broken by the task id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskOrder {
    /// When they were issued.
    #[default]
    CreatedAt,
    /// When they last changed.
    UpdatedAt,
    /// By status name.
    Status,
    /// By task type.
    TaskType,
    /// By protocol area.
    Protocol,
}

impl TaskOrder {
    /// The text a task sorts by, comparable bytewise.
    #[must_use]
    pub fn key(self, task: &TaskRecord) -> String {
        let instant = |t: Timestamp| format!("{:020}", i128::from(t.as_micros()) + (1_i128 << 62));
        match self {
            Self::CreatedAt => instant(task.created_at),
            Self::UpdatedAt => instant(task.updated_at),
            Self::Status => task.status.as_str().to_owned(),
            Self::TaskType => task.task_type.clone(),
            Self::Protocol => task.protocol.clone(),
        }
    }
}

/// A place in a sorted list: the sort key and id of the last task seen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskCursor {
    /// Sort key of the last task seen.
    pub key: String,
    /// Its id.
    pub id: TaskId,
}

impl TaskCursor {
    /// The place after a task with this sort key and id.
    #[must_use]
    pub const fn new(key: String, id: TaskId) -> Self {
        Self { key, id }
    }
}

/// Lists tasks, one page at a time.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListTasks {
    /// Who asks.
    pub scope: Scope,
    /// Which tasks.
    pub filter: TaskFilter,
    /// Sorted by what.
    pub order: TaskOrder,
    /// Largest first.
    pub descending: bool,
    /// Tasks on a page, from 1.
    pub limit: usize,
    /// Only what follows this place.
    pub after: Option<TaskCursor>,
}

impl ListTasks {
    /// The newest tasks first, fifty at most.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            filter: TaskFilter::default(),
            order: TaskOrder::default(),
            descending: true,
            limit: 50,
            after: None,
        }
    }
}

/// One page of tasks.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TaskPage {
    /// The tasks, sorted.
    pub tasks: Vec<TaskRecord>,
    /// Whether more follow.
    pub has_more: bool,
    /// All tasks that match, by (protocol, status).
    pub totals: Vec<(String, TaskStatus, u64)>,
}

impl TaskPage {
    /// A page, and the count of all matches by protocol and status.
    #[must_use]
    pub const fn new(tasks: Vec<TaskRecord>, has_more: bool, totals: Vec<(String, TaskStatus, u64)>) -> Self {
        Self { tasks, has_more, totals }
    }
}

/// How long ended tasks stay readable, by default: seven days.
pub const DEFAULT_TASK_RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_statuses_are_ends() {
        let ends: Vec<_> =
            TaskStatus::ALL.into_iter().filter(|s| s.is_terminal()).map(TaskStatus::as_str).collect();
        assert_eq!(ends, ["completed", "canceled", "failed", "rejected"]);
        for status in TaskStatus::ALL {
            assert_eq!(TaskStatus::parse(status.as_str()), Some(status));
        }
    }

    #[test]
    fn progress_is_clamped() {
        assert_eq!(Progress::percent(250.0).percentage, Some(100.0));
        assert_eq!(Progress::percent(f64::NAN).percentage, Some(0.0));
    }
}
