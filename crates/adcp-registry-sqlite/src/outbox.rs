//! Events that wait for delivery.

use adcp_core::stored::Sealer;
use adcp_core::{
    Changes, ClaimDeliveries, ClaimedDeliveries, DeliveryDetail, DeliveryPage, EndpointRecord, EventKey,
    ExpireDeliveries, ListDeliveries, ListEndpoints, PublishEvents, Published, RecordAttempts, Recorded,
    Redeliver, Redelivered, RenewDeliveries, Scope, Signal,
};
use adcp_core::{DeliveryOutbox, Event, ListEvents, RegistryError, TaskId, TaskStatus};
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

    async fn publish(&self, _req: PublishEvents) -> Result<Vec<Published>, RegistryError> {
        Err(unwritten("publish"))
    }

    async fn claim_deliveries(&self, _req: ClaimDeliveries) -> Result<ClaimedDeliveries, RegistryError> {
        Err(unwritten("claim_deliveries"))
    }

    async fn renew_deliveries(&self, _req: RenewDeliveries) -> Result<Vec<Recorded>, RegistryError> {
        Err(unwritten("renew_deliveries"))
    }

    async fn record_attempts(&self, _req: RecordAttempts) -> Result<Vec<Recorded>, RegistryError> {
        Err(unwritten("record_attempts"))
    }

    async fn expire_deliveries(&self, _req: ExpireDeliveries) -> Result<usize, RegistryError> {
        Err(unwritten("expire_deliveries"))
    }

    async fn deliveries(&self, _req: ListDeliveries) -> Result<DeliveryPage, RegistryError> {
        Err(unwritten("deliveries"))
    }

    async fn delivery(
        &self,
        _key: &EventKey,
        _scope: &Scope,
    ) -> Result<Option<DeliveryDetail>, RegistryError> {
        Err(unwritten("delivery"))
    }

    async fn redeliver(&self, _req: Redeliver) -> Result<Vec<(EventKey, Redelivered)>, RegistryError> {
        Err(unwritten("redeliver"))
    }

    async fn endpoints(&self, _req: ListEndpoints) -> Result<Vec<EndpointRecord>, RegistryError> {
        Err(unwritten("endpoints"))
    }

    fn changes(&self) -> Changes {
        Signal::new().changes()
    }
}

fn unwritten(op: &'static str) -> RegistryError {
    RegistryError::Unavailable { op, source: "this registry only queues".into() }
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
        ":task": event.subject.task().map_or("", TaskId::as_str),
        ":task_type": event.subject.kind(),
        ":status": event.subject.status().unwrap_or(TaskStatus::Unknown).as_str(),
        ":url": event.url,
        ":scheme": authentication.map(|auth| auth.scheme.as_str()),
        ":sealed_credentials": credentials,
        ":body": body,
        ":sealed_body": secret,
        ":queued_at": event.queued_at.as_micros(),
    })?;
    Ok(())
}
