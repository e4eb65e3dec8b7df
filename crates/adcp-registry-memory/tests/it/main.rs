//! What the memory registry promises to its callers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod calls;
mod tasks;

use std::sync::Arc;

use adcp_core::{AccountId, ManualClock, Owner, Principal, TenantId, Timestamp};
use adcp_registry_memory::{MemoryLimits, MemoryRegistry};

fn owner(account: &str) -> Owner {
    Owner::new(TenantId::single(), Some(AccountId::new(account)), Principal::new("buyer"))
}

fn object(value: serde_json::Value) -> adcp_types::json::JsonObject {
    match value {
        serde_json::Value::Object(object) => object,
        other => panic!("not an object: {other}"),
    }
}

fn registry(limits: MemoryLimits) -> (Arc<MemoryRegistry>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_700_000_000_000_000)));
    let registry = MemoryRegistry::volatile().with_clock(clock.clone()).with_limits(limits);
    (Arc::new(registry), clock)
}
