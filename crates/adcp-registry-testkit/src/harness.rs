//! What the checks need of a backend: a registry, and power over its clock.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{ManualClock, Registry, Timestamp};
use async_trait::async_trait;

/// A backend under test, with a store that is empty when a check begins.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The registry.
    ///
    /// Every answer shows the same store. A backend that several processes share answers with another instance
    /// each time, so that the races run between instances.
    fn registry(&self) -> Arc<dyn Registry>;

    /// Moves the clock of the registry ahead. Time does not pass otherwise, or not enough to matter: checks use
    /// minutes and hours.
    async fn advance(&self, by: Duration);

    /// Makes every write of the store fail at its very end, after all of it was written and before it counts, until it
    /// is told otherwise. Answers whether it can.
    ///
    /// A database can be made to by a constraint that is checked at the commit. A store that cannot fail there, such
    /// as one in memory, says so by `false`, which is the default; the checks of faults pass then.
    async fn fail_commits(&self, _fail: bool) -> bool {
        false
    }
}

/// The harness of a backend that takes its time from a [`Clock`](adcp_core::Clock).
pub struct OnManualClock {
    registry: Arc<dyn Registry>,
    clock: Arc<ManualClock>,
}

impl OnManualClock {
    /// A registry on a clock that only the checks move.
    pub fn new<R: Registry>(make: impl FnOnce(Arc<ManualClock>) -> R) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_770_000_000_000_000)));
        Self { registry: Arc::new(make(Arc::clone(&clock))), clock }
    }
}

impl fmt::Debug for OnManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnManualClock").field("registry", &self.registry).finish_non_exhaustive()
    }
}

#[async_trait]
impl Harness for OnManualClock {
    fn registry(&self) -> Arc<dyn Registry> {
        Arc::clone(&self.registry)
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

/// Runs one check on a fresh harness, on a runtime with several threads.
///
/// # Panics
///
/// When the check fails.
pub fn run<H: Harness>(make: impl AsyncFnOnce() -> H, check: impl AsyncFnOnce(&dyn Harness)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a machine that runs tests can start four threads");
    runtime.block_on(Box::pin(async {
        let harness = make().await;
        check(&harness).await;
    }));
}
