//! Purchases: what a hold ends with.

use adcp_core::{Effect, Effects, Outcome, ProposalRefusal, ProposalState, RegistryError};
use serde_json::json;

use crate::Harness;
use crate::world::{HOUR, MINUTE, Must, World, bought, object, outcomes, refused, registration};

/// A task that ends well buys what it reserved; any other end, or one without an order, gives it back.
pub async fn a_purchase_ends_with_its_task(harness: &dyn Harness) {
    let world = World::new(harness);
    let mut ends = outcomes();
    ends.push(Outcome::Completed(object(json!({ "note": "nothing was ordered" }))));
    for (number, outcome) in ends.into_iter().enumerate() {
        let (proposal, task) = (format!("p{number}"), format!("t{number}"));
        world.firm(&[&proposal]).await;
        let hold = world.reserve(&proposal).await.must();
        world.issue(world.task(&task).with_effects(Effects::none().with_purchase(hold))).await;
        world.finish(&task, outcome.clone()).await.must();
        let record = world.proposal(&proposal).await.must();
        if number == 0 {
            assert_eq!((record.state, record.buyer), (ProposalState::Consumed, Some(world.buyer())));
        } else {
            assert_eq!(record.state, ProposalState::Committed, "after {outcome:?}");
            world.reserve(&proposal).await.must();
        }
    }
}

/// What ends with a task is written once, also when the task is ended again.
pub async fn ending_applies_effects_once(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["bought", "back"]).await;
    for (task, proposal, outcome) in
        [("t1", "bought", bought("mb_1")), ("t2", "back", Outcome::Canceled("late".into()))]
    {
        let hold = world.reserve(proposal).await.must();
        let effects = Effects::none().with_purchase(hold).with_notify(Some(registration()));
        world.issue(world.task(task).with_effects(effects)).await;
        world.finish(task, outcome.clone()).await.must();
    }
    // Somebody else buys what was given back; a second end of the first task must not undo that.
    let next = world.reserve("back").await.must();
    let before = (world.proposal("bought").await, world.proposal("back").await, world.events().await);
    world.pass(MINUTE).await;
    world.finish("t1", bought("mb_1")).await.must();
    world.finish("t2", Outcome::Canceled("late".into())).await.must();
    refused!(world.finish("t2", bought("mb_2")).await, RegistryError::AlreadyEnded(_));
    let after = (world.proposal("bought").await, world.proposal("back").await, world.events().await);
    assert_eq!(after, before);
    world.apply(vec![world.consume(&next, "mb_3")]).await.must();
}

/// The proposal behind an order is found by the order's id, once it is bought.
pub async fn consumed_is_found_by_order(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p", "q"]).await;
    let find = async |order: &str| world.registry.proposal_of_buy(&world.buyer(), order).await.must();
    let hold = world.reserve("p").await.must();
    assert_eq!(find("mb_1").await, None);
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    let found = find("mb_1").await.must();
    assert_eq!(found, world.proposal("p").await.must());
    assert_eq!((found.state, found.media_buy_id.as_deref()), (ProposalState::Consumed, Some("mb_1")));
    assert_eq!((found.hold, found.held_until), (None, None));
    assert_eq!(find("mb_2").await, None);
    world.pass(HOUR).await;
    assert_eq!(find("mb_1").await, Some(found));
}

/// An order that bought several proposals leads to the latest.
pub async fn the_latest_purchase_of_an_order_is_found(harness: &dyn Harness) {
    let world = World::new(harness);
    for name in ["p", "q"] {
        world.pass(MINUTE).await;
        world.firm(&[name]).await;
        let hold = world.reserve(name).await.must();
        world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
        let found = world.registry.proposal_of_buy(&world.buyer(), "mb_1").await.must();
        assert_eq!(found.map(|proposal| proposal.key), Some(world.proposal_key(name)));
    }
}

/// The same order again changes nothing, another order is refused, and nothing gives a purchase back.
pub async fn a_proposal_is_bought_once(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    let before = world.proposal("p").await;
    world.pass(MINUTE).await;
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    let other = world.apply(vec![world.consume(&hold, "mb_2")]).await;
    refused!(other, RegistryError::Proposal(ProposalRefusal::Consumed));
    world.apply(vec![Effect::Release { hold: hold.clone() }]).await.must();
    refused!(world.registry.renew_hold(&hold, HOUR).await, RegistryError::Proposal(_));
    assert_eq!(world.proposal("p").await, before);
}

/// An order that was placed in time is recorded late, as long as nobody else took the proposal.
pub async fn a_late_purchase_counts_when_nobody_took_it(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    world.pass(HOUR).await;
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    assert_eq!(world.state("p").await, ProposalState::Consumed);
}

/// A bought proposal knows the product behind each package of its order.
pub async fn a_purchase_keeps_the_product_of_each_package(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    world.issue(world.task("t").with_effects(Effects::none().with_purchase(hold))).await;
    let packages = json!([
        { "package_id": "pkg_1", "product_id": "prod_1" },
        { "package_id": "pkg_2", "product_id": "prod_1" },
    ]);
    let order = object(json!({ "media_buy_id": "mb_1", "packages": packages }));
    world.finish("t", Outcome::Completed(order)).await.must();
    let record = world.registry.proposal_of_buy(&world.buyer(), "mb_1").await.must().must();
    let want = [("pkg_1", "prod_1"), ("pkg_2", "prod_1")];
    let found: Vec<_> = record.packages.iter().map(|(id, of)| (id.as_str(), of.as_str())).collect();
    assert_eq!(found, want);
}
