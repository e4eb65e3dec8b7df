//! Events that wait for delivery.

use adcp_core::{
    Changes, ClaimDeliveries, ClaimedDeliveries, DeliveryDetail, DeliveryPage, EndpointRecord, EventKey,
    ExpireDeliveries, ListDeliveries, ListEndpoints, PublishEvents, Published, RecordAttempts, Recorded,
    Redeliver, Redelivered, RenewDeliveries, Scope, Signal,
};
use adcp_core::{DeliveryOutbox, Event, ListEvents, RegistryError, TaskId, TaskStatus};
use async_trait::async_trait;

use crate::error::Fail;
use crate::registry::PostgresRegistry;
use crate::row::{self, Bounds};
use crate::unit::Tx;

#[async_trait]
impl DeliveryOutbox for PostgresRegistry {
    async fn events(&self, req: ListEvents) -> Result<Vec<Event>, RegistryError> {
        let bounds = Bounds::of(&req.scope);
        let shared = &self.database.shared;
        let rows = self
            .database
            .rows(
                "events",
                &shared.sql.events_list,
                &[
                    ("tenant", &bounds.tenant),
                    ("principal", &bounds.principal),
                    ("account", &bounds.account),
                    ("task", &req.task.as_ref().map(|task| task.as_str())),
                    ("limit", &i64::try_from(req.limit).unwrap_or(i64::MAX)),
                ],
            )
            .await?;
        let sealer = &*shared.config.sealer;
        rows.iter().map(|found| row::event(found, sealer).map_err(|fail| fail.of("events"))).collect()
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
pub(crate) async fn queue(tx: &Tx<'_>, event: &Event, secret: bool) -> Result<(), Fail> {
    let sealer = &*tx.shared.config.sealer;
    let key = event.key.as_str();
    let body = if secret { sealer.seal(&event.body, key)? } else { event.body.clone() };
    let authentication = event.authentication.as_ref();
    let credentials = authentication.map(|auth| sealer.seal(auth.credentials.expose(), key)).transpose()?;
    tx.execute(
        &tx.shared.sql.event_queue,
        &[
            ("tenant", &event.owner.tenant.as_str()),
            ("key", &key),
            ("account", &row::write_account(event.owner.account.as_ref())),
            ("principal", &event.owner.principal.as_str()),
            ("task", &event.subject.task().map_or("", TaskId::as_str)),
            ("task_type", &event.subject.kind()),
            ("status", &event.subject.status().unwrap_or(TaskStatus::Unknown).as_str()),
            ("url", &event.url),
            ("scheme", &authentication.map(|auth| auth.scheme.as_str())),
            ("sealed_credentials", &credentials),
            ("body", &body),
            ("sealed_body", &secret),
            ("queued_at", &event.queued_at.as_micros()),
        ],
    )
    .await?;
    Ok(())
}
