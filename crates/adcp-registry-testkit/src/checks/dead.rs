//! Lists of deliveries, and dead letters that are sent again.

use adcp_core::{
    AttemptClass, DeadReason, DeliveryFilter, DeliveryRecord, DeliveryState, Effects, Endpoint,
    ListDeliveries, Redeliver, Redelivered, Redelivery, Verdict,
};

use crate::Harness;
use crate::post::{at, delivered};
use crate::world::{HOUR, MINUTE, Must, World, bought, registration};

async fn kill(world: &World<'_>, name: &str, receiver: &str) {
    world.publish(name, receiver).await;
    let claimed = world.claim_events().await;
    let one = claimed.iter().find(|claimed| claimed.event.key == world.event_key(name)).must();
    world.record_one(one, AttemptClass::Gone, Verdict::Dead(DeadReason::Gone)).await;
}

/// A dead letter is sent again with the same bytes and key, by a schedule that begins anew; what was tried before and
/// who sent it again stays on record.
pub async fn a_dead_letter_is_sent_again_as_it_was(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish("a", "one").await;
    let first = world.claim_event().await;
    world.record_one(&first, AttemptClass::Timeout, Verdict::Again { after: MINUTE }).await;
    world.pass(MINUTE).await;
    let second = world.claim_event().await;
    world.record_one(&second, AttemptClass::Refused, Verdict::Dead(DeadReason::Refused)).await;
    for round in 1..=2_u32 {
        world.pass(HOUR).await;
        let mut changes = world.registry.changes();
        let req = Redeliver::one(world.tenant.clone(), first.event.key.clone(), format!("operator {round}"));
        let done = world.registry.redeliver(req).await.must();
        assert_eq!(done, [(first.event.key.clone(), Redelivered::Queued)]);
        changes.next().await;
        assert_eq!(world.stands("a").await, DeliveryState::Pending);
        let claimed = world.claim_event().await;
        assert_eq!(claimed.event, first.event, "the same bytes and key");
        assert_eq!((claimed.attempt, claimed.number), (1, 2 + round));
        assert!(claimed.waited < MINUTE, "{:?}", claimed.waited);
        world.record_one(&claimed, AttemptClass::Gone, Verdict::Dead(DeadReason::Gone)).await;
    }
    let detail = world.detail("a").await;
    let numbers: Vec<_> = detail.attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    let who: Vec<_> = detail.record.redeliveries.iter().map(|again| again.by.as_str()).collect();
    assert_eq!(who, ["operator 1", "operator 2"]);
    let apart = |pair: &[Redelivery]| pair[1].at.since(pair[0].at) >= HOUR;
    assert!(detail.record.redeliveries.windows(2).all(apart));
    assert_eq!((detail.record.attempts, detail.record.queued_at), (4, first.event.queued_at));
}

/// Only dead letters are sent again, and only of one's own tenant.
pub async fn only_dead_letters_are_redelivered(harness: &dyn Harness) {
    let world = World::new(harness);
    for name in ["delivered", "waiting", "sending", "pending"] {
        if name == "pending" {
            world.publish(name, name).await;
            continue;
        }
        world.publish(name, name).await;
        let claimed = world.claim_event().await;
        match name {
            "delivered" => drop(world.record(vec![delivered(&claimed)]).await),
            "waiting" => {
                world.record_one(&claimed, AttemptClass::Timeout, Verdict::Again { after: HOUR }).await;
            }
            _ => {}
        }
    }
    for name in ["delivered", "waiting", "sending", "pending"] {
        let before = world.detail(name).await;
        let req = Redeliver::one(world.tenant.clone(), world.event_key(name), "somebody");
        let done = world.registry.redeliver(req).await.must();
        assert_eq!(done, [(world.event_key(name), Redelivered::NotDead)], "{name}");
        assert_eq!(world.detail(name).await, before, "{name}");
    }
    let unknown = Redeliver::one(world.tenant.clone(), world.event_key("never"), "somebody");
    let done = world.registry.redeliver(unknown).await.must();
    assert_eq!(done, [(world.event_key("never"), Redelivered::Unknown)]);
    kill(&world, "dead", "dead").await;
    let abroad = Redeliver::one(world.neighbour(), world.event_key("dead"), "a stranger");
    let done = world.registry.redeliver(abroad).await.must();
    assert_eq!(done, [(world.event_key("dead"), Redelivered::Unknown)]);
    let all = Redeliver::matching(world.neighbour(), DeliveryFilter::new(), "a stranger");
    assert_eq!(world.registry.redeliver(all).await.must(), []);
    assert_eq!(world.stands("dead").await, DeliveryState::Dead);
}

/// Dead letters are sent again by what they have in common, oldest first and no more than asked for.
pub async fn dead_letters_are_redelivered_by_filter(harness: &dyn Harness) {
    let world = World::new(harness);
    for (name, receiver) in [("c", "one"), ("a", "one"), ("x", "two"), ("b", "one")] {
        kill(&world, name, receiver).await;
        world.pass(MINUTE).await;
    }
    world.publish("alive", "one").await;
    let filter = DeliveryFilter::new().to(Endpoint::of(&at("one")));
    let req = Redeliver::matching(world.tenant.clone(), filter, "operator");
    let queued = |names: &[&str]| -> Vec<_> {
        names.iter().map(|name| (world.event_key(name), Redelivered::Queued)).collect()
    };
    let done = world.registry.redeliver(req.clone().with_limit(2)).await.must();
    assert_eq!(done, queued(&["c", "a"]));
    assert_eq!(world.registry.redeliver(req).await.must(), queued(&["b"]));
    let filter = DeliveryFilter::new().given_up_for(DeadReason::Refused);
    let none = Redeliver::matching(world.tenant.clone(), filter, "operator");
    assert_eq!(world.registry.redeliver(none).await.must(), []);
    assert_eq!(world.stands("x").await, DeliveryState::Dead);
}

async fn listed(world: &World<'_>, req: ListDeliveries) -> Vec<String> {
    let page = world.registry.deliveries(req).await.must();
    assert_eq!(page.unreadable, []);
    page.deliveries.iter().map(|found| found.key.as_str().trim_start_matches("whk_").to_owned()).collect()
}

/// Of deliveries as of tasks, everybody sees their own.
pub async fn deliveries_hide_other_accounts_and_principals(harness: &dyn Harness) {
    let world = World::new(harness);
    kill(&world, "a", "one").await;
    let key = world.event_key("a");
    for stranger in world.strangers() {
        let scope = stranger.scope();
        assert_eq!(
            listed(&world, ListDeliveries::new(scope.clone())).await,
            Vec::<String>::new(),
            "{stranger:?}"
        );
        assert_eq!(world.registry.delivery(&key, &scope).await.must(), None, "{stranger:?}");
    }
    let abroad = adcp_core::Scope::Operator { tenant: world.neighbour() };
    assert_eq!(world.registry.delivery(&key, &abroad).await.must(), None);
    assert_eq!(listed(&world, ListDeliveries::new(abroad)).await, Vec::<String>::new());
    let polling =
        adcp_core::Scope::Principal { tenant: world.tenant.clone(), principal: world.buyer().principal };
    for scope in [world.buyer().scope(), world.operator(), polling] {
        assert_eq!(listed(&world, ListDeliveries::new(scope.clone())).await, ["a"]);
        let detail = world.registry.delivery(&key, &scope).await.must().must();
        let shown = format!("{detail:?}");
        assert!(!shown.contains("1.50"), "{shown}");
    }
}

/// Deliveries are listed newest first, page by page.
pub async fn deliveries_are_listed_newest_first(harness: &dyn Harness) {
    let world = World::new(harness);
    for names in [["b", "a", "c"], ["f", "e", "d"]] {
        world.publish_all(names.iter().map(|name| world.publication(name, "one")).collect()).await;
        world.pass(MINUTE).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let req = ListDeliveries::new(world.operator()).with_limit(2).after(after);
        let page = world.registry.deliveries(req).await.must();
        // A page that is full and the last one says so itself.
        assert!((1..=2).contains(&page.deliveries.len()), "{page:?}");
        seen.extend(page.deliveries.iter().map(|found| found.key.as_str().to_owned()));
        after = page.next;
        if after.is_none() {
            break;
        }
        // What is queued meanwhile is newer, and moves nothing.
        world.publish(&format!("new{}", seen.len()), "one").await;
    }
    assert_eq!(seen, ["whk_f", "whk_e", "whk_d", "whk_c", "whk_b", "whk_a"]);
}

/// A filter finds what its definition says, in every backend.
pub async fn delivery_filters_agree_with_their_definition(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("t").with_effects(Effects::none().with_notify(Some(registration())))).await;
    world.finish("t", bought("mb_1")).await.must();
    world.pass(MINUTE).await;
    kill(&world, "gone", "one").await;
    world.pass(MINUTE).await;
    let middle = world.now().await;
    world.pass(MINUTE).await;
    world.publish("waiting", "two").await;
    let claimed = world.claim_events().await;
    let one = claimed.iter().find(|claimed| claimed.event.key == world.event_key("waiting")).must();
    world.record_one(one, AttemptClass::Timeout, Verdict::Again { after: HOUR }).await;
    let mut elsewhere = world.publication("about", "two");
    elsewhere = elsewhere.about("mb_2");
    world.publish_all(vec![elsewhere]).await;
    let all: Vec<DeliveryRecord> =
        world.registry.deliveries(ListDeliveries::new(world.operator())).await.must().deliveries;
    assert_eq!(all.len(), 4);
    let filter = DeliveryFilter::new;
    let mut several = filter();
    several.states = vec![DeliveryState::Pending, DeliveryState::Dead];
    for (filter, count) in [
        (filter(), 4),
        (filter().in_state(DeliveryState::Dead), 1),
        (filter().in_state(DeliveryState::Pending), 1),
        (filter().in_state(DeliveryState::Waiting), 1),
        (filter().in_state(DeliveryState::Delivered), 0),
        (several, 2),
        (filter().given_up_for(DeadReason::Gone), 1),
        (filter().given_up_for(DeadReason::Exhausted), 0),
        (filter().of_task(world.id("t")), 1),
        (filter().about("mb_1"), 2),
        (filter().about("mb_2"), 1),
        (filter().to(Endpoint::of(&at("two"))), 2),
        (filter().to(Endpoint::of(&at("two"))).in_state(DeliveryState::Waiting), 1),
        (filter().queued(Some(middle), None), 2),
        (filter().queued(None, Some(middle)), 2),
        (filter().queued(Some(middle), Some(middle)), 0),
    ] {
        let page = world
            .registry
            .deliveries(ListDeliveries::new(world.operator()).matching(filter.clone()))
            .await
            .must();
        let want: Vec<_> = all.iter().filter(|found| filter.admits(found)).cloned().collect();
        assert_eq!(want.len(), count, "{filter:?}");
        assert_eq!(page.deliveries, want, "{filter:?}");
    }
}
