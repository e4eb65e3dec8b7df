//! The outbox: events claimed and recorded in batches, by one worker and by several.

use std::sync::Arc;
use std::time::{Duration, Instant};

use adcp_core::{
    AttemptClass, AttemptReport, ClaimDeliveries, DeliveryCursor, EventKey, Publication, PublishEvents,
    RecordAttempt, RecordAttempts, Registry, Verdict,
};
use anyhow::ensure;

use super::work;

/// Receivers that the events are for.
pub(crate) const ENDPOINTS: usize = 100;
/// Events that a worker claims at once.
const BATCH: usize = 100;

/// One event for each receiver, with a body of the usual size.
pub(crate) async fn seed(registry: &dyn Registry) -> anyhow::Result<()> {
    let mut events = Vec::with_capacity(ENDPOINTS);
    for number in 0..ENDPOINTS {
        let key = EventKey::random()?;
        let body = serde_json::json!({
            "idempotency_key": key.as_str(),
            "operation_id": "op_bench",
            "task_id": format!("task_{number:016}"),
            "task_type": "create_media_buy",
            "status": "completed",
            "timestamp": "2026-05-01T12:00:00Z",
            "result": { "media_buy_id": format!("mb_{number}"), "packages": [{ "package_id": "pkg_1" }, { "package_id": "pkg_2" }] },
        });
        let url = format!("https://receiver-{number:03}.example/hooks");
        events.push(Publication::new(key, work::owner(), "bench.done", url, body.to_string()));
    }
    registry.publish(PublishEvents::new(events)).await?;
    Ok(())
}

pub(crate) fn print(name: &str, rows: (u32, u32), rates: &[f64]) {
    let [few, many] = rates else { return };
    println!(
        "{name}, claim and record in batches of {BATCH}: {few:.0} events/s of {} queued, {many:.0}/s of {}, ratio {:.2} (goal: flat)",
        rows.0,
        rows.1,
        many / few
    );
}

/// A column of a copied event: keys and instants are each row's own.
pub(crate) fn copied(column: &str, number: &str) -> String {
    match column {
        "key" => format!("key || '_' || {number}"),
        "queued_at" => "queued_at + n".to_owned(),
        other => other.to_owned(),
    }
}

/// Claims and records so many events with several workers, and returns events per second.
pub(crate) async fn drain(
    registry: &Arc<dyn Registry>,
    workers: usize,
    events: usize,
) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let share = events / workers;
    let working: Vec<_> = (0..workers)
        .map(|_| {
            let registry = Arc::clone(registry);
            tokio::spawn(async move { work(&*registry, share).await })
        })
        .collect();
    let mut done = 0;
    for worker in working {
        done += worker.await??;
    }
    Ok(done as f64 / begun.elapsed().as_secs_f64())
}

async fn work(registry: &dyn Registry, share: usize) -> anyhow::Result<usize> {
    let (mut done, mut cursor) = (0, DeliveryCursor::default());
    while done < share {
        let claim = ClaimDeliveries::new().with_limit(BATCH).after(cursor);
        let claimed = registry.claim_deliveries(claim).await?;
        cursor = claimed.cursor;
        ensure!(!claimed.deliveries.is_empty() || claimed.more, "the queue ended before its time");
        let report = AttemptReport::new(AttemptClass::Delivered, Duration::ZERO, Duration::from_millis(20))
            .with_http_status(204)
            .with_peer("192.0.2.7:443");
        let records: Vec<_> = claimed
            .deliveries
            .iter()
            .map(|delivery| RecordAttempt::new(delivery.hold(), Some(report.clone()), Verdict::Delivered))
            .collect();
        done += records.len();
        registry.record_attempts(RecordAttempts::new(records)).await?;
    }
    Ok(done)
}
