//! What goes when it is over for long enough, and how much is there that is not.

use std::time::Duration;

use adcp_core::{Ages, Backlog, DeliveryState, Forget, Forgotten, MOST_COUNTED, RegistryError, Timestamp};
use rusqlite::{Row, Transaction, named_params};

use crate::error::Fail;
use crate::registry::SqliteRegistry;

const OP: &str = "forget";

/// Each kind in a transaction of its own, so that nobody waits long for the writer.
pub(crate) async fn forget(registry: &SqliteRegistry, req: Forget) -> Result<Forgotten, RegistryError> {
    let (now, limit) = (registry.now(), i64::try_from(req.limit).unwrap_or(i64::MAX));
    let (database, kept) = (&registry.database, req.retention);
    let mut gone = Forgotten::default();
    gone.tasks = database
        .write(OP, move |tx| rows(tx, include_str!("sql/tasks_forget.sql"), now.before(kept.tasks), limit))
        .await?;
    for (state, body, whole) in kept.of_events() {
        let horizons = (now.before(body), now.before(whole));
        gone.bodies += database.write(OP, move |tx| bodies(tx, state, horizons.0, limit)).await?;
        gone.events += database.write(OP, move |tx| events(tx, state, horizons.1, limit)).await?;
    }
    let idle = now.before(kept.delivered);
    database.write(OP, move |tx| rows(tx, include_str!("sql/endpoints_forget.sql"), idle, limit)).await?;
    gone.calls =
        database.write(OP, move |tx| rows(tx, include_str!("sql/calls_forget.sql"), now, limit)).await?;
    gone.proposals =
        database.write(OP, move |tx| rows(tx, include_str!("sql/proposals_forget.sql"), now, limit)).await?;
    Ok(gone)
}

/// Bodies of events that were settled long ago, with their credentials.
fn bodies(tx: &Transaction<'_>, state: DeliveryState, horizon: Timestamp, limit: i64) -> Result<usize, Fail> {
    let values = named_params! { ":state": state.as_str(), ":horizon": horizon.as_micros(), ":limit": limit };
    Ok(tx.prepare_cached(include_str!("sql/bodies_forget.sql"))?.execute(values)?)
}

/// Events whose bodies were forgotten long ago, with their attempts.
fn events(tx: &Transaction<'_>, state: DeliveryState, horizon: Timestamp, limit: i64) -> Result<usize, Fail> {
    let mut statement = tx.prepare_cached(include_str!("sql/events_forget.sql"))?;
    let values = named_params! { ":state": state.as_str(), ":horizon": horizon.as_micros(), ":limit": limit };
    let gone: Vec<(String, String)> =
        statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (tenant, key) in &gone {
        tx.prepare_cached(include_str!("sql/attempts_forget.sql"))?
            .execute(named_params! { ":tenant": tenant, ":key": key })?;
    }
    Ok(gone.len())
}

/// Rows that were over at the horizon.
fn rows(tx: &Transaction<'_>, text: &'static str, horizon: Timestamp, limit: i64) -> Result<usize, Fail> {
    let values = named_params! { ":horizon": horizon.as_micros(), ":limit": limit };
    Ok(tx.prepare_cached(text)?.execute(values)?)
}

pub(crate) fn ages(tx: &Transaction<'_>, now: Timestamp) -> Result<Ages, Fail> {
    let mut statement = tx.prepare_cached(include_str!("sql/ages.sql"))?;
    let most = i64::try_from(MOST_COUNTED).unwrap_or(i64::MAX);
    let values = named_params! { ":now": now.as_micros(), ":most": most };
    Ok(statement.query_row(values, |row| read(row, now))?)
}

fn read(row: &Row<'_>, now: Timestamp) -> rusqlite::Result<Ages> {
    let since = |name: &str| -> rusqlite::Result<Option<Duration>> {
        Ok(row.get::<_, Option<i64>>(name)?.map(|at| now.since(Timestamp::from_micros(at))))
    };
    let backlog = |count: &str, oldest: &str| -> rusqlite::Result<Backlog> {
        let count: i64 = row.get(count)?;
        Ok(Backlog::new(usize::try_from(count).unwrap_or_default(), since(oldest)?))
    };
    let mut ages = Ages::default();
    ages.open_tasks = backlog("open", "open_since")?;
    ages.overdue_tasks = backlog("overdue", "overdue_since")?;
    ages.unresolved_calls = backlog("unresolved", "unresolved_since")?;
    ages.undelivered_events = backlog("events", "events_since")?;
    ages.dead_letters = backlog("dead", "dead_since")?;
    ages.oldest_ended_task = since("ended_since")?;
    ages.forgettable_calls = since("calls_since")?.unwrap_or_default();
    ages.forgettable_proposals = since("proposals_since")?.unwrap_or_default();
    Ok(ages)
}
