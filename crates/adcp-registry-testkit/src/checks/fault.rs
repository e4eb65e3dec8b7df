//! What a store leaves behind when a write fails at its very end: nothing.
//!
//! The faults are the harness's to make: see [`Harness::fail_commits`]. A store that cannot fail there passes.

use adcp_core::{
    Claim, ClaimDeliveries, Effects, EndOverdue, Finished, LeaseToken, ProposalState, PublishEvents,
    Published, RegistryError, ReserveProposal, TaskStatus,
};
use serde_json::json;

use crate::Harness;
use crate::world::{HOUR, MINUTE, Must, World, bought, object, refused, registration};

/// A task whose issue failed is not there, and neither is the recorded reply of its call; both can be written again.
pub async fn a_failed_issue_leaves_no_task_and_no_reply(harness: &dyn Harness) {
    let world = World::new(harness);
    let ticket = world.first("key").await;
    let reply = object(json!({ "status": "submitted" }));
    let task = world.task("t").settling(ticket, reply.clone());
    if !harness.fail_commits(true).await {
        return;
    }
    refused!(world.registry.issue(task.clone()).await, RegistryError::Unavailable { .. });
    harness.fail_commits(false).await;
    assert_eq!(world.find("t").await, None);
    assert!(world.is_in_flight("key").await, "the key is neither settled nor free");
    world.issue(task).await;
    assert_eq!(world.replay("key").await, reply);
}

/// A task whose end failed is open as before, its proposal is held and nobody is told; the end can be written again.
pub async fn a_failed_end_leaves_everything_as_it_was(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    let effects = Effects::none().with_purchase(hold).with_notify(Some(registration()));
    let issued = world.issue(world.task("t").with_effects(effects)).await;
    let reserved = world.proposal("p").await;
    if !harness.fail_commits(true).await {
        return;
    }
    refused!(world.finish("t", bought("mb_1")).await, RegistryError::Unavailable { .. });
    harness.fail_commits(false).await;
    assert_eq!(world.read("t").await, issued);
    assert_eq!((world.proposal("p").await, world.events().await), (reserved, vec![]));
    assert_eq!(world.finish("t", bought("mb_1")).await.must(), Finished::Now);
    assert_eq!((world.state("p").await, world.events().await.len()), (ProposalState::Consumed, 1));
}

/// A rescue that failed ended nobody; the next one ends them, and tells once.
pub async fn a_failed_rescue_ends_nobody(harness: &dyn Harness) {
    let world = World::new(harness);
    let task = world.task("t").leased(LeaseToken::random().must(), MINUTE);
    world.issue(task.with_effects(Effects::none().with_notify(Some(registration())))).await;
    world.pass(HOUR).await;
    if !harness.fail_commits(true).await {
        return;
    }
    let rescue = EndOverdue::new(world.tenant.clone());
    refused!(world.registry.end_overdue(rescue.clone()).await, RegistryError::Unavailable { .. });
    harness.fail_commits(false).await;
    assert_eq!((world.read("t").await.status, world.events().await), (TaskStatus::Submitted, vec![]));
    assert_eq!(world.registry.end_overdue(rescue).await.must().len(), 1);
    assert_eq!((world.read("t").await.status, world.events().await.len()), (TaskStatus::Failed, 1));
}

/// A key whose claim failed is nobody's, and a proposal whose reservation failed is free.
pub async fn a_failed_claim_holds_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let reserve = || ReserveProposal::new(world.proposal_key("p")).with_lease(MINUTE);
    if !harness.fail_commits(true).await {
        return;
    }
    refused!(world.registry.claim_call(world.call("key")).await, RegistryError::Unavailable { .. });
    refused!(world.registry.reserve(reserve()).await, RegistryError::Unavailable { .. });
    harness.fail_commits(false).await;
    assert!(matches!(world.claim("key").await, Claim::First(_)));
    world.reserve("p").await.must();
}

/// An event whose publication failed is not queued, and a claim of events that failed counts no attempt.
pub async fn a_failed_publication_queues_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    let publish = || PublishEvents::new(vec![world.publication("e", "receiver")]);
    let claim = || ClaimDeliveries::new().of_tenants([world.tenant.clone()]);
    if !harness.fail_commits(true).await {
        return;
    }
    refused!(world.registry.publish(publish()).await, RegistryError::Unavailable { .. });
    harness.fail_commits(false).await;
    assert_eq!(world.events().await, vec![]);
    assert_eq!(world.registry.publish(publish()).await.must(), [Published::Queued]);
    harness.fail_commits(true).await;
    refused!(world.registry.claim_deliveries(claim()).await, RegistryError::Unavailable { .. });
    harness.fail_commits(false).await;
    let claimed = world.registry.claim_deliveries(claim()).await.must().deliveries;
    assert_eq!(claimed.iter().map(|delivery| delivery.attempt).collect::<Vec<_>>(), [1]);
}
