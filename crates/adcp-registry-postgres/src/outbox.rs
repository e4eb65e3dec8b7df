//! Events that wait for delivery.

use adcp_core::{DeliveryOutbox, Event, ListEvents, RegistryError};
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
            ("task", &event.task.as_str()),
            ("task_type", &event.task_type),
            ("status", &event.status.as_str()),
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
