//! Deliveries as people see them, and dead letters that are sent again.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use adcp_core::stored;
use adcp_core::{
    DeliveryDetail, DeliveryFilter, DeliveryPage, DeliveryPlace, EventKey, ListDeliveries, Redeliver,
    Redelivered, Timestamp, Which,
};
use deadpool_postgres::tokio_postgres::Row;

use crate::error::Fail;
use crate::list::Condition;
use crate::row::{self, Bounds, get};
use crate::statement::Values;
use crate::unit::{Tx, Unit};

impl Unit for ListDeliveries {
    type Done = DeliveryPage;
    const OP: &'static str = "deliveries";

    async fn run(&self, tx: &Tx<'_>) -> Result<DeliveryPage, Fail> {
        let bounds = Bounds::of(&self.scope);
        let mut wanted = Condition::in_tenant(bounds.tenant);
        if let Some(principal) = bounds.principal {
            wanted.and("principal = ?", principal);
        }
        if let Some(account) = bounds.account {
            wanted.and("account = ?", account);
        }
        narrow(&mut wanted, &self.filter);
        if let Some(place) = &self.after {
            let at = wanted.bind(place.queued_at.as_micros());
            let key = wanted.bind(place.key.as_str().to_owned());
            wanted.sql.push_str(&format!(" AND (queued_at, key) < ({at}, {key})"));
        }
        if wanted.nowhere {
            return Ok(DeliveryPage::default());
        }
        let limit = self.limit.max(1);
        let sql = format!(
            "SELECT * FROM {} WHERE {} ORDER BY queued_at DESC, key DESC LIMIT {}",
            tx.shared.sql.events,
            wanted.sql,
            limit.saturating_add(1)
        );
        let rows = tx.query(&sql, &wanted.typed()).await?;
        let (mut deliveries, mut unreadable, mut last) = (Vec::new(), Vec::new(), None);
        for found in rows.iter().take(limit) {
            let key = EventKey::stored(get::<String>(found, "key")?);
            last = Some(DeliveryPlace::new(Timestamp::from_micros(get(found, "queued_at")?), key.clone()));
            match row::delivery(found) {
                Ok(record) => deliveries.push(record),
                Err(fail) => {
                    fail.of_one_row()?;
                    unreadable.push(key);
                }
            }
        }
        Ok(DeliveryPage::new(deliveries, unreadable, last.filter(|_| rows.len() > limit)))
    }
}

fn narrow(wanted: &mut Condition, filter: &DeliveryFilter) {
    // Spelled out, so that the index of dead letters is found.
    let states: Vec<String> = filter.states.iter().map(|state| format!("'{}'", state.as_str())).collect();
    match states.as_slice() {
        [] => {}
        [one] => wanted.sql.push_str(&format!(" AND state = {one}")),
        several => wanted.sql.push_str(&format!(" AND state IN ({})", several.join(", "))),
    }
    wanted.and_any("reason", filter.reasons.iter().map(|reason| reason.as_str()));
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

/// One delivery with its attempts.
pub(crate) struct Detail<'a> {
    pub(crate) key: &'a EventKey,
    pub(crate) bounds: Bounds,
}

impl Unit for Detail<'_> {
    type Done = Option<DeliveryDetail>;
    const OP: &'static str = "delivery";

    async fn run(&self, tx: &Tx<'_>) -> Result<Option<DeliveryDetail>, Fail> {
        let values: Values<'_> = &[
            ("tenant", &self.bounds.tenant),
            ("key", &self.key.as_str()),
            ("principal", &self.bounds.principal),
            ("account", &self.bounds.account),
        ];
        let Some(found) = tx.row(&tx.shared.sql.delivery_get, values).await? else { return Ok(None) };
        let record = row::delivery(&found)?;
        let body = row::body(&found, &*tx.shared.config.sealer).ok().filter(|_| record.has_body);
        let attempts = tx.rows(&tx.shared.sql.attempts_list, values).await?;
        let attempts = attempts.iter().map(row::attempt).collect::<Result<_, _>>()?;
        Ok(Some(DeliveryDetail::new(record, body, attempts)))
    }
}

impl Unit for Redeliver {
    type Done = Vec<(EventKey, Redelivered)>;
    const OP: &'static str = "redeliver";

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Done, Fail> {
        let (keys, rows) = match &self.which {
            Which::Keys(keys) => (keys.clone(), locked(tx, self.tenant.as_str(), keys).await?),
            Which::Matching(filter) => {
                let rows = dead(tx, self, filter).await?;
                let key = |found: &Row| Ok(EventKey::stored(get::<String>(found, "key")?));
                (rows.iter().map(key).collect::<Result<_, Fail>>()?, rows)
            }
            _ => (Vec::new(), Vec::new()),
        };
        let mut done: HashMap<String, Redelivered> = HashMap::new();
        let (mut again, mut redeliveries) = (Vec::new(), Vec::new());
        for found in &rows {
            let key: String = get(found, "key")?;
            let answer = match row::delivery(found) {
                Ok(mut record) => {
                    let answer = record.redeliver(&self.by.replace('\0', " "), tx.now);
                    if answer == Redelivered::Queued {
                        again.push(key.clone());
                        redeliveries.push(stored::write_redeliveries(&record.redeliveries));
                    }
                    answer
                }
                Err(fail) => fail.of_one_row().map(|_| Redelivered::Unreadable)?,
            };
            done.insert(key, answer);
        }
        if !again.is_empty() {
            let values: Values<'_> = &[
                ("tenant", &self.tenant.as_str()),
                ("keys", &again),
                ("redeliveries", &redeliveries),
                ("state", &adcp_core::DeliveryState::Pending.as_str()),
                ("now", &tx.now.as_micros()),
            ];
            tx.execute(&tx.shared.sql.deliveries_redeliver, values).await?;
            tx.queued.store(true, Ordering::Relaxed);
        }
        let answer = |key: EventKey| {
            let answer = done.get(key.as_str()).copied().unwrap_or(Redelivered::Unknown);
            (key, answer)
        };
        Ok(keys.into_iter().map(answer).collect())
    }
}

/// The rows of these keys, for a write.
async fn locked(tx: &Tx<'_>, tenant: &str, keys: &[EventKey]) -> Result<Vec<Row>, Fail> {
    let keys: Vec<String> = keys.iter().map(|key| key.as_str().to_owned()).collect();
    let keys: Vec<String> = keys.into_iter().filter(|key| !key.contains('\0')).collect();
    tx.rows(&tx.shared.sql.deliveries_lock, &[("tenant", &tenant), ("keys", &keys)]).await
}

/// Dead letters that pass, oldest first, for a write.
async fn dead(tx: &Tx<'_>, req: &Redeliver, filter: &DeliveryFilter) -> Result<Vec<Row>, Fail> {
    let mut wanted = Condition::in_tenant(req.tenant.as_str().to_owned());
    wanted.sql.push_str(" AND state = 'dead' AND body <> ''");
    narrow(&mut wanted, filter);
    if wanted.nowhere {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT * FROM {} WHERE {} ORDER BY queued_at, key LIMIT {} FOR UPDATE",
        tx.shared.sql.events, wanted.sql, req.limit
    );
    tx.query(&sql, &wanted.typed()).await
}
