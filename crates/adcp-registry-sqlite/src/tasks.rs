//! Tasks: one method, one transaction.

use adcp_core::stored::{self, Sealer};
use adcp_core::{
    Backing, ClaimJobs, ConfirmTask, DiscardTask, Effect, EndOverdue, FinishTask, Finished, IssueTask,
    ListTasks, Outcome, PauseTask, RegistryError, ReleaseJob, RenewLease, ReportProgress, Scope, Settlement,
    TaskId, TaskPage, TaskRecord, TaskRegistry, TenantId, Timestamp, effects_of, effects_of_confirming,
    fault,
};
use async_trait::async_trait;
use rusqlite::{Row, Transaction, named_params};

use crate::error::Fail;
use crate::outbox::tells;
use crate::registry::SqliteRegistry;
use crate::row::{self, Bounds};
use crate::{calls, jobs, list, proposals};

#[async_trait]
impl TaskRegistry for SqliteRegistry {
    async fn issue(&self, mut req: IssueTask) -> Result<TaskRecord, RegistryError> {
        let (now, sealer) = (self.now(), self.sealer());
        self.database
            .write("issue", move |tx| {
                if let Some((ticket, reply)) = req.settles.take() {
                    calls::settle(tx, &ticket, &Settlement::Replied(reply))?;
                }
                if let Some(hold) = &req.effects.purchase {
                    proposals::renew(tx, hold, None, now)?;
                }
                proposals::await_task(tx, &req.effects, now)?;
                fault::point("mid-issue");
                let task = TaskRecord::submitted(req, now);
                insert(tx, &task, &*sealer)?;
                Ok(task)
            })
            .await
    }

    async fn confirm(&self, req: ConfirmTask) -> Result<TaskRecord, RegistryError> {
        let (now, sealer) = (self.now(), self.sealer());
        let task = self
            .database
            .write("confirm", move |tx| {
                let mut task = reach(tx, &req.id, &req.scope, &*sealer)?;
                if let Some((ticket, reply)) = req.settles {
                    calls::settle(tx, &ticket, &Settlement::Replied(reply))?;
                }
                let effects = effects_of_confirming(&task, now);
                proposals::apply(tx, effects, now, &*sealer, has_token(&task))?;
                fault::point("mid-confirm");
                task.confirm(req.deadline, now);
                update(tx, &task)?;
                Ok(task)
            })
            .await?;
        self.tell(tells(&task));
        Ok(task)
    }

    async fn discard(&self, req: DiscardTask) -> Result<(), RegistryError> {
        let (now, sealer) = (self.now(), self.sealer());
        self.database
            .write("discard", move |tx| {
                let task = reach(tx, &req.id, &req.scope, &*sealer)?;
                if !task.is_discardable() {
                    return Err(RegistryError::NotEnqueuing(req.id).into());
                }
                if let Some(ticket) = &req.releases {
                    calls::settle(tx, ticket, &Settlement::Released)?;
                }
                let release = task.effects.purchase.clone().map(|hold| Effect::Release { hold });
                proposals::apply(tx, release.into_iter().collect(), now, &*sealer, false)?;
                tx.prepare_cached(include_str!("sql/task_delete.sql"))?.execute(named_params! {
                    ":tenant": task.owner.tenant.as_str(), ":id": task.id.as_str(),
                })?;
                Ok(())
            })
            .await
    }

    async fn get(&self, id: &TaskId, scope: &Scope) -> Result<Option<TaskRecord>, RegistryError> {
        let (id, scope, sealer) = (id.clone(), scope.clone(), self.sealer());
        self.database
            .read("get", move |tx| {
                let found = find(tx, &id, &scope, &*sealer, row::shown_task)?;
                Ok(found.filter(|task| task.visible_to(&scope)))
            })
            .await
    }

    async fn list(&self, req: ListTasks) -> Result<TaskPage, RegistryError> {
        let sealer = self.sealer();
        self.database.read("list", move |tx| list::page(tx, &req, &*sealer)).await
    }

    async fn report(&self, req: ReportProgress) -> Result<(), RegistryError> {
        let (now, sealer, max_history) = (self.now(), self.sealer(), self.config.max_history);
        self.database
            .write("report", move |tx| {
                let mut task = reach(tx, &req.id, &req.scope, &*sealer)?;
                task.fence(req.lease.as_ref(), now)?;
                task.report(req.progress, now, max_history)?;
                update(tx, &task)
            })
            .await
    }

    async fn pause(&self, req: PauseTask) -> Result<(), RegistryError> {
        let (now, sealer) = (self.now(), self.sealer());
        self.database
            .write("pause", move |tx| {
                let mut task = reach(tx, &req.id, &req.scope, &*sealer)?;
                task.pause(req.pause, now)?;
                update(tx, &task)
            })
            .await
    }

    async fn finish(&self, req: FinishTask) -> Result<Finished, RegistryError> {
        let (now, sealer) = (self.now(), self.sealer());
        let (finished, task) = self
            .database
            .write("finish", move |tx| {
                let task = reach(tx, &req.id, &req.scope, &*sealer)?;
                task.fence(req.lease.as_ref(), now)?;
                finish(tx, task, req.outcome, &req.backing, now, &*sealer)
            })
            .await?;
        self.tell(finished == Finished::Now && tells(&task));
        Ok(finished)
    }

    async fn renew_lease(&self, req: RenewLease) -> Result<(), RegistryError> {
        let (now, sealer) = (self.now(), self.sealer());
        self.database
            .write("renew_lease", move |tx| {
                let mut task = reach(tx, &req.id, &req.scope, &*sealer)?;
                task.renew_lease(&req.token, req.within, now)?;
                update(tx, &task)
            })
            .await
    }

    async fn end_overdue(&self, req: EndOverdue) -> Result<Vec<TaskRecord>, RegistryError> {
        let (now, sealer) = (self.now(), self.sealer());
        let ended = self
            .database
            .write("end_overdue", move |tx| {
                let mut ended = Vec::new();
                for task in due(tx, &req, now, &*sealer)? {
                    let Some(why) = task.overdue(now) else { continue };
                    let outcome = Outcome::Failed(why);
                    ended.push(finish(tx, task, outcome, &Backing::default(), now, &*sealer)?.1);
                    fault::point("rescuer-mid-batch");
                }
                Ok(ended)
            })
            .await?;
        self.tell(ended.iter().any(tells));
        Ok(ended)
    }

    async fn claim_jobs(&self, req: ClaimJobs) -> Result<Vec<TaskRecord>, RegistryError> {
        let (now, sealer) = (self.now(), self.sealer());
        self.database.write("claim_jobs", move |tx| jobs::claim(tx, &req, now, &*sealer)).await
    }

    async fn release_job(&self, req: ReleaseJob) -> Result<(), RegistryError> {
        let (now, sealer) = (self.now(), self.sealer());
        self.database.write("release_job", move |tx| jobs::release(tx, &req, now, &*sealer)).await
    }
}

/// Ends a task with its effects.
fn finish(
    tx: &Transaction<'_>,
    mut task: TaskRecord,
    outcome: Outcome,
    backing: &Backing,
    now: Timestamp,
    sealer: &dyn Sealer,
) -> Result<(Finished, TaskRecord), Fail> {
    let effects = effects_of(&task, &outcome, backing, now);
    let finished = task.finish(outcome, now)?;
    if finished == Finished::Now {
        proposals::apply(tx, effects, now, sealer, has_token(&task))?;
        fault::point("mid-finish");
        update(tx, &task)?;
    }
    Ok((finished, task))
}

/// Whether the event of its end holds a token of the buyer.
fn has_token(task: &TaskRecord) -> bool {
    task.effects.notify.as_ref().is_some_and(|to| to.token.is_some())
}

/// A row that the scope covers.
pub(crate) fn find(
    tx: &Transaction<'_>,
    id: &TaskId,
    scope: &Scope,
    sealer: &dyn Sealer,
    read: impl Fn(&Row<'_>, &dyn Sealer) -> Result<TaskRecord, Fail>,
) -> Result<Option<TaskRecord>, Fail> {
    let bounds = Bounds::of(scope);
    let mut statement = tx.prepare_cached(include_str!("sql/task_get.sql"))?;
    let mut rows = statement.query(named_params! {
        ":tenant": bounds.tenant,
        ":id": id.as_str(),
        ":principal": bounds.principal,
        ":account": bounds.account,
    })?;
    rows.next()?.map(|found| read(found, sealer)).transpose()
}

/// A row for a write.
pub(crate) fn reach(
    tx: &Transaction<'_>,
    id: &TaskId,
    scope: &Scope,
    sealer: &dyn Sealer,
) -> Result<TaskRecord, Fail> {
    find(tx, id, scope, sealer, row::task)?.ok_or_else(|| RegistryError::UnknownTask(id.clone()).into())
}

fn due(
    tx: &Transaction<'_>,
    req: &EndOverdue,
    now: Timestamp,
    sealer: &dyn Sealer,
) -> Result<Vec<TaskRecord>, Fail> {
    let mut statement = tx.prepare_cached(include_str!("sql/tasks_overdue.sql"))?;
    let mut rows = statement.query(named_params! {
        ":tenant": req.tenant.as_ref().map(TenantId::as_str),
        ":now": now.as_micros(),
    })?;
    let mut tasks = Vec::new();
    while tasks.len() < req.limit {
        let Some(found) = rows.next()? else { break };
        match row::task(found, sealer) {
            Err(Fail::Unreadable(text)) if text.is_sealed() => {
                let id: String = found.get("id")?;
                tracing::error!(task_id = %id, "a task is overdue and does not end: no key opens its credentials");
            }
            task => tasks.push(task?),
        }
    }
    Ok(tasks)
}

fn insert(tx: &Transaction<'_>, task: &TaskRecord, sealer: &dyn Sealer) -> Result<(), Fail> {
    let effects = stored::write_effects(&task.effects, &task.id, sealer)?;
    let job = jobs::Columns::of(task);
    let inserted = tx.prepare_cached(include_str!("sql/task_insert.sql"))?.execute(named_params! {
        ":tenant": task.owner.tenant.as_str(),
        ":id": task.id.as_str(),
        ":account": row::write_account(task.owner.account.as_ref()),
        ":principal": task.owner.principal.as_str(),
        ":tool": task.tool,
        ":task_type": task.task_type,
        ":protocol": task.protocol,
        ":phase": row::write_phase(task.phase),
        ":status": task.status.as_str(),
        ":created_at": task.created_at.as_micros(),
        ":updated_at": task.updated_at.as_micros(),
        ":deadline": task.deadline.map(Timestamp::as_micros),
        ":lease_token": lease_token(task),
        ":lease_until": task.lease.map(|lease| lease.until.as_micros()),
        ":due_at": task.due_at().map(Timestamp::as_micros),
        ":context": task.context.as_ref().map(stored::write_object),
        ":effects": effects,
        ":has_webhook": task.has_webhook(),
        ":history": stored::write_history(&task.history),
        ":job_kind": job.kind,
        ":job_input": jobs::input(task, sealer)?,
        ":job_attempts": job.attempts,
        ":job_max_attempts": job.max_attempts,
        ":job_not_before": job.not_before,
        ":job_claimed_at": job.claimed_at,
        ":job_at": job.at,
    })?;
    if inserted == 1 { Ok(()) } else { Err(RegistryError::DuplicateTask(task.id.clone()).into()) }
}

pub(crate) fn update(tx: &Transaction<'_>, task: &TaskRecord) -> Result<(), Fail> {
    let job = jobs::Columns::of(task);
    tx.prepare_cached(include_str!("sql/task_update.sql"))?.execute(named_params! {
        ":tenant": task.owner.tenant.as_str(),
        ":id": task.id.as_str(),
        ":phase": row::write_phase(task.phase),
        ":status": task.status.as_str(),
        ":updated_at": task.updated_at.as_micros(),
        ":ended_at": task.ended_at.map(Timestamp::as_micros),
        ":deadline": task.deadline.map(Timestamp::as_micros),
        ":lease_token": lease_token(task),
        ":lease_until": task.lease.map(|lease| lease.until.as_micros()),
        ":due_at": task.due_at().map(Timestamp::as_micros),
        ":progress": task.progress.as_ref().map(stored::write_progress),
        ":question": task.question.as_ref().map(stored::write_object),
        ":outcome": task.outcome.as_ref().map(stored::write_outcome),
        ":history": stored::write_history(&task.history),
        ":job_attempts": job.attempts,
        ":job_not_before": job.not_before,
        ":job_claimed_at": job.claimed_at,
        ":job_at": job.at,
    })?;
    Ok(())
}

fn lease_token(task: &TaskRecord) -> Option<Vec<u8>> {
    task.lease.map(|lease| lease.token.as_bytes().to_vec())
}
