//! Forgets what has been over for long enough, so that the registry stays as large as the business is.

use std::sync::Arc;

use adcp_core::{Forget, Registry, Retention};
use tokio_util::sync::CancellationToken;

use crate::rounds::Round;

/// Asks the registry to forget, a batch at a time, until nothing is left that may go.
#[derive(Debug)]
pub(crate) struct Janitor {
    retention: Retention,
}

impl Janitor {
    pub(crate) const fn new(retention: Retention) -> Self {
        Self { retention }
    }
}

impl Round for Janitor {
    async fn run(&self, registry: &Arc<dyn Registry>, stop: &CancellationToken) {
        let req = Forget::new(self.retention);
        while !stop.is_cancelled() {
            match registry.forget(req).await {
                Ok(gone) => {
                    tracing::debug!(?gone, "forgot what was over for long enough");
                    if !gone.may_be_more(req.limit) {
                        return;
                    }
                }
                // What is not forgotten today is forgotten tomorrow: nobody has to stop calling the agent for that.
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    return tracing::warn!(error, "nothing was forgotten; it is tried again later");
                }
            }
        }
    }
}
