//! The events that are sent: the end of a purchase, of the usual size.

use adcp_core::{EventKey, Owner, Publication, PublishEvents, Registry};

/// What one event is and where it goes.
#[derive(Debug)]
pub(super) struct Hook {
    key: EventKey,
    /// By which the receiver knows it.
    pub(super) path: String,
    url: String,
    pub(super) body: String,
}

impl Hook {
    /// Event `number` of a round, for the endpoint on `port`.
    pub(super) fn new(number: usize, port: u16) -> anyhow::Result<Self> {
        let key = EventKey::random()?;
        let body = serde_json::json!({
            "idempotency_key": key.as_str(),
            "operation_id": "op_bench",
            "task_id": format!("task_{number:016}"),
            "task_type": "create_media_buy",
            "protocol": "media-buy",
            "status": "completed",
            "timestamp": "2026-05-01T12:00:00Z",
            "message": "The order is live in two packages.",
            "result": {
                "media_buy_id": format!("mb_{number:08}"),
                "media_buy_status": "active",
                "confirmed_at": "2026-05-01T12:00:00Z",
                "revision": 1,
                "packages": [
                    { "package_id": "pkg_1", "product_id": "homepage", "budget": 12500, "pricing_option_id": "cpm" },
                    { "package_id": "pkg_2", "product_id": "article", "budget": 4000, "pricing_option_id": "cpm" },
                ],
            },
        });
        let path = format!("/hooks/{number}");
        Ok(Self { key, url: format!("http://127.0.0.1:{port}{path}"), path, body: body.to_string() })
    }

    fn publication(&self, owner: &Owner) -> Publication {
        Publication::new(self.key.clone(), owner.clone(), "bench.done", &*self.url, &*self.body)
    }
}

/// Queues events.
pub(super) async fn queue(registry: &dyn Registry, owner: &Owner, hooks: &[Hook]) -> anyhow::Result<()> {
    for some in hooks.chunks(200) {
        let events = some.iter().map(|hook| hook.publication(owner)).collect();
        registry.publish(PublishEvents::new(events)).await?;
    }
    Ok(())
}
