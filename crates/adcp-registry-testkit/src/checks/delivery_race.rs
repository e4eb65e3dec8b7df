//! What happens when several workers do the same thing at once.

use std::collections::BTreeSet;

use adcp_core::{
    AttemptClass, BreakerPolicy, DeadReason, PublishEvents, Published, RecordAttempt, RecordAttempts,
    Recorded, Redeliver, Redelivered, Verdict,
};

use super::race::{RACERS, ROUNDS, race};
use crate::Harness;
use crate::post::{again, delivered, report};
use crate::world::{HOUR, MINUTE, Must, World};

/// Of simultaneous claimers exactly one gets an event.
pub async fn events_race_to_one_claimer(harness: &dyn Harness) {
    let world = World::new(harness);
    let name = |n: usize| world.publication(&format!("{n:02}"), &format!("r{}", n % 8));
    world.publish_all((0..40).map(name).collect()).await;
    let mut seen = BTreeSet::new();
    while seen.len() < 40 {
        let claims = race(&world, 0..RACERS, |registry, _| {
            let req = world.claiming().with_lease(HOUR).with_limit(3);
            async move { registry.claim_deliveries(req).await.must().deliveries }
        })
        .await;
        let claimed: Vec<_> = claims.into_iter().flatten().collect();
        assert!(!claimed.is_empty(), "{} events are claimed by nobody", 40 - seen.len());
        for delivery in claimed {
            assert_eq!(delivery.attempt, 1);
            assert!(seen.insert(delivery.event.key.clone()), "{} was claimed twice", delivery.event.key);
        }
    }
}

/// However many claim at once, no endpoint has more in flight than it may.
pub async fn the_bound_in_flight_holds_in_a_race(harness: &dyn Harness) {
    let world = World::new(harness);
    for round in 0..ROUNDS {
        let receiver = format!("r{round}");
        let name = |n: usize| world.publication(&format!("{round}_{n}"), &receiver);
        world.publish_all((0..30).map(name).collect()).await;
        let claims = race(&world, 0..RACERS, |registry, _| {
            let req = world.claiming().with_lease(HOUR).with_per_endpoint(5).with_limit(3);
            async move { registry.claim_deliveries(req).await.must().deliveries.len() }
        })
        .await;
        let flying: usize = claims.into_iter().sum();
        assert!((1..=5).contains(&flying), "{flying} are in flight");
    }
}

/// However many claim at once, one looks whether an endpoint is back.
pub async fn one_probe_looks_in_a_race(harness: &dyn Harness) {
    let world = World::new(harness);
    for round in 0..ROUNDS {
        let receiver = format!("r{round}");
        let name = |n: usize| world.publication(&format!("{round}_{n}"), &receiver);
        world.publish_all((0..6).map(name).collect()).await;
        let claimed = world.claim_events().await;
        let policy = BreakerPolicy::new().with_failures(1).with_pause(MINUTE, MINUTE);
        let records = claimed.iter().map(|claimed| again(claimed, AttemptClass::Timeout)).collect();
        world.registry.record_attempts(RecordAttempts::new(records).with_breaker(policy)).await.must();
        world.pass(MINUTE).await;
        let claims = race(&world, 0..RACERS, |registry, _| {
            let req = world.claiming();
            async move { registry.claim_deliveries(req).await.must().deliveries }
        })
        .await;
        let probes: Vec<_> = claims.into_iter().flatten().collect();
        assert_eq!(probes.len(), 1, "{probes:?}");
        world.record_one(&probes[0], AttemptClass::Delivered, Verdict::Delivered).await;
        let rest = world.claim_events().await;
        world.record(rest.iter().map(delivered).collect()).await;
    }
}

/// Of simultaneous records of one claim exactly one is written.
pub async fn records_race_to_one_write(harness: &dyn Harness) {
    let world = World::new(harness);
    for round in 0..ROUNDS {
        let name = format!("{round}");
        world.publish(&name, &format!("r{round}")).await;
        let claimed = world.claim_event().await;
        let recorded = race(&world, 0..RACERS, |registry, racer| {
            let verdict =
                if racer % 2 == 0 { Verdict::Delivered } else { Verdict::Dead(DeadReason::Exhausted) };
            let record = RecordAttempt::new(claimed.hold(), Some(report(AttemptClass::Timeout)), verdict);
            async move { registry.record_attempts(RecordAttempts::new(vec![record])).await.must() }
        })
        .await;
        let written =
            recorded.into_iter().flatten().filter(|recorded| *recorded == Recorded::Written).count();
        assert_eq!((written, world.detail(&name).await.attempts.len()), (1, 1));
    }
}

/// Of simultaneous publications of one key exactly one queues it.
pub async fn publications_race_to_one_event(harness: &dyn Harness) {
    let world = World::new(harness);
    for round in 0..ROUNDS {
        let published = race(&world, 0..RACERS, |registry, racer| {
            // In an order that invites deadlocks.
            let mut events = vec![
                world.publication(&format!("{round}_a"), "one"),
                world.publication(&format!("{round}_b"), "one"),
            ];
            if racer % 2 == 0 {
                events.reverse();
            }
            async move { registry.publish(PublishEvents::new(events)).await.must() }
        })
        .await;
        let queued = published.into_iter().flatten().filter(|done| *done == Published::Queued).count();
        assert_eq!(queued, 2);
    }
    assert_eq!(world.events().await.len(), 2 * ROUNDS);
}

/// Of simultaneous redeliveries of one dead letter exactly one queues it.
pub async fn redeliveries_race_to_one(harness: &dyn Harness) {
    let world = World::new(harness);
    for round in 0..ROUNDS {
        let name = format!("{round}");
        world.publish(&name, &name).await;
        let claimed = world.claim_events().await;
        let one = claimed.iter().find(|claimed| claimed.event.key == world.event_key(&name)).must();
        world.record_one(one, AttemptClass::Gone, Verdict::Dead(DeadReason::Gone)).await;
        let done = race(&world, 0..RACERS, |registry, racer| {
            let req = Redeliver::one(world.tenant.clone(), world.event_key(&name), format!("racer {racer}"));
            async move { registry.redeliver(req).await.must() }
        })
        .await;
        let queued = done.into_iter().flatten().filter(|(_, done)| *done == Redelivered::Queued).count();
        assert_eq!((queued, world.detail(&name).await.record.redeliveries.len()), (1, 1));
        let again = world.claim_events().await;
        assert_eq!(again.len(), 1);
        world.record(again.iter().map(delivered).collect()).await;
    }
}
