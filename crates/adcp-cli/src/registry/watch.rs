//! Looks again and again whether a registry on another machine answers, so that `/healthz` can say it.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adcp_core::{Background, Registry, Scope, TaskId, TenantId};
use tokio::task::JoinHandle;

/// The pause between two looks.
const EVERY: Duration = Duration::from_secs(3);

/// An agent whose registry does not answer can do nothing for anybody: a load balancer sends its calls elsewhere.
#[derive(Debug)]
pub(super) struct Watch {
    every: Duration,
    answers: Arc<AtomicBool>,
    running: Mutex<Option<JoinHandle<()>>>,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self { every: EVERY, answers: Arc::new(AtomicBool::new(true)), running: Mutex::default() }
    }

    fn running(&self) -> Option<JoinHandle<()>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[async_trait::async_trait]
impl Background for Watch {
    fn start(&self, registry: Arc<dyn Registry>) {
        let looking = look(registry, self.every, Arc::clone(&self.answers));
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokio::spawn(looking));
    }

    async fn drain(&self, _within: Duration) {
        if let Some(running) = self.running() {
            running.abort();
        }
    }

    fn is_healthy(&self) -> bool {
        self.answers.load(Ordering::Relaxed)
    }
}

async fn look(registry: Arc<dyn Registry>, every: Duration, answers: Arc<AtomicBool>) {
    // No task has this id: nothing is read but the way to the rows.
    let (id, scope) = (TaskId::new("-"), Scope::Operator { tenant: TenantId::single() });
    loop {
        let found = registry.get(&id, &scope).await;
        match (&found, answers.swap(found.is_ok(), Ordering::Relaxed)) {
            (Err(error), true) => {
                tracing::error!(
                    error = error as &dyn Error,
                    "the registry does not answer: calls are refused until it does"
                );
            }
            (Ok(_), false) => tracing::info!("the registry answers again"),
            _ => {}
        }
        tokio::time::sleep(every).await;
    }
}
