//! The contract that every registry keeps.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{Clock, ManualClock, Registry, Timestamp};
use adcp_registry_memory::MemoryRegistry;
use adcp_registry_testkit::{Cases, Harness, OnManualClock, checks, registry_conformance, run};
use async_trait::async_trait;

registry_conformance!(memory);

async fn memory() -> OnManualClock {
    OnManualClock::new(|clock| MemoryRegistry::volatile().with_clock(clock))
}

/// Memory is quick, so it tries more than a check does by itself.
#[test]
fn many_random_cases() {
    let cases = Cases::new(500).from_seed(1_000_000);
    run(memory, async |harness| checks::random_tasks_agree_with_a_model_in(harness, cases).await);
    run(memory, async |harness| checks::random_ledgers_agree_with_a_model_in(harness, cases).await);
}

/// On a clock that goes on by itself, as a database's does.
mod ticking {
    use super::*;

    registry_conformance!(async || Ticking::new());

    #[derive(Debug)]
    struct Tick(ManualClock);

    impl Clock for Tick {
        fn now(&self) -> Timestamp {
            self.0.advance(Duration::from_millis(1));
            self.0.now()
        }
    }

    struct Ticking {
        registry: Arc<MemoryRegistry>,
        clock: Arc<Tick>,
    }

    impl Ticking {
        fn new() -> Self {
            let clock = Arc::new(Tick(ManualClock::at(Timestamp::from_micros(1_770_000_000_000_000))));
            Self { registry: Arc::new(MemoryRegistry::volatile().with_clock(clock.clone())), clock }
        }
    }

    #[async_trait]
    impl Harness for Ticking {
        fn registry(&self) -> Arc<dyn Registry> {
            self.registry.clone()
        }

        async fn advance(&self, by: Duration) {
            self.clock.0.advance(by);
        }
    }
}
