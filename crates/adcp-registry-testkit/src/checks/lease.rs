//! Who works on a task, and what becomes of it when they fall silent.

use adcp_core::{
    AdcpError, Effects, EndOverdue, FinishTask, Finished, LeaseToken, Outcome, Progress, RegistryError,
    RenewLease, ReportProgress, TaskStatus,
};

use crate::Harness;
use crate::world::{HOUR, MINUTE, Must, World, bought, refused, registration};

fn renew(world: &World<'_>, token: LeaseToken) -> RenewLease {
    RenewLease::new(world.id("t"), world.buyer().scope(), token, MINUTE)
}

fn finish(world: &World<'_>, token: LeaseToken, outcome: Outcome) -> FinishTask {
    FinishTask::new(world.id("t"), world.buyer().scope(), outcome).under(Some(token))
}

async fn leased(world: &World<'_>) -> LeaseToken {
    let token = LeaseToken::random().must();
    world.issue(world.task("t").leased(token, MINUTE)).await;
    token
}

async fn sweep(world: &World<'_>) -> usize {
    world.registry.end_overdue(EndOverdue::new(world.tenant.clone())).await.must().len()
}

/// A task whose lease is not renewed ends as failed, gives back what it reserved and tells its buyer.
pub async fn a_silent_workers_task_ends_failed_with_its_effects(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    let effects = Effects::none().with_purchase(hold).with_notify(Some(registration()));
    let token = LeaseToken::random().must();
    world.issue(world.task("t").leased(token, MINUTE).with_effects(effects)).await;
    world.pass(MINUTE / 2).await;
    assert_eq!(sweep(&world).await, 0, "the lease has not run out");
    world.pass(MINUTE / 2).await;
    assert_eq!(sweep(&world).await, 1);
    let task = world.read("t").await;
    assert_eq!(task.outcome, Some(Outcome::Failed(AdcpError::orphaned())));
    assert_eq!((task.status, task.lease), (TaskStatus::Failed, None));
    assert_eq!(world.events().await.len(), 1);
    world.reserve("p").await.must();
    assert_eq!(sweep(&world).await, 0);
}

/// A lease that is renewed in time keeps its task, for as long as it is renewed, and its holder ends it.
pub async fn a_renewed_lease_keeps_its_task(harness: &dyn Harness) {
    let world = World::new(harness);
    let token = leased(&world).await;
    for _ in 0..5 {
        world.pass(MINUTE / 2).await;
        world.registry.renew_lease(renew(&world, token)).await.must();
        assert_eq!(sweep(&world).await, 0);
    }
    let report = ReportProgress::new(world.id("t"), world.buyer().scope(), Progress::percent(50.0));
    world.registry.report(report.under(Some(token))).await.must();
    let ended = world.registry.finish(finish(&world, token, bought("mb_1"))).await.must();
    assert_eq!(ended, Finished::Now);
    world.pass(HOUR).await;
    assert_eq!(sweep(&world).await, 0, "what has ended is nobody's work");
}

/// A lease whose time is over is lost, also before anybody noticed: it is not renewed, and its holder is not heard.
pub async fn a_lease_that_ran_out_is_neither_renewed_nor_heard(harness: &dyn Harness) {
    let world = World::new(harness);
    let token = leased(&world).await;
    world.pass(MINUTE).await;
    refused!(world.registry.renew_lease(renew(&world, token)).await, RegistryError::LeaseLost(_));
    let late = world.registry.finish(finish(&world, token, bought("mb_1"))).await;
    refused!(late, RegistryError::LeaseLost(_));
    let report = ReportProgress::new(world.id("t"), world.buyer().scope(), Progress::percent(50.0));
    refused!(world.registry.report(report.under(Some(token))).await, RegistryError::LeaseLost(_));
    assert_eq!(world.read("t").await.status, TaskStatus::Submitted);
    assert_eq!(sweep(&world).await, 1);
}

/// Only the holder's token counts, and a task without a lease has no holder.
pub async fn a_token_of_another_is_refused(harness: &dyn Harness) {
    let world = World::new(harness);
    leased(&world).await;
    let other = LeaseToken::random().must();
    refused!(world.registry.renew_lease(renew(&world, other)).await, RegistryError::LeaseLost(_));
    let foreign = world.registry.finish(finish(&world, other, bought("mb_1"))).await;
    refused!(foreign, RegistryError::LeaseLost(_));
    assert_eq!(world.read("t").await.status, TaskStatus::Submitted);

    let free = World::new(harness);
    free.issue(free.task("t")).await;
    refused!(free.registry.renew_lease(renew(&free, other)).await, RegistryError::LeaseLost(_));
}

/// Who was entrusted with a task otherwise ends it without a token, and the holder learns that it has ended.
pub async fn an_end_by_others_answers_the_holder(harness: &dyn Harness) {
    let world = World::new(harness);
    let token = leased(&world).await;
    world.finish("t", bought("mb_1")).await.must();
    refused!(world.registry.renew_lease(renew(&world, token)).await, RegistryError::AlreadyEnded(_));
    let other = world.registry.finish(finish(&world, token, bought("mb_2"))).await;
    refused!(other, RegistryError::AlreadyEnded(_));
    let same = world.registry.finish(finish(&world, token, bought("mb_1"))).await.must();
    assert_eq!(same, Finished::Before);
}

/// A lease is renewed within the scope of its task only.
pub async fn leases_hide_other_accounts_and_principals(harness: &dyn Harness) {
    let world = World::new(harness);
    let token = leased(&world).await;
    for stranger in world.strangers() {
        let req = RenewLease::new(world.id("t"), stranger.scope(), token, MINUTE);
        refused!(world.registry.renew_lease(req).await, RegistryError::UnknownTask(_));
    }
}

/// The sweep of a deployment reaches the tasks of every tenant.
pub async fn a_sweep_of_everywhere_reaches_every_tenant(harness: &dyn Harness) {
    let worlds = [World::new(harness), World::new(harness)];
    for world in &worlds {
        leased(world).await;
    }
    worlds[0].pass(MINUTE).await;
    worlds[0].registry.end_overdue(EndOverdue::everywhere()).await.must();
    for world in &worlds {
        assert_eq!(world.read("t").await.status, TaskStatus::Failed);
    }
}
