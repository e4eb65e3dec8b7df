//! Forgets what may be forgotten, as long as the agent runs.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adcp_core::{Background, Registry};
use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::registry::{Forgotten, SqliteRegistry};

/// The pause between two rounds.
const EVERY: Duration = Duration::from_secs(60);

/// Rows of each table that one transaction removes, so that nobody waits long for the writer.
const BATCH: u32 = 500;

/// Retention as a companion of an agent: [`SqliteRegistry::forget`] once a minute, until nothing is left to forget.
///
/// ```
/// # use std::sync::Arc;
/// use adcp_core::{Background, Registry};
/// use adcp_registry_sqlite::{Retention, SqliteConfig, SqliteRegistry};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let folder = tempfile::tempdir()?;
/// let config = SqliteConfig::new(folder.path().join("registry.db"));
/// let registry = Arc::new(SqliteRegistry::open(config)?);
/// let retention = Retention::of(Arc::clone(&registry));
/// // An agent does both, when the builder is given it: `.background(retention)`.
/// retention.start(registry);
/// retention.drain(std::time::Duration::from_secs(1)).await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Retention {
    registry: Arc<SqliteRegistry>,
    stop: watch::Sender<bool>,
    running: Mutex<Option<JoinHandle<()>>>,
}

impl Retention {
    /// Forgets what this registry's retention allows.
    #[must_use]
    pub fn of(registry: Arc<SqliteRegistry>) -> Self {
        Self { registry, stop: watch::Sender::new(false), running: Mutex::new(None) }
    }

    fn running(&self) -> Option<JoinHandle<()>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[async_trait]
impl Background for Retention {
    fn start(&self, _registry: Arc<dyn Registry>) {
        let work = run(Arc::clone(&self.registry), self.stop.subscribe());
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokio::spawn(work));
    }

    async fn drain(&self, within: Duration) {
        self.stop.send_replace(true);
        if let Some(mut running) = self.running()
            && tokio::time::timeout(within, &mut running).await.is_err()
        {
            running.abort();
        }
    }

    /// What is not forgotten today is forgotten tomorrow: nobody has to stop calling the agent for that.
    fn is_healthy(&self) -> bool {
        true
    }
}

async fn run(registry: Arc<SqliteRegistry>, mut stop: watch::Receiver<bool>) {
    let mut rounds = tokio::time::interval(EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = rounds.tick() => {}
        }
        while !*stop.borrow() {
            match registry.forget(BATCH).await {
                Ok(gone) if gone == Forgotten::default() => break,
                Ok(gone) => tracing::debug!(
                    tasks = gone.tasks,
                    calls = gone.calls,
                    proposals = gone.proposals,
                    "forgot what retention allows"
                ),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn Error, "nothing was forgotten; tried again later");
                    break;
                }
            }
        }
    }
}
