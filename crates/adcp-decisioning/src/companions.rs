//! What runs beside the calls of an agent, started and stopped with it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use adcp_core::{Background, Registry};
use futures_util::future::join_all;

/// The companions of one agent.
#[derive(Debug, Default)]
pub(crate) struct Companions {
    all: Vec<Arc<dyn Background>>,
    started: OnceLock<()>,
}

impl Companions {
    pub(crate) fn new(all: Vec<Arc<dyn Background>>) -> Self {
        Self { all, started: OnceLock::new() }
    }

    /// Starts them, the first time it is called.
    pub(crate) fn start(&self, registry: &Arc<dyn Registry>) {
        self.started.get_or_init(|| {
            for companion in &self.all {
                companion.start(Arc::clone(registry));
            }
        });
    }

    /// Lets them finish what is under way, all at once. What was never started has nothing to finish.
    pub(crate) async fn drain(&self, within: Duration) {
        if self.started.get().is_some() {
            join_all(self.all.iter().map(|companion| companion.drain(within))).await;
        }
    }

    /// Whether those that were started can do their work.
    pub(crate) fn are_healthy(&self) -> bool {
        self.started.get().is_none() || self.all.iter().all(|companion| companion.is_healthy())
    }
}
