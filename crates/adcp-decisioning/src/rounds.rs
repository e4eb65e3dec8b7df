//! Work that an agent does again and again beside its calls, until it is stopped.

use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adcp_core::{Background, Registry};
use async_trait::async_trait;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// One round of such work.
pub(crate) trait Round: Debug + Send + Sync + 'static {
    /// Does what there is to do now. Between two steps it looks whether it should `stop`.
    fn run(&self, registry: &Arc<dyn Registry>, stop: &CancellationToken) -> impl Future<Output = ()> + Send;
}

/// A companion that makes rounds, with a pause between them. Every replica may have one.
#[derive(Debug)]
pub(crate) struct Rounds<R> {
    round: Arc<R>,
    every: Duration,
    stop: CancellationToken,
    running: Mutex<Option<JoinHandle<()>>>,
}

impl<R: Round> Rounds<R> {
    pub(crate) fn new(every: Duration, round: R) -> Self {
        Self { round: Arc::new(round), every, stop: CancellationToken::new(), running: Mutex::default() }
    }
}

#[async_trait]
impl<R: Round> Background for Rounds<R> {
    fn start(&self, registry: Arc<dyn Registry>) {
        let (round, every, stop) = (Arc::clone(&self.round), self.every, self.stop.clone());
        // An agent that is dropped without a drain does not leave its rounds behind.
        let registry = Arc::downgrade(&registry);
        let going = async move {
            loop {
                let Some(registry) = registry.upgrade() else { return };
                round.run(&registry, &stop).await;
                drop(registry);
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(every) => {}
                }
            }
        };
        let running = tokio::spawn(going);
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
