//! Deliveries that are claimed. Whoever claims holds the rows of the endpoints it claims for, so that what is in flight is
//! counted by one at a time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use adcp_core::{
    Admission, Breaker, ClaimDeliveries, ClaimPlan, ClaimedDeliveries, ClaimedDelivery, Endpoint,
    EndpointRecord, EventKey, Lane, LeaseToken, Take, TenantId, Timestamp, Verdict, Visit, plan_claims,
};
use deadpool_postgres::tokio_postgres::Row;
use futures_util::future::try_join;

use crate::error::Fail;
use crate::records::Settle;
use crate::row::{self, get};
use crate::statement::Values;
use crate::unit::{Tx, Unit};

/// A lane of a tenant.
pub(crate) type At = (TenantId, Endpoint);

/// A claim under a token that was drawn before the first try, by which a later try knows its own work.
pub(crate) struct ClaimOnce {
    pub(crate) req: ClaimDeliveries,
    pub(crate) token: LeaseToken,
    /// Whether an earlier try may have taken effect.
    pub(crate) unanswered: AtomicBool,
}

impl Unit for ClaimOnce {
    type Done = ClaimedDeliveries;
    const OP: &'static str = "claim_deliveries";

    fn repeatable(&self) -> bool {
        true
    }

    fn unanswered(&self) {
        self.unanswered.store(true, Ordering::Relaxed);
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<ClaimedDeliveries, Fail> {
        if self.unanswered.load(Ordering::Relaxed) {
            let token = self.token.as_bytes().to_vec();
            let own = tx.rows(&tx.shared.sql.deliveries_claimed, &[("token", &token)]).await?;
            if !own.is_empty() {
                let mut claimed = ClaimedDeliveries::default();
                claimed.cursor = self.req.after.clone();
                claimed.more = true;
                self.read(tx, &own, &[], &mut claimed).await?;
                return Ok(claimed);
            }
        }
        let (visits, all) = visits(tx, &self.req).await?;
        let plan = plan_claims(&visits, all, &self.req, tx.now);
        let mut claimed = ClaimedDeliveries::default();
        if !plan.takes.is_empty() {
            let (takes, missed) = hold(tx, &plan).await?;
            let rows = self.take(tx, &takes).await?;
            self.read(tx, &rows, &takes, &mut claimed).await?;
            // What another claimer holds just now may be free in a moment.
            claimed.more = missed;
        }
        claimed.cursor = plan.cursor;
        claimed.more |= plan.more;
        claimed.next_due = plan.next_due;
        Ok(claimed)
    }
}

impl ClaimOnce {
    /// Claims the rows.
    async fn take(&self, tx: &Tx<'_>, takes: &[(Take, EndpointRecord)]) -> Result<Vec<Row>, Fail> {
        if takes.is_empty() {
            return Ok(Vec::new());
        }
        let (tenants, endpoints) = columns(takes.iter().map(|(take, _)| (&take.tenant, &take.endpoint)));
        let rows: Vec<i64> = takes.iter().map(|(take, _)| i64::from(take.rows)).collect();
        let values: Values<'_> = &[
            ("tenants", &tenants),
            ("endpoints", &endpoints),
            ("rows", &rows),
            ("limit", &rows.iter().sum::<i64>()),
            ("now", &tx.now.as_micros()),
            ("most", &i64::from(self.req.per_endpoint)),
            ("token", &self.token.as_bytes().to_vec()),
            ("until", &tx.now.after(self.req.lease).as_micros()),
        ];
        tx.rows(&tx.shared.sql.deliveries_claim, values).await
    }

    /// Reads what was claimed, in the order of the lanes. What cannot be read is given up.
    async fn read(
        &self,
        tx: &Tx<'_>,
        rows: &[Row],
        takes: &[(Take, EndpointRecord)],
        claimed: &mut ClaimedDeliveries,
    ) -> Result<(), Fail> {
        let sealer = &*tx.shared.config.sealer;
        let mut dead = Settle::default();
        for found in rows {
            let read = row::event(found, sealer).and_then(|event| Ok((event, row::delivery(found)?)));
            let (event, record) = match read {
                Ok(read) => read,
                Err(fail) => {
                    let reason = fail.of_one_row()?;
                    let tenant = TenantId::new(get::<String>(found, "tenant")?);
                    let key = EventKey::stored(get::<String>(found, "key")?);
                    let attempts = get(found, "attempts")?;
                    dead.push(&tenant, &key, &Verdict::Dead(reason).settle(tx.now), attempts);
                    claimed.dead.push((tenant, key, reason));
                    continue;
                }
            };
            let probe = takes.iter().any(|(take, _)| {
                take.probe && take.tenant == record.owner.tenant && take.endpoint == record.endpoint
            });
            claimed.deliveries.push(
                ClaimedDelivery::new(event, record.endpoint, self.token)
                    .counted(record.attempts.saturating_sub(record.attempts_before), record.attempts)
                    .having_waited(tx.now.since(record.since))
                    .as_probe(probe),
            );
        }
        dead.write(tx).await?;
        let turn: HashMap<(&TenantId, &Endpoint), usize> =
            takes.iter().enumerate().map(|(at, (take, _))| ((&take.tenant, &take.endpoint), at)).collect();
        claimed
            .deliveries
            .sort_by_key(|found| turn.get(&(&found.event.owner.tenant, &found.endpoint)).copied());
        let looked = |at: &&(Take, EndpointRecord)| {
            let of = |found: &&ClaimedDelivery| {
                found.endpoint == at.0.endpoint && found.event.owner.tenant == at.0.tenant
            };
            at.0.probe && claimed.deliveries.iter().any(|found| of(&found))
        };
        let probes = takes.iter().filter(looked).map(|(_, known)| {
            let mut known = known.clone();
            known.breaker = known.breaker.probed(self.token, self.req.lease, tx.now);
            known.changed_at = tx.now;
            known
        });
        update(tx, &probes.collect::<Vec<_>>()).await
    }
}

/// What has events waiting, and whether no tenant was left out.
async fn visits(tx: &Tx<'_>, req: &ClaimDeliveries) -> Result<(Vec<Visit>, bool), Fail> {
    let mut tenants = if req.tenants.is_empty() {
        tenants_after(tx, req.after.tenant()).await?
    } else {
        req.tenants_in_turn().into_iter().filter(|tenant| !tenant.as_str().contains('\0')).collect()
    };
    let all = tenants.len() <= ClaimDeliveries::MAX_TENANTS;
    tenants.truncate(ClaimDeliveries::MAX_TENANTS);
    if tenants.is_empty() {
        return Ok((Vec::new(), all));
    }
    let (names, each) = (texts(&tenants), req.lanes_each(tenants.len()));
    let wanted = req.due_lanes_each(tenants.len());
    let afters: Vec<String> = tenants
        .iter()
        .map(|tenant| req.after.endpoint_of(tenant).map_or_else(String::new, |at| at.as_str().to_owned()))
        .collect();
    let waiting: Values<'_> = &[
        ("tenants", &names),
        ("afters", &afters),
        ("now", &tx.now.as_micros()),
        ("most", &i64::from(req.per_endpoint)),
        // One more than is looked at shows that there are more.
        ("each", &i64::try_from(each + 1).unwrap_or(i64::MAX)),
        ("wanted", &i64::from(wanted)),
    ];
    let unnamed: Values<'_> = &[("tenants", &names)];
    let (unnamed, mut found) =
        try_join(tx.rows(&tx.shared.sql.lanes_unnamed, unnamed), tx.rows(&tx.shared.sql.lanes, waiting))
            .await?;
    if !unnamed.is_empty() {
        name_lanes(tx, &unnamed).await?;
        found = tx.rows(&tx.shared.sql.lanes, waiting).await?;
    }
    let mut visits: Vec<Visit> =
        tenants.into_iter().map(|tenant| Visit { tenant, lanes: Vec::new(), whole: true }).collect();
    for found in &found {
        let tenant: &str = get(found, "tenant")?;
        let Some(visit) = visits.iter_mut().find(|visit| visit.tenant.as_str() == tenant) else { continue };
        if visit.lanes.len() < each {
            visit.lanes.push(lane(found)?);
            visit.whole &= row::count(found, "hits")? < wanted;
        } else {
            visit.whole = false;
        }
    }
    for visit in &mut visits {
        // Of what an older version queued there may be more than was given a lane just now.
        let mut named = 0;
        for row in &unnamed {
            named += usize::from(get::<&str>(row, "tenant")? == visit.tenant.as_str());
        }
        visit.whole &= named < NAMED_AT_ONCE;
        let last = req.after.endpoint_of(&visit.tenant);
        visit.lanes.sort_by(|a, b| {
            (last >= Some(&a.endpoint), &a.endpoint).cmp(&(last >= Some(&b.endpoint), &b.endpoint))
        });
    }
    Ok((visits, all))
}

fn lane(found: &Row) -> Result<Lane, Fail> {
    // A lane that nothing was sent on has no breaker yet.
    let known = get::<Option<&str>>(found, "state")?.is_some();
    Ok(Lane {
        endpoint: Endpoint::stored(get::<String>(found, "endpoint")?),
        due_at: Timestamp::from_micros(get(found, "due_at")?),
        ready: row::count(found, "ready")?,
        flying: row::count(found, "flying")?,
        breaker: if known { row::endpoint(found, "state")?.breaker } else { Breaker::default() },
    })
}

/// How many events of a tenant are given a lane at once, as `lanes_unnamed.sql` has it.
const NAMED_AT_ONCE: usize = 500;

/// Tenants with events that wait, beginning after one; one more than a claim looks at.
async fn tenants_after(tx: &Tx<'_>, last: Option<&TenantId>) -> Result<Vec<TenantId>, Fail> {
    let after = last.map_or("", TenantId::as_str);
    let most = i64::try_from(ClaimDeliveries::MAX_TENANTS + 1).unwrap_or(i64::MAX);
    let rows = tx.rows(&tx.shared.sql.delivery_tenants, &[("after", &after), ("most", &most)]).await?;
    let tenant = |found: &Row| Ok(TenantId::new(get::<String>(found, "tenant")?));
    let mut tenants = rows.iter().map(tenant).collect::<Result<Vec<_>, Fail>>()?;
    tenants.sort_by(|a, b| (a.as_str() <= after, a).cmp(&(b.as_str() <= after, b)));
    Ok(tenants)
}

/// Gives events their lanes that a version without lanes queued.
async fn name_lanes(tx: &Tx<'_>, unnamed: &[Row]) -> Result<(), Fail> {
    let (mut tenants, mut keys, mut endpoints) = (Vec::new(), Vec::new(), Vec::new());
    for found in unnamed {
        tenants.push(get::<String>(found, "tenant")?);
        keys.push(get::<String>(found, "key")?);
        endpoints.push(Endpoint::of(get(found, "url")?).as_str().to_owned());
    }
    let values: Values<'_> = &[("tenants", &tenants), ("keys", &keys), ("endpoints", &endpoints)];
    tx.execute(&tx.shared.sql.lanes_name, values).await?;
    Ok(())
}

/// Takes hold of the endpoints of a plan, as far as nobody else holds them, and looks at their breakers again. Says also
/// whether somebody holds one.
async fn hold(tx: &Tx<'_>, plan: &ClaimPlan) -> Result<(Vec<(Take, EndpointRecord)>, bool), Fail> {
    let mut lanes: Vec<&Take> = plan.takes.iter().collect();
    lanes.sort_by(|a, b| (&a.tenant, &a.endpoint).cmp(&(&b.tenant, &b.endpoint)));
    let (tenants, endpoints) = columns(lanes.iter().map(|take| (&take.tenant, &take.endpoint)));
    let now = tx.now.as_micros();
    let values: Values<'_> = &[("tenants", &tenants), ("endpoints", &endpoints), ("now", &now)];
    tx.execute(&tx.shared.sql.endpoints_insert, values).await?;
    let rows = tx.rows(&tx.shared.sql.endpoints_claim, values).await?;
    let mut held: HashMap<At, EndpointRecord> = records(&rows)?;
    let missed = held.len() < lanes.len();
    let again = |take: &Take| {
        let known = held.remove(&(take.tenant.clone(), take.endpoint.clone()))?;
        let mut take = take.clone();
        match known.breaker.admits(tx.now) {
            Admission::All => take.probe = false,
            Admission::Probe => (take.probe, take.rows) = (true, 1),
            Admission::Nothing(_) => return None,
        }
        Some((take, known))
    };
    Ok((plan.takes.iter().filter_map(again).collect(), missed))
}

pub(crate) fn records(rows: &[Row]) -> Result<HashMap<At, EndpointRecord>, Fail> {
    let record = |found: &Row| {
        let known = row::endpoint(found, "state")?;
        Ok(((known.tenant.clone(), known.endpoint.clone()), known))
    };
    rows.iter().map(record).collect()
}

pub(crate) fn texts<'a>(tenants: impl IntoIterator<Item = &'a TenantId>) -> Vec<String> {
    tenants.into_iter().map(|tenant| tenant.as_str().to_owned()).collect()
}

pub(crate) fn columns<'a>(
    lanes: impl Iterator<Item = (&'a TenantId, &'a Endpoint)>,
) -> (Vec<String>, Vec<String>) {
    lanes.map(|(tenant, endpoint)| (tenant.as_str().to_owned(), endpoint.as_str().to_owned())).unzip()
}

/// Writes the breakers of endpoints that are held.
pub(crate) async fn update(tx: &Tx<'_>, known: &[EndpointRecord]) -> Result<(), Fail> {
    if known.is_empty() {
        return Ok(());
    }
    let (tenants, endpoints) = columns(known.iter().map(|known| (&known.tenant, &known.endpoint)));
    let micros = |at: Timestamp| at.as_micros();
    let token = |token: LeaseToken| token.as_bytes().to_vec();
    let states: Vec<_> = known.iter().map(|known| known.breaker.state.as_str().to_owned()).collect();
    let failures: Vec<_> = known.iter().map(|known| i64::from(known.breaker.failures)).collect();
    let openings: Vec<_> = known.iter().map(|known| i64::from(known.breaker.openings)).collect();
    let untils: Vec<_> = known.iter().map(|known| known.breaker.until.map(micros)).collect();
    let probes: Vec<_> = known.iter().map(|known| known.breaker.probe.map(token)).collect();
    let changed: Vec<_> = known.iter().map(|known| known.changed_at.as_micros()).collect();
    let lasts: Vec<_> = known.iter().map(|known| known.last.map(|last| last.as_str().to_owned())).collect();
    let values: Values<'_> = &[
        ("tenants", &tenants),
        ("endpoints", &endpoints),
        ("states", &states),
        ("failures", &failures),
        ("openings", &openings),
        ("untils", &untils),
        ("probes", &probes),
        ("changed", &changed),
        ("lasts", &lasts),
    ];
    tx.execute(&tx.shared.sql.endpoints_update, values).await?;
    Ok(())
}
