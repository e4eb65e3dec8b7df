//! Retention: what is over goes, what is open stays, and the store says what waits.

use std::time::Duration;

use adcp_core::{
    Ages, Claim, DEFAULT_TASK_RETENTION, Effects, Forget, Forgotten, LeaseToken, Outcome, Resolution,
    ResolveCall, Retention, Settlement,
};
use serde_json::json;
use tokio::task::JoinSet;

use crate::Harness;
use crate::world::{DAY, HOUR, MINUTE, Must, TTL, World, object, registration};

/// More than any retention.
const YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

fn kept_for(tasks: Duration) -> Forget {
    Forget::new(Retention::new().with_tasks(tasks))
}

async fn forget(world: &World<'_>, req: Forget) -> Forgotten {
    world.registry.forget(req).await.must()
}

async fn ages(world: &World<'_>) -> Ages {
    world.registry.ages().await.must()
}

async fn cancel(world: &World<'_>, name: &str) {
    world.finish(name, Outcome::Canceled("enough".into())).await.must();
}

#[track_caller]
fn about(found: impl Into<Option<Duration>>, want: Duration) {
    let found = found.into().must();
    assert!(found.abs_diff(want) < MINUTE / 4, "expected about {want:?}, got {found:?}");
}

/// An ended task goes once its retention is over, and not before; an open one stays.
pub async fn ended_tasks_are_forgotten_after_their_retention(harness: &dyn Harness) {
    let world = World::new(harness);
    for name in ["ended", "later", "open"] {
        world.issue(world.task(name)).await;
    }
    cancel(&world, "ended").await;
    world.pass(MINUTE).await;
    cancel(&world, "later").await;
    world.pass(HOUR - 2 * MINUTE).await;
    assert_eq!(forget(&world, kept_for(HOUR)).await.tasks, 0, "too early");
    world.pass(MINUTE).await;
    assert_eq!(forget(&world, kept_for(HOUR)).await.tasks, 1);
    assert!(!world.shown("ended").await);
    assert!(world.shown("later").await && world.shown("open").await);
    assert_eq!(forget(&world, kept_for(DAY)).await.tasks, 0, "a longer retention keeps more");
    assert_eq!(forget(&world, kept_for(Duration::ZERO)).await.tasks, 1);
    // What is forgotten is unknown, and its id is free.
    world.issue(world.task("ended")).await;
}

/// A batch is no larger than asked for and takes what has been over for longest.
pub async fn a_batch_takes_the_oldest_first(harness: &dyn Harness) {
    let world = World::new(harness);
    for name in ["a", "b", "c", "d", "e"] {
        world.issue(world.task(name)).await;
        cancel(&world, name).await;
        let ticket = world.first(name).await;
        world.settle(ticket, Settlement::Replied(object(json!({})))).await.must();
        world.draft(&[name]).await;
        world.pass(MINUTE).await;
    }
    world.pass(YEARS).await;
    let batch = Forget::new(Retention::new()).with_limit(2);
    let mut seen = Vec::new();
    for left in [["c", "d", "e"].as_slice(), &["e"], &[], &[]] {
        let gone = forget(&world, batch).await;
        seen.push((gone.tasks, gone.calls, gone.proposals));
        for name in ["a", "b", "c", "d", "e"] {
            assert_eq!(
                world.shown(name).await,
                left.contains(&name),
                "`{name}` when {left:?} should be left"
            );
        }
    }
    assert_eq!(seen, [(2, 2, 2), (2, 2, 2), (1, 1, 1), (0, 0, 0)]);
}

/// A task that has not ended stays, however old it is and whatever retention says.
pub async fn an_open_task_is_never_forgotten(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("open")).await;
    world.issue(world.task("enqueued").enqueuing(HOUR)).await;
    world.issue(world.task("leased").leased(LeaseToken::random().must(), HOUR)).await;
    world.issue(world.task("asking")).await;
    world.pause("asking", adcp_core::Pause::Input(object(json!({ "reason": "why" })))).await.must();
    world.pass(YEARS).await;
    assert_eq!(forget(&world, kept_for(Duration::ZERO)).await.tasks, 0);
    for name in ["open", "enqueued", "leased", "asking"] {
        let found = world.registry.get(&world.id(name), &world.operator()).await.must();
        assert_eq!(found.must().outcome, None, "{name}");
    }
    cancel(&world, "open").await;
    assert!(world.shown("open").await);
}

/// A key answers that it expired for as long again as it was replayed; then it is forgotten and free.
pub async fn keys_are_forgotten_when_their_time_is_over_twice(harness: &dyn Harness) {
    let world = World::new(harness);
    let replied = world.first("replied").await;
    world.settle(replied, Settlement::Replied(object(json!({})))).await.must();
    let fenced = world.first("resolved").await;
    world.settle(fenced, Settlement::Fenced).await.must();
    let resolve = ResolveCall::new(world.key("resolved"), Resolution::Succeeded);
    assert!(world.registry.resolve_call(resolve).await.must());
    world.pass(2 * TTL - MINUTE).await;
    assert_eq!(forget(&world, kept_for(Duration::ZERO)).await.calls, 0);
    for name in ["replied", "resolved"] {
        let claim = world.claim(name).await;
        assert!(matches!(claim, Claim::Expired), "{name}: {claim:?}");
    }
    world.pass(MINUTE).await;
    assert_eq!(forget(&world, Forget::new(Retention::new())).await.calls, 2);
    for name in ["replied", "resolved"] {
        world.first(name).await;
    }
}

/// A key whose outcome nobody knows stays, listed and closed, until somebody resolves it.
pub async fn keys_without_an_outcome_are_never_forgotten(harness: &dyn Harness) {
    let world = World::new(harness);
    let running = world.first("running").await;
    let fenced = world.first("fenced").await;
    world.settle(fenced, Settlement::Fenced).await.must();
    world.first("abandoned").await;
    world.pass(YEARS).await;
    assert_eq!(forget(&world, kept_for(Duration::ZERO)).await.calls, 0);
    assert_eq!(world.registry.unresolved_calls(&world.tenant, 10).await.must().len(), 3);
    for name in ["running", "fenced", "abandoned"] {
        let claim = world.claim(name).await;
        assert!(matches!(claim, Claim::Expired), "{name} ran again: {claim:?}");
    }
    // Who comes back after years is heard; who resolves it frees it.
    world.settle(running, Settlement::Replied(object(json!({})))).await.must();
    let resolve = ResolveCall::new(world.key("fenced"), Resolution::Released);
    assert!(world.registry.resolve_call(resolve).await.must());
    world.first("fenced").await;
    assert_eq!(forget(&world, kept_for(Duration::ZERO)).await.calls, 1, "the settled one may go now");
    world.first("running").await;
}

/// A proposal goes when its own time is over; one that is held or waits for a task does not.
pub async fn proposals_are_forgotten_by_their_own_time(harness: &dyn Harness) {
    let world = World::new(harness);
    world.draft(&["draft"]).await;
    world.firm(&["held", "kept"]).await;
    let hold = world.reserve("kept").await.must();
    world.issue(world.task("buying").with_effects(Effects::none().with_purchase(hold))).await;
    world.pass(DAY - MINUTE).await;
    assert_eq!(forget(&world, kept_for(Duration::ZERO)).await.proposals, 0, "too early");
    world.pass(MINUTE).await;
    assert_eq!(forget(&world, kept_for(YEARS)).await.proposals, 1, "the draft goes by its own time");
    assert_eq!(world.proposal("draft").await, None);
    assert!(world.proposal("held").await.is_some());
    world.pass(YEARS).await;
    assert_eq!(forget(&world, kept_for(Duration::ZERO)).await.proposals, 1, "nobody can buy it any more");
    assert!(world.proposal("kept").await.is_some(), "a task buys it");
    cancel(&world, "buying").await;
}

/// Several that forget at once remove each row once and nothing else.
pub async fn batches_at_once_forget_each_row_once(harness: &dyn Harness) {
    let world = World::new(harness);
    for number in 0..30 {
        let name = format!("t{number}");
        world.issue(world.task(&name)).await;
        if number % 3 > 0 {
            cancel(&world, &name).await;
        }
    }
    world.pass(DEFAULT_TASK_RETENTION + MINUTE).await;
    let mut forgetting = JoinSet::new();
    for _ in 0..4 {
        let registry = world.instance();
        forgetting.spawn(async move {
            let mut gone = 0;
            // Rows that another holds are passed by, so a batch may come back short while there are more.
            for _ in 0..20 {
                gone += registry.forget(Forget::new(Retention::new()).with_limit(3)).await.must().tasks;
            }
            gone
        });
    }
    assert_eq!(forgetting.join_all().await.into_iter().sum::<usize>(), 20);
    for number in 0..30 {
        assert_eq!(world.shown(&format!("t{number}")).await, number % 3 == 0, "t{number}");
    }
}

/// The store says how much waits and how long the oldest has waited, and nothing waits in an empty one.
pub async fn ages_tell_what_waits(harness: &dyn Harness) {
    let world = World::new(harness);
    assert_eq!(ages(&world).await, Ages::default());
    let notified = Effects::none().with_notify(Some(registration()));
    world.issue(world.task("old")).await;
    world.first("old").await;
    world.pass(HOUR).await;
    world.issue(world.task("ended").with_effects(notified)).await;
    cancel(&world, "ended").await;
    world.issue(world.task("late").with_deadline(Some(MINUTE))).await;
    let ticket = world.first("fenced").await;
    world.settle(ticket, Settlement::Fenced).await.must();
    let ticket = world.first("replied").await;
    world.settle(ticket, Settlement::Replied(object(json!({})))).await.must();
    let fresh = ages(&world).await;
    assert_eq!((fresh.overdue_tasks.count, fresh.overdue_tasks.oldest), (0, None));
    assert_eq!(fresh.forgettable_calls, Duration::ZERO);

    world.pass(3 * HOUR).await;
    let found = ages(&world).await;
    assert_eq!(found.open_tasks.count, 2);
    about(found.open_tasks.oldest, 4 * HOUR);
    assert_eq!(found.overdue_tasks.count, 1);
    about(found.overdue_tasks.oldest, 3 * HOUR - MINUTE);
    assert_eq!(found.unresolved_calls.count, 2);
    about(found.unresolved_calls.oldest, 4 * HOUR);
    assert_eq!(found.undelivered_events.count, 1);
    about(found.undelivered_events.oldest, 3 * HOUR);
    about(found.oldest_ended_task, 3 * HOUR);
    about(found.forgettable_calls, 3 * HOUR - 2 * TTL);
    assert_eq!(found.forgettable_proposals, Duration::ZERO);

    world.draft(&["p"]).await;
    world.pass(DAY + HOUR).await;
    about(ages(&world).await.forgettable_proposals, HOUR);
    let gone = forget(&world, kept_for(Duration::ZERO)).await;
    assert_eq!((gone.tasks, gone.calls, gone.proposals), (1, 1, 1));
    let left = ages(&world).await;
    assert_eq!((left.oldest_ended_task, left.forgettable_calls), (None, Duration::ZERO));
    assert_eq!((left.forgettable_proposals, left.unresolved_calls.count), (Duration::ZERO, 2));
}
