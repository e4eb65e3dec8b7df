//! Jobs: who may claim which, in the order that the seam names.

use std::collections::HashSet;

use adcp_core::stored::{self, SealError, Sealer};
use adcp_core::{
    ClaimJobs, Job, LeaseToken, ReleaseJob, TaskId, TaskRecord, TenantId, Timestamp, WaitingJob, fault,
    in_turn,
};
use deadpool_postgres::tokio_postgres::Row;

use crate::error::Fail;
use crate::row::{self, get, optional_instant};
use crate::statement::Values;
use crate::tasks::{reach, update};
use crate::unit::{Tx, Unit};

/// Jobs that are looked at beyond those that are wanted: what another claimer takes at the same moment is passed by.
const SURPLUS: usize = 16;

/// What stands in the columns of a job.
#[derive(Default)]
pub(crate) struct Columns<'a> {
    pub(crate) kind: Option<&'a str>,
    pub(crate) attempts: Option<i64>,
    pub(crate) max_attempts: Option<i64>,
    pub(crate) not_before: Option<i64>,
    pub(crate) claimed_at: Option<i64>,
    pub(crate) at: Option<i64>,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(task: &'a TaskRecord) -> Self {
        let Some(job) = &task.job else { return Self::default() };
        Self {
            kind: Some(&job.kind),
            attempts: Some(i64::from(job.attempts)),
            max_attempts: Some(i64::from(job.max_attempts)),
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
pub(crate) fn job(row: &Row, id: &TaskId, sealer: &dyn Sealer) -> Result<Option<Job>, Fail> {
    let count = |name: &str| {
        Ok::<_, Fail>(
            get::<Option<i64>>(row, name)?.and_then(|count| u32::try_from(count).ok()).unwrap_or_default(),
        )
    };
    let Some(kind) = get::<Option<String>>(row, "job_kind")? else { return Ok(None) };
    let text: Option<String> = get(row, "job_input")?;
    let mut job = Job::stored(kind, text.and_then(|text| stored::read_job_input(&text, id, sealer)));
    job.attempts = count("job_attempts")?;
    job.max_attempts = count("job_max_attempts")?;
    job.not_before = optional_instant(row, "job_not_before")?;
    job.claimed_at = optional_instant(row, "job_claimed_at")?;
    Ok(Some(job))
}

impl Unit for ClaimJobs {
    type Done = Vec<TaskRecord>;
    const OP: &'static str = "claim_jobs";

    async fn run(&self, tx: &Tx<'_>) -> Result<Vec<TaskRecord>, Fail> {
        let (mut claimed, mut unread) = (Vec::new(), HashSet::new());
        loop {
            // What does not decode stays in front, so as many more are looked at: no such row keeps others from being
            // done.
            let before = unread.len();
            let order = in_turn(waiting(tx, self, before).await?);
            let mut rest = order.as_slice();
            while claimed.len() < self.limit && !rest.is_empty() {
                let wanted = self.limit - claimed.len();
                let rows = lock(tx, rest, wanted).await?;
                let mut seen = rest.len();
                for found in &rows {
                    seen = usize::try_from(get::<i64>(found, "turn")?).unwrap_or(usize::MAX);
                    claimed.extend(begin(tx, found, self, &mut unread).await?);
                }
                if rows.len() < wanted {
                    break;
                }
                rest = rest.get(seen..).unwrap_or_default();
            }
            if claimed.len() == self.limit || unread.len() == before {
                return Ok(claimed);
            }
        }
    }
}

/// Begins an attempt of a locked row.
async fn begin(
    tx: &Tx<'_>,
    found: &Row,
    req: &ClaimJobs,
    unread: &mut HashSet<(String, String)>,
) -> Result<Option<TaskRecord>, Fail> {
    let mut task = match row::task(found, &*tx.shared.config.sealer) {
        Ok(task) => task,
        Err(Fail::Unreadable(error)) => {
            let (tenant, id): (String, String) = (get(found, "tenant")?, get(found, "id")?);
            if unread.insert((tenant, id.clone())) {
                tracing::error!(task_id = id, %error, "a job cannot be read and is passed by");
            }
            return Ok(None);
        }
        Err(fail) => return Err(fail),
    };
    if !task.claim(LeaseToken::random()?, req.lease, tx.now) {
        return Ok(None);
    }
    update(tx, &task).await?;
    fault::point("mid-job-claim");
    Ok(Some(task))
}

/// What could be claimed now: of each kind and tenant as many as could be wanted.
async fn waiting(tx: &Tx<'_>, req: &ClaimJobs, unread: usize) -> Result<Vec<WaitingJob>, Fail> {
    let limit = req.limit.saturating_mul(2).saturating_add(SURPLUS).saturating_add(unread);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values: Values<'_> = &[("kinds", &req.kinds), ("now", &tx.now.as_micros()), ("limit", &limit)];
    let read = |row: &Row| {
        Ok(WaitingJob::new(
            TenantId::new(get::<String>(row, "tenant")?),
            TaskId::new(get::<String>(row, "id")?),
            Timestamp::from_micros(get(row, "job_at")?),
            optional_instant(row, "served_at")?,
        ))
    };
    tx.rows(&tx.shared.sql.jobs_waiting, values).await?.iter().map(read).collect()
}

/// Locks the first of these that nobody else has taken, in their order.
async fn lock(tx: &Tx<'_>, jobs: &[WaitingJob], wanted: usize) -> Result<Vec<Row>, Fail> {
    let tenants: Vec<String> = jobs.iter().map(|job| job.tenant.as_str().to_owned()).collect();
    let ids: Vec<String> = jobs.iter().map(|job| job.id.as_str().to_owned()).collect();
    let values: Values<'_> = &[
        ("tenants", &tenants),
        ("ids", &ids),
        ("now", &tx.now.as_micros()),
        ("limit", &i64::try_from(wanted).unwrap_or(i64::MAX)),
    ];
    tx.rows(&tx.shared.sql.jobs_lock, values).await
}

impl Unit for ReleaseJob {
    type Done = ();
    const OP: &'static str = "release_job";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), Fail> {
        let mut task = reach(tx, &self.id, &self.scope).await?;
        task.release(self, tx.now)?;
        update(tx, &task).await
    }
}
