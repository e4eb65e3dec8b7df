//! Many claims of few keys at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use adcp_core::{Claim, SettleCall, Settlement};
use serde_json::json;
use tokio::task::JoinSet;

use super::cases::{Cases, Dice};
use crate::Harness;
use crate::world::{Must, TTL, World, object};

/// In a storm of claims that settle as soon as they are first, no key runs twice at once, none that was replied to runs
/// again, and every repeat gets the one reply.
pub async fn claim_storms_have_one_first(harness: &dyn Harness) {
    claim_storms_have_one_first_in(harness, Cases::new(12)).await;
}

/// [`claim_storms_have_one_first`] with cases of the caller's choice.
pub async fn claim_storms_have_one_first_in(harness: &dyn Harness, cases: Cases) {
    for seed in cases.seeds() {
        let world = World::new(harness);
        let running: Arc<[AtomicUsize; 3]> = Arc::default();
        let mut storm = JoinSet::new();
        for worker in 0..24_usize {
            let mut dice = Dice::new(seed ^ ((worker as u64) << 32));
            let key = dice.roll(3);
            let name = format!("key{key}");
            let running = Arc::clone(&running);
            let (registry, call) = (world.instance(), world.call(&name));
            storm.spawn(async move {
                let mut runs = Vec::new();
                for attempt in 0..6 {
                    let Claim::First(ticket) = registry.claim_call(call.clone()).await.must() else {
                        continue;
                    };
                    let others = running[key].fetch_add(1, Ordering::SeqCst);
                    assert_eq!(others, 0, "seed {seed}: `{name}` runs twice at once");
                    tokio::task::yield_now().await;
                    // A failed call frees its key; the next to come runs again.
                    let replied = attempt > 3 || dice.roll(3) == 0;
                    let reply = object(json!({ "worker": worker, "attempt": attempt }));
                    let settlement =
                        if replied { Settlement::Replied(reply.clone()) } else { Settlement::Released };
                    running[key].fetch_sub(1, Ordering::SeqCst);
                    registry.settle_call(SettleCall::new(ticket, settlement)).await.must();
                    runs.push(replied.then_some(reply));
                }
                (name, runs)
            });
        }
        let mut replies: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for (name, runs) in storm.join_all().await {
            replies.entry(name).or_default().extend(runs.into_iter().flatten());
        }
        for (name, replies) in replies {
            assert!(replies.len() <= 1, "seed {seed}: `{name}` was run again after its reply: {replies:?}");
            if let Some(reply) = replies.first() {
                assert_eq!(world.replay(&name).await, *reply, "seed {seed}: another reply is replayed");
            }
        }
        world.pass(TTL).await;
    }
}
