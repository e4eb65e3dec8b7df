//! Events: one for each ending, with bytes and a key that never change.

use adcp_core::{
    CallbackAuth, Effects, EndOverdue, Event, ListEvents, Outcome, RegistryError, Secret, TaskStatus,
};
use serde_json::{Value, json};

use crate::Harness;
use crate::world::{HOUR, MINUTE, Must, World, bought, object, outcomes, refused, registration};

fn notify() -> Effects {
    Effects::none().with_notify(Some(registration()))
}

/// Each end of a registered task queues one event, and nothing else does.
pub async fn exactly_one_event_per_ending(harness: &dyn Harness) {
    let world = World::new(harness);
    for (number, outcome) in outcomes().into_iter().enumerate() {
        let name = format!("t{number}");
        world.issue(world.task(&name).with_effects(notify())).await;
        world.report(&name, 10.0).await.must();
        assert_eq!(world.events().await.len(), number, "an event before the end");
        world.finish(&name, outcome.clone()).await.must();
        world.finish(&name, outcome.clone()).await.must();
        refused!(world.finish(&name, bought("other")).await, RegistryError::AlreadyEnded(_));
        let statuses: Vec<_> = world.events().await.iter().map(|event| event.subject.status()).collect();
        assert_eq!(statuses.len(), number + 1);
        assert_eq!(statuses.last(), Some(&Some(outcome.status())));
    }
    world.pass(HOUR).await;
    assert_eq!(world.registry.end_overdue(EndOverdue::new(world.tenant.clone())).await.must(), []);
    assert_eq!(world.events().await.len(), outcomes().len());
}

/// The bytes of an event, its key and where it goes are those of the registration, at every reading.
pub async fn event_body_and_key_are_fixed(harness: &dyn Harness) {
    let world = World::new(harness);
    let auth = CallbackAuth::new("HMAC-SHA256", Secret::new("s3cr3t \u{e9}"));
    let to = registration().with_token(Some(Secret::new("tok"))).with_authentication(Some(auth.clone()));
    let context = object(json!({ "z": 1, "a": { "\u{1f600}": [0.1, null] } }));
    let effects = Effects::none().with_notify(Some(to.clone()));
    let issued = world.issue(world.task("t").with_context(Some(context)).with_effects(effects)).await;
    world.pass(MINUTE).await;
    let outcome = bought("mb_1");
    world.finish("t", outcome.clone()).await.must();
    let ended_at = world.read("t").await.ended_at.must();
    let want = Event::ending(&issued, &outcome, &to, ended_at);
    assert_eq!(world.events().await, std::slice::from_ref(&want));
    let body: Value = serde_json::from_str(&want.body).must();
    assert_eq!(body["idempotency_key"], to.event_key.as_str());
    world.pass(HOUR).await;
    let again = world.registry.events(ListEvents::new(world.buyer().scope())).await.must();
    assert_eq!(again, [want]);
}

/// Nobody is told of a task whose buyer did not ask to be.
pub async fn a_task_without_registration_queues_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    for (number, outcome) in outcomes().into_iter().enumerate() {
        let name = format!("t{number}");
        world.issue(world.task(&name)).await;
        world.finish(&name, outcome).await.must();
    }
    assert_eq!(world.events().await, []);
}

/// Events are read oldest first, as many as asked for, of one task where asked for.
pub async fn events_are_read_oldest_first(harness: &dyn Harness) {
    let world = World::new(harness);
    let names = ["c", "a", "d", "b"];
    for name in names {
        world.issue(world.task(name).with_effects(notify())).await;
    }
    for name in names {
        world.finish(name, Outcome::Canceled("late".into())).await.must();
        world.pass(MINUTE).await;
    }
    let all = world.events().await;
    let seen: Vec<_> = all.iter().filter_map(|event| event.subject.task().cloned()).collect();
    assert_eq!(seen, names.map(|name| world.id(name)));
    assert!(all.iter().all(|event| event.subject.status() == Some(TaskStatus::Canceled)));
    let read = async |req: ListEvents| world.registry.events(req).await.must();
    let scope = world.buyer().scope();
    assert_eq!(read(ListEvents::new(scope.clone()).with_limit(2)).await, all[..2]);
    let one = ListEvents::new(scope).of_task(world.id("d")).with_limit(1);
    assert_eq!(read(one).await, all[2..3]);
}
