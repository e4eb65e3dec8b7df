//! Ends what nobody works on any more: tasks of processes that died, and tasks whose time is over.

use std::sync::Arc;

use adcp_core::{EndOverdue, Registry, fault};
use tokio_util::sync::CancellationToken;

use crate::background::Signals;
use crate::rounds::Round;

/// Looks through the registry. The store lets each task end once, however many look.
#[derive(Debug)]
pub(crate) struct Rescuer {
    signals: Signals,
}

impl Rescuer {
    pub(crate) const fn new(signals: Signals) -> Self {
        Self { signals }
    }
}

impl Round for Rescuer {
    async fn run(&self, registry: &Arc<dyn Registry>, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let req = EndOverdue::everywhere();
            let limit = req.limit;
            match registry.end_overdue(req).await {
                Ok(ended) => {
                    for task in &ended {
                        tracing::warn!(task_id = %task.id, tool = task.tool, "ended a task that nobody finished in time");
                        fault::point("rescued");
                        self.signals.ended(&task.id);
                    }
                    if ended.len() < limit {
                        return;
                    }
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    return tracing::warn!(error, "looking for abandoned tasks failed");
                }
            }
        }
    }
}
