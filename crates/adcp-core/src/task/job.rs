//! Work of a task that any process with a handler for it can do, and do again after a crash.

use std::time::Duration;

use serde_json::Value;

use super::{Lease, LeaseToken, TaskPhase, TaskRecord};
use crate::{RegistryError, Scope, TaskId, TenantId, Timestamp};

/// Attempts that a job has by default.
pub const DEFAULT_JOB_ATTEMPTS: u32 = 5;

/// The work of a task as a registry keeps it: which handler does it, with what, and how often that was tried.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Job {
    /// Names the handler.
    pub kind: String,
    /// What the handler is given. `None` when the store could not read it, for want of the key that it was sealed with:
    /// the task can be read and ended all the same.
    pub input: Option<Value>,
    /// Attempts that were begun. One is counted when it begins, so that one which kills its process counts, too.
    pub attempts: u32,
    /// How many there may be, from 1.
    pub max_attempts: u32,
    /// When the next attempt may begin at the earliest.
    pub not_before: Option<Timestamp>,
    /// When the newest attempt began.
    pub claimed_at: Option<Timestamp>,
}

impl Job {
    /// A job as it stands when its task was just issued; an attempt has begun when its issuer holds a lease.
    pub(super) fn ordered(order: JobOrder, leased: bool, now: Timestamp) -> Self {
        Self {
            kind: order.kind,
            input: Some(order.input),
            attempts: u32::from(leased),
            max_attempts: order.max_attempts,
            not_before: None,
            claimed_at: leased.then_some(now),
        }
    }

    /// A job as a store keeps it, with no attempt made and none left; the store sets the rest.
    #[must_use]
    pub const fn stored(kind: String, input: Option<Value>) -> Self {
        Self { kind, input, attempts: 0, max_attempts: 0, not_before: None, claimed_at: None }
    }

    /// Whether another attempt may begin.
    #[must_use]
    pub const fn has_attempts_left(&self) -> bool {
        self.attempts < self.max_attempts
    }
}

/// What a task is issued with whose work is a job.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct JobOrder {
    /// Names the handler.
    pub kind: String,
    /// What the handler is given.
    pub input: Value,
    /// How often it may be tried, from 1.
    pub max_attempts: u32,
}

impl JobOrder {
    /// A job for the handler of this kind, with [`DEFAULT_JOB_ATTEMPTS`].
    #[must_use]
    pub fn new(kind: impl Into<String>, input: Value) -> Self {
        Self { kind: kind.into(), input, max_attempts: DEFAULT_JOB_ATTEMPTS }
    }

    /// Sets how often it may be tried; one is the least.
    #[must_use]
    pub const fn with_max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = if attempts == 0 { 1 } else { attempts };
        self
    }
}

/// Claims jobs that nobody works on: each gets a fresh lease, and an attempt is counted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClaimJobs {
    /// The kinds that the claimer has handlers for; none but these are claimed.
    pub kinds: Vec<String>,
    /// At most so many.
    pub limit: usize,
    /// How long each claim counts without a word.
    pub lease: Duration,
}

impl ClaimJobs {
    /// Claims up to `limit` jobs of these kinds, whosever they are.
    #[must_use]
    pub const fn new(kinds: Vec<String>, limit: usize, lease: Duration) -> Self {
        Self { kinds, limit, lease }
    }
}

/// Gives up the lease on a job, so that it can be claimed again.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReleaseJob {
    /// The task.
    pub id: TaskId,
    /// Whose it is.
    pub scope: Scope,
    /// Proves that the caller works on it.
    pub token: LeaseToken,
    /// How long until it may be claimed again.
    pub again_in: Duration,
    /// Whether the attempt is taken back, because it was cut short by nothing of its own.
    pub uncounted: bool,
}

impl ReleaseJob {
    /// Gives up one job; anybody may claim it at once.
    #[must_use]
    pub const fn new(id: TaskId, scope: Scope, token: LeaseToken) -> Self {
        Self { id, scope, token, again_in: Duration::ZERO, uncounted: false }
    }

    /// Has the next attempt wait.
    #[must_use]
    pub const fn again_in(mut self, wait: Duration) -> Self {
        self.again_in = wait;
        self
    }

    /// Takes the attempt back: a shutdown cut it short, and says nothing about the job.
    #[must_use]
    pub const fn uncounted(mut self) -> Self {
        self.uncounted = true;
        self
    }
}

impl TaskRecord {
    /// When it can be claimed next: a job with attempts left, whose buyer may know of it, once its lease has run out
    /// and its wait is over. `None` for whatever is never claimed as it stands.
    #[must_use]
    pub fn claimable_at(&self) -> Option<Timestamp> {
        let open = self.outcome.is_none() && self.phase == TaskPhase::Open;
        let job = self.job.as_ref().filter(|job| open && job.has_attempts_left())?;
        let wait = job.not_before.unwrap_or(self.created_at);
        Some(self.lease.map_or(wait, |lease| lease.until.max(wait)))
    }

    /// Begins an attempt under a fresh lease, when the job can be claimed now; says whether it could.
    pub fn claim(&mut self, token: LeaseToken, within: Duration, now: Timestamp) -> bool {
        let in_time = self.deadline.is_none_or(|at| at > now);
        if !in_time || self.claimable_at().is_none_or(|at| at > now) {
            return false;
        }
        let Some(job) = &mut self.job else { return false };
        job.attempts += 1;
        job.not_before = None;
        job.claimed_at = Some(now);
        self.lease = Some(Lease { token, until: now.after(within) });
        true
    }

    /// Gives up the lease on a job.
    ///
    /// # Errors
    ///
    /// [`RegistryError::AlreadyEnded`] once the task has ended, [`RegistryError::NotAJob`] for one that nobody else
    /// could go on with, and as [`Self::fence`].
    pub fn release(&mut self, req: &ReleaseJob, now: Timestamp) -> Result<(), RegistryError> {
        if self.outcome.is_some() {
            return Err(RegistryError::AlreadyEnded(self.id.clone()));
        }
        self.fence(Some(&req.token), now)?;
        let job = self.job.as_mut().ok_or_else(|| RegistryError::NotAJob(self.id.clone()))?;
        if req.uncounted {
            job.attempts = job.attempts.saturating_sub(1);
        }
        job.not_before = Some(now.after(req.again_in));
        self.lease = None;
        Ok(())
    }
}

/// A job that could be claimed, as a store finds it before it decides whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitingJob {
    /// The seller whose it is.
    pub tenant: TenantId,
    /// The task.
    pub id: TaskId,
    /// Since when it could be claimed.
    pub since: Timestamp,
    /// When a job of this tenant was last claimed, as far as the store remembers.
    pub served_at: Option<Timestamp>,
}

impl WaitingJob {
    /// A job that could be claimed.
    #[must_use]
    pub const fn new(tenant: TenantId, id: TaskId, since: Timestamp, served_at: Option<Timestamp>) -> Self {
        Self { tenant, id, since, served_at }
    }
}

/// The order in which jobs are claimed: tenants take turns, the one first that was served longest ago, and each gives
/// its oldest. So a tenant with one job waits for one turn of each other, however long their queues are, also where
/// jobs are claimed one by one.
///
/// A store needs to find no more of each tenant than it means to claim in all.
#[must_use]
pub fn in_turn(mut waiting: Vec<WaitingJob>) -> Vec<WaitingJob> {
    waiting.sort_by(|a, b| (&a.tenant, a.since, &a.id).cmp(&(&b.tenant, b.since, &b.id)));
    let mut ranked: Vec<(usize, WaitingJob)> = Vec::with_capacity(waiting.len());
    for job in waiting {
        let rank = match ranked.last() {
            Some((rank, before)) if before.tenant == job.tenant => rank + 1,
            _ => 0,
        };
        ranked.push((rank, job));
    }
    ranked.sort_by(|(left, a), (right, b)| {
        (left, a.served_at, a.since, &a.id).cmp(&(right, b.served_at, b.since, &b.id))
    });
    ranked.into_iter().map(|(_, job)| job).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AdcpError, IssueTask, Outcome, Owner, Principal};

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros(minutes * 60_000_000)
    }

    fn token(byte: u8) -> LeaseToken {
        LeaseToken::stored([byte; 16])
    }

    fn task(max_attempts: u32) -> TaskRecord {
        let owner = Owner::new(TenantId::single(), None, Principal::new("p"));
        let order = JobOrder::new("review", Value::Null).with_max_attempts(max_attempts);
        let issue = IssueTask::new(TaskId::new("t"), owner, "get_products", "get_products", "media-buy");
        TaskRecord::submitted(issue.as_job(order), at(0))
    }

    fn release(by: u8) -> ReleaseJob {
        let scope = Scope::Operator { tenant: TenantId::single() };
        ReleaseJob::new(TaskId::new("t"), scope, token(by))
    }

    #[test]
    fn a_lease_that_ran_out_is_claimed_and_not_ended_until_attempts_are_used_up() {
        let mut task = task(2);
        assert!(task.claim(token(1), MINUTE, at(0)));
        assert!(!task.claim(token(2), MINUTE, at(0)), "somebody works on it");
        assert_eq!((task.overdue(at(1)), task.due_at()), (None, None));
        assert!(task.claim(token(2), MINUTE, at(1)));
        assert!(matches!(task.fence(Some(&token(1)), at(1)), Err(RegistryError::LeaseLost(_))));
        assert!(!task.claim(token(3), MINUTE, at(9)), "no attempt is left");
        assert_eq!(task.due_at(), Some(at(2)));
        assert_eq!(task.overdue(at(1)), None, "the last attempt goes on");
        assert_eq!(task.overdue(at(2)), Some(AdcpError::given_up()));
    }

    #[test]
    fn a_job_that_was_given_up_waits_and_may_keep_its_attempt() {
        let mut task = task(1);
        assert!(task.claim(token(1), MINUTE, at(0)));
        task.release(&release(1).uncounted().again_in(MINUTE), at(0)).unwrap();
        assert!(!task.claim(token(2), MINUTE, at(0)));
        assert!(task.claim(token(2), MINUTE, at(1)));
        task.release(&release(2), at(1)).unwrap();
        assert_eq!(task.claimable_at(), None);
        assert_eq!(task.overdue(at(1)), Some(AdcpError::given_up()), "at once: nothing can follow");
        assert!(task.due_at().is_some_and(|due| due <= at(1)));
    }

    #[test]
    fn who_lost_a_job_cannot_give_it_up() {
        let mut task = task(5);
        assert!(task.claim(token(1), MINUTE, at(0)));
        assert!(matches!(task.release(&release(2), at(0)), Err(RegistryError::LeaseLost(_))));
        assert!(matches!(task.release(&release(1), at(1)), Err(RegistryError::LeaseLost(_))));
        task.finish(Outcome::Canceled("no".into()), at(1)).unwrap();
        assert!(matches!(task.release(&release(1), at(1)), Err(RegistryError::AlreadyEnded(_))));
        assert!(!task.claim(token(3), MINUTE, at(9)));
    }

    #[test]
    fn tenants_take_turns_however_long_their_queues_are() {
        let job = |tenant: &str, id: &str, since, served: Option<i64>| {
            WaitingJob::new(TenantId::new(tenant), TaskId::new(id), at(since), served.map(at))
        };
        let waiting = vec![
            job("b", "b1", 8, Some(4)),
            job("a", "a3", 3, Some(5)),
            job("a", "a1", 1, Some(5)),
            job("c", "c1", 9, None),
            job("a", "a2", 2, Some(5)),
            job("b", "b2", 9, Some(4)),
        ];
        let order: Vec<_> = in_turn(waiting).into_iter().map(|job| job.id.to_string()).collect();
        assert_eq!(order, ["c1", "b1", "a1", "b2", "a2", "a3"]);
    }
}
