//! The contract that every registry keeps.

use adcp_registry_memory::MemoryRegistry;
use adcp_registry_testkit::{Cases, OnManualClock, checks, registry_conformance, run};

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
