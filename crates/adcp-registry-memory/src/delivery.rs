//! Deliveries: claimed, recorded, given up, sent again.

use std::ops::Bound;

use adcp_core::{
    BreakerState, Changes, ClaimDeliveries, ClaimedDeliveries, ClaimedDelivery, DeadReason, DeliveryDetail,
    DeliveryHold, DeliveryOutbox, DeliveryPage, DeliveryPlace, DeliveryState, Endpoint, EndpointRecord,
    Event, EventKey, ExpireDeliveries, Health, Lane, LeaseToken, ListDeliveries, ListEndpoints, ListEvents,
    PublishEvents, Published, RecordAttempt, RecordAttempts, Recorded, Redeliver, Redelivered, RegistryError,
    RenewDeliveries, Scope, Take, TenantId, Timestamp, Verdict, Visit, Which, plan_claims,
};
use async_trait::async_trait;

use crate::outbox::{Outbox, Row};
use crate::registry::MemoryRegistry;

/// Before every instant.
const FIRST: Timestamp = Timestamp::from_micros(i64::MIN);

#[async_trait]
impl DeliveryOutbox for MemoryRegistry {
    async fn events(&self, req: ListEvents) -> Result<Vec<Event>, RegistryError> {
        Ok(self.tables().0.outbox.list(&req))
    }

    async fn publish(&self, req: PublishEvents) -> Result<Vec<Published>, RegistryError> {
        let (mut tables, now) = self.tables();
        let outbox = &mut tables.outbox;
        let is_new = |event: &adcp_core::Publication| outbox.find(&event.owner.tenant, &event.key).is_none();
        outbox.admit(req.events.iter().filter(|event| is_new(event)).count(), self.limits())?;
        let publish = |event: &adcp_core::Publication| {
            let known = outbox.find(&event.owner.tenant, &event.key).is_some();
            outbox.queue(vec![event.event(now)], now);
            if known { Published::Known } else { Published::Queued }
        };
        Ok(req.events.iter().map(publish).collect())
    }

    async fn claim_deliveries(&self, req: ClaimDeliveries) -> Result<ClaimedDeliveries, RegistryError> {
        let token = LeaseToken::random().map_err(|source| RegistryError::Unavailable {
            op: "claim_deliveries",
            source: Box::new(source),
        })?;
        let (mut tables, now) = self.tables();
        Ok(tables.outbox.claim(&req, token, now))
    }

    async fn renew_deliveries(&self, req: RenewDeliveries) -> Result<Vec<Recorded>, RegistryError> {
        let (mut tables, now) = self.tables();
        Ok(req.holds.iter().map(|hold| tables.outbox.renew(hold, req.lease, now)).collect())
    }

    async fn record_attempts(&self, req: RecordAttempts) -> Result<Vec<Recorded>, RegistryError> {
        let (mut tables, now) = self.tables();
        Ok(req.records.iter().map(|record| tables.outbox.record(record, &req, now)).collect())
    }

    async fn expire_deliveries(&self, req: ExpireDeliveries) -> Result<usize, RegistryError> {
        let (mut tables, now) = self.tables();
        Ok(tables.outbox.expire(&req, now))
    }

    async fn deliveries(&self, req: ListDeliveries) -> Result<DeliveryPage, RegistryError> {
        let tables = self.tables().0;
        let limit = req.limit.max(1);
        let found = tables.outbox.newest(req.after.as_ref()).map(|row| &row.record);
        let mut found: Vec<_> = found
            .filter(|record| req.scope.covers(&record.owner) && req.filter.admits(record))
            .take(limit.saturating_add(1))
            .cloned()
            .collect();
        let more = found.len() > limit;
        found.truncate(limit);
        let next =
            found.last().filter(|_| more).map(|last| DeliveryPlace::new(last.queued_at, last.key.clone()));
        Ok(DeliveryPage::new(found, Vec::new(), next))
    }

    async fn delivery(&self, key: &EventKey, scope: &Scope) -> Result<Option<DeliveryDetail>, RegistryError> {
        let (Scope::Caller { tenant, .. } | Scope::Principal { tenant, .. } | Scope::Operator { tenant }) =
            scope
        else {
            return Ok(None);
        };
        let tables = self.tables().0;
        let row = tables.outbox.find(tenant, key).and_then(|id| tables.outbox.row(id));
        let detail = |row: &Row| {
            let body = row.record.has_body.then(|| row.body.clone());
            DeliveryDetail::new(row.record.clone(), body, row.attempts.iter().cloned().collect())
        };
        Ok(row.filter(|row| scope.covers(&row.record.owner)).map(detail))
    }

    async fn redeliver(&self, req: Redeliver) -> Result<Vec<(EventKey, Redelivered)>, RegistryError> {
        let (mut tables, now) = self.tables();
        Ok(tables.outbox.redeliver(&req, now))
    }

    async fn endpoints(&self, req: ListEndpoints) -> Result<Vec<EndpointRecord>, RegistryError> {
        let tables = self.tables().0;
        let begin = match req.after {
            Some(after) => Bound::Excluded((req.tenant.clone(), after)),
            None => Bound::Included((req.tenant.clone(), Endpoint::stored(""))),
        };
        let of_tenant = tables.outbox.endpoints.range((begin, Bound::Unbounded)).map(|(_, record)| record);
        let shown = of_tenant
            .take_while(|record| record.tenant == req.tenant)
            .filter(|record| !req.paused || record.breaker.state != BreakerState::Closed);
        Ok(shown.take(req.limit).cloned().collect())
    }

    fn changes(&self) -> Changes {
        self.tables().0.outbox.signal.changes()
    }
}

impl Outbox {
    fn claim(&mut self, req: &ClaimDeliveries, token: LeaseToken, now: Timestamp) -> ClaimedDeliveries {
        let asked = req.tenants_in_turn();
        let mut tenants = if req.tenants.is_empty() { self.tenants_after(req.after.tenant()) } else { asked };
        let all = tenants.len() <= ClaimDeliveries::MAX_TENANTS;
        tenants.truncate(ClaimDeliveries::MAX_TENANTS);
        let bounds = (req.lanes_each(tenants.len()), req.due_lanes_each(tenants.len()));
        let visits: Vec<Visit> =
            tenants.into_iter().map(|tenant| self.visit(tenant, req, bounds, now)).collect();
        let plan = plan_claims(&visits, all, req, now);
        let mut claimed = ClaimedDeliveries::default();
        for take in &plan.takes {
            claimed.deliveries.extend(self.take(take, req, token, now));
        }
        claimed.cursor = plan.cursor;
        claimed.more = plan.more;
        claimed.next_due = plan.next_due;
        claimed
    }

    /// Tenants with events that wait, beginning after one; one more than a claim looks at.
    fn tenants_after(&self, last: Option<&TenantId>) -> Vec<TenantId> {
        let next = |from: String| {
            let place = (TenantId::new(from), Endpoint::stored(""), FIRST, 0);
            self.due.range(place..).next().map(|(tenant, ..)| tenant.clone())
        };
        let mut found: Vec<TenantId> = Vec::new();
        let mut from = last.map_or_else(String::new, |last| behind(last.as_str()));
        let mut wrapped = last.is_none();
        while found.len() <= ClaimDeliveries::MAX_TENANTS {
            match next(from) {
                Some(tenant) if found.first() != Some(&tenant) => {
                    from = behind(tenant.as_str());
                    found.push(tenant);
                }
                None if !wrapped => {
                    wrapped = true;
                    from = String::new();
                }
                _ => break,
            }
        }
        found
    }

    /// Lanes of a tenant, beginning after the cursor's: at most so many, and so many with something due.
    fn visit(
        &self,
        tenant: TenantId,
        req: &ClaimDeliveries,
        (each, wanted): (usize, u32),
        now: Timestamp,
    ) -> Visit {
        let next = |from: &str| {
            let place = (tenant.clone(), Endpoint::stored(from), FIRST, 0);
            self.due.range(place..).next().filter(|(found, ..)| *found == tenant)
        };
        let last = req.after.endpoint_of(&tenant);
        let (mut lanes, mut hits): (Vec<Lane>, u32) = (Vec::new(), 0);
        let mut from = last.map_or_else(String::new, |last| behind(last.as_str()));
        let mut wrapped = last.is_none();
        let whole = loop {
            match next(&from) {
                Some((_, endpoint, due_at, _))
                    if lanes.first().is_none_or(|lane| lane.endpoint != *endpoint) =>
                {
                    if lanes.len() == each || hits == wanted {
                        break false;
                    }
                    hits += u32::from(*due_at <= now);
                    from = behind(endpoint.as_str());
                    lanes.push(self.lane(&tenant, endpoint, *due_at, req.per_endpoint, now));
                }
                None if !wrapped => {
                    wrapped = true;
                    from = String::new();
                }
                _ => break true,
            }
        };
        Visit { tenant, lanes, whole }
    }

    fn lane(
        &self,
        tenant: &TenantId,
        endpoint: &Endpoint,
        due_at: Timestamp,
        most: u32,
        now: Timestamp,
    ) -> Lane {
        let (most, lane) = (most as usize, (tenant.clone(), endpoint.clone()));
        let place = |at: Timestamp, id: u64| (lane.0.clone(), lane.1.clone(), at, id);
        let due = place(FIRST, 0)..=place(now, u64::MAX);
        let lasting = place(now, u64::MAX)..=place(Timestamp::from_micros(i64::MAX), u64::MAX);
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Lane {
            endpoint: endpoint.clone(),
            due_at,
            ready: count(self.due.range(due).take(most).count()),
            flying: count(self.claimed.range(lasting).take(most).count()),
            breaker: self.endpoints.get(&lane).map(|record| record.breaker).unwrap_or_default(),
        }
    }

    fn take(
        &mut self,
        take: &Take,
        req: &ClaimDeliveries,
        token: LeaseToken,
        now: Timestamp,
    ) -> Vec<ClaimedDelivery> {
        let place = |at: Timestamp, id: u64| (take.tenant.clone(), take.endpoint.clone(), at, id);
        let due = self.due.range(place(FIRST, 0)..=place(now, u64::MAX)).take(take.rows as usize);
        let ids: Vec<u64> = due.map(|(.., id)| *id).collect();
        let endpoint = self.endpoint(&take.tenant, &take.endpoint, now);
        if take.probe {
            endpoint.breaker = endpoint.breaker.probed(token, req.lease, now);
            endpoint.changed_at = now;
        }
        let claim = |row: &mut Row| {
            row.token = Some(token);
            let record = &mut row.record;
            record.state = DeliveryState::Sending;
            record.attempts += 1;
            record.due_at = Some(now.after(req.lease));
            ClaimedDelivery::new(row.event(), take.endpoint.clone(), token)
                .counted(row.record.attempts - row.record.attempts_before, row.record.attempts)
                .having_waited(now.since(row.record.since))
                .as_probe(take.probe)
        };
        ids.into_iter().filter_map(|id| self.change(id, claim)).collect()
    }

    fn endpoint(&mut self, tenant: &TenantId, endpoint: &Endpoint, now: Timestamp) -> &mut EndpointRecord {
        self.endpoints
            .entry((tenant.clone(), endpoint.clone()))
            .or_insert_with(|| EndpointRecord::new(tenant.clone(), endpoint.clone(), now))
    }

    /// A row whose claim still holds.
    fn held(&self, hold: &DeliveryHold, now: Timestamp) -> Option<u64> {
        let id = self.find(&hold.tenant, &hold.key)?;
        let row = self.row(id)?;
        let lasts =
            row.record.state == DeliveryState::Sending && row.record.due_at.is_some_and(|at| at > now);
        (lasts && row.token == Some(hold.token)).then_some(id)
    }

    fn renew(&mut self, hold: &DeliveryHold, lease: std::time::Duration, now: Timestamp) -> Recorded {
        let Some(id) = self.held(hold, now) else { return Recorded::Lost };
        let lane = self.change(id, |row| {
            row.record.due_at = Some(now.after(lease));
            row.record.endpoint.clone()
        });
        if let Some(lane) = lane {
            let endpoint = self.endpoint(&hold.tenant, &lane, now);
            endpoint.breaker = endpoint.breaker.renewed(hold.token, lease, now);
        }
        Recorded::Written
    }

    fn record(&mut self, record: &RecordAttempt, req: &RecordAttempts, now: Timestamp) -> Recorded {
        let Some(id) = self.held(&record.hold, now) else { return Recorded::Lost };
        let settled = record.verdict.settle(now);
        let done = self.change(id, |row| {
            let number = row.record.attempts;
            row.token = None;
            row.record.state = settled.state;
            row.record.reason = settled.reason;
            row.record.due_at = settled.due_at;
            row.record.settled_at = settled.settled_at;
            row.record.attempts -= u32::from(!settled.counts);
            (number, row.record.endpoint.clone())
        });
        let Some((number, lane)) = done else { return Recorded::Lost };
        let attempt = record.attempt.as_ref().filter(|_| settled.counts);
        if let Some(attempt) = attempt {
            self.keep(id, attempt.kept(number, now));
        }
        let health = attempt.map_or(Health::Unasked, |attempt| attempt.class.health());
        let endpoint = self.endpoint(&record.hold.tenant, &lane, now);
        let breaker = endpoint.breaker.after(record.hold.token, health, &req.breaker, now);
        if breaker != endpoint.breaker {
            endpoint.breaker = breaker;
            endpoint.changed_at = now;
            endpoint.last = attempt.map(|attempt| attempt.class);
        }
        Recorded::Written
    }

    fn expire(&mut self, req: &ExpireDeliveries, now: Timestamp) -> usize {
        let horizon = now.before(req.horizon);
        let over = self.ages.iter().take_while(|(since, _)| *since <= horizon).filter(|(_, id)| {
            self.row(*id).is_some_and(|row| {
                let sending = row.record.state == DeliveryState::Sending;
                let asked = req.tenants.is_empty() || req.tenants.contains(&row.record.owner.tenant);
                asked && !(sending && row.record.due_at.is_some_and(|at| at > now))
            })
        });
        let ids: Vec<u64> = over.take(req.limit).map(|(_, id)| *id).collect();
        let settled = Verdict::Dead(DeadReason::Exhausted).settle(now);
        for id in &ids {
            self.change(*id, |row| {
                row.token = None;
                row.record.state = settled.state;
                row.record.reason = settled.reason;
                row.record.due_at = settled.due_at;
                row.record.settled_at = settled.settled_at;
            });
        }
        ids.len()
    }

    fn redeliver(&mut self, req: &Redeliver, now: Timestamp) -> Vec<(EventKey, Redelivered)> {
        let keys: Vec<EventKey> = match &req.which {
            Which::Keys(keys) => keys.clone(),
            Which::Matching(filter) => {
                let dead = self.oldest().map(|(_, row)| &row.record).filter(|record| {
                    record.owner.tenant == req.tenant
                        && record.state == DeliveryState::Dead
                        && record.has_body
                        && filter.admits(record)
                });
                dead.take(req.limit).map(|record| record.key.clone()).collect()
            }
            _ => Vec::new(),
        };
        let again = |key: EventKey| {
            let id = self.find(&req.tenant, &key);
            let done = id.and_then(|id| self.change(id, |row| row.record.redeliver(&req.by, now)));
            (key, done.unwrap_or(Redelivered::Unknown))
        };
        let done = keys.into_iter().map(again).collect();
        self.signal.ring();
        done
    }
}

/// The first text behind another.
fn behind(text: &str) -> String {
    format!("{text}\0")
}
