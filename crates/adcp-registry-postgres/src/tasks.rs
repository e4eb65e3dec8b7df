//! Tasks: one request, one transaction.

use std::collections::BTreeSet;

use adcp_core::stored;
use adcp_core::{
    Backing, ClaimJobs, ConfirmTask, DiscardTask, Effect, EndOverdue, FinishTask, Finished, IssueTask,
    ListTasks, Outcome, PauseTask, RegistryError, ReleaseJob, RenewLease, ReportProgress, Scope, Settlement,
    TaskId, TaskPage, TaskRecord, TaskRegistry, TenantId, Timestamp, effects_of, effects_of_confirming,
    fault,
};
use async_trait::async_trait;
use deadpool_postgres::tokio_postgres::Row;

use crate::error::Fail;
use crate::registry::PostgresRegistry;
use crate::row::{self, Bounds};
use crate::statement::Values;
use crate::unit::{Tx, Unit};
use crate::{calls, jobs, proposals};

#[async_trait]
impl TaskRegistry for PostgresRegistry {
    async fn issue(&self, req: IssueTask) -> Result<TaskRecord, RegistryError> {
        self.database.write(&req).await
    }

    async fn confirm(&self, req: ConfirmTask) -> Result<TaskRecord, RegistryError> {
        self.database.write(&req).await
    }

    async fn discard(&self, req: DiscardTask) -> Result<(), RegistryError> {
        self.database.write(&req).await
    }

    async fn get(&self, id: &TaskId, scope: &Scope) -> Result<Option<TaskRecord>, RegistryError> {
        let bounds = Bounds::of(scope);
        let shared = &self.database.shared;
        let mut rows = self
            .database
            .rows(
                "get",
                &shared.sql.task_get,
                &[
                    ("tenant", &bounds.tenant),
                    ("id", &id.as_str()),
                    ("principal", &bounds.principal),
                    ("account", &bounds.account),
                ],
            )
            .await?;
        let Some(found) = rows.pop() else { return Ok(None) };
        let task = row::shown_task(&found, &*shared.config.sealer).map_err(|fail| fail.of("get"))?;
        Ok(Some(task).filter(|task| task.visible_to(scope)))
    }

    async fn list(&self, req: ListTasks) -> Result<TaskPage, RegistryError> {
        self.database.read(&req).await
    }

    async fn report(&self, req: ReportProgress) -> Result<(), RegistryError> {
        self.database.write(&req).await
    }

    async fn pause(&self, req: PauseTask) -> Result<(), RegistryError> {
        self.database.write(&req).await
    }

    async fn finish(&self, req: FinishTask) -> Result<Finished, RegistryError> {
        self.database.write(&req).await
    }

    async fn renew_lease(&self, req: RenewLease) -> Result<(), RegistryError> {
        self.database.write(&req).await
    }

    async fn end_overdue(&self, req: EndOverdue) -> Result<Vec<TaskRecord>, RegistryError> {
        self.database.write(&req).await
    }

    async fn claim_jobs(&self, req: ClaimJobs) -> Result<Vec<TaskRecord>, RegistryError> {
        self.database.write(&req).await
    }

    async fn release_job(&self, req: ReleaseJob) -> Result<(), RegistryError> {
        self.database.write(&req).await
    }
}

impl Unit for IssueTask {
    type Done = TaskRecord;
    const OP: &'static str = "issue";

    async fn run(&self, tx: &Tx<'_>) -> Result<TaskRecord, Fail> {
        let mut req = self.clone();
        if let Some((ticket, reply)) = req.settles.take() {
            calls::settle(tx, &ticket, &Settlement::Replied(reply)).await?;
        }
        if let Some(hold) = &req.effects.purchase {
            proposals::renew(tx, hold, None).await?;
        }
        proposals::await_task(tx, &req.effects).await?;
        fault::point("mid-issue");
        let task = TaskRecord::submitted(req, tx.now);
        insert(tx, &task).await?;
        Ok(task)
    }
}

impl Unit for ConfirmTask {
    type Done = TaskRecord;
    const OP: &'static str = "confirm";

    /// A second time finds the task open. A reply is recorded once.
    fn repeatable(&self) -> bool {
        self.settles.is_none()
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<TaskRecord, Fail> {
        let mut task = reach(tx, &self.id, &self.scope).await?;
        if let Some((ticket, reply)) = self.settles.clone() {
            calls::settle(tx, &ticket, &Settlement::Replied(reply)).await?;
        }
        let effects = effects_of_confirming(&task, tx.now);
        proposals::apply(tx, effects, has_token(&task)).await?;
        fault::point("mid-confirm");
        task.confirm(self.deadline, tx.now);
        update(tx, &task).await?;
        Ok(task)
    }
}

impl Unit for DiscardTask {
    type Done = ();
    const OP: &'static str = "discard";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), Fail> {
        let task = reach(tx, &self.id, &self.scope).await?;
        if !task.is_discardable() {
            return Err(RegistryError::NotEnqueuing(self.id.clone()).into());
        }
        if let Some(ticket) = &self.releases {
            calls::settle(tx, ticket, &Settlement::Released).await?;
        }
        let release = task.effects.purchase.clone().map(|hold| Effect::Release { hold });
        proposals::apply(tx, release.into_iter().collect(), false).await?;
        let values: Values<'_> = &[("tenant", &task.owner.tenant.as_str()), ("id", &task.id.as_str())];
        tx.execute(&tx.shared.sql.task_delete, values).await?;
        Ok(())
    }
}

impl Unit for ReportProgress {
    type Done = ();
    const OP: &'static str = "report";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), Fail> {
        let mut task = reach(tx, &self.id, &self.scope).await?;
        let now = tx.now.max(task.updated_at);
        task.fence(self.lease.as_ref(), now)?;
        task.report(self.progress.clone(), now, tx.shared.config.max_history)?;
        update(tx, &task).await
    }
}

impl Unit for PauseTask {
    type Done = ();
    const OP: &'static str = "pause";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), Fail> {
        let mut task = reach(tx, &self.id, &self.scope).await?;
        let now = tx.now.max(task.updated_at);
        task.pause(self.pause.clone(), now)?;
        update(tx, &task).await
    }
}

impl Unit for FinishTask {
    type Done = Finished;
    const OP: &'static str = "finish";

    /// The same end again changes nothing.
    fn repeatable(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Finished, Fail> {
        let mut task = reach(tx, &self.id, &self.scope).await?;
        task.fence(self.lease.as_ref(), tx.now)?;
        finish(tx, &mut task, self.outcome.clone(), &self.backing).await
    }
}

impl Unit for RenewLease {
    type Done = ();
    const OP: &'static str = "renew_lease";

    fn repeatable(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<(), Fail> {
        let mut task = reach(tx, &self.id, &self.scope).await?;
        task.renew_lease(&self.token, self.within, tx.now)?;
        update(tx, &task).await
    }
}

impl Unit for EndOverdue {
    type Done = Vec<TaskRecord>;
    const OP: &'static str = "end_overdue";

    async fn run(&self, tx: &Tx<'_>) -> Result<Vec<TaskRecord>, Fail> {
        let (mut ended, mut unopened) = (Vec::new(), BTreeSet::new());
        loop {
            // Those that cannot be opened stay in front, so as many more are looked at.
            let (asked, before) = (self.limit - ended.len() + unopened.len(), unopened.len());
            let due = due(tx, self.tenant.as_ref(), asked).await?;
            let all = due.len() < asked;
            for found in due {
                let mut task = match row::task(&found, &*tx.shared.config.sealer) {
                    Err(Fail::Unreadable(text)) if text.is_sealed() => {
                        let id: String = row::get(&found, "id")?;
                        unopened.insert((row::get::<String>(&found, "tenant")?, id));
                        continue;
                    }
                    task => task?,
                };
                let Some(why) = task.overdue(tx.now) else { continue };
                finish(tx, &mut task, Outcome::Failed(why), &Backing::default()).await?;
                ended.push(task);
                fault::point("rescuer-mid-batch");
            }
            if all || ended.len() >= self.limit || unopened.len() == before {
                break;
            }
        }
        for (_, id) in unopened {
            tracing::error!(task_id = %id, "a task is overdue and does not end: no key opens its credentials");
        }
        Ok(ended)
    }
}

/// Tasks whose time is over, locked.
async fn due(tx: &Tx<'_>, tenant: Option<&TenantId>, limit: usize) -> Result<Vec<Row>, Fail> {
    let values: Values<'_> = &[
        ("tenant", &tenant.map(TenantId::as_str)),
        ("now", &tx.now.as_micros()),
        ("limit", &i64::try_from(limit).unwrap_or(i64::MAX)),
    ];
    tx.rows(&tx.shared.sql.tasks_overdue, values).await
}

/// Ends a task with its effects.
async fn finish(
    tx: &Tx<'_>,
    task: &mut TaskRecord,
    outcome: Outcome,
    backing: &Backing,
) -> Result<Finished, Fail> {
    // Who waited for the row may have begun before the one it waited for: time does not run backwards in a task.
    let now = tx.now.max(task.updated_at);
    let effects = effects_of(task, &outcome, backing, now);
    let finished = task.finish(outcome, now)?;
    if finished == Finished::Now {
        proposals::apply(tx, effects, has_token(task)).await?;
        fault::point("mid-finish");
        update(tx, task).await?;
    }
    Ok(finished)
}

/// Whether the event of its end holds a token of the buyer.
fn has_token(task: &TaskRecord) -> bool {
    task.effects.notify.as_ref().is_some_and(|to| to.token.is_some())
}

/// A row that the scope covers, for a write: nobody else writes it until this transaction ends.
pub(crate) async fn reach(tx: &Tx<'_>, id: &TaskId, scope: &Scope) -> Result<TaskRecord, Fail> {
    let unknown = || RegistryError::UnknownTask(id.clone());
    let bounds = Bounds::of(scope);
    let values: Values<'_> = &[
        ("tenant", &bounds.tenant),
        ("id", &id.as_str()),
        ("principal", &bounds.principal),
        ("account", &bounds.account),
    ];
    let found = tx.row(&tx.shared.sql.task_lock, values).await?.ok_or_else(unknown)?;
    row::task(&found, &*tx.shared.config.sealer)
}

async fn insert(tx: &Tx<'_>, task: &TaskRecord) -> Result<(), Fail> {
    let effects = stored::write_effects(&task.effects, &task.id, &*tx.shared.config.sealer)?;
    let job = jobs::Columns::of(task);
    let input = jobs::input(task, &*tx.shared.config.sealer)?;
    let inserted = tx
        .execute(
            &tx.shared.sql.task_insert,
            &[
                ("tenant", &task.owner.tenant.as_str()),
                ("id", &task.id.as_str()),
                ("account", &row::write_account(task.owner.account.as_ref())),
                ("principal", &task.owner.principal.as_str()),
                ("tool", &task.tool),
                ("task_type", &task.task_type),
                ("protocol", &task.protocol),
                ("phase", &row::write_phase(task.phase)),
                ("status", &task.status.as_str()),
                ("created_at", &task.created_at.as_micros()),
                ("updated_at", &task.updated_at.as_micros()),
                ("deadline", &task.deadline.map(Timestamp::as_micros)),
                ("lease_token", &lease_token(task)),
                ("lease_until", &task.lease.map(|lease| lease.until.as_micros())),
                ("due_at", &task.due_at().map(Timestamp::as_micros)),
                ("context", &task.context.as_ref().map(stored::write_object)),
                ("effects", &effects),
                ("has_webhook", &task.has_webhook()),
                ("history", &stored::write_history(&task.history)),
                ("job_kind", &job.kind),
                ("job_input", &input),
                ("job_attempts", &job.attempts),
                ("job_max_attempts", &job.max_attempts),
                ("job_not_before", &job.not_before),
                ("job_claimed_at", &job.claimed_at),
                ("job_at", &job.at),
            ],
        )
        .await?;
    if inserted == 1 { Ok(()) } else { Err(RegistryError::DuplicateTask(task.id.clone()).into()) }
}

pub(crate) async fn update(tx: &Tx<'_>, task: &TaskRecord) -> Result<(), Fail> {
    let job = jobs::Columns::of(task);
    tx.execute(
        &tx.shared.sql.task_update,
        &[
            ("tenant", &task.owner.tenant.as_str()),
            ("id", &task.id.as_str()),
            ("phase", &row::write_phase(task.phase)),
            ("status", &task.status.as_str()),
            ("updated_at", &task.updated_at.as_micros()),
            ("ended_at", &task.ended_at.map(Timestamp::as_micros)),
            ("deadline", &task.deadline.map(Timestamp::as_micros)),
            ("lease_token", &lease_token(task)),
            ("lease_until", &task.lease.map(|lease| lease.until.as_micros())),
            ("due_at", &task.due_at().map(Timestamp::as_micros)),
            ("progress", &task.progress.as_ref().map(stored::write_progress)),
            ("question", &task.question.as_ref().map(stored::write_object)),
            ("outcome", &task.outcome.as_ref().map(stored::write_outcome)),
            ("history", &stored::write_history(&task.history)),
            ("job_attempts", &job.attempts),
            ("job_not_before", &job.not_before),
            ("job_claimed_at", &job.claimed_at),
            ("job_at", &job.at),
        ],
    )
    .await?;
    Ok(())
}

fn lease_token(task: &TaskRecord) -> Option<Vec<u8>> {
    task.lease.map(|lease| lease.token.as_bytes().to_vec())
}
