//! A registry that is away for as many writes as a test says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use adcp_core::{
    Ages, CallStore, Capabilities, Changes, Claim, ClaimCall, ClaimDeliveries, ClaimJobs, ClaimedDeliveries,
    ConfirmTask, DeleteDocument, Deleted, DeliveryDetail, DeliveryOutbox, DeliveryPage, DiscardTask,
    Document, DocumentKey, DocumentPage, Documents, EndOverdue, EndpointRecord, Event, EventKey,
    ExpireDeliveries, FinishTask, Finished, Forget, Forgotten, Hold, IssueTask, ListDeliveries,
    ListDocuments, ListEndpoints, ListEvents, ListTasks, Owner, PauseTask, ProposalKey, ProposalRecord,
    ProposalStore, PublishEvents, Published, PutDocument, RecordAttempts, Recorded, Redeliver, Redelivered,
    Registry, RegistryError, ReleaseJob, RenewDeliveries, RenewLease, ReportProgress, ReserveProposal,
    Reserved, ResolveCall, Scope, SettleCall, TaskId, TaskPage, TaskRecord, TaskRegistry, TenantId,
    UnresolvedCall, Wrote,
};
use adcp_registry_memory::MemoryRegistry;
use async_trait::async_trait;

/// Fails the next writes of each kind, so many as are set, and then works.
#[derive(Debug)]
pub(crate) struct Flaky {
    pub(crate) inner: Arc<MemoryRegistry>,
    pub(crate) issues: AtomicUsize,
    pub(crate) finishes: AtomicUsize,
    pub(crate) confirms: AtomicUsize,
    pub(crate) discards: AtomicUsize,
    pub(crate) renewals: AtomicUsize,
    pub(crate) settlements: AtomicUsize,
    pub(crate) claims: AtomicUsize,
    pub(crate) releases: AtomicUsize,
    pub(crate) batches: AtomicUsize,
    /// How many batches were asked for, also those that failed.
    pub(crate) forgets: AtomicUsize,
    /// How many claims of jobs are heard of when their leases are over already.
    pub(crate) late_claims: AtomicUsize,
    /// Set for a store that has nothing to seal credentials with.
    pub(crate) keyless: AtomicBool,
}

impl Flaky {
    pub(crate) fn new() -> Arc<Self> {
        Self::over(Arc::new(MemoryRegistry::volatile()))
    }

    pub(crate) fn over(inner: Arc<MemoryRegistry>) -> Arc<Self> {
        let none = || AtomicUsize::new(0);
        Arc::new(Self {
            inner,
            issues: none(),
            finishes: none(),
            confirms: none(),
            discards: none(),
            renewals: none(),
            settlements: none(),
            claims: none(),
            releases: none(),
            batches: none(),
            forgets: none(),
            late_claims: none(),
            keyless: AtomicBool::new(false),
        })
    }
}

fn gate(left: &AtomicUsize, op: &'static str) -> Result<(), RegistryError> {
    match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
        Ok(_) => Err(RegistryError::Unavailable { op, source: "db-7.internal refused".into() }),
        Err(_) => Ok(()),
    }
}

#[async_trait]
impl TaskRegistry for Flaky {
    async fn issue(&self, req: IssueTask) -> Result<TaskRecord, RegistryError> {
        gate(&self.issues, "issue")?;
        self.inner.issue(req).await
    }

    async fn confirm(&self, req: ConfirmTask) -> Result<TaskRecord, RegistryError> {
        gate(&self.confirms, "confirm")?;
        self.inner.confirm(req).await
    }

    async fn discard(&self, req: DiscardTask) -> Result<(), RegistryError> {
        gate(&self.discards, "discard")?;
        self.inner.discard(req).await
    }

    async fn renew_lease(&self, req: RenewLease) -> Result<(), RegistryError> {
        gate(&self.renewals, "renew_lease")?;
        self.inner.renew_lease(req).await
    }

    async fn get(&self, id: &TaskId, scope: &Scope) -> Result<Option<TaskRecord>, RegistryError> {
        self.inner.get(id, scope).await
    }

    async fn list(&self, req: ListTasks) -> Result<TaskPage, RegistryError> {
        self.inner.list(req).await
    }

    async fn report(&self, req: ReportProgress) -> Result<(), RegistryError> {
        self.inner.report(req).await
    }

    async fn pause(&self, req: PauseTask) -> Result<(), RegistryError> {
        self.inner.pause(req).await
    }

    async fn finish(&self, req: FinishTask) -> Result<Finished, RegistryError> {
        gate(&self.finishes, "finish")?;
        self.inner.finish(req).await
    }

    async fn end_overdue(&self, req: EndOverdue) -> Result<Vec<TaskRecord>, RegistryError> {
        self.inner.end_overdue(req).await
    }

    async fn claim_jobs(&self, req: ClaimJobs) -> Result<Vec<TaskRecord>, RegistryError> {
        gate(&self.claims, "claim_jobs")?;
        let within = req.lease;
        let claimed = self.inner.claim_jobs(req).await?;
        if !claimed.is_empty() && gate(&self.late_claims, "claim_jobs").is_err() {
            tokio::time::sleep(within + Duration::from_secs(1)).await;
        }
        Ok(claimed)
    }

    async fn release_job(&self, req: ReleaseJob) -> Result<(), RegistryError> {
        gate(&self.releases, "release_job")?;
        self.inner.release_job(req).await
    }
}

#[async_trait]
impl CallStore for Flaky {
    async fn claim_call(&self, req: ClaimCall) -> Result<Claim, RegistryError> {
        self.inner.claim_call(req).await
    }

    async fn settle_call(&self, req: SettleCall) -> Result<(), RegistryError> {
        gate(&self.settlements, "settle_call")?;
        self.inner.settle_call(req).await
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
impl ProposalStore for Flaky {
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
        self.inner.reserve(req).await
    }

    async fn renew_hold(&self, hold: &Hold, lease: Duration) -> Result<(), RegistryError> {
        self.inner.renew_hold(hold, lease).await
    }
}

#[async_trait]
impl DeliveryOutbox for Flaky {
    async fn events(&self, req: ListEvents) -> Result<Vec<Event>, RegistryError> {
        self.inner.events(req).await
    }

    async fn publish(&self, req: PublishEvents) -> Result<Vec<Published>, RegistryError> {
        self.inner.publish(req).await
    }

    async fn claim_deliveries(&self, req: ClaimDeliveries) -> Result<ClaimedDeliveries, RegistryError> {
        self.inner.claim_deliveries(req).await
    }

    async fn renew_deliveries(&self, req: RenewDeliveries) -> Result<Vec<Recorded>, RegistryError> {
        self.inner.renew_deliveries(req).await
    }

    async fn record_attempts(&self, req: RecordAttempts) -> Result<Vec<Recorded>, RegistryError> {
        self.inner.record_attempts(req).await
    }

    async fn expire_deliveries(&self, req: ExpireDeliveries) -> Result<usize, RegistryError> {
        self.inner.expire_deliveries(req).await
    }

    async fn deliveries(&self, req: ListDeliveries) -> Result<DeliveryPage, RegistryError> {
        self.inner.deliveries(req).await
    }

    async fn delivery(&self, key: &EventKey, scope: &Scope) -> Result<Option<DeliveryDetail>, RegistryError> {
        self.inner.delivery(key, scope).await
    }

    async fn redeliver(&self, req: Redeliver) -> Result<Vec<(EventKey, Redelivered)>, RegistryError> {
        self.inner.redeliver(req).await
    }

    async fn endpoints(&self, req: ListEndpoints) -> Result<Vec<EndpointRecord>, RegistryError> {
        self.inner.endpoints(req).await
    }

    fn changes(&self) -> Changes {
        self.inner.changes()
    }
}

#[async_trait]
impl Documents for Flaky {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, RegistryError> {
        self.inner.document(key).await
    }

    async fn put_document(&self, req: PutDocument) -> Result<Wrote, RegistryError> {
        self.inner.put_document(req).await
    }

    async fn delete_document(&self, req: DeleteDocument) -> Result<Deleted, RegistryError> {
        self.inner.delete_document(req).await
    }

    async fn list_documents(&self, req: ListDocuments) -> Result<DocumentPage, RegistryError> {
        self.inner.list_documents(req).await
    }
}

#[async_trait]
impl Registry for Flaky {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities().keeping_credentials(!self.keyless.load(Ordering::SeqCst))
    }

    async fn forget(&self, req: Forget) -> Result<Forgotten, RegistryError> {
        self.forgets.fetch_add(1, Ordering::SeqCst);
        gate(&self.batches, "forget")?;
        self.inner.forget(req).await
    }

    async fn ages(&self) -> Result<Ages, RegistryError> {
        self.inner.ages().await
    }
}
