//! Writes down what became of claims, in batches: what came while one batch was written makes the next.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{
    BreakerPolicy, DeliveryHold, RecordAttempt, RecordAttempts, Recorded, Registry, RegistryError, Verdict,
    fault,
};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::attempt::Tried;
use crate::places::Place;
use crate::telemetry;

/// The most that one call records.
const BATCH: usize = 250;

const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What became of one claim.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) hold: DeliveryHold,
    pub(crate) tried: Option<Tried>,
    pub(crate) verdict: Verdict,
    /// When the claim ends at the latest, counted from before it was asked for.
    pub(crate) until: Instant,
    /// Room for another event, once this is written.
    pub(crate) _place: Place,
}

impl Done {
    fn record(&self) -> RecordAttempt {
        let report = self.tried.as_ref().map(|tried| {
            let mut report = tried.report.clone();
            report.ago = tried.begun.elapsed();
            report
        });
        RecordAttempt::new(self.hold.clone(), report, self.verdict)
    }
}

/// Records until nobody is left who could send anything. Every batch that is written makes room in lanes, so that
/// `room` is rung.
pub(crate) async fn record(mut done: UnboundedReceiver<Done>, breaker: BreakerPolicy, room: Arc<Notify>) {
    while let Some(first) = done.recv().await {
        let mut batch = vec![first];
        // Whoever is about to finish may still come along.
        tokio::task::yield_now().await;
        while batch.len() < BATCH
            && let Ok(next) = done.try_recv()
        {
            batch.push(next);
        }
        write(batch, breaker).await;
        room.notify_one();
    }
}

/// Writes a batch, again and again until it is written or the claims are over: then others send what is in it.
async fn write(mut batch: Vec<Done>, breaker: BreakerPolicy) {
    let mut wait = FIRST_WAIT;
    while let Some(first) = batch.first() {
        let registry = Arc::clone(&first.registry);
        match write_once(&*registry, &batch, breaker).await {
            Ok(()) => return,
            Err(RegistryError::Unavailable { .. }) => {}
            // One that cannot be written must not hold up the others.
            Err(_) if batch.len() > 1 => {
                for one in batch {
                    let one = [one];
                    if let Err(error) = write_once(&*registry, &one, breaker).await {
                        given_up(&one[0], &error);
                    }
                }
                return;
            }
            Err(error) => return given_up(first, &error),
        }
        tokio::time::sleep(wait).await;
        wait = longer(wait);
        let now = Instant::now();
        let (lasting, over) = batch.into_iter().partition(|done| done.until > now);
        batch = lasting;
        let over: Vec<Done> = over;
        if !over.is_empty() {
            tracing::warn!(
                count = over.len(),
                "what became of webhooks could not be recorded in time; they are sent again"
            );
        }
    }
}

async fn write_once(
    registry: &dyn Registry,
    batch: &[Done],
    breaker: BreakerPolicy,
) -> Result<(), RegistryError> {
    let records = batch.iter().map(Done::record).collect();
    let keys = || batch.iter().map(|done| done.hold.key.to_string()).collect();
    fault::point_of("before-delivery-record", keys);
    let written = match registry.record_attempts(RecordAttempts::new(records).with_breaker(breaker)).await {
        Ok(written) => written,
        Err(error) => {
            let cause = &error as &dyn std::error::Error;
            tracing::warn!(error = cause, count = batch.len(), "recording webhooks failed");
            return Err(error);
        }
    };
    fault::point_of("after-delivery-record", keys);
    for (done, written) in batch.iter().zip(written) {
        match written {
            Recorded::Written => telemetry::recorded(done.tried.as_ref(), done.verdict),
            Recorded::Lost => {
                let key = telemetry::short(done.hold.key.as_str());
                tracing::info!(key, "the claim on a webhook was lost; it is sent again");
            }
        }
    }
    Ok(())
}

fn given_up(done: &Done, error: &RegistryError) {
    let key = telemetry::short(done.hold.key.as_str());
    let error = error as &dyn std::error::Error;
    tracing::error!(key, error, "what became of a webhook cannot be recorded");
}

/// The wait after this one, between two tries to write.
fn longer(wait: Duration) -> Duration {
    (wait * 2).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits: Vec<_> =
            std::iter::successors(Some(FIRST_WAIT), |wait| Some(longer(*wait))).take(8).collect();
        assert_eq!(waits, [50, 100, 200, 400, 800, 1_600, 2_000, 2_000].map(Duration::from_millis));
    }
}
