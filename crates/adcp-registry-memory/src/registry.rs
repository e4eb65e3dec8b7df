//! The registry: four tables behind one lock, so that what commits together is one critical section.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adcp_core::{
    Ages, Backing, CallStore, Capabilities, Claim, ClaimCall, ClaimJobs, Clock, ConfirmTask, DeleteDocument,
    Deleted, DiscardTask, Document, DocumentKey, DocumentPage, Effect, EndOverdue, FinishTask, Finished,
    Forget, Forgotten, Hold, IssueTask, ListDocuments, ListTasks, Outcome, Owner, PauseTask, ProposalKey,
    ProposalRecord, ProposalStore, PutDocument, Registry, RegistryError, ReleaseJob, RenewLease,
    ReportProgress, ReserveProposal, Reserved, ResolveCall, Scope, SettleCall, Settlement, SystemClock,
    TaskId, TaskPage, TaskRecord, TaskRegistry, TenantId, Ticket, Timestamp, UnresolvedCall, Wrote,
    effects_of, effects_of_confirming,
};
use adcp_types::json::JsonObject;
use async_trait::async_trait;

use crate::calls::{Calls, Held};
use crate::config::MemoryLimits;
use crate::documents::Documents;
use crate::ledger::Ledger;
use crate::outbox::Outbox;
use crate::tasks::Tasks;

/// A registry in the memory of this process.
pub struct MemoryRegistry {
    tables: Mutex<Tables>,
    clock: Arc<dyn Clock>,
    limits: MemoryLimits,
}

#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) tasks: Tasks,
    pub(crate) calls: Calls,
    pub(crate) ledger: Ledger,
    pub(crate) outbox: Outbox,
    documents: Documents,
}

impl MemoryRegistry {
    /// A registry that forgets every accepted task when the process ends.
    #[must_use]
    pub fn volatile() -> Self {
        Self { tables: Mutex::default(), clock: Arc::new(SystemClock::new()), limits: MemoryLimits::new() }
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the bounds.
    #[must_use]
    pub const fn with_limits(mut self, limits: MemoryLimits) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) const fn limits(&self) -> &MemoryLimits {
        &self.limits
    }

    /// The tables, and the time, which is taken under the lock: what is written later is not dated earlier. A panic
    /// elsewhere cannot leave them half-written: every change is made after all checks.
    pub(crate) fn tables(&self) -> (MutexGuard<'_, Tables>, Timestamp) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        tables.ledger.tidy(now, &self.limits);
        (tables, now)
    }
}

impl fmt::Debug for MemoryRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRegistry").field("limits", &self.limits).finish_non_exhaustive()
    }
}

#[async_trait]
impl adcp_core::Documents for MemoryRegistry {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, RegistryError> {
        Ok(self.tables().0.documents.get(key))
    }

    async fn put_document(&self, req: PutDocument) -> Result<Wrote, RegistryError> {
        let (mut tables, now) = self.tables();
        tables.documents.put(req, now, &self.limits)
    }

    async fn delete_document(&self, req: DeleteDocument) -> Result<Deleted, RegistryError> {
        Ok(self.tables().0.documents.delete(&req))
    }

    async fn list_documents(&self, req: ListDocuments) -> Result<DocumentPage, RegistryError> {
        Ok(self.tables().0.documents.list(&req))
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    fn capabilities(&self) -> Capabilities {
        Capabilities::volatile()
    }

    async fn forget(&self, req: Forget) -> Result<Forgotten, RegistryError> {
        let (mut tables, now) = self.tables();
        Ok(tables.forget(req, now))
    }

    async fn ages(&self) -> Result<Ages, RegistryError> {
        let (tables, now) = self.tables();
        Ok(tables.ages(now))
    }
}

impl Tables {
    /// Ends a task with its effects: everything is checked on copies before anything is written.
    fn finish(
        &mut self,
        mut task: TaskRecord,
        outcome: Outcome,
        backing: &Backing,
        now: Timestamp,
        limits: &MemoryLimits,
    ) -> Result<(Finished, TaskRecord), RegistryError> {
        let effects = effects_of(&task, &outcome, backing, now);
        let finished = task.finish(outcome, now)?;
        if finished == Finished::Now {
            let plan = self.ledger.plan(effects, now, limits)?;
            let events = self.ledger.apply(plan);
            self.outbox.queue(events, now);
            self.tasks.put(task.clone());
        }
        Ok((finished, task))
    }

    /// Checks a claim and makes its reply ready, without writing.
    fn ready(&self, settles: Option<(&Ticket, &Settlement)>) -> Result<Option<Ready>, RegistryError> {
        let Some((ticket, settlement)) = settles else { return Ok(None) };
        let held = self.calls.held(ticket)?;
        Ok(Some(Ready { held, settlement: settlement.clone(), text: Calls::text(settlement)? }))
    }

    fn settle(&mut self, ready: Option<Ready>) {
        if let Some(Ready { held, settlement, text }) = ready {
            self.calls.settle(&held, &settlement, text);
        }
    }
}

/// A settlement that cannot fail any more.
struct Ready {
    held: Held,
    settlement: Settlement,
    text: Option<Box<[u8]>>,
}

fn replied(settles: Option<(Ticket, JsonObject)>) -> Option<(Ticket, Settlement)> {
    settles.map(|(ticket, reply)| (ticket, Settlement::Replied(reply)))
}

#[async_trait]
impl TaskRegistry for MemoryRegistry {
    async fn issue(&self, mut req: IssueTask) -> Result<TaskRecord, RegistryError> {
        let (mut tables, now) = self.tables();
        let tables = &mut *tables;
        tables.tasks.admit(&req, &self.limits)?;
        let settles = replied(req.settles.take());
        let ready = tables.ready(settles.as_ref().map(|(ticket, settlement)| (ticket, settlement)))?;
        if let Some(hold) = &req.effects.purchase {
            tables.ledger.renew(hold, None, now)?;
        }
        tables.ledger.await_task(&req.effects, now);
        tables.settle(ready);
        let task = TaskRecord::submitted(req, now);
        tables.tasks.put(task.clone());
        Ok(task)
    }

    async fn confirm(&self, req: ConfirmTask) -> Result<TaskRecord, RegistryError> {
        let (mut tables, now) = self.tables();
        let tables = &mut *tables;
        let mut task = tables.tasks.reach(&req.id, &req.scope)?.clone();
        let settles = replied(req.settles);
        let ready = tables.ready(settles.as_ref().map(|(ticket, settlement)| (ticket, settlement)))?;
        let plan = tables.ledger.plan(effects_of_confirming(&task, now), now, &self.limits)?;
        task.confirm(req.deadline, now);
        let events = tables.ledger.apply(plan);
        tables.outbox.queue(events, now);
        tables.settle(ready);
        tables.tasks.put(task.clone());
        Ok(task)
    }

    async fn discard(&self, req: DiscardTask) -> Result<(), RegistryError> {
        let (mut tables, now) = self.tables();
        let tables = &mut *tables;
        let task = tables.tasks.reach(&req.id, &req.scope)?;
        if !task.is_discardable() {
            return Err(RegistryError::NotEnqueuing(req.id));
        }
        let release = task.effects.purchase.clone().map(|hold| Effect::Release { hold });
        let ready = tables.ready(req.releases.as_ref().map(|ticket| (ticket, &Settlement::Released)))?;
        let plan = tables.ledger.plan(release.into_iter().collect(), now, &self.limits)?;
        tables.ledger.apply(plan);
        tables.settle(ready);
        tables.tasks.remove(&req.id);
        Ok(())
    }

    async fn get(&self, id: &TaskId, scope: &Scope) -> Result<Option<TaskRecord>, RegistryError> {
        Ok(self.tables().0.tasks.get(id, scope).cloned())
    }

    async fn list(&self, req: ListTasks) -> Result<TaskPage, RegistryError> {
        Ok(self.tables().0.tasks.list(&req))
    }

    async fn report(&self, req: ReportProgress) -> Result<(), RegistryError> {
        let (mut tables, now) = self.tables();
        let tables = &mut *tables;
        let mut task = tables.tasks.reach(&req.id, &req.scope)?.clone();
        task.fence(req.lease.as_ref(), now)?;
        task.report(req.progress, now, self.limits.max_history)?;
        tables.tasks.put(task);
        Ok(())
    }

    async fn pause(&self, req: PauseTask) -> Result<(), RegistryError> {
        let (mut tables, now) = self.tables();
        let tables = &mut *tables;
        let mut task = tables.tasks.reach(&req.id, &req.scope)?.clone();
        task.pause(req.pause, now)?;
        tables.tasks.put(task);
        Ok(())
    }

    async fn finish(&self, req: FinishTask) -> Result<Finished, RegistryError> {
        let (mut tables, now) = self.tables();
        let tables = &mut *tables;
        let task = tables.tasks.reach(&req.id, &req.scope)?.clone();
        task.fence(req.lease.as_ref(), now)?;
        tables.finish(task, req.outcome, &req.backing, now, &self.limits).map(|(finished, _)| finished)
    }

    async fn renew_lease(&self, req: RenewLease) -> Result<(), RegistryError> {
        let (mut tables, now) = self.tables();
        let tables = &mut *tables;
        let mut task = tables.tasks.reach(&req.id, &req.scope)?.clone();
        task.renew_lease(&req.token, req.within, now)?;
        tables.tasks.put(task);
        Ok(())
    }

    async fn end_overdue(&self, req: EndOverdue) -> Result<Vec<TaskRecord>, RegistryError> {
        let (mut tables, now) = self.tables();
        let tables = &mut *tables;
        let overdue = tables.tasks.overdue(req.tenant.as_ref(), now, req.limit);
        let end = |(task, why)| {
            let outcome = Outcome::Failed(why);
            tables.finish(task, outcome, &Backing::default(), now, &self.limits).map(|(_, task)| task)
        };
        overdue.into_iter().map(end).collect()
    }

    async fn claim_jobs(&self, req: ClaimJobs) -> Result<Vec<TaskRecord>, RegistryError> {
        let (mut tables, now) = self.tables();
        tables.tasks.claim(&req, now)
    }

    async fn release_job(&self, req: ReleaseJob) -> Result<(), RegistryError> {
        let (mut tables, now) = self.tables();
        let tables = &mut *tables;
        let mut task = tables.tasks.reach(&req.id, &req.scope)?.clone();
        task.release(&req, now)?;
        tables.tasks.put(task);
        Ok(())
    }
}

#[async_trait]
impl CallStore for MemoryRegistry {
    async fn claim_call(&self, req: ClaimCall) -> Result<Claim, RegistryError> {
        let (mut tables, now) = self.tables();
        tables.calls.claim(req, now, &self.limits)
    }

    async fn settle_call(&self, req: SettleCall) -> Result<(), RegistryError> {
        let (mut tables, now) = self.tables();
        let tables = &mut *tables;
        let ready = tables.ready(req.ticket.as_ref().map(|ticket| (ticket, &req.settlement)))?;
        let plan = tables.ledger.plan(req.effects, now, &self.limits)?;
        tables.outbox.admit(plan.events.len(), &self.limits)?;
        tables.settle(ready);
        let events = tables.ledger.apply(plan);
        tables.outbox.queue(events, now);
        Ok(())
    }

    async fn unresolved_calls(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<Vec<UnresolvedCall>, RegistryError> {
        Ok(self.tables().0.calls.unresolved(tenant, limit))
    }

    async fn resolve_call(&self, req: ResolveCall) -> Result<bool, RegistryError> {
        Ok(self.tables().0.calls.resolve(&req.key, req.resolution))
    }
}

#[async_trait]
impl ProposalStore for MemoryRegistry {
    async fn proposal(&self, key: &ProposalKey) -> Result<Option<ProposalRecord>, RegistryError> {
        let (tables, now) = self.tables();
        Ok(tables.ledger.get(key, now).cloned())
    }

    async fn proposal_of_buy(
        &self,
        owner: &Owner,
        media_buy_id: &str,
    ) -> Result<Option<ProposalRecord>, RegistryError> {
        let (tables, now) = self.tables();
        Ok(tables.ledger.of_buy(owner, media_buy_id, now).cloned())
    }

    async fn reserve(&self, req: ReserveProposal) -> Result<Reserved, RegistryError> {
        let (mut tables, now) = self.tables();
        tables.ledger.reserve(&req, now)
    }

    async fn renew_hold(&self, hold: &Hold, lease: Duration) -> Result<(), RegistryError> {
        let (mut tables, now) = self.tables();
        tables.ledger.renew(hold, Some(lease), now)
    }
}
