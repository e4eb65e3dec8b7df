//! Reservations: who may buy a proposal, and for how long.

use std::time::Duration;

use adcp_core::{
    Effect, Effects, Hold, ProposalRefusal, ProposalState, RegistryError, ReserveProposal, Reserved,
    SettleCall, Settlement,
};
use serde_json::json;

use crate::Harness;
use crate::world::{DAY, HOUR, MINUTE, Must, World, bought, object, refused};

/// Only a firm proposal whose time is not over is reserved; every other is refused with its own reason.
pub async fn only_firm_proposals_are_reserved(harness: &dyn Harness) {
    let world = World::new(harness);
    world.draft(&["draft"]).await;
    world.firm(&["held", "bought", "firm"]).await;
    world.reserve("held").await.must();
    let hold = world.reserve("bought").await.must();
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    let reasons = [
        ("unknown", ProposalRefusal::Unknown),
        ("draft", ProposalRefusal::Draft),
        ("held", ProposalRefusal::Consuming),
        ("bought", ProposalRefusal::Consumed),
    ];
    for (name, reason) in reasons {
        let before = world.proposal(name).await;
        assert_eq!(world.reserve(name).await, Err(reason), "{name}");
        assert_eq!(world.proposal(name).await, before, "{name}");
    }
    let Reserved::Held { hold, proposal } =
        world.registry.reserve(ReserveProposal::new(world.proposal_key("firm"))).await.must()
    else {
        panic!("a firm proposal cannot be reserved")
    };
    assert_eq!((&proposal.key, proposal.state), (&hold.key, ProposalState::Consuming));
    assert_eq!(proposal.hold, Some(hold.token));
    assert_eq!(world.proposal("firm").await, Some(*proposal));
}

/// After its expiry a proposal is bought only within the grace that the purchase asks for.
pub async fn expired_proposals_are_bought_within_grace_only(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let reserve = async |grace: Duration| {
        let req = ReserveProposal::new(world.proposal_key("p")).with_lease(MINUTE).with_grace(grace);
        world.registry.reserve(req).await.must()
    };
    world.pass(DAY + MINUTE).await;
    for grace in [Duration::ZERO, MINUTE / 2] {
        let refused = reserve(grace).await;
        assert!(matches!(refused, Reserved::Refused(ProposalRefusal::Expired)), "{refused:?}");
    }
    assert!(matches!(reserve(HOUR).await, Reserved::Held { .. }));
}

/// A purchase under way outlives the expiry of its proposal.
pub async fn a_hold_outlives_the_expiry(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    world.pass(DAY - MINUTE / 2).await;
    let hold = world.reserve("p").await.must();
    world.pass(MINUTE / 2 + MINUTE / 4).await;
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    assert_eq!(world.state("p").await, ProposalState::Consumed);
}

/// A reservation that is given back frees the proposal at once.
pub async fn a_released_proposal_can_be_bought(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    assert_eq!(world.reserve("p").await, Err(ProposalRefusal::Consuming));
    world.apply(vec![Effect::Release { hold: hold.clone() }]).await.must();
    let proposal = world.proposal("p").await.must();
    assert_eq!((proposal.state, proposal.hold), (ProposalState::Committed, None));
    let next = world.reserve("p").await.must();
    assert_ne!(next.token, hold.token, "each hold has a token of its own");
}

/// A hold whose time is over can be taken by the next purchase.
pub async fn a_hold_that_expires_can_be_taken(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let stale = world.reserve("p").await.must();
    world.pass(MINUTE / 2).await;
    assert_eq!(world.reserve("p").await, Err(ProposalRefusal::Consuming));
    world.pass(MINUTE / 2).await;
    let hold = world.reserve("p").await.must();
    assert_ne!(hold.token, stale.token);
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
}

/// A hold that somebody else took buys nothing, gives nothing back and is not renewed.
pub async fn a_hold_that_was_taken_is_lost(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let (lost, ticket) = (world.reserve("p").await.must(), world.first("key").await);
    world.pass(MINUTE).await;
    let hold = world.reserve("p").await.must();
    let before = world.proposal("p").await;
    let settle = SettleCall::new(ticket, Settlement::Replied(object(json!({}))));
    let settle = settle.applying(vec![world.consume(&lost, "mb_lost")]);
    refused!(world.registry.settle_call(settle).await, RegistryError::Proposal(ProposalRefusal::HoldLost));
    assert!(world.is_in_flight("key").await, "a reply was recorded for a purchase that did not happen");
    let renewal = world.registry.renew_hold(&lost, HOUR).await;
    refused!(renewal, RegistryError::Proposal(ProposalRefusal::HoldLost));
    world.apply(vec![Effect::Release { hold: lost }]).await.must();
    assert_eq!(world.proposal("p").await, before, "a lost hold changed somebody else's purchase");
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    assert_eq!(world.registry.proposal_of_buy(&world.buyer(), "mb_lost").await.must(), None);
}

/// A renewed hold lasts from the renewal on.
pub async fn a_renewed_hold_lasts(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    for _ in 0..5 {
        world.pass(MINUTE / 2).await;
        world.registry.renew_hold(&hold, MINUTE).await.must();
    }
    world.pass(MINUTE / 2).await;
    assert_eq!(world.reserve("p").await, Err(ProposalRefusal::Consuming));
    world.pass(MINUTE / 2).await;
    world.reserve("p").await.must();
}

/// A hold whose time is over is not renewed, and no task takes it over.
pub async fn a_hold_whose_time_is_over_is_not_renewed(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    world.pass(MINUTE).await;
    let renewal = world.registry.renew_hold(&hold, HOUR).await;
    refused!(renewal, RegistryError::Proposal(ProposalRefusal::HoldLost));
    let task = world.task("t").with_effects(Effects::none().with_purchase(hold));
    refused!(world.registry.issue(task).await, RegistryError::Proposal(ProposalRefusal::HoldLost));
    assert_eq!(world.find("t").await, None);
    world.reserve("p").await.must();
}

/// Holds that are unknown, or given back already, are not renewed and buy nothing; giving back is harmless.
pub async fn a_hold_of_nothing_is_refused(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p", "q"]).await;
    let given_back = world.reserve("p").await.must();
    world.apply(vec![Effect::Release { hold: given_back.clone() }]).await.must();
    let guessed = Hold::new(world.proposal_key("q"), [0; 16]);
    let unknown = Hold::new(world.proposal_key("unknown"), [0; 16]);
    for hold in [given_back, guessed, unknown] {
        refused!(world.registry.renew_hold(&hold, HOUR).await, RegistryError::Proposal(_));
        refused!(world.apply(vec![world.consume(&hold, "mb_1")]).await, RegistryError::Proposal(_));
        world.apply(vec![Effect::Release { hold }]).await.must();
    }
    for name in ["p", "q"] {
        assert_eq!(world.state(name).await, ProposalState::Committed);
    }
    assert_eq!(world.proposal("unknown").await, None);
}

/// A task keeps the hold it was issued with until it ends, however long that takes.
pub async fn a_task_keeps_its_hold(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    world.issue(world.task("t").with_effects(Effects::none().with_purchase(hold))).await;
    for _ in 0..3 {
        world.pass(DAY * 30).await;
        assert_eq!(world.reserve("p").await, Err(ProposalRefusal::Consuming));
    }
    world.finish("t", bought("mb_1")).await.must();
    assert_eq!(world.state("p").await, ProposalState::Consumed);
}

/// A renewal that comes after a task took the hold over does not give the hold a time.
pub async fn a_late_renewal_leaves_the_hold_to_its_task(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    world.issue(world.task("t").with_effects(Effects::none().with_purchase(hold.clone()))).await;
    let before = world.proposal("p").await;
    world.registry.renew_hold(&hold, MINUTE).await.must();
    assert_eq!(world.proposal("p").await, before);
    world.pass(HOUR).await;
    assert_eq!(world.reserve("p").await, Err(ProposalRefusal::Consuming));
}

/// A hold that one task keeps is not for another.
pub async fn a_hold_belongs_to_one_task(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let effects = Effects::none().with_purchase(world.reserve("p").await.must());
    world.issue(world.task("t").with_effects(effects.clone())).await;
    let second = world.registry.issue(world.task("second").with_effects(effects)).await;
    refused!(second, RegistryError::Proposal(ProposalRefusal::HoldLost));
    assert_eq!(world.find("second").await, None);
    world.finish("t", bought("mb_1")).await.must();
    assert_eq!(world.state("p").await, ProposalState::Consumed);
}

/// Tokens of claims and of holds are random: none can be told from another, not even after a restart.
pub async fn tokens_cannot_be_guessed(harness: &dyn Harness) {
    let world = World::new(harness);
    let mut tokens = Vec::new();
    for number in 0..12 {
        let name = format!("n{number}");
        world.firm(&[&name]).await;
        tokens.push(world.reserve(&name).await.must().token);
        tokens.push(world.first(&name).await.token);
    }
    for (place, one) in tokens.iter().enumerate() {
        for other in &tokens[..place] {
            // Two random tokens share fewer than 32 of 128 bits once in more than a billion pairs.
            let differ: u32 = one.iter().zip(other).map(|(a, b)| (a ^ b).count_ones()).sum();
            assert!(differ > 31, "{one:02x?} and {other:02x?} have a counter or a clock in common");
        }
    }
}
