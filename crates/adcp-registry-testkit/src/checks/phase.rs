//! Tasks that are being handed over: hidden, then confirmed or taken back.

use adcp_core::{
    AdcpError, Effects, EndOverdue, ListTasks, Outcome, RegistryError, Scope, Settlement, TaskPhase,
    TaskStatus,
};
use serde_json::json;

use crate::Harness;
use crate::world::{HOUR, MINUTE, Must, World, about, bought, object, refused, registration};

/// Nobody but the operator sees a task before it is confirmed.
pub async fn an_enqueued_task_is_hidden_from_its_buyer(harness: &dyn Harness) {
    let world = World::new(harness);
    let issued = world.issue(world.task("t").enqueuing(MINUTE)).await;
    assert_eq!(issued.phase, TaskPhase::Enqueuing);
    let principal = Scope::Principal { tenant: world.tenant.clone(), principal: world.buyer().principal };
    for scope in [world.buyer().scope(), principal] {
        assert_eq!(world.registry.get(&world.id("t"), &scope).await.must(), None);
        let page = world.registry.list(ListTasks::new(scope)).await.must();
        assert_eq!((page.tasks, page.totals), (vec![], Some(vec![])));
    }
    assert_eq!(world.find("t").await, Some(issued.clone()));
    assert_eq!(world.registry.list(ListTasks::new(world.operator())).await.must().tasks, [issued]);
}

/// Writes reach a task that is not confirmed yet: the work may be quicker than its confirmation.
pub async fn an_enqueued_task_can_go_on_and_end(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("t").enqueuing(MINUTE)).await;
    world.report("t", 10.0).await.must();
    world.finish("t", bought("mb_1")).await.must();
    assert!(!world.shown("t").await, "an end is no confirmation");
    assert_eq!(world.read("t").await.status, TaskStatus::Completed);
}

/// Confirming shows the task, records the reply of its call, and both are there at once.
pub async fn confirm_shows_the_task_and_records_the_reply(harness: &dyn Harness) {
    let world = World::new(harness);
    let ticket = world.first("key").await;
    world.issue(world.task("t").enqueuing(MINUTE)).await;
    assert!(world.is_in_flight("key").await);
    let reply = object(json!({ "status": "submitted", "task_id": "t" }));
    let confirmed = world.registry.confirm(world.confirm("t").settling(ticket, reply.clone())).await.must();
    assert_eq!(confirmed.phase, TaskPhase::Open);
    assert_eq!(world.read("t").await, confirmed);
    assert!(world.shown("t").await);
    assert_eq!(world.replay("key").await, reply);
}

/// A second confirmation records no second reply, and one without a reply changes nothing.
pub async fn confirm_records_the_reply_once(harness: &dyn Harness) {
    let world = World::new(harness);
    let ticket = world.first("key").await;
    world.issue(world.task("t").enqueuing(MINUTE)).await;
    let reply = object(json!({ "task_id": "t" }));
    let confirm = world.confirm("t").settling(ticket.clone(), reply.clone());
    let confirmed = world.registry.confirm(confirm).await.must();
    let other = world.confirm("t").settling(ticket, object(json!({ "task_id": "other" })));
    refused!(world.registry.confirm(other).await, RegistryError::StaleTicket);
    assert_eq!(world.replay("key").await, reply);
    world.pass(MINUTE).await;
    let again = world.registry.confirm(world.confirm("t").with_deadline(Some(HOUR))).await.must();
    assert_eq!(again, confirmed);
    assert_eq!(world.read("t").await, confirmed);
}

/// A confirmation whose claim is lost shows nothing.
pub async fn confirm_with_a_stale_ticket_shows_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    let ticket = world.first("key").await;
    world.settle(ticket.clone(), Settlement::Released).await.must();
    world.issue(world.task("t").enqueuing(MINUTE)).await;
    let before = world.read("t").await;
    let confirm = world.confirm("t").with_deadline(Some(HOUR)).settling(ticket, object(json!({})));
    refused!(world.registry.confirm(confirm).await, RegistryError::StaleTicket);
    assert!(!world.shown("t").await);
    assert_eq!(world.read("t").await, before);
}

/// From the confirmation on counts the time of the carrier, or none.
pub async fn confirm_replaces_the_deadline(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("patient").enqueuing(MINUTE)).await;
    world.issue(world.task("bound").enqueuing(MINUTE)).await;
    world.registry.confirm(world.confirm("patient")).await.must();
    let bound = world.confirm("bound").with_deadline(Some(HOUR));
    let bound = world.registry.confirm(bound).await.must();
    about(bound.deadline, bound.created_at.after(HOUR));
    let sweep = || world.registry.end_overdue(EndOverdue::new(world.tenant.clone()));
    world.pass(MINUTE).await;
    assert_eq!(sweep().await.must(), []);
    world.pass(HOUR).await;
    assert_eq!(sweep().await.must().into_iter().map(|task| task.id).collect::<Vec<_>>(), [world.id("bound")]);
}

/// A task that ended before its confirmation is confirmed too, and stays as it ended. Only then is its buyer told.
pub async fn a_task_that_ended_in_the_meantime_is_confirmed(harness: &dyn Harness) {
    let world = World::new(harness);
    let ticket = world.first("key").await;
    let effects = Effects::none().with_notify(Some(registration()));
    world.issue(world.task("t").with_effects(effects).enqueuing(MINUTE)).await;
    world.finish("t", bought("mb_1")).await.must();
    assert_eq!(world.events().await, []);
    let reply = object(json!({ "task_id": "t" }));
    let confirm = world.confirm("t").with_deadline(Some(MINUTE)).settling(ticket, reply.clone());
    let confirmed = world.registry.confirm(confirm).await.must();
    assert_eq!((confirmed.status, confirmed.deadline), (TaskStatus::Completed, None));
    assert!(world.shown("t").await);
    world.registry.confirm(world.confirm("t")).await.must();
    assert_eq!(world.events().await.len(), 1);
    assert_eq!(world.replay("key").await, reply);
    world.pass(HOUR).await;
    assert_eq!(world.registry.end_overdue(EndOverdue::new(world.tenant.clone())).await.must(), []);
}

/// A task that nobody confirms ends as failed with its effects, and stays hidden: its buyer is not told.
pub async fn an_unconfirmed_task_ends_failed(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    let effects = Effects::none().with_purchase(hold).with_notify(Some(registration()));
    world.issue(world.task("t").with_effects(effects).enqueuing(MINUTE)).await;
    world.pass(MINUTE).await;
    let ended = world.registry.end_overdue(EndOverdue::new(world.tenant.clone())).await.must();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].outcome, Some(Outcome::Failed(AdcpError::overdue())));
    assert!(!world.shown("t").await);
    assert_eq!(world.events().await, []);
    world.reserve("p").await.must();
}

/// Taking a task back removes it, gives back what it reserved, frees its key and tells nobody.
pub async fn discard_frees_key_and_reservation(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let (hold, ticket) = (world.reserve("p").await.must(), world.first("key").await);
    let effects = Effects::none().with_purchase(hold).with_notify(Some(registration()));
    world.issue(world.task("t").with_effects(effects).enqueuing(MINUTE)).await;
    world.registry.discard(world.discard("t").releasing(Some(ticket.clone()))).await.must();
    assert_eq!(world.find("t").await, None);
    assert!(world.registry.list(ListTasks::new(world.operator())).await.must().tasks.is_empty());
    world.reserve("p").await.must();
    world.first("key").await;
    refused!(world.settle(ticket, Settlement::Fenced).await, RegistryError::StaleTicket);
    assert_eq!(world.events().await, []);
    world.pass(HOUR).await;
    assert_eq!(world.registry.end_overdue(EndOverdue::new(world.tenant.clone())).await.must(), []);
    refused!(world.registry.discard(world.discard("t")).await, RegistryError::UnknownTask(_));
}

/// Without a ticket, taking a task back leaves keys alone.
pub async fn discard_without_a_ticket_frees_no_key(harness: &dyn Harness) {
    let world = World::new(harness);
    world.first("key").await;
    world.issue(world.task("t").enqueuing(MINUTE)).await;
    world.registry.discard(world.discard("t")).await.must();
    assert!(world.is_in_flight("key").await);
}

/// When the claim is lost, nothing is taken back.
pub async fn discard_with_a_stale_ticket_changes_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let (hold, ticket) = (world.reserve("p").await.must(), world.first("key").await);
    world.settle(ticket.clone(), Settlement::Fenced).await.must();
    world.issue(world.task("t").with_effects(Effects::none().with_purchase(hold)).enqueuing(HOUR)).await;
    let before = (world.find("t").await, world.proposal("p").await);
    let discard = world.discard("t").releasing(Some(ticket));
    refused!(world.registry.discard(discard).await, RegistryError::StaleTicket);
    assert_eq!((world.find("t").await, world.proposal("p").await), before);
    assert!(world.is_in_flight("key").await);
}

/// What its buyer may know of, or what has ended, is not taken back.
pub async fn what_was_shown_or_has_ended_is_not_discarded(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("open")).await;
    world.issue(world.task("confirmed").enqueuing(MINUTE)).await;
    world.registry.confirm(world.confirm("confirmed")).await.must();
    world.issue(world.task("ended").enqueuing(MINUTE)).await;
    world.finish("ended", bought("mb_1")).await.must();
    let ticket = world.first("key").await;
    for name in ["open", "confirmed", "ended"] {
        let before = world.read(name).await;
        let discard = world.discard(name).releasing(Some(ticket.clone()));
        refused!(world.registry.discard(discard).await, RegistryError::NotEnqueuing(_));
        assert_eq!(world.read(name).await, before);
    }
    assert!(world.is_in_flight("key").await);
}
