//! How long events are kept once they are settled, and that they are until then.

use std::time::Duration;

use adcp_core::{
    AttemptClass, DeadReason, DeliveryFilter, DeliveryState, Effects, Forget, Forgotten, Outcome, Published,
    Recorded, Redeliver, Redelivered, Retention, Verdict,
};

use crate::Harness;
use crate::post::delivered;
use crate::world::{DAY, HOUR, MINUTE, Must, World, registration};

fn kept() -> Retention {
    let kept = Retention::new().with_tasks(HOUR).with_bodies(7 * DAY);
    kept.with_delivered(30 * DAY).with_dead_letters(20 * DAY)
}

async fn forget(world: &World<'_>) -> Forgotten {
    world.registry.forget(Forget::new(kept())).await.must()
}

async fn redeliver(world: &World<'_>, name: &str) -> Redelivered {
    let req = Redeliver::one(world.tenant.clone(), world.event_key(name), "operator");
    world.registry.redeliver(req).await.must()[0].1
}

/// What was delivered loses its body first, and is forgotten with its attempts later.
pub async fn what_was_delivered_is_forgotten_in_two_steps(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish("a", "one").await;
    let claimed = world.claim_event().await;
    assert_eq!(world.record(vec![delivered(&claimed)]).await, [Recorded::Written]);
    world.pass(7 * DAY - MINUTE).await;
    let gone = forget(&world).await;
    assert_eq!((gone.bodies, gone.events), (0, 0), "too early");
    assert_eq!(world.detail("a").await.body, Some(claimed.event.body));
    world.pass(2 * MINUTE).await;
    let gone = forget(&world).await;
    assert_eq!((gone.bodies, gone.events), (1, 0));
    let detail = world.detail("a").await;
    assert_eq!((detail.body, detail.record.has_body, detail.attempts.len()), (None, false, 1));
    assert_eq!(detail.record.state, DeliveryState::Delivered);
    assert_eq!(redeliver(&world, "a").await, Redelivered::NotDead);
    assert_eq!(world.publish_all(vec![world.publication("a", "one")]).await, [Published::Known]);
    world.pass(23 * DAY).await;
    let gone = forget(&world).await;
    assert_eq!((gone.bodies, gone.events), (0, 1));
    let found = world.registry.delivery(&world.event_key("a"), &world.operator()).await.must();
    assert_eq!(found, None);
    let gone = forget(&world).await;
    assert_eq!((gone.bodies, gone.events), (0, 0));
    // Nothing of it comes back with its key.
    world.publish("a", "one").await;
    assert_eq!(world.detail("a").await.attempts, []);
}

/// A dead letter outlives its task; it can be sent again for its time, and for as long again one is told that it cannot.
pub async fn dead_letters_outlive_their_task_and_are_refused_after_their_time(harness: &dyn Harness) {
    let world = World::new(harness);
    let to = registration();
    let (key, effects) = (to.event_key.clone(), Effects::none().with_notify(Some(to)));
    world.issue(world.task("t").with_effects(effects)).await;
    world.finish("t", Outcome::Canceled("late".into())).await.must();
    let again = async || {
        let req = Redeliver::one(world.tenant.clone(), key.clone(), "operator");
        world.registry.redeliver(req).await.must()[0].1
    };
    for answer in [Redelivered::Queued, Redelivered::PastRetention] {
        let claimed = world.claim_event().await;
        world.record_one(&claimed, AttemptClass::Gone, Verdict::Dead(DeadReason::Gone)).await;
        let wait = if answer == Redelivered::Queued { 20 * DAY - MINUTE } else { 20 * DAY };
        world.pass(wait).await;
        forget(&world).await;
        assert!(!world.shown("t").await, "the task is forgotten");
        assert_eq!(again().await, answer);
    }
    let waiting = world.registry.ages().await.must().dead_letters;
    assert_eq!(waiting.count, 0, "what nobody can send again needs nobody");
    world.pass(20 * DAY).await;
    assert_eq!(forget(&world).await.events, 1);
    assert_eq!(again().await, Redelivered::Unknown);
}

/// Whoever redelivers by what letters have in common gets those that can be sent: the others take no places.
pub async fn letters_past_their_time_take_no_places_of_others(harness: &dyn Harness) {
    let world = World::new(harness);
    let give_up = async |name: &str| {
        world.publish(name, "one").await;
        let claimed = world.claim_event().await;
        world.record_one(&claimed, AttemptClass::Gone, Verdict::Dead(DeadReason::Gone)).await;
    };
    give_up("old").await;
    world.pass(31 * DAY).await;
    assert_eq!(forget(&world).await.bodies, 1);
    assert_eq!(redeliver(&world, "old").await, Redelivered::PastRetention);
    give_up("new").await;
    let req = Redeliver::matching(world.tenant.clone(), DeliveryFilter::new(), "operator").with_limit(1);
    let done = world.registry.redeliver(req.clone()).await.must();
    assert_eq!(done, [(world.event_key("new"), Redelivered::Queued)]);
    assert_eq!(world.registry.redeliver(req).await.must(), []);
}

/// What is still to be delivered stays, however long that takes.
pub async fn what_is_undelivered_is_never_forgotten(harness: &dyn Harness) {
    let world = World::new(harness);
    for name in ["pending", "waiting", "sending"] {
        world.publish(name, name).await;
    }
    let claimed = world.claim_events().await;
    let of = |name: &str| claimed.iter().find(|claimed| claimed.event.key == world.event_key(name)).must();
    let years = Duration::from_secs(3 * 365 * 24 * 3600);
    world.record_one(of("waiting"), AttemptClass::Timeout, Verdict::Again { after: years }).await;
    world.record_one(of("pending"), AttemptClass::Gone, Verdict::Dead(DeadReason::Gone)).await;
    assert_eq!(redeliver(&world, "pending").await, Redelivered::Queued);
    world.pass(years).await;
    let gone = forget(&world).await;
    assert_eq!((gone.bodies, gone.events), (0, 0));
    assert_eq!(world.claim_events().await.len(), 3);
}

/// The store says how many dead letters wait for somebody, and since when.
pub async fn ages_tell_of_dead_letters(harness: &dyn Harness) {
    let world = World::new(harness);
    for name in ["a", "b"] {
        world.publish(name, name).await;
        let claimed = world.claim_event().await;
        world.record_one(&claimed, AttemptClass::Gone, Verdict::Dead(DeadReason::Gone)).await;
        world.pass(HOUR).await;
    }
    let ages = world.registry.ages().await.must();
    assert_eq!((ages.dead_letters.count, ages.undelivered_events.count), (2, 0));
    let oldest = ages.dead_letters.oldest.must();
    assert!(oldest.abs_diff(2 * HOUR) < MINUTE, "{oldest:?}");
    assert_eq!(redeliver(&world, "a").await, Redelivered::Queued);
    let ages = world.registry.ages().await.must();
    assert_eq!((ages.dead_letters.count, ages.undelivered_events.count), (1, 1));
    assert!(ages.undelivered_events.oldest.is_some_and(|oldest| oldest < MINUTE), "{ages:?}");
}
