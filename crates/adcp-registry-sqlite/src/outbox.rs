//! Events that wait for delivery.

use adcp_core::stored::Sealer;
use adcp_core::{DeliveryOutbox, Event, ListEvents, RegistryError};
use async_trait::async_trait;
use rusqlite::{Transaction, named_params};

use crate::error::Fail;
use crate::registry::SqliteRegistry;
use crate::row::{self, Bounds};

#[async_trait]
impl DeliveryOutbox for SqliteRegistry {
    async fn events(&self, req: ListEvents) -> Result<Vec<Event>, RegistryError> {
        let bounds = Bounds::of(&req.scope);
        let sealer = self.sealer();
        self.database
            .read("events", move |tx| {
                let mut statement = tx.prepare_cached(include_str!("sql/events_list.sql"))?;
                let mut rows = statement.query(named_params! {
                    ":tenant": bounds.tenant,
                    ":principal": bounds.principal,
                    ":account": bounds.account,
                    ":task": req.task.as_ref().map(|task| task.as_str()),
                    ":limit": i64::try_from(req.limit).unwrap_or(i64::MAX),
                })?;
                let mut events = Vec::new();
                while let Some(found) = rows.next()? {
                    events.push(row::event(found, &*sealer)?);
                }
                Ok(events)
            })
            .await
    }
}

/// Queues an event in the transaction that made it true. A body that holds the buyer's token is sealed whole.
pub(crate) fn queue(
    tx: &Transaction<'_>,
    event: &Event,
    sealer: &dyn Sealer,
    secret: bool,
) -> Result<(), Fail> {
    let key = event.key.as_str();
    let body = if secret { sealer.seal(&event.body, key)? } else { event.body.clone() };
    let authentication = event.authentication.as_ref();
    let credentials = authentication.map(|auth| sealer.seal(auth.credentials.expose(), key)).transpose()?;
    tx.prepare_cached(include_str!("sql/event_queue.sql"))?.execute(named_params! {
        ":tenant": event.owner.tenant.as_str(),
        ":key": key,
        ":account": row::write_account(event.owner.account.as_ref()),
        ":principal": event.owner.principal.as_str(),
        ":task": event.task.as_str(),
        ":task_type": event.task_type,
        ":status": event.status.as_str(),
        ":url": event.url,
        ":scheme": authentication.map(|auth| auth.scheme.as_str()),
        ":sealed_credentials": credentials,
        ":body": body,
        ":sealed_body": secret,
        ":queued_at": event.queued_at.as_micros(),
    })?;
    Ok(())
}
