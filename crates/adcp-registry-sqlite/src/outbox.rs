//! Events on their way to receivers.

use std::sync::Arc;

use adcp_core::stored::Sealer;
use adcp_core::{
    Changes, ClaimDeliveries, ClaimedDeliveries, DeliveryDetail, DeliveryOutbox, DeliveryPage,
    EndpointRecord, Event, EventKey, ExpireDeliveries, LeaseToken, ListDeliveries, ListEndpoints, ListEvents,
    PublishEvents, Published, RecordAttempts, Recorded, Redeliver, Redelivered, RegistryError,
    RenewDeliveries, Scope, Subject, TaskId, TaskRecord, TaskStatus,
};
use async_trait::async_trait;
use rusqlite::{Transaction, named_params};

use crate::error::Fail;
use crate::registry::SqliteRegistry;
use crate::row::{self, Bounds};
use crate::{claims, letters};

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

    async fn publish(&self, req: PublishEvents) -> Result<Vec<Published>, RegistryError> {
        let (clock, sealer) = (Arc::clone(&self.config.clock), self.sealer());
        let published = self
            .database
            .write("publish", move |tx| {
                let now = clock.now();
                let publish = |event: &adcp_core::Publication| {
                    let queued = queue(tx, &event.event(now), &*sealer, event.secret)?;
                    Ok(if queued { Published::Queued } else { Published::Known })
                };
                req.events.iter().map(publish).collect::<Result<_, Fail>>()
            })
            .await?;
        self.signal.ring();
        Ok(published)
    }

    async fn claim_deliveries(&self, req: ClaimDeliveries) -> Result<ClaimedDeliveries, RegistryError> {
        const OP: &str = "claim_deliveries";
        let (clock, sealer) = (Arc::clone(&self.config.clock), self.sealer());
        let token = LeaseToken::random().map_err(|error| Fail::from(error).of(OP))?;
        self.database.write(OP, move |tx| claims::claim(tx, &req, token, clock.now(), &*sealer)).await
    }

    async fn renew_deliveries(&self, req: RenewDeliveries) -> Result<Vec<Recorded>, RegistryError> {
        let clock = Arc::clone(&self.config.clock);
        self.database.write("renew_deliveries", move |tx| claims::renew(tx, &req, clock.now())).await
    }

    async fn record_attempts(&self, req: RecordAttempts) -> Result<Vec<Recorded>, RegistryError> {
        let clock = Arc::clone(&self.config.clock);
        self.database.write("record_attempts", move |tx| claims::record(tx, &req, clock.now())).await
    }

    async fn expire_deliveries(&self, req: ExpireDeliveries) -> Result<usize, RegistryError> {
        let clock = Arc::clone(&self.config.clock);
        self.database.write("expire_deliveries", move |tx| claims::expire(tx, &req, clock.now())).await
    }

    async fn deliveries(&self, req: ListDeliveries) -> Result<DeliveryPage, RegistryError> {
        self.database.read("deliveries", move |tx| letters::page(tx, &req)).await
    }

    async fn delivery(&self, key: &EventKey, scope: &Scope) -> Result<Option<DeliveryDetail>, RegistryError> {
        let (key, bounds, sealer) = (key.clone(), Bounds::of(scope), self.sealer());
        self.database.read("delivery", move |tx| letters::detail(tx, &key, &bounds, &*sealer)).await
    }

    async fn redeliver(&self, req: Redeliver) -> Result<Vec<(EventKey, Redelivered)>, RegistryError> {
        let clock = Arc::clone(&self.config.clock);
        let done =
            self.database.write("redeliver", move |tx| letters::redeliver(tx, &req, clock.now())).await?;
        self.signal.ring();
        Ok(done)
    }

    async fn endpoints(&self, req: ListEndpoints) -> Result<Vec<EndpointRecord>, RegistryError> {
        self.database.read("endpoints", move |tx| letters::endpoints(tx, &req)).await
    }

    fn changes(&self) -> Changes {
        self.signal.changes()
    }
}

/// Queues an event in the transaction that made it true, unless its key is known. A body that holds a secret is sealed
/// whole.
pub(crate) fn queue(
    tx: &Transaction<'_>,
    event: &Event,
    sealer: &dyn Sealer,
    secret: bool,
) -> Result<bool, Fail> {
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
    let queued = tx.prepare_cached(include_str!("sql/event_queue.sql"))?.execute(named_params! {
        ":tenant": event.owner.tenant.as_str(),
        ":key": key,
        ":account": row::write_account(event.owner.account.as_ref()),
        ":principal": event.owner.principal.as_str(),
        ":task": event.subject.task().map_or("", TaskId::as_str),
        ":task_type": event.subject.kind(),
        // A version that knows no notifications reads one as the end of a task that nobody has.
        ":status": event.subject.status().unwrap_or(TaskStatus::Unknown).as_str(),
        ":url": event.url,
        ":scheme": authentication.map(|auth| auth.scheme.as_str()),
        ":sealed_credentials": credentials,
        ":body": body,
        ":sealed_body": secret,
        ":queued_at": event.queued_at.as_micros(),
        ":endpoint": event.endpoint().as_str(),
        ":notification": notification,
        ":about": about,
        ":subscriber": subscriber,
    })?;
    Ok(queued == 1)
}

/// Whether the end of a task queued an event.
pub(crate) fn tells(task: &TaskRecord) -> bool {
    task.outcome.is_some() && task.effects.notify.as_ref().is_some_and(|to| !to.by_seller)
}
