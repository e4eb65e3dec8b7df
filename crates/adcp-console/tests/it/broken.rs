//! A registry that does nothing of what it is asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use adcp_core::*;
use async_trait::async_trait;

/// What it says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    Unavailable,
    Corrupt,
    Other,
    /// Shows dead letters, of which most are something else by the time they are to be sent again.
    Late,
}

/// What becomes of what is shown, oldest first. The body of the last one is forgotten already.
const BECAME: [(&str, Redelivered); 6] = [
    ("a", Redelivered::Queued),
    ("b", Redelivered::NotDead),
    ("c", Redelivered::Unknown),
    ("d", Redelivered::PastRetention),
    ("e", Redelivered::Unreadable),
    ("f", Redelivered::PastRetention),
];

fn dead(key: &str) -> DeliveryRecord {
    let owner = Owner::new(TenantId::single(), None, Principal::new("buyer"));
    let subject = Subject::Notification { kind: "scheduled".into(), about: None, subscriber: None };
    let at = Timestamp::from_micros(0);
    let mut record =
        DeliveryRecord::queued(EventKey::stored(key), owner, subject, "https://one.example/", at);
    record.state = DeliveryState::Dead;
    record
}

#[derive(Debug)]
pub(crate) struct Broken {
    fault: Fault,
    signal: Signal,
    looks: AtomicUsize,
}

impl Broken {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, signal: Signal::new(), looks: AtomicUsize::new(0) }
    }

    fn error(&self) -> RegistryError {
        let source = || "connection to db.example refused".into();
        match self.fault {
            Fault::Unavailable => RegistryError::Unavailable { op: "anything", source: source() },
            Fault::Corrupt => RegistryError::Corrupt { what: "row", source: source() },
            Fault::Other | Fault::Late => RegistryError::StaleTicket,
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
        endpoints(req: ListEndpoints) -> Vec<EndpointRecord>;
    } {
        async fn deliveries(&self, _: ListDeliveries) -> Result<DeliveryPage, RegistryError> {
            let Fault::Late = self.fault else { return Err(self.error()) };
            let mut dead: Vec<_> = BECAME.iter().rev().map(|(key, _)| dead(key)).collect();
            dead[0].has_body = false;
            Ok(DeliveryPage::new(dead, vec![EventKey::stored("unreadable")], None))
        }

        async fn delivery(&self, key: &EventKey, _: &Scope) -> Result<Option<DeliveryDetail>, RegistryError> {
            let Fault::Late = self.fault else { return Err(self.error()) };
            let mut record = dead(key.as_str());
            if self.looks.fetch_add(1, Ordering::SeqCst) > 0 {
                record.state = DeliveryState::Waiting;
            }
            Ok(Some(DeliveryDetail::new(record, None, Vec::new())))
        }

        async fn redeliver(&self, req: Redeliver) -> Result<Vec<(EventKey, Redelivered)>, RegistryError> {
            let (Fault::Late, Which::Keys(keys)) = (self.fault, req.which) else { return Err(self.error()) };
            let became = |key: &EventKey| BECAME.iter().find(|(known, _)| *known == key.as_str()).unwrap().1;
            Ok(keys.into_iter().map(|key| (key.clone(), became(&key))).collect())
        }

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
