//! Lanes: nobody's events delay another's, and an endpoint that fails is left in peace, with what is meant for it.

use std::collections::BTreeMap;
use std::time::Duration;

use adcp_core::{
    AttemptClass, BreakerPolicy, BreakerState, ClaimDeliveries, ClaimedDelivery, DeliveryState, Endpoint,
    ListEndpoints, RecordAttempt, RecordAttempts, Recorded, TenantId, Verdict,
};

use crate::Harness;
use crate::post::{again, at, claim, delivered, names};
use crate::world::{HOUR, MINUTE, Must, World};

/// More than a claim takes.
const MANY: usize = 150;

fn of(claimed: &[ClaimedDelivery], tenant: &TenantId) -> usize {
    claimed.iter().filter(|claimed| claimed.event.owner.tenant == *tenant).count()
}

fn to(claimed: &[ClaimedDelivery], receiver: &str) -> usize {
    claimed.iter().filter(|claimed| claimed.endpoint == Endpoint::of(&at(receiver))).count()
}

/// One event of one tenant is claimed at once, however many another has waiting, to however many endpoints.
pub async fn a_tenant_with_much_does_not_delay_another(harness: &dyn Harness) {
    let world = World::new(harness);
    let much: Vec<_> =
        (0..MANY).map(|n| world.publication(&format!("{n}"), &format!("r{}", n % 15))).collect();
    world.publish_all(much).await;
    world.pass(MINUTE).await;
    let mut owner = world.buyer();
    owner.tenant = world.neighbour();
    world.publish_all((0..4).map(|n| world.publication_of(&owner, &format!("{n}"), "r1")).collect()).await;
    let req = world.claiming().of_tenants([world.tenant.clone(), world.neighbour()]).with_limit(4);
    let first = claim(&*world.registry, req.clone()).await;
    assert_eq!((of(&first.deliveries, &world.tenant), of(&first.deliveries, &world.neighbour())), (2, 2));
    assert!(first.more);
    let second = claim(&*world.registry, req.after(first.cursor)).await;
    assert_eq!(of(&second.deliveries, &world.neighbour()), 2);
}

/// One event for one endpoint is claimed at once, however many wait for another.
pub async fn an_endpoint_with_much_does_not_delay_another(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish_all((0..MANY).map(|n| world.publication(&format!("{n}"), "busy")).collect()).await;
    world.pass(MINUTE).await;
    for receiver in ["before", "quiet"] {
        world.publish(receiver, receiver).await;
    }
    let req = world.claiming().with_limit(10).with_per_endpoint(100);
    let claimed = claim(&*world.registry, req).await.deliveries;
    let seen = ["before", "quiet", "busy"].map(|receiver| to(&claimed, receiver));
    assert_eq!(seen, [1, 1, 8]);
}

/// Those first that have been due longest, within a lane.
pub async fn a_lane_gives_what_is_due_longest(harness: &dyn Harness) {
    let world = World::new(harness);
    for name in ["c", "a", "b"] {
        world.publish(name, "one").await;
        world.pass(MINUTE).await;
    }
    let mut req = world.claiming().with_limit(1);
    for want in ["whk_c", "whk_a", "whk_b"] {
        let claimed = claim(&*world.registry, req.clone()).await;
        assert_eq!(names(&claimed.deliveries), [want]);
        req = req.after(claimed.cursor);
    }
}

/// No endpoint has more in flight than it may; another tenant's events for it count by themselves.
pub async fn no_endpoint_has_more_in_flight_than_it_may(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish_all((0..8).map(|n| world.publication(&format!("{n}"), "one")).collect()).await;
    let req = world.claiming().with_per_endpoint(3);
    let claimed = claim(&*world.registry, req.clone()).await.deliveries;
    assert_eq!(claimed.len(), 3);
    assert_eq!(claim(&*world.instance(), req.clone()).await.deliveries, []);
    let mut owner = world.buyer();
    owner.tenant = world.neighbour();
    world.publish_all(vec![world.publication_of(&owner, "x", "one")]).await;
    let abroad = claim(&*world.registry, req.clone().of_tenants([world.neighbour()])).await.deliveries;
    assert_eq!(abroad.len(), 1);
    world.record(vec![delivered(&claimed[0])]).await;
    assert_eq!(claim(&*world.instance(), req.clone()).await.deliveries.len(), 1);
    // A claim that ran out is not in flight any more.
    world.pass(MINUTE).await;
    assert_eq!(claim(&*world.instance(), req).await.deliveries.len(), 3);
}

/// Whoever goes on where the claim before ended reaches every endpoint before one has its second turn.
pub async fn every_endpoint_has_its_turn(harness: &dyn Harness) {
    let world = World::new(harness);
    let (lanes, each) = (20, 3);
    let name = |lane: usize, n: usize| world.publication(&format!("{lane}_{n}"), &format!("r{lane:02}"));
    world.publish_all((0..lanes * each).map(|n| name(n % lanes, n / lanes)).collect()).await;
    let mut req = world.claiming().with_limit(7);
    let mut seen: BTreeMap<Endpoint, usize> = BTreeMap::new();
    for _ in 0..100 {
        let claimed = claim(&*world.instance(), req.clone()).await;
        if claimed.deliveries.is_empty() {
            break;
        }
        for delivery in &claimed.deliveries {
            *seen.entry(delivery.endpoint.clone()).or_default() += 1;
        }
        let missing = lanes - seen.len();
        let most = seen.values().max().copied().unwrap_or_default();
        assert!(missing == 0 || most == 1, "one had {most} turns when {missing} had none");
        req = req.after(claimed.cursor);
    }
    assert_eq!(seen.values().sum::<usize>(), lanes * each);
    assert!(seen.len() == lanes && seen.values().all(|turns| *turns == each), "{seen:?}");
}

/// A claim that asks for no tenant reaches all of them.
pub async fn a_claim_reaches_every_tenant(harness: &dyn Harness) {
    let world = World::new(harness);
    let mut owner = world.buyer();
    owner.tenant = world.neighbour();
    let here = world.publication("here", "one");
    world.publish_all(vec![here, world.publication_of(&owner, "there", "one")]).await;
    let mut found = Vec::new();
    let mut req = ClaimDeliveries::new().with_lease(MINUTE);
    // Others may have events in this store, too.
    for _ in 0..1000 {
        let claimed = claim(&*world.registry, req.clone()).await;
        let ours = [&world.tenant, &owner.tenant];
        let mine = claimed.deliveries.iter().filter(|found| ours.contains(&&found.event.owner.tenant));
        found.extend(mine.map(|found| found.event.key.as_str().to_owned()));
        if found.len() == 2 || claimed.deliveries.is_empty() {
            break;
        }
        req = req.after(claimed.cursor);
    }
    found.sort_unstable();
    assert_eq!(found, ["whk_here", "whk_there"]);
}

/// A claim takes no more of a tenant than it asks for, and goes on there where it was when there is room again.
pub async fn a_tenant_without_room_keeps_its_turn(harness: &dyn Harness) {
    let world = World::new(harness);
    let mut owner = world.buyer();
    owner.tenant = world.neighbour();
    world.publish_all((0..9).map(|n| world.publication(&format!("{n}"), &format!("r{n}"))).collect()).await;
    world
        .publish_all(
            (0..9).map(|n| world.publication_of(&owner, &format!("n{n}"), &format!("r{n}"))).collect(),
        )
        .await;
    let both = world.claiming().of_tenants([world.tenant.clone(), world.neighbour()]);
    let first = claim(&*world.registry, both.clone().with_per_tenant(3, [(world.neighbour(), 1)])).await;
    assert_eq!(names(&first.deliveries), ["whk_0", "whk_1", "whk_2", "whk_n0"]);
    assert!(!first.more, "nothing more for those who have no room");
    let next = both.clone().after(first.cursor).with_per_tenant(3, [(world.tenant.clone(), 0)]);
    let second = claim(&*world.instance(), next).await;
    assert_eq!(names(&second.deliveries), ["whk_n1", "whk_n2", "whk_n3"]);
    let third = claim(&*world.registry, both.after(second.cursor).with_limit(4)).await;
    assert_eq!(names(&third.deliveries), ["whk_3", "whk_4", "whk_n4", "whk_n5"], "each goes on where it was");
}

const PAUSE: Duration = HOUR;

async fn failing(world: &World<'_>, claimed: &[ClaimedDelivery], class: AttemptClass) {
    let policy = BreakerPolicy::new().with_failures(3).with_pause(PAUSE, PAUSE * 3);
    let records: Vec<RecordAttempt> = claimed.iter().map(|claimed| again(claimed, class)).collect();
    let count = records.len();
    let recorded =
        world.registry.record_attempts(RecordAttempts::new(records).with_breaker(policy)).await.must();
    assert_eq!(recorded, vec![Recorded::Written; count]);
}

async fn breaker(world: &World<'_>) -> BreakerState {
    let known = world.registry.endpoints(ListEndpoints::new(world.tenant.clone())).await.must();
    let one = known.into_iter().find(|known| known.endpoint == Endpoint::of(&at("one"))).must();
    one.breaker.state
}

/// After failures in a row nothing is sent to an endpoint for a while, and nothing is lost; then one event is, to see;
/// when that fails it is left in peace for longer, and when it does not all of it goes on.
pub async fn a_failing_endpoint_is_left_in_peace(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish_all((0..6).map(|n| world.publication(&format!("{n}"), "one")).collect()).await;
    let req = world.claiming().with_per_endpoint(3);
    let first = claim(&*world.registry, req.clone()).await.deliveries;
    failing(&world, &first, AttemptClass::ServerError).await;
    assert_eq!(breaker(&world).await, BreakerState::Open);
    world.publish("other", "two").await;
    let meanwhile = claim(&*world.registry, req.clone()).await;
    assert_eq!(names(&meanwhile.deliveries), ["whk_other"], "the others go on");
    world.record(vec![delivered(&meanwhile.deliveries[0])]).await;
    assert!(meanwhile.next_due.is_some_and(|wait| wait <= PAUSE && wait > PAUSE - MINUTE), "{meanwhile:?}");
    let waiting = world.detail("5").await.record;
    assert_eq!((waiting.state, waiting.attempts), (DeliveryState::Pending, 0), "waiting is no attempt");

    world.pass(PAUSE).await;
    let probe = claim(&*world.registry, req.clone()).await.deliveries;
    assert_eq!((probe.len(), probe[0].probe), (1, true));
    assert_eq!(claim(&*world.instance(), req.clone()).await.deliveries, [], "one looks at a time");
    assert_eq!(breaker(&world).await, BreakerState::HalfOpen);
    failing(&world, &probe, AttemptClass::Timeout).await;
    world.pass(PAUSE).await;
    assert_eq!(claim(&*world.registry, req.clone()).await.deliveries, [], "the second pause is longer");
    let paused = ListEndpoints::new(world.tenant.clone()).paused();
    assert_eq!(world.registry.endpoints(paused.clone()).await.must().len(), 1);
    world.pass(PAUSE).await;
    let probe = claim(&*world.registry, req.clone()).await.deliveries;
    assert_eq!(world.record(vec![delivered(&probe[0])]).await, [Recorded::Written]);
    assert_eq!(breaker(&world).await, BreakerState::Closed);
    assert_eq!(world.registry.endpoints(paused).await.must(), []);
    assert_eq!(claim(&*world.registry, req).await.deliveries.len(), 3);
}

/// Whoever looks and is never heard of again does not keep others from looking.
pub async fn a_probe_that_is_lost_blocks_nobody(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish_all((0..3).map(|n| world.publication(&format!("{n}"), "one")).collect()).await;
    let first = world.claim_events().await;
    failing(&world, &first, AttemptClass::Connection).await;
    world.pass(PAUSE).await;
    let lost = world.claim_event().await;
    assert!(lost.probe);
    world.pass(MINUTE).await;
    let next = world.claim_event().await;
    assert!(next.probe && next.token != lost.token);
    // One that was not sent after all leaves the look to another at once.
    let deferred = RecordAttempt::new(next.hold(), None, Verdict::Deferred { after: HOUR });
    assert_eq!(world.record(vec![deferred]).await, [Recorded::Written]);
    assert!(world.claim_event().await.probe);
}

/// An endpoint that answers is well, whatever it answers: refusals leave nobody waiting.
pub async fn refusals_pause_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish_all((0..8).map(|n| world.publication(&format!("{n}"), "one")).collect()).await;
    let claimed = world.claim_events().await;
    failing(&world, &claimed[..2], AttemptClass::Timeout).await;
    failing(&world, &claimed[2..7], AttemptClass::Unauthorized).await;
    failing(&world, &claimed[7..], AttemptClass::Forbidden).await;
    assert_eq!(breaker(&world).await, BreakerState::Closed);
    assert_eq!(world.claim_events().await.len(), 8);
}
