//! Looks what waits in the registry, so that the gauges say it.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::Registry;
use tokio_util::sync::CancellationToken;

use crate::rounds::Round;

/// The pause between two looks: about as long as scrapers pause.
pub(crate) const EVERY: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub(crate) struct Lookout;

impl Round for Lookout {
    async fn run(&self, registry: &Arc<dyn Registry>, _stop: &CancellationToken) {
        if let Err(error) = registry.ages().await {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, "what waits in the registry is not known now");
        }
    }
}
