//! Jobs: who may claim which, in the order that the seam names.

use std::collections::HashSet;

use adcp_core::stored::{self, SealError, Sealer};
use adcp_core::{
    ClaimJobs, Job, LeaseToken, ReleaseJob, Scope, TaskId, TaskRecord, TenantId, Timestamp, WaitingJob,
    fault, in_turn,
};
use rusqlite::{Row, Transaction, named_params};

use crate::error::Fail;
use crate::row;
use crate::tasks::{find, reach, update};

/// What stands in the columns of a job.
#[derive(Default)]
pub(crate) struct Columns<'a> {
    pub(crate) kind: Option<&'a str>,
    pub(crate) attempts: Option<u32>,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) not_before: Option<i64>,
    pub(crate) claimed_at: Option<i64>,
    pub(crate) at: Option<i64>,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(task: &'a TaskRecord) -> Self {
        let Some(job) = &task.job else { return Self::default() };
        Self {
            kind: Some(&job.kind),
            attempts: Some(job.attempts),
            max_attempts: Some(job.max_attempts),
            not_before: job.not_before.map(Timestamp::as_micros),
            claimed_at: job.claimed_at.map(Timestamp::as_micros),
            at: task.claimable_at().map(Timestamp::as_micros),
        }
    }
}

/// What the handler is given, as it is stored once and never changed.
pub(crate) fn input(task: &TaskRecord, sealer: &dyn Sealer) -> Result<Option<String>, SealError> {
    let input = task.job.as_ref().and_then(|job| job.input.as_ref());
    input.map(|input| stored::write_job_input(input, &task.id, sealer)).transpose()
}

/// Reads the columns of a job.
pub(crate) fn job(row: &Row<'_>, id: &TaskId, sealer: &dyn Sealer) -> rusqlite::Result<Option<Job>> {
    let instant =
        |name: &str| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(name)?.map(Timestamp::from_micros));
    let Some(kind) = row.get::<_, Option<String>>("job_kind")? else { return Ok(None) };
    let text: Option<String> = row.get("job_input")?;
    let mut job = Job::stored(kind, text.and_then(|text| stored::read_job_input(&text, id, sealer)));
    job.attempts = row.get::<_, Option<u32>>("job_attempts")?.unwrap_or_default();
    job.max_attempts = row.get::<_, Option<u32>>("job_max_attempts")?.unwrap_or_default();
    job.not_before = instant("job_not_before")?;
    job.claimed_at = instant("job_claimed_at")?;
    Ok(Some(job))
}

/// Gives the jobs whose turn it is to a claimer.
pub(crate) fn claim(
    tx: &Transaction<'_>,
    req: &ClaimJobs,
    now: Timestamp,
    sealer: &dyn Sealer,
) -> Result<Vec<TaskRecord>, Fail> {
    let (mut claimed, mut unread) = (Vec::new(), HashSet::new());
    loop {
        // What does not decode stays in front, so as many more are looked at: no such row keeps others from being done.
        let before = unread.len();
        for waiting in in_turn(waiting(tx, req, now, before)?) {
            if claimed.len() == req.limit {
                break;
            }
            let operator = Scope::Operator { tenant: waiting.tenant.clone() };
            let mut task = match find(tx, &waiting.id, &operator, sealer, row::task) {
                Ok(Some(task)) => task,
                Ok(None) => continue,
                Err(Fail::Unreadable(error)) => {
                    if unread.insert((waiting.tenant, waiting.id.clone())) {
                        tracing::error!(task_id = %waiting.id, %error, "a job cannot be read and is passed by");
                    }
                    continue;
                }
                Err(fail) => return Err(fail),
            };
            if task.claim(LeaseToken::random()?, req.lease, now) {
                update(tx, &task)?;
                fault::point("mid-job-claim");
                claimed.push(task);
            }
        }
        if claimed.len() == req.limit || unread.len() == before {
            return Ok(claimed);
        }
    }
}

/// What could be claimed now: of each kind and tenant as many as could be wanted. Tenants are stepped through by the
/// index, so that one's long queue is not read for another's.
fn waiting(
    tx: &Transaction<'_>,
    req: &ClaimJobs,
    now: Timestamp,
    surplus: usize,
) -> Result<Vec<WaitingJob>, Fail> {
    let limit = i64::try_from(req.limit.saturating_add(surplus)).unwrap_or(i64::MAX);
    let mut queue = tx.prepare_cached(include_str!("sql/jobs_queue.sql"))?;
    let mut jobs = tx.prepare_cached(include_str!("sql/jobs_waiting.sql"))?;
    let mut found = Vec::new();
    for kind in &req.kinds {
        let mut from = String::new();
        loop {
            let mut next = queue.query(named_params! { ":kind": kind, ":from": from })?;
            let Some(row) = next.next()? else { break };
            let tenant: String = row.get("tenant")?;
            let served = row.get::<_, Option<i64>>("served_at")?.map(Timestamp::from_micros);
            let mut rows = jobs.query(named_params! {
                ":kind": kind, ":tenant": tenant, ":now": now.as_micros(), ":limit": limit,
            })?;
            while let Some(row) = rows.next()? {
                let (id, since) = (TaskId::new(row.get::<_, String>("id")?), row.get("job_at")?);
                let since = Timestamp::from_micros(since);
                found.push(WaitingJob::new(TenantId::new(tenant.clone()), id, since, served));
            }
            // The text that follows it, byte by byte.
            from = tenant + "\0";
        }
    }
    Ok(found)
}

/// Gives up the lease on a job.
pub(crate) fn release(
    tx: &Transaction<'_>,
    req: &ReleaseJob,
    now: Timestamp,
    sealer: &dyn Sealer,
) -> Result<(), Fail> {
    let mut task = reach(tx, &req.id, &req.scope, sealer)?;
    task.release(req, now)?;
    update(tx, &task)
}
