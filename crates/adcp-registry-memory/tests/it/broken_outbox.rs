//! The outbox of the registry with one fault.

use std::time::Duration;

use adcp_core::{
    AttemptClass, BreakerPolicy, Changes, ClaimDeliveries, ClaimedDeliveries, DeliveryDetail, DeliveryFilter,
    DeliveryOutbox, DeliveryPage, DeliveryState, EndpointRecord, Event, EventKey, ExpireDeliveries,
    ListDeliveries, ListEndpoints, ListEvents, Publication, PublishEvents, Published, RecordAttempts,
    Recorded, Redeliver, Redelivered, RegistryError, RenewDeliveries, Scope, Signal, TenantId, Verdict,
};
use async_trait::async_trait;

use crate::broken::{Broken, Fault, dawdle, everything};

#[async_trait]
impl DeliveryOutbox for Broken {
    async fn events(&self, req: ListEvents) -> Result<Vec<Event>, RegistryError> {
        let mut events = self.inner.events(req).await?;
        if self.has(Fault::RendersTheEventAgain) {
            for event in &mut events {
                event.body = event.body.replace(',', ", ");
            }
        }
        Ok(events)
    }

    async fn publish(&self, req: PublishEvents) -> Result<Vec<Published>, RegistryError> {
        let mut again = req.clone();
        let mut done = self.answer(self.inner.publish(req).await)?;
        if self.has(Fault::PublishesTwice) {
            for (event, done) in again.events.iter_mut().zip(&mut done) {
                if std::mem::replace(done, Published::Queued) == Published::Known {
                    event.key = EventKey::random().unwrap();
                }
            }
            self.inner.publish(again).await?;
        }
        Ok(done)
    }

    async fn claim_deliveries(&self, mut req: ClaimDeliveries) -> Result<ClaimedDeliveries, RegistryError> {
        match self.fault {
            Fault::ClaimsWithoutALease => req.lease = Duration::ZERO,
            Fault::NeverForgetsAClaim => req.lease = Duration::MAX,
            Fault::BoundsWhatIsInFlightInTwoSteps => {
                let flying = DeliveryFilter::new().in_state(DeliveryState::Sending);
                let mut count = 0;
                for tenant in req.tenants.clone() {
                    let list = ListDeliveries::new(Scope::Operator { tenant }).matching(flying.clone());
                    count += self.inner.deliveries(list.with_limit(1000)).await?.deliveries.len();
                }
                dawdle().await;
                req.limit = req.limit.min((req.per_endpoint as usize).saturating_sub(count));
                req.per_endpoint = u32::MAX;
            }
            Fault::ServesTenantsOneByOne => {
                let mut claimed = ClaimedDeliveries::default();
                for tenant in req.tenants.clone() {
                    let left = req.limit - claimed.deliveries.len();
                    let one = req.clone().of_tenants([tenant]).with_limit(left);
                    claimed.deliveries.extend(self.inner.claim_deliveries(one).await?.deliveries);
                }
                return Ok(claimed);
            }
            _ => {}
        }
        let mut claimed = self.answer(self.inner.claim_deliveries(req).await)?;
        if self.has(Fault::CountsAttemptsWhenRecorded) {
            for delivery in &mut claimed.deliveries {
                let scope = Scope::Operator { tenant: delivery.event.owner.tenant.clone() };
                let detail = self.inner.delivery(&delivery.event.key, &scope).await?.unwrap();
                delivery.attempt = u32::try_from(detail.attempts.len()).unwrap() + 1;
            }
        }
        Ok(claimed)
    }

    async fn renew_deliveries(&self, req: RenewDeliveries) -> Result<Vec<Recorded>, RegistryError> {
        let done = self.inner.renew_deliveries(req).await?;
        Ok(if self.has(Fault::RenewsALostClaim) { vec![Recorded::Written; done.len()] } else { done })
    }

    async fn record_attempts(&self, mut req: RecordAttempts) -> Result<Vec<Recorded>, RegistryError> {
        if self.has(Fault::PausesNothing) {
            req.breaker = BreakerPolicy::new().with_failures(u32::MAX);
        }
        if self.has(Fault::CountsRefusalsAsFailures) {
            for record in &mut req.records {
                if let (Some(attempt), Verdict::Again { .. }) = (&mut record.attempt, record.verdict) {
                    attempt.class = AttemptClass::ServerError;
                }
            }
        }
        let again = req.clone();
        let mut done = self.inner.record_attempts(req).await?;
        if self.has(Fault::RecordsAClaimTwice) {
            for (record, done) in again.records.iter().zip(&mut done) {
                let scope = Scope::Operator { tenant: record.hold.tenant.clone() };
                let detail = self.inner.delivery(&record.hold.key, &scope).await?;
                if detail.is_some_and(|detail| detail.record.settled_at.is_some()) {
                    *done = Recorded::Written;
                }
            }
        }
        Ok(if self.has(Fault::RecordsALostClaim) { vec![Recorded::Written; done.len()] } else { done })
    }

    async fn expire_deliveries(&self, req: ExpireDeliveries) -> Result<usize, RegistryError> {
        self.inner.expire_deliveries(req).await
    }

    async fn deliveries(&self, mut req: ListDeliveries) -> Result<DeliveryPage, RegistryError> {
        if self.has(Fault::ListsDeliveriesOfOthers) {
            req.scope = everything(&req.scope);
        }
        self.inner.deliveries(req).await
    }

    async fn delivery(&self, key: &EventKey, scope: &Scope) -> Result<Option<DeliveryDetail>, RegistryError> {
        let scope = if self.has(Fault::ShowsDeliveriesToOthers) { everything(scope) } else { scope.clone() };
        let mut detail = self.inner.delivery(key, &scope).await?;
        if let (true, Some(detail)) = (self.has(Fault::ForgetsWhoRedelivered), &mut detail) {
            detail.record.redeliveries.clear();
        }
        Ok(detail)
    }

    async fn redeliver(&self, mut req: Redeliver) -> Result<Vec<(EventKey, Redelivered)>, RegistryError> {
        if self.has(Fault::RedeliversForAnyTenant) {
            let name = req.tenant.as_str();
            req.tenant = TenantId::new(name.strip_suffix("_next").unwrap_or(name));
        }
        if !self.has(Fault::RedeliversUnderAnotherKey) {
            return self.inner.redeliver(req).await;
        }
        let adcp_core::Which::Keys(keys) = &req.which else { return Ok(Vec::new()) };
        let mut done = Vec::new();
        for key in keys {
            let scope = Scope::Operator { tenant: req.tenant.clone() };
            let detail = self.inner.delivery(key, &scope).await?.unwrap();
            let fresh = EventKey::random().unwrap();
            let (record, body) = (detail.record, detail.body.unwrap());
            let event = Publication::new(fresh, record.owner, "again", record.url, body);
            self.inner.publish(PublishEvents::new(vec![event])).await?;
            done.push((key.clone(), Redelivered::Queued));
        }
        Ok(done)
    }

    async fn endpoints(&self, req: ListEndpoints) -> Result<Vec<EndpointRecord>, RegistryError> {
        self.inner.endpoints(req).await
    }

    fn changes(&self) -> Changes {
        if self.has(Fault::RingsForNobody) { Signal::new().changes() } else { self.inner.changes() }
    }
}
