//! A task as a registry keeps it, and the pure steps that change it. Every backend takes these steps.

use std::time::Duration;

use adcp_types::json::JsonObject;

use super::{Finished, IssueTask, Job, Lease, LeaseToken, Outcome, Pause, Progress, TaskStatus};
use crate::{AdcpError, Effects, Owner, RegistryError, Scope, TaskId, TaskRef, Timestamp};

/// How long ended tasks stay readable, by default: seven days.
pub const DEFAULT_TASK_RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);

/// Reports of progress that a history keeps, by default. Changes of status are always kept.
pub const DEFAULT_MAX_HISTORY: usize = 256;

/// Whether the buyer may know of a task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "a task is shown or not")]
pub enum TaskPhase {
    /// Another system is being handed the work; nobody was told of the task.
    Enqueuing,
    /// The buyer was answered `submitted`.
    #[default]
    Open,
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
    /// Whether the buyer may know of it.
    pub phase: TaskPhase,
    /// Where it stands.
    pub status: TaskStatus,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When it is ended as failed unless it ended before.
    pub deadline: Option<Timestamp>,
    /// Who works on it in a process of its own, and until when. A task without one is carried from elsewhere.
    pub lease: Option<Lease>,
    /// The work that any process with a handler for it may do.
    pub job: Option<Job>,
    /// The caller's `context`, to be echoed verbatim.
    pub context: Option<JsonObject>,
    /// The newest report of its function.
    pub progress: Option<Progress>,
    /// What the buyer was asked, while the task waits for an answer.
    pub question: Option<JsonObject>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// What happens in the store when it ends.
    pub effects: Effects,
    /// Every status it went through, oldest first.
    pub history: Vec<Transition>,
}

impl TaskRecord {
    /// The record of a task that was just issued.
    #[must_use]
    pub fn submitted(req: IssueTask, now: Timestamp) -> Self {
        let leased = req.lease.is_some();
        Self {
            id: req.id,
            owner: req.owner,
            tool: req.tool,
            task_type: req.task_type,
            protocol: req.protocol,
            phase: req.phase,
            status: TaskStatus::Submitted,
            created_at: now,
            updated_at: now,
            ended_at: None,
            deadline: req.deadline.map(|within| now.after(within)),
            lease: req.lease.map(|(token, within)| Lease { token, until: now.after(within) }),
            job: req.job.map(|order| Job::ordered(order, leased, now)),
            context: req.context,
            progress: None,
            question: None,
            outcome: None,
            effects: req.effects,
            history: vec![Transition::new(now, TaskStatus::Submitted, None)],
        }
    }

    /// Whether a read from `scope` may show it. Buyers do not see what is still being enqueued.
    #[must_use]
    pub fn visible_to(&self, scope: &Scope) -> bool {
        scope.covers(&self.owner)
            && (self.phase == TaskPhase::Open || matches!(scope, Scope::Operator { .. }))
    }

    /// The reference by which anybody entrusted with it can end the task.
    #[must_use]
    pub fn reference(&self) -> TaskRef {
        TaskRef::new(self.id.clone(), self.owner.clone())
    }

    /// Whether the buyer registered to hear of the end.
    #[must_use]
    pub const fn has_webhook(&self) -> bool {
        self.effects.notify.is_some()
    }

    /// Keeps a report and moves to `working`. Beyond `max_history` entries only the newest report stays.
    ///
    /// # Errors
    ///
    /// [`RegistryError::AlreadyEnded`] once the task has ended.
    pub fn report(
        &mut self,
        progress: Progress,
        now: Timestamp,
        max_history: usize,
    ) -> Result<(), RegistryError> {
        let entry = Transition::new(now, TaskStatus::Working, Some(progress.clone()));
        if self.history.len() >= max_history && self.status == TaskStatus::Working {
            self.history.pop();
        }
        self.enter(entry)?;
        self.question = None;
        self.progress = Some(progress);
        Ok(())
    }

    /// Waits for the buyer, or goes on waiting for the seller.
    ///
    /// # Errors
    ///
    /// [`RegistryError::AlreadyEnded`] once the task has ended, [`RegistryError::NoSuchStep`] when the transition
    /// table has no such step.
    pub fn pause(&mut self, pause: Pause, now: Timestamp) -> Result<(), RegistryError> {
        self.enter(Transition::new(now, pause.status(), None))?;
        self.question = pause.into_question();
        Ok(())
    }

    /// Ends the task. The first end wins, and the same again changes nothing.
    ///
    /// # Errors
    ///
    /// [`RegistryError::AlreadyEnded`] when it ended otherwise.
    pub fn finish(&mut self, outcome: Outcome, now: Timestamp) -> Result<Finished, RegistryError> {
        match &self.outcome {
            Some(before) if *before == outcome => return Ok(Finished::Before),
            Some(_) => return Err(RegistryError::AlreadyEnded(self.id.clone())),
            None => {}
        }
        self.enter(Transition::new(now, outcome.status(), None))?;
        self.question = None;
        self.deadline = None;
        self.lease = None;
        self.ended_at = Some(now);
        self.outcome = Some(outcome);
        Ok(Finished::Now)
    }

    /// Lengthens the lease from now on.
    ///
    /// # Errors
    ///
    /// [`RegistryError::AlreadyEnded`] once the task has ended, and as [`Self::fence`].
    pub fn renew_lease(
        &mut self,
        token: &LeaseToken,
        within: Duration,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        if self.outcome.is_some() {
            return Err(RegistryError::AlreadyEnded(self.id.clone()));
        }
        self.fence(Some(token), now)?;
        self.lease = Some(Lease { token: *token, until: now.after(within) });
        Ok(())
    }

    /// Refuses a writer that says it works on the task and no longer does. Who says nothing is not refused: it was
    /// entrusted with the task otherwise. A task that has ended fences nobody: its end answers.
    ///
    /// # Errors
    ///
    /// [`RegistryError::LeaseLost`] when the token is not the current one, or its time is over.
    pub fn fence(&self, token: Option<&LeaseToken>, now: Timestamp) -> Result<(), RegistryError> {
        let Some(token) = token.filter(|_| self.outcome.is_none()) else { return Ok(()) };
        match &self.lease {
            Some(lease) if lease.token == *token && lease.until > now => Ok(()),
            _ => Err(RegistryError::LeaseLost(self.id.clone())),
        }
    }

    /// Shows the task to its buyer, and gives it the time that its carrier has.
    pub fn confirm(&mut self, deadline: Option<Duration>, now: Timestamp) {
        if self.phase == TaskPhase::Enqueuing {
            self.phase = TaskPhase::Open;
            if self.outcome.is_none() {
                self.deadline = deadline.map(|within| now.after(within));
            }
        }
    }

    /// Whether it can be taken back: nobody was told of it, and it has not ended.
    #[must_use]
    pub fn is_discardable(&self) -> bool {
        self.phase == TaskPhase::Enqueuing && self.outcome.is_none()
    }

    /// Why it must be ended now: its time is over, whoever worked on it is gone, or its job has no attempt left.
    /// `None` when it may go on.
    #[must_use]
    pub fn overdue(&self, now: Timestamp) -> Option<AdcpError> {
        if self.outcome.is_some() {
            return None;
        }
        if self.deadline.is_some_and(|at| at <= now) {
            return Some(AdcpError::overdue());
        }
        let silent = self.lease.is_none_or(|lease| lease.until <= now);
        match &self.job {
            Some(job) => (silent && !job.has_attempts_left()).then(AdcpError::given_up),
            None => (silent && self.lease.is_some()).then(AdcpError::orphaned),
        }
    }

    /// When it has to be looked at again: at its deadline or at the end of its lease. A job that can be claimed again
    /// is not ended with its lease, and one that has no attempt left and no lease is due already.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        let lease = self.lease.map(|lease| lease.until);
        let silent = match &self.job {
            Some(job) if job.has_attempts_left() => None,
            Some(_) => Some(lease.unwrap_or(self.created_at)),
            None => lease,
        };
        self.deadline.into_iter().chain(silent).min().filter(|_| self.outcome.is_none())
    }

    fn enter(&mut self, entry: Transition) -> Result<(), RegistryError> {
        if self.status.is_terminal() {
            return Err(RegistryError::AlreadyEnded(self.id.clone()));
        }
        if !self.status.can_become(entry.status) {
            return Err(RegistryError::NoSuchStep { from: self.status, to: entry.status });
        }
        self.status = entry.status;
        self.updated_at = entry.at;
        self.history.push(entry);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Principal, TenantId};

    fn task() -> TaskRecord {
        let owner = Owner::new(TenantId::single(), None, Principal::new("p"));
        let issue = IssueTask::new(TaskId::new("t"), owner, "get_products", "get_products", "media-buy");
        TaskRecord::submitted(issue, Timestamp::from_micros(0))
    }

    #[test]
    fn changes_of_status_stay_when_reports_are_many() {
        let now = Timestamp::from_micros(1);
        let mut task = task();
        task.report(Progress::percent(1.0), now, 3).unwrap();
        task.pause(Pause::Input(JsonObject::new()), now).unwrap();
        for percent in 2..20 {
            task.report(Progress::percent(f64::from(percent)), now, 3).unwrap();
        }
        let seen: Vec<_> = task.history.iter().map(|entry| entry.status.as_str()).collect();
        assert_eq!(seen, ["submitted", "working", "input-required", "working"]);
        assert_eq!(task.progress, Some(Progress::percent(19.0)));
    }

    #[test]
    fn an_answered_question_leads_back() {
        let now = Timestamp::from_micros(1);
        let mut task = task();
        assert!(matches!(
            task.pause(Pause::Resubmitted, now),
            Err(RegistryError::NoSuchStep { from: TaskStatus::Submitted, .. })
        ));
        task.pause(Pause::Authentication(JsonObject::new()), now).unwrap();
        assert!(task.question.is_some());
        task.pause(Pause::Resubmitted, now).unwrap();
        assert_eq!((task.status, task.question), (TaskStatus::Submitted, None));
    }
}
