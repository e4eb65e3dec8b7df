//! Ends what nobody works on any more: tasks of processes that died, and tasks whose time is over.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adcp_core::{Background, EndOverdue, Registry, fault};
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::background::Signals;

/// Looks through the registry, again and again. Every replica may have one: the store lets each task end once.
#[derive(Debug)]
pub(crate) struct Rescuer {
    every: Duration,
    signals: Signals,
    stop: CancellationToken,
    running: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Rescuer {
    pub(crate) fn new(every: Duration, signals: Signals) -> Self {
        Self { every, signals, stop: CancellationToken::new(), running: Mutex::default() }
    }
}

#[async_trait]
impl Background for Rescuer {
    fn start(&self, registry: Arc<dyn Registry>) {
        let (every, signals, stop) = (self.every, self.signals.clone(), self.stop.clone());
        // An agent that is dropped without a drain does not leave its rescuer behind.
        let registry = Arc::downgrade(&registry);
        let rescuing = async move {
            loop {
                let Some(registry) = registry.upgrade() else { return };
                sweep(&registry, &signals).await;
                drop(registry);
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(every) => {}
                }
            }
        };
        let running = tokio::spawn(rescuing);
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
    }

    async fn drain(&self, within: Duration) {
        self.stop.cancel();
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            let _ = tokio::time::timeout(within, running).await;
        }
    }

    fn is_healthy(&self) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().is_none_or(|running| !running.is_finished())
    }
}

async fn sweep(registry: &Arc<dyn Registry>, signals: &Signals) {
    loop {
        let req = EndOverdue::everywhere();
        let limit = req.limit;
        match registry.end_overdue(req).await {
            Ok(ended) => {
                for task in &ended {
                    tracing::warn!(task_id = %task.id, tool = task.tool, "ended a task that nobody finished in time");
                    fault::point("rescued");
                    signals.ended(&task.id);
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
