//! A registry that tells when something happened to its queue, and where a caller can be held for ever.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adcp_core::*;
use async_trait::async_trait;
use tokio::sync::{Notify, watch};

/// Where a caller is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// It has claimed, and does not hear what.
    AfterClaim,
    /// It has sent, and cannot say so.
    BeforeRecord,
    /// It has said so, and does not hear that it did.
    AfterRecord,
}

/// One instance of a registry. Instances on the same store tell the same signals.
#[derive(Debug)]
pub(crate) struct Watched {
    inner: Arc<dyn Registry>,
    signals: Arc<Signals>,
}

#[derive(Debug)]
struct Signals {
    steps: watch::Sender<usize>,
    hold_at: Mutex<Option<Point>>,
    held: Notify,
    let_go: Notify,
    renewed: Mutex<Vec<Recorded>>,
    /// Claims that found nothing.
    empty: watch::Sender<usize>,
    recorded: Mutex<Vec<Recorded>>,
    /// How many each claim took, and each call recorded.
    batches: Mutex<(Vec<usize>, Vec<usize>)>,
    /// Calls that give up what waited too long.
    expiries: watch::Sender<usize>,
    /// Whether claims say that there may be more, whatever there is.
    more: Mutex<bool>,
    /// What cannot be recorded, however often it is tried.
    spoiled: Mutex<Option<EventKey>>,
    /// So many calls to record fail.
    failing: Mutex<usize>,
}

impl Watched {
    pub(crate) fn new(inner: Arc<dyn Registry>) -> Self {
        let signals = Signals {
            steps: watch::Sender::new(0),
            hold_at: Mutex::default(),
            held: Notify::new(),
            let_go: Notify::new(),
            renewed: Mutex::default(),
            empty: watch::Sender::new(0),
            recorded: Mutex::default(),
            batches: Mutex::default(),
            expiries: watch::Sender::new(0),
            more: Mutex::default(),
            spoiled: Mutex::default(),
            failing: Mutex::default(),
        };
        Self { inner, signals: Arc::new(signals) }
    }

    /// Another instance on the same store.
    pub(crate) fn beside(&self, inner: Arc<dyn Registry>) -> Self {
        Self { inner, signals: Arc::clone(&self.signals) }
    }

    /// Changes whenever a worker did something to the queue.
    pub(crate) fn steps(&self) -> watch::Receiver<usize> {
        self.signals.steps.subscribe()
    }

    /// Counts claims that found nothing.
    pub(crate) fn empty_claims(&self) -> watch::Receiver<usize> {
        self.signals.empty.subscribe()
    }

    /// What became of records so far.
    pub(crate) fn recorded(&self) -> Vec<Recorded> {
        self.signals.recorded.lock().unwrap().clone()
    }

    /// How many each claim took that found something.
    pub(crate) fn claimed_at_once(&self) -> Vec<usize> {
        self.signals.batches.lock().unwrap().0.clone()
    }

    /// How many were recorded at once.
    pub(crate) fn recorded_at_once(&self) -> Vec<usize> {
        self.signals.batches.lock().unwrap().1.clone()
    }

    /// Holds the next caller who comes to a point.
    pub(crate) fn hold_at(&self, point: Point) {
        *self.signals.hold_at.lock().unwrap() = Some(point);
    }

    pub(crate) async fn held(&self) {
        tokio::time::timeout(Duration::from_secs(20), self.signals.held.notified())
            .await
            .expect("nobody came");
    }

    /// Lets whoever is held go on.
    pub(crate) fn let_go(&self) {
        self.signals.let_go.notify_one();
    }

    /// What became of claims that were to be lengthened.
    pub(crate) fn renewed(&self) -> Vec<Recorded> {
        self.signals.renewed.lock().unwrap().clone()
    }

    /// Lets so many records fail.
    pub(crate) fn fail_records(&self, calls: usize) {
        *self.signals.failing.lock().unwrap() = calls;
    }

    /// Counts calls that give up what waited too long.
    pub(crate) fn expiries(&self) -> watch::Receiver<usize> {
        self.signals.expiries.subscribe()
    }

    /// Lets every claim say that there may be more.
    pub(crate) fn promise_more(&self) {
        *self.signals.more.lock().unwrap() = true;
    }

    /// Lets every record fail that has this event in it.
    pub(crate) fn spoil(&self, event: Option<&EventKey>) {
        *self.signals.spoiled.lock().unwrap() = event.cloned();
    }

    async fn at(&self, point: Point) {
        let hold = {
            let mut hold_at = self.signals.hold_at.lock().unwrap();
            if *hold_at == Some(point) { hold_at.take().is_some() } else { false }
        };
        if hold {
            self.signals.held.notify_one();
            self.signals.let_go.notified().await;
        }
    }

    fn step(&self) {
        self.signals.steps.send_modify(|steps| *steps += 1);
    }
}

#[async_trait]
impl DeliveryOutbox for Watched {
    async fn events(&self, req: ListEvents) -> Result<Vec<Event>, RegistryError> {
        self.inner.events(req).await
    }

    async fn publish(&self, req: PublishEvents) -> Result<Vec<Published>, RegistryError> {
        self.inner.publish(req).await
    }

    async fn claim_deliveries(&self, req: ClaimDeliveries) -> Result<ClaimedDeliveries, RegistryError> {
        let mut claimed = self.inner.claim_deliveries(req).await?;
        claimed.more |= *self.signals.more.lock().unwrap();
        if claimed.deliveries.is_empty() {
            self.signals.empty.send_modify(|empty| *empty += 1);
        } else {
            self.signals.batches.lock().unwrap().0.push(claimed.deliveries.len());
            self.at(Point::AfterClaim).await;
            self.step();
        }
        Ok(claimed)
    }

    async fn renew_deliveries(&self, req: RenewDeliveries) -> Result<Vec<Recorded>, RegistryError> {
        let renewed = self.inner.renew_deliveries(req).await?;
        self.signals.renewed.lock().unwrap().extend(&renewed);
        self.step();
        Ok(renewed)
    }

    async fn record_attempts(&self, req: RecordAttempts) -> Result<Vec<Recorded>, RegistryError> {
        self.signals.batches.lock().unwrap().1.push(req.records.len());
        self.at(Point::BeforeRecord).await;
        {
            let mut failing = self.signals.failing.lock().unwrap();
            if *failing > 0 {
                *failing -= 1;
                let source = "the store blinked".into();
                return Err(RegistryError::Unavailable { op: "record_attempts", source });
            }
        }
        let spoiled = self.signals.spoiled.lock().unwrap().clone();
        if req.records.iter().any(|record| Some(&record.hold.key) == spoiled.as_ref()) {
            self.step();
            return Err(RegistryError::Corrupt { what: "attempt", source: "it does not fit".into() });
        }
        let recorded = self.inner.record_attempts(req).await?;
        self.at(Point::AfterRecord).await;
        self.signals.recorded.lock().unwrap().extend(&recorded);
        self.step();
        Ok(recorded)
    }

    async fn expire_deliveries(&self, req: ExpireDeliveries) -> Result<usize, RegistryError> {
        let expired = self.inner.expire_deliveries(req).await?;
        self.signals.expiries.send_modify(|calls| *calls += 1);
        if expired > 0 {
            self.step();
        }
        Ok(expired)
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
impl Registry for Watched {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn forget(&self, req: Forget) -> Result<Forgotten, RegistryError> {
        self.inner.forget(req).await
    }

    async fn ages(&self) -> Result<Ages, RegistryError> {
        self.inner.ages().await
    }
}

/// What no worker of webhooks calls.
macro_rules! forward {
    ($($of:ident { $($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)* })*) => {$(
        #[async_trait]
        impl $of for Watched {
            $(async fn $name(&self, $($arg: $ty),*) -> Result<$out, RegistryError> {
                self.inner.$name($($arg),*).await
            })*
        }
    )*};
}

forward! {
    Documents {
        document(key: &DocumentKey) -> Option<Document>;
        put_document(req: PutDocument) -> Wrote;
        delete_document(req: DeleteDocument) -> Deleted;
        list_documents(req: ListDocuments) -> DocumentPage;
    }
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
    }
    CallStore {
        claim_call(req: ClaimCall) -> Claim;
        settle_call(req: SettleCall) -> ();
        unresolved_calls(tenant: &TenantId, limit: usize) -> Vec<UnresolvedCall>;
        resolve_call(req: ResolveCall) -> bool;
    }
    ProposalStore {
        proposal(key: &ProposalKey) -> Option<ProposalRecord>;
        proposal_of_buy(owner: &Owner, media_buy_id: &str) -> Option<ProposalRecord>;
        reserve(req: ReserveProposal) -> Reserved;
        renew_hold(hold: &Hold, lease: Duration) -> ();
    }
}
