//! Lists of tasks: which, sorted how, one page at a time.

use crate::{Scope, TaskId, TaskRecord, TaskStatus, Timestamp};

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
    /// Whether the buyer registered to hear of the end.
    pub has_webhook: Option<bool>,
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
            && self.has_webhook.is_none_or(|has| has == task.has_webhook())
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
    /// The instant in a sort key of an order by time.
    #[must_use]
    pub fn instant(key: &str) -> Option<Timestamp> {
        let micros = key.parse::<i128>().ok()? - (1_i128 << 62);
        i64::try_from(micros).ok().map(Timestamp::from_micros)
    }

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
    /// How many matches are counted exactly. Of more, a page says no totals.
    pub const MAX_COUNTED: u64 = 1_000;

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
    /// All tasks that match, by (protocol, status). `None` when more than [`ListTasks::MAX_COUNTED`] match, so that a page
    /// costs the same however many there are.
    pub totals: Option<Vec<(String, TaskStatus, u64)>>,
}

impl TaskPage {
    /// A page of which nothing was counted yet.
    #[must_use]
    pub const fn new(tasks: Vec<TaskRecord>, has_more: bool) -> Self {
        Self { tasks, has_more, totals: None }
    }

    /// Adds the matches by protocol and status, as far as they were counted: past [`ListTasks::MAX_COUNTED`] there are
    /// no totals.
    #[must_use]
    pub fn counting(mut self, totals: Vec<(String, TaskStatus, u64)>) -> Self {
        let all: u64 = totals.iter().map(|(_, _, matches)| matches).sum();
        self.totals = Some(totals).filter(|_| all <= ListTasks::MAX_COUNTED);
        self
    }
}
