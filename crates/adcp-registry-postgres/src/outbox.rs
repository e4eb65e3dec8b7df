//! Events on their way to receivers.

use std::sync::atomic::{AtomicBool, Ordering};

use adcp_core::{
    Changes, ClaimDeliveries, ClaimedDeliveries, DeliveryDetail, DeliveryOutbox, DeliveryPage,
    EndpointRecord, Event, EventKey, ExpireDeliveries, LeaseToken, ListDeliveries, ListEndpoints, ListEvents,
    Publication, PublishEvents, Published, RecordAttempts, Recorded, Redeliver, Redelivered, RegistryError,
    RenewDeliveries, Scope, Subject, TaskId, TaskStatus,
};
use async_trait::async_trait;

use crate::claims::ClaimOnce;
use crate::error::Fail;
use crate::letters::Detail;
use crate::records::RecordOnce;
use crate::registry::PostgresRegistry;
use crate::row::{self, Bounds};
use crate::unit::{Tx, Unit};

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

    async fn publish(&self, req: PublishEvents) -> Result<Vec<Published>, RegistryError> {
        self.database.write(&req).await
    }

    async fn claim_deliveries(&self, req: ClaimDeliveries) -> Result<ClaimedDeliveries, RegistryError> {
        let token = LeaseToken::random().map_err(|error| Fail::from(error).of(ClaimOnce::OP))?;
        self.database.write(&ClaimOnce { req, token, unanswered: AtomicBool::new(false) }).await
    }

    async fn renew_deliveries(&self, req: RenewDeliveries) -> Result<Vec<Recorded>, RegistryError> {
        self.database.write(&req).await
    }

    async fn record_attempts(&self, req: RecordAttempts) -> Result<Vec<Recorded>, RegistryError> {
        self.database.write(&RecordOnce { req, unanswered: AtomicBool::new(false) }).await
    }

    async fn expire_deliveries(&self, req: ExpireDeliveries) -> Result<usize, RegistryError> {
        self.database.write(&req).await
    }

    async fn deliveries(&self, req: ListDeliveries) -> Result<DeliveryPage, RegistryError> {
        self.database.read(&req).await
    }

    async fn delivery(&self, key: &EventKey, scope: &Scope) -> Result<Option<DeliveryDetail>, RegistryError> {
        self.database.read(&Detail { key, bounds: Bounds::of(scope) }).await
    }

    async fn redeliver(&self, req: Redeliver) -> Result<Vec<(EventKey, Redelivered)>, RegistryError> {
        self.database.write(&req).await
    }

    async fn endpoints(&self, req: ListEndpoints) -> Result<Vec<EndpointRecord>, RegistryError> {
        let values: crate::statement::Values<'_> = &[
            ("tenant", &req.tenant.as_str()),
            ("after", &req.after.as_ref().map_or("", |after| after.as_str())),
            ("paused", &req.paused),
            ("limit", &i64::try_from(req.limit).unwrap_or(i64::MAX)),
        ];
        let rows = self.database.rows("endpoints", &self.database.shared.sql.endpoints_list, values).await?;
        rows.iter().map(|found| row::endpoint(found, "state").map_err(|fail| fail.of("endpoints"))).collect()
    }

    fn changes(&self) -> Changes {
        self.database.signal.changes()
    }
}

impl Unit for PublishEvents {
    type Done = Vec<Published>;
    const OP: &'static str = "publish";

    /// A second time finds the keys known.
    fn repeatable(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Vec<Published>, Fail> {
        // In one order, whoever publishes, so that two of them do not wait for each other.
        let place = |event: &Publication| (event.owner.tenant.clone(), event.key.clone());
        let mut order: Vec<usize> = (0..self.events.len()).collect();
        order.sort_by_cached_key(|at| place(&self.events[*at]));
        let mut published = vec![Published::Known; self.events.len()];
        for at in order {
            let event = &self.events[at];
            if queue(tx, &event.event(tx.now), event.secret).await? {
                published[at] = Published::Queued;
            }
        }
        Ok(published)
    }
}

/// Queues an event in the transaction that made it true, unless its key is known. A body that holds a secret is sealed
/// whole.
pub(crate) async fn queue(tx: &Tx<'_>, event: &Event, secret: bool) -> Result<bool, Fail> {
    let sealer = &*tx.shared.config.sealer;
    let key = event.key.as_str();
    let body = if secret { sealer.seal(&event.body, key)? } else { event.body.clone() };
    let authentication = event.authentication.as_ref();
    let credentials = authentication.map(|auth| sealer.seal(auth.credentials.expose(), key)).transpose()?;
    let (notification, about, subscriber) = match &event.subject {
        Subject::Notification { kind, about, subscriber } => {
            (Some(kind.as_str()), about.as_deref(), subscriber.as_deref())
        }
        _ => (None, None, None),
    };
    let queued = tx
        .execute(
            &tx.shared.sql.event_queue,
            &[
                ("tenant", &event.owner.tenant.as_str()),
                ("key", &key),
                ("account", &row::write_account(event.owner.account.as_ref())),
                ("principal", &event.owner.principal.as_str()),
                ("task", &event.subject.task().map_or("", TaskId::as_str)),
                ("task_type", &event.subject.kind()),
                // A version that knows no notifications reads one as the end of a task that nobody has.
                ("status", &event.subject.status().unwrap_or(TaskStatus::Unknown).as_str()),
                ("url", &event.url),
                ("scheme", &authentication.map(|auth| auth.scheme.as_str())),
                ("sealed_credentials", &credentials),
                ("body", &body),
                ("sealed_body", &secret),
                ("queued_at", &event.queued_at.as_micros()),
                ("endpoint", &event.endpoint().as_str()),
                ("notification", &notification),
                ("about", &about),
                ("subscriber", &subscriber),
            ],
        )
        .await?;
    if queued == 1 {
        tx.queued.store(true, Ordering::Relaxed);
    }
    Ok(queued == 1)
}
