//! Deliveries under way: claimed, renewed, recorded, given up.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use adcp_core::stored::{self, Sealer};
use adcp_core::{
    Breaker, ClaimDeliveries, ClaimedDeliveries, ClaimedDelivery, DeadReason, DeliveryHold, Endpoint,
    EndpointRecord, ExpireDeliveries, Health, Lane, LeaseToken, MAX_ATTEMPTS_KEPT, RecordAttempt,
    RecordAttempts, Recorded, RenewDeliveries, Settled, Take, TenantId, Timestamp, Verdict, Visit,
    plan_claims,
};
use rusqlite::{OptionalExtension, Transaction, named_params};

use crate::error::Fail;
use crate::row;

pub(crate) fn claim(
    tx: &Transaction<'_>,
    req: &ClaimDeliveries,
    token: LeaseToken,
    now: Timestamp,
    sealer: &dyn Sealer,
) -> Result<ClaimedDeliveries, Fail> {
    let asked = req.tenants_in_turn();
    let mut tenants = if req.tenants.is_empty() { tenants_after(tx, req.after.tenant())? } else { asked };
    let all = tenants.len() <= ClaimDeliveries::MAX_TENANTS;
    tenants.truncate(ClaimDeliveries::MAX_TENANTS);
    let bounds = (req.lanes_each(tenants.len()), req.due_lanes_each(tenants.len()));
    let mut visits = Vec::with_capacity(tenants.len());
    for tenant in tenants {
        name_lanes(tx, &tenant)?;
        visits.push(visit(tx, tenant, req, bounds, now)?);
    }
    let plan = plan_claims(&visits, all, req, now);
    let mut claimed = ClaimedDeliveries::default();
    for planned in &plan.takes {
        take(tx, planned, req, token, now, sealer, &mut claimed)?;
    }
    claimed.cursor = plan.cursor;
    claimed.more = plan.more;
    claimed.next_due = plan.next_due;
    Ok(claimed)
}

/// Tenants with events that wait, beginning after one; one more than a claim looks at.
fn tenants_after(tx: &Transaction<'_>, last: Option<&TenantId>) -> Result<Vec<TenantId>, Fail> {
    let mut statement = tx.prepare_cached(include_str!("sql/delivery_tenant_next.sql"))?;
    let mut next = |after: &str| {
        statement.query_row(named_params! { ":after": after }, |row| row.get::<_, String>(0)).optional()
    };
    let mut found: Vec<TenantId> = Vec::new();
    let mut from = last.map_or_else(String::new, |last| last.as_str().to_owned());
    let mut wrapped = last.is_none();
    while found.len() <= ClaimDeliveries::MAX_TENANTS {
        match next(&from)? {
            Some(tenant) if found.first().is_none_or(|first| first.as_str() != tenant) => {
                found.push(TenantId::new(tenant.as_str()));
                from = tenant;
            }
            None if !wrapped => {
                wrapped = true;
                from.clear();
            }
            _ => break,
        }
    }
    Ok(found)
}

/// Gives events their lanes that a version without lanes queued.
fn name_lanes(tx: &Transaction<'_>, tenant: &TenantId) -> Result<(), Fail> {
    let mut statement = tx.prepare_cached(include_str!("sql/lane_unnamed.sql"))?;
    let unnamed: Vec<(i64, String)> = statement
        .query_map(named_params! { ":tenant": tenant.as_str() }, |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (number, url) in unnamed {
        tx.prepare_cached(include_str!("sql/lane_name.sql"))?
            .execute(named_params! { ":number": number, ":endpoint": Endpoint::of(&url).as_str() })?;
    }
    Ok(())
}

/// Lanes of a tenant, beginning after the cursor's: at most so many, and so many with something due.
fn visit(
    tx: &Transaction<'_>,
    tenant: TenantId,
    req: &ClaimDeliveries,
    (each, wanted): (usize, u32),
    now: Timestamp,
) -> Result<Visit, Fail> {
    let mut statement = tx.prepare_cached(include_str!("sql/lane_next.sql"))?;
    let mut next = |after: &str| {
        let values = named_params! { ":tenant": tenant.as_str(), ":after": after };
        statement.query_row(values, |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).optional()
    };
    let last = req.after.endpoint_of(&tenant);
    let (mut lanes, mut hits): (Vec<Lane>, u32) = (Vec::new(), 0);
    let mut from = last.map_or_else(String::new, |last| last.as_str().to_owned());
    let mut wrapped = last.is_none();
    let whole = loop {
        match next(&from)? {
            Some((endpoint, due)) if lanes.first().is_none_or(|lane| lane.endpoint.as_str() != endpoint) => {
                if lanes.len() == each || hits == wanted {
                    break false;
                }
                hits += u32::from(due <= now.as_micros());
                lanes.push(lane(tx, &tenant, &endpoint, Timestamp::from_micros(due), req, now)?);
                from = endpoint;
            }
            None if !wrapped => {
                wrapped = true;
                from.clear();
            }
            _ => break true,
        }
    };
    Ok(Visit { tenant, lanes, whole })
}

fn lane(
    tx: &Transaction<'_>,
    tenant: &TenantId,
    endpoint: &str,
    due_at: Timestamp,
    req: &ClaimDeliveries,
    now: Timestamp,
) -> Result<Lane, Fail> {
    let (most, micros) = (req.per_endpoint, now.as_micros());
    let count = |text| -> rusqlite::Result<u32> {
        tx.prepare_cached(text)?.query_row(
            named_params! { ":tenant": tenant.as_str(), ":endpoint": endpoint, ":now": micros, ":most": most },
            |row| row.get(0),
        )
    };
    let endpoint = Endpoint::stored(endpoint);
    if due_at > now {
        return Ok(Lane { endpoint, due_at, ready: 0, flying: 0, breaker: Breaker::default() });
    }
    let ready = count(include_str!("sql/lane_ready.sql"))?;
    let flying = count(include_str!("sql/lane_flying.sql"))?;
    let breaker = known(tx, tenant, &endpoint)?.map(|record| record.breaker).unwrap_or_default();
    Ok(Lane { endpoint, due_at, ready, flying, breaker })
}

fn take(
    tx: &Transaction<'_>,
    take: &Take,
    req: &ClaimDeliveries,
    token: LeaseToken,
    now: Timestamp,
    sealer: &dyn Sealer,
    claimed: &mut ClaimedDeliveries,
) -> Result<(), Fail> {
    let known = known(tx, &take.tenant, &take.endpoint)?;
    if take.probe || known.is_none() {
        let mut record =
            known.unwrap_or_else(|| EndpointRecord::new(take.tenant.clone(), take.endpoint.clone(), now));
        if take.probe {
            record.breaker = record.breaker.probed(token, req.lease, now);
            record.changed_at = now;
        }
        put(tx, &record)?;
    }
    let mut statement = tx.prepare_cached(include_str!("sql/deliveries_due.sql"))?;
    let mut rows = statement.query(named_params! {
        ":tenant": take.tenant.as_str(),
        ":endpoint": take.endpoint.as_str(),
        ":now": now.as_micros(),
        ":rows": take.rows,
    })?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let number: i64 = row.get("number")?;
        let read = row::event(row, sealer).and_then(|event| Ok((event, row::delivery(row)?)));
        found.push((number, row.get::<_, String>("key")?, read));
    }
    for (number, key, read) in found {
        let (event, record) = match read {
            Ok(read) => read,
            Err(fail) => {
                let reason = fail.of_one_row()?;
                settle(tx, number, &Verdict::Dead(reason).settle(now))?;
                claimed.dead.push((take.tenant.clone(), adcp_core::EventKey::stored(key), reason));
                continue;
            }
        };
        tx.prepare_cached(include_str!("sql/delivery_claim.sql"))?.execute(named_params! {
            ":number": number,
            ":token": token.as_bytes(),
            ":until": now.after(req.lease).as_micros(),
        })?;
        let attempts = record.attempts + 1;
        claimed.deliveries.push(
            ClaimedDelivery::new(event, take.endpoint.clone(), token)
                .counted(attempts.saturating_sub(record.attempts_before), attempts)
                .having_waited(now.since(record.since))
                .as_probe(take.probe),
        );
    }
    Ok(())
}

/// A row whose claim still holds: its number, endpoint and attempts.
fn held(
    tx: &Transaction<'_>,
    hold: &DeliveryHold,
    now: Timestamp,
) -> rusqlite::Result<Option<(i64, Endpoint, u32)>> {
    let values = named_params! {
        ":tenant": hold.tenant.as_str(),
        ":key": hold.key.as_str(),
        ":token": hold.token.as_bytes(),
        ":now": now.as_micros(),
    };
    tx.prepare_cached(include_str!("sql/delivery_held.sql"))?
        .query_row(values, |row| Ok((row.get(0)?, Endpoint::stored(row.get::<_, String>(1)?), row.get(2)?)))
        .optional()
}

pub(crate) fn renew(
    tx: &Transaction<'_>,
    req: &RenewDeliveries,
    now: Timestamp,
) -> Result<Vec<Recorded>, Fail> {
    let renew = |hold: &DeliveryHold| {
        let Some((number, endpoint, _)) = held(tx, hold, now)? else { return Ok(Recorded::Lost) };
        tx.prepare_cached(include_str!("sql/delivery_renew.sql"))?
            .execute(named_params! { ":number": number, ":until": now.after(req.lease).as_micros() })?;
        if let Some(mut record) = known(tx, &hold.tenant, &endpoint)? {
            let breaker = record.breaker.renewed(hold.token, req.lease, now);
            if std::mem::replace(&mut record.breaker, breaker) != breaker {
                put(tx, &record)?;
            }
        }
        Ok(Recorded::Written)
    };
    req.holds.iter().map(renew).collect()
}

pub(crate) fn record(
    tx: &Transaction<'_>,
    req: &RecordAttempts,
    now: Timestamp,
) -> Result<Vec<Recorded>, Fail> {
    // Many of one batch are of one endpoint.
    let mut seen = HashMap::new();
    req.records.iter().map(|record| record_one(tx, record, req, &mut seen, now)).collect()
}

fn record_one(
    tx: &Transaction<'_>,
    record: &RecordAttempt,
    req: &RecordAttempts,
    seen: &mut HashMap<(TenantId, Endpoint), EndpointRecord>,
    now: Timestamp,
) -> Result<Recorded, Fail> {
    let hold = &record.hold;
    let Some((number, endpoint, attempts)) = held(tx, hold, now)? else { return Ok(Recorded::Lost) };
    let settled = record.verdict.settle(now);
    settle(tx, number, &settled)?;
    let attempt = record.attempt.as_ref().filter(|_| settled.counts);
    if let Some(report) = attempt {
        let attempt = report.kept(attempts, now);
        tx.prepare_cached(include_str!("sql/attempt_insert.sql"))?.execute(named_params! {
            ":tenant": hold.tenant.as_str(),
            ":key": hold.key.as_str(),
            ":number": attempt.number,
            ":class": attempt.class.as_str(),
            ":started_at": attempt.started_at.as_micros(),
            ":took": i64::try_from(attempt.took.as_micros()).unwrap_or(i64::MAX),
            ":http_status": attempt.http_status,
            ":peer": attempt.peer,
            ":detail": attempt.detail,
            ":answer": attempt.answer,
        })?;
        if attempts > MAX_ATTEMPTS_KEPT {
            tx.prepare_cached(include_str!("sql/attempts_trim.sql"))?.execute(named_params! {
                ":tenant": hold.tenant.as_str(),
                ":key": hold.key.as_str(),
                ":number": attempts - MAX_ATTEMPTS_KEPT,
            })?;
        }
    }
    let health = attempt.map_or(Health::Unasked, |attempt| attempt.class.health());
    let known = match seen.entry((hold.tenant.clone(), endpoint)) {
        Entry::Occupied(seen) => seen.into_mut(),
        Entry::Vacant(new) => {
            let (tenant, endpoint) = new.key();
            let known = known(tx, tenant, endpoint)?
                .unwrap_or_else(|| EndpointRecord::new(tenant.clone(), endpoint.clone(), now));
            new.insert(known)
        }
    };
    let breaker = known.breaker.after(hold.token, health, &req.breaker, now);
    if breaker != known.breaker {
        known.breaker = breaker;
        known.changed_at = now;
        known.last = attempt.map(|attempt| attempt.class);
        put(tx, known)?;
    }
    Ok(Recorded::Written)
}

fn settle(tx: &Transaction<'_>, number: i64, settled: &Settled) -> Result<(), Fail> {
    tx.prepare_cached(include_str!("sql/delivery_settle.sql"))?.execute(named_params! {
        ":number": number,
        ":state": settled.state.as_str(),
        ":reason": settled.reason.map(DeadReason::as_str),
        ":due_at": settled.due_at.map(Timestamp::as_micros),
        ":settled_at": settled.settled_at.map(Timestamp::as_micros),
        ":uncounted": !settled.counts,
    })?;
    Ok(())
}

pub(crate) fn expire(tx: &Transaction<'_>, req: &ExpireDeliveries, now: Timestamp) -> Result<usize, Fail> {
    let tenants = stored::write_list(req.tenants.iter().map(TenantId::as_str));
    let tenants = (!req.tenants.is_empty()).then_some(tenants);
    let mut statement = tx.prepare_cached(include_str!("sql/deliveries_expired.sql"))?;
    let expired: Vec<i64> = statement
        .query_map(
            named_params! {
                ":horizon": now.before(req.horizon).as_micros(),
                ":now": now.as_micros(),
                ":tenants": tenants,
                ":limit": i64::try_from(req.limit).unwrap_or(i64::MAX),
            },
            |row| row.get(0),
        )?
        .collect::<Result<_, _>>()?;
    for number in &expired {
        settle(tx, *number, &Verdict::Dead(DeadReason::Exhausted).settle(now))?;
    }
    Ok(expired.len())
}

fn known(
    tx: &Transaction<'_>,
    tenant: &TenantId,
    endpoint: &Endpoint,
) -> rusqlite::Result<Option<EndpointRecord>> {
    tx.prepare_cached(include_str!("sql/endpoint_get.sql"))?
        .query_row(
            named_params! { ":tenant": tenant.as_str(), ":endpoint": endpoint.as_str() },
            row::endpoint,
        )
        .optional()
}

fn put(tx: &Transaction<'_>, record: &EndpointRecord) -> rusqlite::Result<()> {
    let breaker = record.breaker;
    tx.prepare_cached(include_str!("sql/endpoint_put.sql"))?.execute(named_params! {
        ":tenant": record.tenant.as_str(),
        ":endpoint": record.endpoint.as_str(),
        ":state": breaker.state.as_str(),
        ":failures": breaker.failures,
        ":openings": breaker.openings,
        ":until": breaker.until.map(Timestamp::as_micros),
        ":probe": breaker.probe.map(|token| token.as_bytes().to_vec()),
        ":changed_at": record.changed_at.as_micros(),
        ":last": record.last.map(|class| class.as_str()),
    })?;
    Ok(())
}
