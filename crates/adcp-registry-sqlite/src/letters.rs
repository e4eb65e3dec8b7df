//! Deliveries as people see them, and dead letters that are sent again.

use adcp_core::stored::{self, Sealer};
use adcp_core::{
    DeadReason, DeliveryDetail, DeliveryFilter, DeliveryPage, DeliveryPlace, DeliveryRecord, DeliveryState,
    EndpointRecord, EventKey, ListDeliveries, ListEndpoints, Redeliver, Redelivered, Timestamp, Which,
};
use rusqlite::types::Value;
use rusqlite::{Row, Transaction, named_params, params_from_iter};

use crate::error::Fail;
use crate::list::Condition;
use crate::row::{self, Bounds};

pub(crate) fn page(tx: &Transaction<'_>, req: &ListDeliveries) -> Result<DeliveryPage, Fail> {
    let bounds = Bounds::of(&req.scope);
    let mut wanted = Condition { sql: "tenant = ?1".to_owned(), values: vec![Value::Text(bounds.tenant)] };
    if let Some(principal) = bounds.principal {
        wanted.and("principal = ?", principal);
    }
    if let Some(account) = bounds.account {
        wanted.and("account = ?", account);
    }
    narrow(&mut wanted, &req.filter);
    if let Some(place) = &req.after {
        wanted.values.push(Value::Integer(place.queued_at.as_micros()));
        wanted.values.push(Value::Text(place.key.as_str().to_owned()));
        let at = wanted.values.len();
        wanted.sql.push_str(&format!(" AND (queued_at, key) < (?{}, ?{at})", at - 1));
    }
    let limit = req.limit.max(1);
    let sql = format!(
        "SELECT * FROM events WHERE {} ORDER BY queued_at DESC, key DESC LIMIT {}",
        wanted.sql,
        limit.saturating_add(1)
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(&wanted.values))?;
    let (mut deliveries, mut unreadable, mut last, mut seen) = (Vec::new(), Vec::new(), None, 0);
    while let Some(found) = rows.next()? {
        seen += 1;
        if seen > limit {
            return Ok(DeliveryPage::new(deliveries, unreadable, last));
        }
        let key = EventKey::stored(found.get::<_, String>("key")?);
        last = Some(DeliveryPlace::new(Timestamp::from_micros(found.get("queued_at")?), key.clone()));
        match row::delivery(found) {
            Ok(record) => deliveries.push(record),
            Err(fail) => {
                fail.of_one_row()?;
                unreadable.push(key);
            }
        }
    }
    Ok(DeliveryPage::new(deliveries, unreadable, None))
}

fn narrow(wanted: &mut Condition, filter: &DeliveryFilter) {
    // Spelled out, so that the index of dead letters is found.
    let states: Vec<String> = filter.states.iter().map(|state| format!("'{}'", state.as_str())).collect();
    match states.as_slice() {
        [] => {}
        [one] => wanted.sql.push_str(&format!(" AND state = {one}")),
        several => wanted.sql.push_str(&format!(" AND state IN ({})", several.join(", "))),
    }
    wanted.and_any("reason", filter.reasons.iter().map(|reason| reason.as_str().to_owned()));
    if let Some(task) = &filter.task {
        wanted.and("task = ? AND notification IS NULL", task.as_str().to_owned());
    }
    if let Some(about) = &filter.about {
        wanted.and("about = ?", about.clone());
    }
    if let Some(endpoint) = &filter.endpoint {
        wanted.and("endpoint = ?", endpoint.as_str().to_owned());
    }
    if let Some(since) = filter.since {
        wanted.and("queued_at >= ?", since.as_micros());
    }
    if let Some(before) = filter.before {
        wanted.and("queued_at < ?", before.as_micros());
    }
}

pub(crate) fn detail(
    tx: &Transaction<'_>,
    key: &EventKey,
    bounds: &Bounds,
    sealer: &dyn Sealer,
) -> Result<Option<DeliveryDetail>, Fail> {
    let detail = |found: &Row<'_>| -> Result<_, Fail> {
        let record = row::delivery(found)?;
        let body = row::body(found, sealer).ok().filter(|_| record.has_body);
        Ok((record, body))
    };
    let Some(found) = one(tx, key, bounds, detail)? else { return Ok(None) };
    let mut statement = tx.prepare_cached(include_str!("sql/attempts_list.sql"))?;
    let attempts = statement
        .query_map(named_params! { ":tenant": bounds.tenant, ":key": key.as_str() }, row::attempt)?
        .collect::<Result<_, _>>()?;
    Ok(Some(DeliveryDetail::new(found.0, found.1, attempts)))
}

fn one<T>(
    tx: &Transaction<'_>,
    key: &EventKey,
    bounds: &Bounds,
    read: impl Fn(&Row<'_>) -> Result<T, Fail>,
) -> Result<Option<T>, Fail> {
    let mut statement = tx.prepare_cached(include_str!("sql/delivery_get.sql"))?;
    let mut rows = statement.query(named_params! {
        ":tenant": bounds.tenant,
        ":key": key.as_str(),
        ":principal": bounds.principal,
        ":account": bounds.account,
    })?;
    rows.next()?.map(read).transpose()
}

pub(crate) fn redeliver(
    tx: &Transaction<'_>,
    req: &Redeliver,
    now: Timestamp,
) -> Result<Vec<(EventKey, Redelivered)>, Fail> {
    let keys = match &req.which {
        Which::Keys(keys) => keys.clone(),
        Which::Matching(filter) => dead(tx, req, filter)?,
        _ => Vec::new(),
    };
    let bounds = Bounds::of(&adcp_core::Scope::Operator { tenant: req.tenant.clone() });
    let again = |key: EventKey| {
        let mut record = match one(tx, &key, &bounds, row::delivery) {
            Ok(Some(record)) => record,
            Ok(None) => return Ok((key, Redelivered::Unknown)),
            Err(fail) => return fail.of_one_row().map(|_| (key, Redelivered::Unreadable)),
        };
        let done = record.redeliver(&req.by, now);
        if done == Redelivered::Queued {
            update(tx, &record)?;
        }
        Ok((key, done))
    };
    keys.into_iter().map(again).collect()
}

fn dead(tx: &Transaction<'_>, req: &Redeliver, filter: &DeliveryFilter) -> Result<Vec<EventKey>, Fail> {
    let tenant = Value::Text(req.tenant.as_str().to_owned());
    let mut wanted =
        Condition { sql: "tenant = ?1 AND state = 'dead' AND body <> ''".to_owned(), values: vec![tenant] };
    narrow(&mut wanted, filter);
    let sql =
        format!("SELECT key FROM events WHERE {} ORDER BY queued_at, key LIMIT {}", wanted.sql, req.limit);
    let mut statement = tx.prepare_cached(&sql)?;
    let keys = statement.query_map(params_from_iter(&wanted.values), |row| row.get::<_, String>(0))?;
    Ok(keys.map(|key| key.map(EventKey::stored)).collect::<Result<_, _>>()?)
}

fn update(tx: &Transaction<'_>, record: &DeliveryRecord) -> Result<(), Fail> {
    debug_assert_eq!((record.state, record.reason), (DeliveryState::Pending, None::<DeadReason>));
    tx.prepare_cached(include_str!("sql/delivery_redeliver.sql"))?.execute(named_params! {
        ":tenant": record.owner.tenant.as_str(),
        ":key": record.key.as_str(),
        ":state": record.state.as_str(),
        ":due_at": record.due_at.map(Timestamp::as_micros),
        ":attempts_before": record.attempts_before,
        ":redeliveries": stored::write_redeliveries(&record.redeliveries),
    })?;
    Ok(())
}

pub(crate) fn endpoints(tx: &Transaction<'_>, req: &ListEndpoints) -> Result<Vec<EndpointRecord>, Fail> {
    let mut statement = tx.prepare_cached(include_str!("sql/endpoints_list.sql"))?;
    let values = named_params! {
        ":tenant": req.tenant.as_str(),
        ":after": req.after.as_ref().map_or("", |after| after.as_str()),
        ":paused": req.paused,
        ":limit": i64::try_from(req.limit).unwrap_or(i64::MAX),
    };
    Ok(statement.query_map(values, row::endpoint)?.collect::<Result<_, _>>()?)
}
