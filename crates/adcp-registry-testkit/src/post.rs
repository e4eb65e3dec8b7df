//! Short words for what checks do with deliveries.

use std::time::Duration;

use adcp_core::{
    AttemptClass, AttemptReport, ClaimDeliveries, ClaimedDeliveries, ClaimedDelivery, DeliveryDetail,
    DeliveryState, EventKey, Owner, Publication, PublishEvents, Published, RecordAttempt, RecordAttempts,
    Recorded, Registry, TenantId, Verdict,
};

use crate::world::{MINUTE, Must, World};

/// The address of a receiver by name.
pub(crate) fn at(receiver: &str) -> String {
    format!("https://{receiver}.example/hook?secret=1")
}

/// An attempt that came to this.
pub(crate) const fn report(class: AttemptClass) -> AttemptReport {
    AttemptReport::new(class, Duration::from_secs(2), Duration::from_secs(1))
}

/// What an attempt of this class comes to that is tried again at once.
pub(crate) fn again(claimed: &ClaimedDelivery, class: AttemptClass) -> RecordAttempt {
    RecordAttempt::new(claimed.hold(), Some(report(class)), Verdict::Again { after: Duration::ZERO })
}

pub(crate) fn delivered(claimed: &ClaimedDelivery) -> RecordAttempt {
    RecordAttempt::new(claimed.hold(), Some(report(AttemptClass::Delivered)), Verdict::Delivered)
}

/// Claims events, and goes on where the claim before ended.
pub(crate) async fn claim(registry: &dyn Registry, req: ClaimDeliveries) -> ClaimedDeliveries {
    registry.claim_deliveries(req).await.must()
}

impl World<'_> {
    /// Keys are unique within a tenant.
    pub(crate) fn event_key(&self, name: &str) -> EventKey {
        EventKey::stored(format!("whk_{name}"))
    }

    pub(crate) fn publication(&self, name: &str, receiver: &str) -> Publication {
        self.publication_of(&self.buyer(), name, receiver)
    }

    pub(crate) fn publication_of(&self, owner: &Owner, name: &str, receiver: &str) -> Publication {
        let body = format!("{{\"idempotency_key\":\"whk_{name}\", \"n\": 1.50, \"s\":\"\u{e9}\u{1f600}\"}}");
        Publication::new(self.event_key(name), owner.clone(), "scheduled", at(receiver), body)
            .about("mb_1")
            .for_subscriber("sub_1")
    }

    pub(crate) async fn publish_all(&self, events: Vec<Publication>) -> Vec<Published> {
        self.registry.publish(PublishEvents::new(events)).await.must()
    }

    /// Queues one event of the buyer for a receiver.
    pub(crate) async fn publish(&self, name: &str, receiver: &str) {
        let published = self.publish_all(vec![self.publication(name, receiver)]).await;
        assert_eq!(published, [Published::Queued]);
    }

    /// Claims within this tenant for a minute.
    pub(crate) fn claiming(&self) -> ClaimDeliveries {
        ClaimDeliveries::new().of_tenants([self.tenant.clone()]).with_lease(MINUTE)
    }

    pub(crate) async fn claim_events(&self) -> Vec<ClaimedDelivery> {
        claim(&*self.registry, self.claiming()).await.deliveries
    }

    /// Claims the one event that is due.
    pub(crate) async fn claim_event(&self) -> ClaimedDelivery {
        let mut claimed = self.claim_events().await;
        assert_eq!(claimed.len(), 1, "one event is due: {claimed:?}");
        claimed.pop().must()
    }

    pub(crate) async fn record(&self, records: Vec<RecordAttempt>) -> Vec<Recorded> {
        self.registry.record_attempts(RecordAttempts::new(records)).await.must()
    }

    /// Records what became of one claim that still holds.
    pub(crate) async fn record_one(&self, claimed: &ClaimedDelivery, class: AttemptClass, verdict: Verdict) {
        let record = RecordAttempt::new(claimed.hold(), Some(report(class)), verdict);
        assert_eq!(self.record(vec![record]).await, [Recorded::Written]);
    }

    /// As the operator sees it.
    pub(crate) async fn detail(&self, name: &str) -> DeliveryDetail {
        self.registry.delivery(&self.event_key(name), &self.operator()).await.must().must()
    }

    pub(crate) async fn stands(&self, name: &str) -> DeliveryState {
        self.detail(name).await.record.state
    }

    pub(crate) fn neighbour(&self) -> TenantId {
        TenantId::new(format!("{}_next", self.tenant))
    }
}

pub(crate) fn names(claimed: &[ClaimedDelivery]) -> Vec<&str> {
    let mut names: Vec<_> = claimed.iter().map(|claimed| claimed.event.key.as_str()).collect();
    names.sort_unstable();
    names
}
