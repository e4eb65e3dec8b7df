//! Sending dead letters again.

use std::collections::VecDeque;

use adcp_core::{
    DeliveryFilter, DeliveryRecord, DeliveryState, EventKey, ListDeliveries, Redeliver, Redelivered,
    Registry, Scope, TenantId, Which,
};
use serde_json::{Value, json};

use crate::operator::Operator;
use crate::problem::Problem;
use crate::query::Query;
use crate::show;

/// Dead letters that one request sends again, unless another number is asked for.
const USUAL: usize = 100;

/// Dead letters that one request sends again at most: they are one write.
const MOST: usize = 500;

/// Dead letters that one request looks at, to say how many are left.
const LOOKED_AT: usize = 5000;

/// Dead letters that are looked at in one read.
const PAGE: usize = 500;

/// One dead letter.
pub(crate) async fn one(
    registry: &dyn Registry,
    operator: &Operator,
    tenant: TenantId,
    key: &EventKey,
) -> Result<Value, Problem> {
    let record = record(registry, &tenant, key).await?;
    if record.state == DeliveryState::Dead && show::leads_nowhere(&record) {
        return Err(Problem::NoUrl);
    }
    let req = Redeliver::one(tenant.clone(), key.clone(), operator.name());
    let done = registry.redeliver(req).await.map_err(|error| Problem::of_store(&error))?;
    match done.first().map_or(Redelivered::Unknown, |(_, done)| *done) {
        Redelivered::Queued => {
            tracing::info!(
                operator = operator.name(),
                tenant = %tenant,
                delivery = short(key),
                endpoint = %record.endpoint,
                "an operator sent a dead letter again"
            );
            Ok(json!({
                "id": key.as_str(),
                "tenant": tenant.as_str(),
                "queued": true,
                "by": operator.name(),
                "href": show::href(&tenant, key),
            }))
        }
        Redelivered::NotDead => Err(Problem::NotDead(record_again(registry, &tenant, key, record).await)),
        Redelivered::Unknown => Err(Problem::UnknownDelivery),
        Redelivered::PastRetention => Err(Problem::PastRetention),
        Redelivered::Unreadable => Err(Problem::Unreadable),
    }
}

async fn record(
    registry: &dyn Registry,
    tenant: &TenantId,
    key: &EventKey,
) -> Result<DeliveryRecord, Problem> {
    let found = registry.delivery(key, &Scope::Operator { tenant: tenant.clone() }).await;
    let found = found.map_err(|error| Problem::of_store(&error))?;
    found.map(|found| found.record).ok_or(Problem::UnknownDelivery)
}

/// Where a delivery stands that is no dead letter: it may have been one a moment ago.
async fn record_again(
    registry: &dyn Registry,
    tenant: &TenantId,
    key: &EventKey,
    before: DeliveryRecord,
) -> DeliveryState {
    if before.state != DeliveryState::Dead {
        return before.state;
    }
    record(registry, tenant, key).await.map_or(DeliveryState::Pending, |record| record.state)
}

/// Those that pass a filter, oldest first.
pub(crate) async fn matching(
    registry: &dyn Registry,
    operator: &Operator,
    tenant: TenantId,
    query: &Query,
) -> Result<Value, Problem> {
    let filter = chosen(query)?;
    let limit = query.limit(USUAL, MOST)?;
    let mut found = Found::look(registry, &tenant, filter).await?;
    let keys = found.take(limit);
    let mut told = [("queued", 0), ("not_dead", 0), ("past_retention", found.past_retention)];
    let mut unreadable = found.unreadable;
    let mut ids = Vec::new();
    if !keys.is_empty() {
        let mut req = Redeliver::one(tenant.clone(), keys[0].clone(), operator.name()).with_limit(limit);
        req.which = Which::Keys(keys);
        let done = registry.redeliver(req).await.map_err(|error| Problem::of_store(&error))?;
        for (key, done) in done {
            match done {
                Redelivered::Queued => {
                    told[0].1 += 1;
                    ids.push(Value::from(key.as_str()));
                }
                // Somebody was quicker, or it was forgotten meanwhile.
                Redelivered::NotDead | Redelivered::Unknown => told[1].1 += 1,
                Redelivered::PastRetention => told[2].1 += 1,
                Redelivered::Unreadable => unreadable += 1,
            }
        }
        tracing::info!(
            operator = operator.name(),
            tenant = %tenant,
            queued = told[0].1,
            left = found.ready.len(),
            "an operator sent dead letters again"
        );
    }
    let mut said = json!({
        "tenant": tenant.as_str(),
        "by": operator.name(),
        "no_url": found.no_url,
        "unreadable": unreadable,
        "left": found.ready.len(),
        "left_is_exact": found.all,
        "ids": ids,
    });
    for (name, count) in told {
        said[name] = count.into();
    }
    Ok(said)
}

/// What is chosen; nothing is not all.
fn chosen(query: &Query) -> Result<DeliveryFilter, Problem> {
    let mut filter = query.filter()?;
    if filter.states.iter().any(|state| *state != DeliveryState::Dead) {
        return Err(Problem::field("state", "is `dead` or left out: only dead letters are sent again"));
    }
    match (query.narrows(), query.flag("all")?) {
        (false, false) => {
            let words = "must be `true` to send every dead letter of the tenant again; otherwise choose some by \
                         reason, endpoint, task, about, since or before";
            return Err(Problem::field("all", words));
        }
        (true, true) => {
            return Err(Problem::field(
                "all",
                "contradicts the other conditions; leave one or the other out",
            ));
        }
        _ => {}
    }
    filter.states = vec![DeliveryState::Dead];
    Ok(filter)
}

/// Dead letters that pass, by what can be done with them.
#[derive(Debug, Default)]
struct Found {
    /// Those that can be sent again, oldest first.
    ready: VecDeque<EventKey>,
    past_retention: usize,
    no_url: usize,
    unreadable: usize,
    /// Whether there are no others.
    all: bool,
}

impl Found {
    /// Looks for them, the newest first: the oldest may be past retention by the thousand, and stand in nobody's way.
    async fn look(
        registry: &dyn Registry,
        tenant: &TenantId,
        filter: DeliveryFilter,
    ) -> Result<Self, Problem> {
        let mut found = Self::default();
        let scope = Scope::Operator { tenant: tenant.clone() };
        let mut req = ListDeliveries::new(scope).matching(filter).with_limit(PAGE);
        for _ in 0..LOOKED_AT / PAGE {
            let page = registry.deliveries(req.clone()).await.map_err(|error| Problem::of_store(&error))?;
            found.unreadable += page.unreadable.len();
            page.deliveries.iter().for_each(|record| found.count(record));
            req.after = page.next;
            if req.after.is_none() {
                found.all = true;
                break;
            }
        }
        Ok(found)
    }

    fn count(&mut self, record: &DeliveryRecord) {
        if show::leads_nowhere(record) {
            self.no_url += 1;
        } else if show::can_redeliver(record) {
            self.ready.push_front(record.key.clone());
        } else {
            self.past_retention += 1;
        }
    }

    fn take(&mut self, limit: usize) -> Vec<EventKey> {
        self.ready.drain(..limit.min(self.ready.len())).collect()
    }
}

/// As much of an id as logs show.
fn short(key: &EventKey) -> &str {
    key.as_str().get(..12).unwrap_or_else(|| key.as_str())
}
