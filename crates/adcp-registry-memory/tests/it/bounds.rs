//! What only a registry in memory has: bounds, and what makes room below them.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{
    AccountId, CallKey, CallStore, Claim, ClaimCall, FinishTask, IssueTask, ManualClock, Outcome, Owner,
    Principal, RegistryError, TaskId, TaskRegistry, TenantId, Timestamp,
};
use adcp_registry_memory::{MemoryLimits, MemoryRegistry};

const TTL: Duration = Duration::from_secs(3600);

fn owner() -> Owner {
    Owner::new(TenantId::single(), Some(AccountId::new("a")), Principal::new("buyer"))
}

fn registry(limits: MemoryLimits) -> (MemoryRegistry, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_700_000_000_000_000)));
    (MemoryRegistry::volatile().with_clock(clock.clone()).with_limits(limits), clock)
}

fn issue(id: &str) -> IssueTask {
    IssueTask::new(TaskId::new(id), owner(), "create_media_buy", "create_media_buy", "media-buy")
}

fn claim(key: &str) -> ClaimCall {
    ClaimCall::new(CallKey::new(owner(), key), "create_media_buy", [1; 32], TTL)
}

#[tokio::test]
async fn bounds_refuse_new_keys_and_time_makes_room() {
    let (registry, clock) = registry(MemoryLimits::new().with_max_calls(2));
    for key in ["1", "2"] {
        assert!(matches!(registry.claim_call(claim(key)).await.unwrap(), Claim::First(_)));
    }
    assert!(matches!(registry.claim_call(claim("3")).await, Err(RegistryError::Full { .. })));
    clock.advance(TTL * 2);
    assert!(matches!(registry.claim_call(claim("3")).await.unwrap(), Claim::First(_)));
}

#[tokio::test]
async fn retention_makes_room_but_open_tasks_stay() {
    let limits = MemoryLimits::new().with_max_tasks(2).with_task_retention(Duration::from_secs(60));
    let (registry, clock) = registry(limits);
    registry.issue(issue("open")).await.unwrap();
    registry.issue(issue("ended")).await.unwrap();
    let end = FinishTask::new(TaskId::new("ended"), owner().scope(), Outcome::Canceled("late".into()));
    registry.finish(end).await.unwrap();
    assert!(matches!(registry.issue(issue("x")).await, Err(RegistryError::Full { .. })));
    clock.advance(Duration::from_secs(61));
    registry.issue(issue("x")).await.unwrap();
    assert_eq!(registry.get(&TaskId::new("ended"), &owner().scope()).await.unwrap(), None);
    clock.advance(Duration::from_secs(3600));
    assert!(matches!(registry.issue(issue("y")).await, Err(RegistryError::Full { .. })));
}
