//! A registry that does nothing of what it is asked.

use std::time::Duration;

use adcp_core::*;
use async_trait::async_trait;

/// What it says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    Unavailable,
    Corrupt,
    Other,
}

#[derive(Debug)]
pub(crate) struct Broken {
    fault: Fault,
    signal: Signal,
}

impl Broken {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, signal: Signal::new() }
    }

    fn error(&self) -> RegistryError {
        let source = || "connection to db.example refused".into();
        match self.fault {
            Fault::Unavailable => RegistryError::Unavailable { op: "anything", source: source() },
            Fault::Corrupt => RegistryError::Corrupt { what: "row", source: source() },
            Fault::Other => RegistryError::StaleTicket,
        }
    }
}

macro_rules! refuse {
    ($($of:ident { $($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)* } { $($rest:tt)* })*) => {$(
        #[async_trait]
        impl $of for Broken {
            $(async fn $name(&self, $($arg: $ty),*) -> Result<$out, RegistryError> {
                $(let _ = $arg;)*
                Err(self.error())
            })*
            $($rest)*
        }
    )*};
}

refuse! {
    DeliveryOutbox {
        events(req: ListEvents) -> Vec<Event>;
        publish(req: PublishEvents) -> Vec<Published>;
        claim_deliveries(req: ClaimDeliveries) -> ClaimedDeliveries;
        renew_deliveries(req: RenewDeliveries) -> Vec<Recorded>;
        record_attempts(req: RecordAttempts) -> Vec<Recorded>;
        expire_deliveries(req: ExpireDeliveries) -> usize;
        deliveries(req: ListDeliveries) -> DeliveryPage;
        delivery(key: &EventKey, scope: &Scope) -> Option<DeliveryDetail>;
        redeliver(req: Redeliver) -> Vec<(EventKey, Redelivered)>;
        endpoints(req: ListEndpoints) -> Vec<EndpointRecord>;
    } {
        fn changes(&self) -> Changes {
            self.signal.changes()
        }
    }
    Registry {
        forget(req: Forget) -> Forgotten;
        ages() -> Ages;
    } {
        fn capabilities(&self) -> Capabilities {
            Capabilities::volatile()
        }
    }
    Documents {
        document(key: &DocumentKey) -> Option<Document>;
        put_document(req: PutDocument) -> Wrote;
        delete_document(req: DeleteDocument) -> Deleted;
        list_documents(req: ListDocuments) -> DocumentPage;
    } {}
    TaskRegistry {
        issue(req: IssueTask) -> TaskRecord;
        confirm(req: ConfirmTask) -> TaskRecord;
        discard(req: DiscardTask) -> ();
        get(id: &TaskId, scope: &Scope) -> Option<TaskRecord>;
        list(req: ListTasks) -> TaskPage;
        report(req: ReportProgress) -> ();
        pause(req: PauseTask) -> ();
        finish(req: FinishTask) -> Finished;
        renew_lease(req: RenewLease) -> ();
        end_overdue(req: EndOverdue) -> Vec<TaskRecord>;
        claim_jobs(req: ClaimJobs) -> Vec<TaskRecord>;
        release_job(req: ReleaseJob) -> ();
    } {}
    CallStore {
        claim_call(req: ClaimCall) -> Claim;
        settle_call(req: SettleCall) -> ();
        unresolved_calls(tenant: &TenantId, limit: usize) -> Vec<UnresolvedCall>;
        resolve_call(req: ResolveCall) -> bool;
    } {}
    ProposalStore {
        proposal(key: &ProposalKey) -> Option<ProposalRecord>;
        proposal_of_buy(owner: &Owner, media_buy_id: &str) -> Option<ProposalRecord>;
        reserve(req: ReserveProposal) -> Reserved;
        renew_hold(hold: &Hold, lease: Duration) -> ();
    } {}
}
