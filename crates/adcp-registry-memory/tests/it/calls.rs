//! Idempotency keys: one first caller, one recorded answer.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{CallKey, CallStore, Claim, ClaimCall, RegistryError, SettleCall, Settlement, Ticket};
use adcp_registry_memory::MemoryLimits;
use serde_json::json;

use crate::{object, owner, registry};

const TTL: Duration = Duration::from_secs(3600);

fn claim(account: &str, key: &str, hash: u8) -> ClaimCall {
    ClaimCall::new(CallKey::new(owner(account), key), "create_media_buy", [hash; 32], TTL)
}

fn first(claim: Claim) -> Ticket {
    match claim {
        Claim::First(ticket) => ticket,
        other => panic!("expected the first claim, got {other:?}"),
    }
}

#[tokio::test]
async fn a_replay_returns_what_was_recorded() {
    let (registry, _) = registry(MemoryLimits::new());
    let ticket = first(registry.claim_call(claim("a", "k", 1)).await.unwrap());
    assert!(matches!(registry.claim_call(claim("a", "k", 1)).await.unwrap(), Claim::InFlight));
    let reply = object(json!({ "media_buy_id": "mb_1" }));
    registry.settle_call(SettleCall::new(ticket.clone(), Settlement::Replied(reply.clone()))).await.unwrap();
    match registry.claim_call(claim("a", "k", 1)).await.unwrap() {
        Claim::Replay(found) => assert_eq!(found, reply),
        other => panic!("{other:?}"),
    }
    let again = registry.settle_call(SettleCall::new(ticket, Settlement::Released)).await;
    assert!(matches!(again, Err(RegistryError::StaleTicket)));
}

#[tokio::test]
async fn another_payload_conflicts_even_in_flight_and_other_accounts_are_apart() {
    let (registry, _) = registry(MemoryLimits::new());
    first(registry.claim_call(claim("a", "k", 1)).await.unwrap());
    assert!(matches!(registry.claim_call(claim("a", "k", 2)).await.unwrap(), Claim::Conflict));
    first(registry.claim_call(claim("b", "k", 2)).await.unwrap());
}

#[tokio::test]
async fn a_released_key_is_free_and_a_fenced_one_never_runs_again() {
    let (registry, clock) = registry(MemoryLimits::new());
    let ticket = first(registry.claim_call(claim("a", "k", 1)).await.unwrap());
    registry.settle_call(SettleCall::new(ticket, Settlement::Released)).await.unwrap();
    let ticket = first(registry.claim_call(claim("a", "k", 2)).await.unwrap());
    registry.settle_call(SettleCall::new(ticket, Settlement::Fenced)).await.unwrap();
    assert!(matches!(registry.claim_call(claim("a", "k", 2)).await.unwrap(), Claim::InFlight));
    clock.advance(TTL);
    assert!(matches!(registry.claim_call(claim("a", "k", 2)).await.unwrap(), Claim::Expired));
    clock.advance(TTL);
    first(registry.claim_call(claim("a", "k", 2)).await.unwrap());
}

#[tokio::test]
async fn a_storm_has_one_first_caller() {
    let (registry, _) = registry(MemoryLimits::new());
    let mut storm = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let registry = Arc::clone(&registry);
        storm.spawn(
            async move { matches!(registry.claim_call(claim("a", "k", 1)).await, Ok(Claim::First(_))) },
        );
    }
    let firsts = storm.join_all().await.into_iter().filter(|first| *first).count();
    assert_eq!(firsts, 1);
}

#[tokio::test]
async fn bounds_refuse_new_keys_and_time_makes_room() {
    let (registry, clock) = registry(MemoryLimits::new().with_max_calls(2));
    first(registry.claim_call(claim("a", "1", 1)).await.unwrap());
    first(registry.claim_call(claim("a", "2", 1)).await.unwrap());
    assert!(matches!(registry.claim_call(claim("a", "3", 1)).await, Err(RegistryError::Full { .. })));
    clock.advance(TTL * 2);
    first(registry.claim_call(claim("a", "3", 1)).await.unwrap());
}
