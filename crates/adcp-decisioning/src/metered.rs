//! The registry of an agent with everything counted that passes through: one place, so that no path is left out.

use std::sync::Arc;
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
use async_trait::async_trait;

use crate::metric;

#[derive(Debug)]
pub(crate) struct Metered(pub(crate) Arc<dyn Registry>);

#[async_trait]
impl TaskRegistry for Metered {
    async fn issue(&self, req: IssueTask) -> Result<TaskRecord, RegistryError> {
        let issued = metric::seen(self.0.issue(req).await)?;
        metric::issued(&issued.tool);
        Ok(issued)
    }

    async fn confirm(&self, req: ConfirmTask) -> Result<TaskRecord, RegistryError> {
        metric::seen(self.0.confirm(req).await)
    }

    async fn discard(&self, req: DiscardTask) -> Result<(), RegistryError> {
        metric::seen(self.0.discard(req).await)?;
        metric::discarded();
        Ok(())
    }

    async fn get(&self, id: &TaskId, scope: &Scope) -> Result<Option<TaskRecord>, RegistryError> {
        metric::seen(self.0.get(id, scope).await)
    }

    async fn list(&self, req: ListTasks) -> Result<TaskPage, RegistryError> {
        metric::seen(self.0.list(req).await)
    }

    async fn report(&self, req: ReportProgress) -> Result<(), RegistryError> {
        metric::seen(self.0.report(req).await)
    }

    async fn pause(&self, req: PauseTask) -> Result<(), RegistryError> {
        metric::seen(self.0.pause(req).await)
    }

    async fn finish(&self, req: FinishTask) -> Result<Finished, RegistryError> {
        let status = req.outcome.status();
        let finished = metric::seen(self.0.finish(req).await)?;
        if finished == Finished::Now {
            metric::ended(status, 1);
        }
        Ok(finished)
    }

    async fn renew_lease(&self, req: RenewLease) -> Result<(), RegistryError> {
        metric::renewed(self.0.renew_lease(req).await)
    }

    async fn end_overdue(&self, req: EndOverdue) -> Result<Vec<TaskRecord>, RegistryError> {
        let ended = metric::seen(self.0.end_overdue(req).await)?;
        metric::rescued(&ended);
        Ok(ended)
    }

    async fn claim_jobs(&self, req: ClaimJobs) -> Result<Vec<TaskRecord>, RegistryError> {
        let claimed = metric::seen(self.0.claim_jobs(req).await)?;
        metric::jobs(&claimed);
        Ok(claimed)
    }

    async fn release_job(&self, req: ReleaseJob) -> Result<(), RegistryError> {
        metric::seen(self.0.release_job(req).await)
    }
}

#[async_trait]
impl CallStore for Metered {
    async fn claim_call(&self, req: ClaimCall) -> Result<Claim, RegistryError> {
        let claim = metric::seen(self.0.claim_call(req).await)?;
        metric::claimed(&claim);
        Ok(claim)
    }

    async fn settle_call(&self, req: SettleCall) -> Result<(), RegistryError> {
        metric::seen(self.0.settle_call(req).await)
    }

    async fn unresolved_calls(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<Vec<UnresolvedCall>, RegistryError> {
        metric::seen(self.0.unresolved_calls(tenant, limit).await)
    }

    async fn resolve_call(&self, req: ResolveCall) -> Result<bool, RegistryError> {
        metric::seen(self.0.resolve_call(req).await)
    }
}

#[async_trait]
impl ProposalStore for Metered {
    async fn proposal(&self, key: &ProposalKey) -> Result<Option<ProposalRecord>, RegistryError> {
        metric::seen(self.0.proposal(key).await)
    }

    async fn proposal_of_buy(
        &self,
        owner: &Owner,
        media_buy_id: &str,
    ) -> Result<Option<ProposalRecord>, RegistryError> {
        metric::seen(self.0.proposal_of_buy(owner, media_buy_id).await)
    }

    async fn reserve(&self, req: ReserveProposal) -> Result<Reserved, RegistryError> {
        metric::seen(self.0.reserve(req).await)
    }

    async fn renew_hold(&self, hold: &Hold, lease: Duration) -> Result<(), RegistryError> {
        metric::seen(self.0.renew_hold(hold, lease).await)
    }
}

#[async_trait]
impl DeliveryOutbox for Metered {
    async fn events(&self, req: ListEvents) -> Result<Vec<Event>, RegistryError> {
        metric::seen(self.0.events(req).await)
    }

    async fn publish(&self, req: PublishEvents) -> Result<Vec<Published>, RegistryError> {
        metric::seen(self.0.publish(req).await)
    }

    async fn claim_deliveries(&self, req: ClaimDeliveries) -> Result<ClaimedDeliveries, RegistryError> {
        metric::seen(self.0.claim_deliveries(req).await)
    }

    async fn renew_deliveries(&self, req: RenewDeliveries) -> Result<Vec<Recorded>, RegistryError> {
        let renewed = metric::seen(self.0.renew_deliveries(req).await)?;
        metric::deliveries_lost(&renewed);
        Ok(renewed)
    }

    async fn record_attempts(&self, req: RecordAttempts) -> Result<Vec<Recorded>, RegistryError> {
        let recorded = metric::seen(self.0.record_attempts(req).await)?;
        metric::deliveries_refused(&recorded);
        Ok(recorded)
    }

    async fn expire_deliveries(&self, req: ExpireDeliveries) -> Result<usize, RegistryError> {
        metric::seen(self.0.expire_deliveries(req).await)
    }

    async fn deliveries(&self, req: ListDeliveries) -> Result<DeliveryPage, RegistryError> {
        metric::seen(self.0.deliveries(req).await)
    }

    async fn delivery(&self, key: &EventKey, scope: &Scope) -> Result<Option<DeliveryDetail>, RegistryError> {
        metric::seen(self.0.delivery(key, scope).await)
    }

    async fn redeliver(&self, req: Redeliver) -> Result<Vec<(EventKey, Redelivered)>, RegistryError> {
        metric::seen(self.0.redeliver(req).await)
    }

    async fn endpoints(&self, req: ListEndpoints) -> Result<Vec<EndpointRecord>, RegistryError> {
        metric::seen(self.0.endpoints(req).await)
    }

    fn changes(&self) -> Changes {
        self.0.changes()
    }
}

#[async_trait]
impl Documents for Metered {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, RegistryError> {
        metric::seen(self.0.document(key).await)
    }

    async fn put_document(&self, req: PutDocument) -> Result<Wrote, RegistryError> {
        metric::seen(self.0.put_document(req).await)
    }

    async fn delete_document(&self, req: DeleteDocument) -> Result<Deleted, RegistryError> {
        metric::seen(self.0.delete_document(req).await)
    }

    async fn list_documents(&self, req: ListDocuments) -> Result<DocumentPage, RegistryError> {
        metric::seen(self.0.list_documents(req).await)
    }
}

#[async_trait]
impl Registry for Metered {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn forget(&self, req: Forget) -> Result<Forgotten, RegistryError> {
        let gone = metric::seen(self.0.forget(req).await)?;
        metric::forgotten(&gone);
        Ok(gone)
    }

    async fn ages(&self) -> Result<Ages, RegistryError> {
        let ages = metric::seen(self.0.ages().await)?;
        metric::stands(&ages);
        Ok(ages)
    }
}
