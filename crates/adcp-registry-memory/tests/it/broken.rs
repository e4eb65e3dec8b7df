//! A registry with one fault, to show that the kit finds it.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adcp_core::{
    Ages, CallKey, CallStore, Capabilities, Claim, ClaimCall, ClaimJobs, ConfirmTask, DeliveryOutbox as _,
    DiscardTask, Effect, Effects, EndOverdue, EventKey, FinishTask, Finished, Forget, Forgotten, Hold,
    IssueTask, ListEvents, ListTasks, Owner, PauseTask, ProposalKey, ProposalRecord, ProposalRefusal,
    ProposalState, ProposalStore, Registry, RegistryError, ReleaseJob, RenewLease, ReportProgress,
    ReserveProposal, Reserved, Resolution, ResolveCall, Retention, Scope, SettleCall, Settlement, TaskId,
    TaskPage, TaskPhase, TaskRecord, TaskRegistry, TenantId, Ticket, UnresolvedCall,
};
use adcp_registry_memory::MemoryRegistry;
use async_trait::async_trait;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// None: what the wrapper does by itself changes nothing.
    Nothing,
    ReadsAcrossAccounts,
    ListsAcrossAccounts,
    ShowsEnqueuedTasks,
    AcceptsASecondEnd,
    RepeatsAnEnd,
    LosesTheEvent,
    LosesThePurchase,
    QueuesTheEventTwice,
    RendersTheEventAgain,
    ForgetsHistory,
    KeepsTheReservationOfADiscardedTask,
    ConfirmsWithAStaleTicket,
    ReservesInTwoSteps,
    ClaimsInTwoSteps,
    AcceptsAStaleTicket,
    WritesEffectsOneByOne,
    RecordsTheReplyFirst,
    RunsAnExpiredKeyAgain,
    RenewsALostHold,
    ReleasesForAnybody,
    NeverReleases,
    EndsOverdueSilently,
    RenewsALostLease,
    HearsALostLease,
    BoundsWhatIsInFlightInTwoSteps,
    ClaimsEveryKind,
    ClaimsTheOldestOfAll,
    ClaimsWhatIsHeld,
    ClaimsWithoutALease,
    CountsAttemptsAtTheEnd,
    CountsAttemptsWhenRecorded,
    CountsRefusalsAsFailures,
    ForgetsTheWait,
    ForgetsWhoRedelivered,
    ListsDeliveriesOfOthers,
    LosesTheEffectsOfJobs,
    NeverForgetsAClaim,
    PausesNothing,
    PublishesTwice,
    RecordsAClaimTwice,
    RecordsALostClaim,
    RedeliversForAnyTenant,
    RedeliversUnderAnotherKey,
    ReleasesForAnyToken,
    RenewsALostClaim,
    RingsForNobody,
    ServesTenantsOneByOne,
    ShowsDeliveriesToOthers,
    ComparesAndSetsInTwoSteps,
    IgnoresRevisions,
    ListsDocumentsOfOthers,
    SharesDocumentsOfAnAccount,
    ForgetsTooEarly,
    ForgetsWithoutABatch,
    ForgetsUnresolvedCalls,
    ForgetsDeadLetters,
    CountsForgottenRowsTwice,
    LosesAges,
    KeepsWhatFailed,
}

#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) inner: MemoryRegistry,
    pub(crate) fault: Fault,
    claimed: Mutex<HashSet<CallKey>>,
    /// Kinds of the jobs that were issued, and the jobs that were claimed.
    kinds: Mutex<HashSet<String>>,
    held: Mutex<Vec<TaskRecord>>,
    /// Whether writes fail at their end. What they wrote stays: nothing in memory can be undone.
    failing: AtomicBool,
}

impl Broken {
    pub(crate) fn new(inner: MemoryRegistry, fault: Fault) -> Self {
        Self {
            inner,
            fault,
            claimed: Mutex::default(),
            kinds: Mutex::default(),
            held: Mutex::default(),
            failing: AtomicBool::new(false),
        }
    }

    pub(crate) fn fail(&self, fail: bool) {
        self.failing.store(fail, Ordering::SeqCst);
    }

    /// What a write answers.
    pub(crate) fn answer<T>(&self, done: Result<T, RegistryError>) -> Result<T, RegistryError> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(RegistryError::Unavailable { op: "commit", source: "a fault of the test".into() });
        }
        done
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// Shows the attempt of a job as not counted while it runs.
    fn count_late(&self, task: &mut TaskRecord) {
        if self.has(Fault::CountsAttemptsAtTheEnd)
            && let Some(job) = task.job.as_mut().filter(|_| task.lease.is_some())
        {
            job.attempts -= 1;
        }
    }

    async fn see_all(&self, id: &TaskId, scope: &Scope) -> Result<Option<TaskRecord>, RegistryError> {
        self.inner.get(id, &everything(scope)).await
    }
}

pub(crate) fn everything(scope: &Scope) -> Scope {
    match scope {
        Scope::Caller { tenant, .. } | Scope::Principal { tenant, .. } | Scope::Operator { tenant } => {
            Scope::Operator { tenant: tenant.clone() }
        }
        _ => unreachable!("three kinds of scope"),
    }
}

/// Long enough that whoever else is about to do the same has looked, too.
pub(crate) async fn dawdle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[async_trait]
impl TaskRegistry for Broken {
    async fn issue(&self, mut req: IssueTask) -> Result<TaskRecord, RegistryError> {
        if self.has(Fault::LosesTheEvent) {
            req.effects.notify = None;
        }
        if let Some(order) = &mut req.job {
            self.kinds.lock().unwrap().insert(order.kind.clone());
            if self.has(Fault::CountsAttemptsAtTheEnd) {
                order.max_attempts = 1000;
            }
            if self.has(Fault::LosesTheEffectsOfJobs) {
                req.effects = Effects::none();
            }
        }
        if self.has(Fault::LosesThePurchase) {
            req.effects.purchase = None;
        }
        if self.has(Fault::RecordsTheReplyFirst)
            && let Some((ticket, reply)) = req.settles.take()
        {
            self.inner.settle_call(SettleCall::new(ticket, Settlement::Replied(reply))).await?;
        }
        self.answer(self.inner.issue(req).await)
    }

    async fn confirm(&self, req: ConfirmTask) -> Result<TaskRecord, RegistryError> {
        let mut again = req.clone();
        again.settles = None;
        match self.inner.confirm(req).await {
            Err(RegistryError::StaleTicket) if self.has(Fault::ConfirmsWithAStaleTicket) => {
                self.inner.confirm(again).await
            }
            result => result,
        }
    }

    async fn discard(&self, req: DiscardTask) -> Result<(), RegistryError> {
        let task = self.see_all(&req.id, &req.scope).await?;
        self.inner.discard(req).await?;
        if self.has(Fault::KeepsTheReservationOfADiscardedTask)
            && let Some(hold) = task.and_then(|task| task.effects.purchase)
        {
            self.inner.reserve(ReserveProposal::new(hold.key).with_lease(Duration::MAX)).await?;
        }
        Ok(())
    }

    async fn renew_lease(&self, req: RenewLease) -> Result<(), RegistryError> {
        match self.inner.renew_lease(req).await {
            Err(RegistryError::LeaseLost(_)) if self.has(Fault::RenewsALostLease) => Ok(()),
            result => result,
        }
    }

    async fn get(&self, id: &TaskId, scope: &Scope) -> Result<Option<TaskRecord>, RegistryError> {
        let mut found = self.inner.get(id, scope).await?;
        let all = self.see_all(id, scope).await?;
        match self.fault {
            Fault::ReadsAcrossAccounts => {
                found = found.or_else(|| all.filter(|task| task.phase == TaskPhase::Open))
            }
            Fault::ShowsEnqueuedTasks => {
                found = found.or_else(|| all.filter(|task| scope.covers(&task.owner)))
            }
            Fault::ForgetsHistory => {
                if let Some(task) = &mut found {
                    let surplus = task.history.len().saturating_sub(3);
                    task.history.drain(..surplus);
                }
            }
            _ => {}
        }
        if let Some(task) = &mut found {
            self.count_late(task);
        }
        Ok(found)
    }

    async fn list(&self, mut req: ListTasks) -> Result<TaskPage, RegistryError> {
        if self.has(Fault::ListsAcrossAccounts) {
            req.scope = everything(&req.scope);
        }
        self.inner.list(req).await
    }

    async fn report(&self, req: ReportProgress) -> Result<(), RegistryError> {
        self.inner.report(req).await
    }

    async fn pause(&self, req: PauseTask) -> Result<(), RegistryError> {
        self.inner.pause(req).await
    }

    async fn finish(&self, req: FinishTask) -> Result<Finished, RegistryError> {
        let scope = everything(&req.scope);
        let events = ListEvents::new(scope).of_task(req.id.clone());
        let anyway = req.clone().under(None);
        match self.answer(self.inner.finish(req).await) {
            Err(RegistryError::LeaseLost(_)) if self.has(Fault::HearsALostLease) => {
                self.inner.finish(anyway).await
            }
            Err(RegistryError::AlreadyEnded(_)) if self.has(Fault::AcceptsASecondEnd) => Ok(Finished::Before),
            Ok(Finished::Before) if self.has(Fault::RepeatsAnEnd) => Ok(Finished::Now),
            Ok(Finished::Now) if self.has(Fault::QueuesTheEventTwice) => {
                let mut queued = self.inner.events(events).await?;
                for event in &mut queued {
                    event.key = EventKey::random().unwrap();
                }
                let queued = queued.into_iter().map(Effect::Queue).collect();
                self.inner.settle_call(SettleCall::new(None, Settlement::Released).applying(queued)).await?;
                Ok(Finished::Now)
            }
            result => result,
        }
    }

    async fn end_overdue(&self, req: EndOverdue) -> Result<Vec<TaskRecord>, RegistryError> {
        let ended = self.answer(self.inner.end_overdue(req).await)?;
        Ok(if self.has(Fault::EndsOverdueSilently) { Vec::new() } else { ended })
    }

    async fn claim_jobs(&self, mut req: ClaimJobs) -> Result<Vec<TaskRecord>, RegistryError> {
        let limit = req.limit;
        if self.has(Fault::ClaimsEveryKind) {
            req.kinds.extend(self.kinds.lock().unwrap().iter().cloned());
        }
        if self.has(Fault::ClaimsTheOldestOfAll) {
            req.limit = 1000;
        }
        let mut claimed = self.inner.claim_jobs(req).await?;
        if self.has(Fault::ClaimsTheOldestOfAll) {
            claimed.sort_by_key(|task| task.created_at);
            for task in claimed.split_off(limit.min(claimed.len())) {
                let token = task.lease.unwrap().token;
                let back = ReleaseJob::new(task.id, task.owner.scope(), token).uncounted();
                self.inner.release_job(back).await?;
            }
        }
        if self.has(Fault::ClaimsWhatIsHeld) {
            let mut held = self.held.lock().unwrap();
            held.extend(claimed.iter().cloned());
            claimed = held.iter().rev().take(limit).cloned().collect();
        }
        claimed.iter_mut().for_each(|task| self.count_late(task));
        Ok(claimed)
    }

    async fn release_job(&self, mut req: ReleaseJob) -> Result<(), RegistryError> {
        if self.has(Fault::ForgetsTheWait) {
            req.again_in = Duration::ZERO;
        }
        if self.has(Fault::ReleasesForAnyToken)
            && let Some(lease) = self.see_all(&req.id, &req.scope).await?.and_then(|task| task.lease)
        {
            req.token = lease.token;
        }
        self.inner.release_job(req).await
    }
}

#[async_trait]
impl CallStore for Broken {
    async fn claim_call(&self, req: ClaimCall) -> Result<Claim, RegistryError> {
        let key = req.key.clone();
        let new = !self.claimed.lock().unwrap().contains(&key);
        if self.has(Fault::ClaimsInTwoSteps) && new {
            dawdle().await;
        }
        let claim = self.answer(self.inner.claim_call(req).await)?;
        self.claimed.lock().unwrap().insert(key.clone());
        let forged = || Claim::First(Ticket::new(key.clone(), [7; 16]));
        Ok(match claim {
            Claim::InFlight if self.has(Fault::ClaimsInTwoSteps) && new => forged(),
            Claim::Expired if self.has(Fault::RunsAnExpiredKeyAgain) => forged(),
            claim => claim,
        })
    }

    async fn settle_call(&self, mut req: SettleCall) -> Result<(), RegistryError> {
        if self.has(Fault::NeverReleases) {
            req.effects.retain(|effect| !matches!(effect, Effect::Release { .. }));
        }
        if self.has(Fault::ReleasesForAnybody) {
            for effect in &mut req.effects {
                if let Effect::Release { hold } = effect
                    && let Some(token) = self.inner.proposal(&hold.key).await?.and_then(|record| record.hold)
                {
                    hold.token = token;
                }
            }
        }
        if self.has(Fault::WritesEffectsOneByOne) {
            for effect in std::mem::take(&mut req.effects) {
                let one = SettleCall::new(None, Settlement::Released).applying(vec![effect]);
                self.inner.settle_call(one).await?;
            }
        }
        let mut late = req.clone();
        late.ticket = None;
        match self.inner.settle_call(req).await {
            Err(RegistryError::StaleTicket) if self.has(Fault::AcceptsAStaleTicket) => {
                self.inner.settle_call(late).await
            }
            result => result,
        }
    }

    async fn unresolved_calls(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<Vec<UnresolvedCall>, RegistryError> {
        self.inner.unresolved_calls(tenant, limit).await
    }

    async fn resolve_call(&self, req: ResolveCall) -> Result<bool, RegistryError> {
        self.inner.resolve_call(req).await
    }
}

#[async_trait]
impl ProposalStore for Broken {
    async fn proposal(&self, key: &ProposalKey) -> Result<Option<ProposalRecord>, RegistryError> {
        self.inner.proposal(key).await
    }

    async fn proposal_of_buy(
        &self,
        owner: &Owner,
        media_buy_id: &str,
    ) -> Result<Option<ProposalRecord>, RegistryError> {
        self.inner.proposal_of_buy(owner, media_buy_id).await
    }

    async fn reserve(&self, req: ReserveProposal) -> Result<Reserved, RegistryError> {
        if !self.has(Fault::ReservesInTwoSteps) {
            return self.answer(self.inner.reserve(req).await);
        }
        let key = req.key.clone();
        let seen = self.inner.proposal(&key).await?;
        dawdle().await;
        match (self.inner.reserve(req).await?, seen) {
            (Reserved::Refused(ProposalRefusal::Consuming), Some(record))
                if record.state == ProposalState::Committed =>
            {
                Ok(Reserved::Held { hold: Hold::new(key, [7; 16]), proposal: Box::new(record) })
            }
            (reserved, _) => Ok(reserved),
        }
    }

    async fn renew_hold(&self, hold: &Hold, lease: Duration) -> Result<(), RegistryError> {
        match self.inner.renew_hold(hold, lease).await {
            Err(RegistryError::Proposal(_)) if self.has(Fault::RenewsALostHold) => Ok(()),
            result => result,
        }
    }
}

#[async_trait]
impl Registry for Broken {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn forget(&self, mut req: Forget) -> Result<Forgotten, RegistryError> {
        match self.fault {
            Fault::ForgetsTooEarly => req.retention = Retention::new().with_tasks(Duration::ZERO),
            Fault::ForgetsDeadLetters => req.retention = req.retention.with_dead_letters(Duration::ZERO),
            Fault::ForgetsWithoutABatch => req.limit = usize::MAX,
            _ => {}
        }
        let mut gone = self.inner.forget(req).await?;
        if self.has(Fault::ForgetsUnresolvedCalls) {
            let claimed: Vec<CallKey> = self.claimed.lock().unwrap().drain().collect();
            for key in claimed {
                self.inner.resolve_call(ResolveCall::new(key, Resolution::Released)).await?;
            }
        }
        if self.has(Fault::CountsForgottenRowsTwice) {
            gone.tasks *= 2;
        }
        Ok(gone)
    }

    async fn ages(&self) -> Result<Ages, RegistryError> {
        let ages = self.inner.ages().await?;
        Ok(if self.has(Fault::LosesAges) { Ages::default() } else { ages })
    }
}
