//! The contract that every registry keeps.

use adcp_registry_memory::MemoryRegistry;
use adcp_registry_testkit::OnManualClock;

adcp_registry_testkit::registry_conformance!(async || OnManualClock::new(
    |clock| MemoryRegistry::volatile().with_clock(clock)
));
