//! Work that anybody with a handler for it may do, and do again when whoever did it falls silent.

use std::collections::HashSet;

use adcp_core::{
    AdcpError, ClaimJobs, ConfirmTask, DiscardTask, Effects, EndOverdue, FinishTask, Finished, IssueTask,
    JobOrder, LeaseToken, Outcome, Progress, RegistryError, ReleaseJob, RenewLease, ReportProgress, TaskId,
    TaskRecord, TaskStatus,
};
use serde_json::json;

use crate::Harness;
use crate::checks::race::race;
use crate::world::{HOUR, MINUTE, Must, World, bought, refused, registration};

/// Kinds are a matter of the whole store, so a check has its own.
fn kind(world: &World<'_>, name: &str) -> String {
    format!("{name}-{}", world.tenant)
}

fn order(world: &World<'_>) -> JobOrder {
    JobOrder::new(kind(world, "review"), json!({ "order": 7, "notes": ["\u{0}", "ü"] })).with_max_attempts(3)
}

fn job(world: &World<'_>, name: &str) -> IssueTask {
    world.task(name).as_job(order(world))
}

fn claims(world: &World<'_>, limit: usize) -> ClaimJobs {
    ClaimJobs::new(vec![kind(world, "review")], limit, MINUTE)
}

async fn claim(world: &World<'_>, limit: usize) -> Vec<TaskRecord> {
    world.registry.claim_jobs(claims(world, limit)).await.must()
}

async fn claim_one(world: &World<'_>) -> (TaskRecord, LeaseToken) {
    let mut claimed = claim(world, 1).await;
    let task = claimed.pop().must();
    let token = task.lease.must().token;
    (task, token)
}

fn release(world: &World<'_>, name: &str, token: LeaseToken) -> ReleaseJob {
    ReleaseJob::new(world.id(name), world.buyer().scope(), token)
}

fn finish(world: &World<'_>, token: LeaseToken, outcome: Outcome) -> FinishTask {
    FinishTask::new(world.id("t"), world.buyer().scope(), outcome).under(Some(token))
}

async fn sweep(world: &World<'_>) -> usize {
    world.registry.end_overdue(EndOverdue::new(world.tenant.clone())).await.must().len()
}

async fn attempts(world: &World<'_>, name: &str) -> u32 {
    world.read(name).await.job.must().attempts
}

fn names(claimed: &[TaskRecord]) -> Vec<&str> {
    claimed.iter().map(|task| task.id.as_str().split('-').next().must()).collect()
}

/// A job keeps its kind, its input and its bound of attempts, and is claimed under a lease of its own.
pub async fn a_job_is_kept_whole_and_claimed(harness: &dyn Harness) {
    let world = World::new(harness);
    let issued = world.issue(job(&world, "t")).await;
    let expected = issued.job.must();
    assert_eq!((expected.attempts, expected.max_attempts), (0, 3));
    assert_eq!(world.read("t").await.job.must(), expected);
    let (task, token) = claim_one(&world).await;
    let found = task.job.clone().must();
    assert_eq!((&found.kind, &found.input, found.max_attempts), (&expected.kind, &expected.input, 3));
    assert_eq!(world.read("t").await, task, "what was claimed is what is kept");
    assert!(claim(&world, 10).await.is_empty(), "somebody works on it");
    let progress = Progress::percent(50.0);
    let report = ReportProgress::new(world.id("t"), world.buyer().scope(), progress).under(Some(token));
    world.registry.report(report).await.must();
    let ended = world.registry.finish(finish(&world, token, bought("mb_1"))).await.must();
    assert_eq!(ended, Finished::Now);
    world.pass(HOUR).await;
    assert!(claim(&world, 10).await.is_empty(), "it has ended");
    assert_eq!(sweep(&world).await, 0);
}

/// The attempt is counted with the claim, so that one which kills its process is counted, too.
pub async fn attempts_are_counted_at_the_claim(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(job(&world, "t")).await;
    for attempt in 1..=3 {
        let (task, _) = claim_one(&world).await;
        assert_eq!(task.job.must().attempts, attempt);
        assert_eq!(attempts(&world, "t").await, attempt);
        world.pass(MINUTE).await;
    }
    assert!(claim(&world, 10).await.is_empty(), "no attempt is left");

    let issuer = World::new(harness);
    let token = LeaseToken::random().must();
    issuer.issue(job(&issuer, "t").leased(token, MINUTE)).await;
    assert_eq!(attempts(&issuer, "t").await, 1, "its issuer has begun");
    assert!(claim(&issuer, 10).await.is_empty());
    issuer.pass(MINUTE).await;
    assert_eq!(claim_one(&issuer).await.0.job.must().attempts, 2);
}

/// A job whose worker fell silent is not ended: another claims it, and only that one is heard from then on.
pub async fn a_silent_workers_job_is_claimed_again(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(job(&world, "t")).await;
    let (_, first) = claim_one(&world).await;
    world.pass(MINUTE / 2).await;
    let renewal = RenewLease::new(world.id("t"), world.buyer().scope(), first, MINUTE);
    world.registry.renew_lease(renewal.clone()).await.must();
    world.pass(MINUTE / 2).await;
    assert!(claim(&world, 10).await.is_empty(), "its lease was renewed");
    world.pass(MINUTE / 2).await;
    assert_eq!(sweep(&world).await, 0, "it is claimed, not ended");
    assert_eq!(world.read("t").await.status, TaskStatus::Submitted);
    let (_, second) = claim_one(&world).await;
    assert_ne!(first, second);

    let late = world.registry.finish(finish(&world, first, bought("mb_1"))).await;
    refused!(late, RegistryError::LeaseLost(_));
    refused!(world.registry.renew_lease(renewal).await, RegistryError::LeaseLost(_));
    let report = ReportProgress::new(world.id("t"), world.buyer().scope(), Progress::percent(1.0));
    refused!(world.registry.report(report.under(Some(first))).await, RegistryError::LeaseLost(_));
    refused!(world.registry.release_job(release(&world, "t", first)).await, RegistryError::LeaseLost(_));
    let ended = world.registry.finish(finish(&world, second, bought("mb_2"))).await.must();
    assert_eq!(ended, Finished::Now);
    assert_eq!(world.read("t").await.outcome, Some(bought("mb_2")));
}

/// A lease whose time is over counts for nothing, also before anybody claimed the job.
pub async fn a_lapsed_claim_is_not_heard(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(job(&world, "t")).await;
    let (_, token) = claim_one(&world).await;
    world.pass(MINUTE).await;
    refused!(world.registry.finish(finish(&world, token, bought("mb_1"))).await, RegistryError::LeaseLost(_));
    refused!(world.registry.release_job(release(&world, "t", token)).await, RegistryError::LeaseLost(_));
    assert_eq!(attempts(&world, "t").await, 1);
}

/// When the last attempt falls silent the task ends as failed, gives back what it reserved and tells its buyer.
pub async fn a_job_without_attempts_ends_failed_with_its_effects(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    let effects = Effects::none().with_purchase(hold).with_notify(Some(registration()));
    let order = order(&world).with_max_attempts(2);
    world.issue(world.task("t").as_job(order).with_effects(effects)).await;
    for _ in 0..2 {
        assert_eq!(sweep(&world).await, 0);
        claim_one(&world).await;
        world.pass(MINUTE).await;
    }
    assert!(claim(&world, 10).await.is_empty());
    assert!(world.events().await.is_empty());
    assert_eq!(sweep(&world).await, 1);
    let task = world.read("t").await;
    assert_eq!(task.outcome, Some(Outcome::Failed(AdcpError::given_up())));
    assert_eq!((task.status, task.lease), (TaskStatus::Failed, None));
    assert_eq!(world.events().await.len(), 1);
    world.reserve("p").await.must();
    assert_eq!(sweep(&world).await, 0);
}

/// A deadline ends a job whatever attempts it has left, and nobody claims it afterwards.
pub async fn a_deadline_ends_a_job(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(job(&world, "t").with_deadline(Some(MINUTE * 2))).await;
    let (_, token) = claim_one(&world).await;
    world.pass(MINUTE).await;
    claim_one(&world).await;
    world.pass(MINUTE).await;
    assert!(claim(&world, 10).await.is_empty(), "its time is over");
    assert_eq!(sweep(&world).await, 1);
    assert_eq!(world.read("t").await.outcome, Some(Outcome::Failed(AdcpError::overdue())));
    let late = world.registry.release_job(release(&world, "t", token)).await;
    refused!(late, RegistryError::AlreadyEnded(_));
}

/// Whoever gives up a job lets the next one claim it: at once, or after a wait.
pub async fn a_released_job_is_claimed_when_its_wait_is_over(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(job(&world, "t")).await;
    let (_, token) = claim_one(&world).await;
    world.registry.release_job(release(&world, "t", token)).await.must();
    assert_eq!(world.read("t").await.lease, None);
    let (_, token) = claim_one(&world).await;
    let wait = release(&world, "t", token).again_in(MINUTE * 5);
    world.registry.release_job(wait).await.must();
    world.pass(MINUTE * 4).await;
    assert!(claim(&world, 10).await.is_empty(), "it waits");
    assert_eq!(sweep(&world).await, 0);
    world.pass(MINUTE).await;
    let (task, token) = claim_one(&world).await;
    assert_eq!(task.job.must().attempts, 3);
    world.registry.release_job(release(&world, "t", token)).await.must();
    assert!(claim(&world, 10).await.is_empty(), "no attempt is left");
    assert_eq!(sweep(&world).await, 1, "and nothing is waited for");
    assert_eq!(world.read("t").await.outcome, Some(Outcome::Failed(AdcpError::given_up())));
}

/// An attempt that a shutdown cut short is taken back when its worker says so.
pub async fn a_release_can_take_its_attempt_back(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("t").as_job(order(&world).with_max_attempts(1))).await;
    for _ in 0..4 {
        let (task, token) = claim_one(&world).await;
        assert_eq!(task.job.must().attempts, 1);
        world.registry.release_job(release(&world, "t", token).uncounted()).await.must();
        assert_eq!(attempts(&world, "t").await, 0);
    }
    assert_eq!(sweep(&world).await, 0);
}

/// A lease is given up once, by its holder, within the scope of its task, and only where somebody else can go on.
pub async fn a_release_is_fenced(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(job(&world, "t")).await;
    let (_, token) = claim_one(&world).await;
    let other = LeaseToken::random().must();
    refused!(world.registry.release_job(release(&world, "t", other)).await, RegistryError::LeaseLost(_));
    for stranger in world.strangers() {
        let req = ReleaseJob::new(world.id("t"), stranger.scope(), token);
        refused!(world.registry.release_job(req).await, RegistryError::UnknownTask(_));
    }
    assert!(claim(&world, 10).await.is_empty(), "it is still held");
    world.registry.release_job(release(&world, "t", token)).await.must();
    refused!(world.registry.release_job(release(&world, "t", token)).await, RegistryError::LeaseLost(_));
    let unknown = world.registry.release_job(release(&world, "other", token)).await;
    refused!(unknown, RegistryError::UnknownTask(_));

    let plain = World::new(harness);
    let token = LeaseToken::random().must();
    plain.issue(plain.task("t").leased(token, MINUTE)).await;
    refused!(plain.registry.release_job(release(&plain, "t", token)).await, RegistryError::NotAJob(_));
    assert!(plain.read("t").await.lease.is_some());
}

/// Only jobs are claimed, and of them only the kinds that were asked for.
pub async fn claims_take_only_what_they_name(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("plain")).await;
    let other = JobOrder::new(kind(&world, "other"), json!(null));
    world.issue(world.task("other").as_job(other)).await;
    world.issue(job(&world, "t")).await;
    assert_eq!(names(&claim(&world, 10).await), ["t"]);
    let nothing = world.registry.claim_jobs(ClaimJobs::new(Vec::new(), 10, MINUTE)).await.must();
    assert!(nothing.is_empty());
    let none = ClaimJobs::new(vec![kind(&world, "other")], 0, MINUTE);
    assert!(world.registry.claim_jobs(none).await.must().is_empty());
    let kinds = vec![kind(&world, "review"), kind(&world, "other"), kind(&world, "other")];
    let both = world.registry.claim_jobs(ClaimJobs::new(kinds, 10, MINUTE)).await.must();
    assert_eq!(names(&both), ["other"]);
    assert_eq!(both[0].job.clone().must().attempts, 1);
    assert_eq!(sweep(&world).await, 0);
}

/// Of one tenant's jobs the one is claimed first that waits longest, and so many as were asked for.
pub async fn claims_take_the_longest_waiting_first(harness: &dyn Harness) {
    let world = World::new(harness);
    for name in ["a", "b", "c", "d"] {
        world.issue(job(&world, name)).await;
        world.pass(MINUTE).await;
    }
    assert_eq!(names(&claim(&world, 2).await), ["a", "b"]);
    assert_eq!(names(&claim(&world, 1).await), ["c"]);
    // The first two have run out since, in the order in which they were claimed, after the one nobody took.
    world.pass(MINUTE).await;
    let again = claim(&world, 10).await;
    assert_eq!(names(&again)[0], "d");
    assert_eq!(again.len(), 4);
}

/// A tenant with one job waits for one turn of another's long queue, also when jobs are claimed one by one.
pub async fn one_tenants_queue_does_not_starve_another(harness: &dyn Harness) {
    let (busy, quiet) = (World::new(harness), World::new(harness));
    let order = order(&busy);
    for number in 0..12 {
        busy.issue(busy.task(&format!("b{number}")).as_job(order.clone())).await;
    }
    busy.pass(MINUTE).await;
    quiet.issue(quiet.task("q").as_job(order.clone())).await;
    let together = claim(&busy, 4).await;
    assert_eq!(together.iter().filter(|task| task.owner.tenant == quiet.tenant).count(), 1);
    for (number, name) in ["q1", "q2", "q3"].into_iter().enumerate() {
        busy.pass(MINUTE / 4).await;
        quiet.issue(quiet.task(name).as_job(order.clone())).await;
        let mut turns = Vec::new();
        for _ in 0..2 {
            busy.pass(MINUTE / 60).await;
            turns.extend(claim(&busy, 1).await);
        }
        let tenants: HashSet<_> = turns.iter().map(|task| task.owner.tenant.clone()).collect();
        assert_eq!(tenants.len(), 2, "round {number}: {turns:?}");
    }
}

/// A job that nobody was told of is nobody's to do yet.
pub async fn an_enqueued_job_is_not_claimed(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(job(&world, "t").enqueuing(HOUR)).await;
    world.issue(job(&world, "gone").enqueuing(HOUR)).await;
    assert!(claim(&world, 10).await.is_empty());
    world.registry.confirm(ConfirmTask::new(world.id("t"), world.buyer().scope())).await.must();
    world.registry.discard(DiscardTask::new(world.id("gone"), world.buyer().scope())).await.must();
    assert_eq!(names(&claim(&world, 10).await), ["t"]);
}

/// Of any number of simultaneous claimers one gets each job, and all jobs are given out.
pub async fn claims_of_jobs_race_to_one_winner(harness: &dyn Harness) {
    const JOBS: usize = 12;
    let world = World::new(harness);
    for number in 0..JOBS {
        world.issue(job(&world, &format!("j{number}"))).await;
    }
    for round in 1..=3 {
        let mut claimed: Vec<TaskId> = Vec::new();
        // Those who lost against others may have come away with less than there was: they ask again, as workers do.
        for _ in 0..JOBS {
            let found = race(&world, 0..8_usize, |registry, _| {
                let req = claims(&world, 3);
                async move { registry.claim_jobs(req).await.must() }
            })
            .await;
            claimed.extend(found.into_iter().flatten().map(|task| task.id));
            if claimed.len() >= JOBS {
                break;
            }
        }
        let distinct: HashSet<&TaskId> = claimed.iter().collect();
        assert_eq!((claimed.len(), distinct.len()), (JOBS, JOBS), "each job once");
        for number in 0..JOBS {
            assert_eq!(attempts(&world, &format!("j{number}")).await, round);
        }
        world.pass(MINUTE).await;
    }
}

/// A claim and the end of what it claims exclude each other: nobody works on what has ended.
pub async fn a_claim_and_an_end_race_to_one(harness: &dyn Harness) {
    let world = World::new(harness);
    for round in 0..8 {
        let name = format!("t{round}");
        world.issue(job(&world, &name)).await;
        let (_, first) = claim_one(&world).await;
        world.pass(MINUTE).await;
        let found = race(&world, 0..4_usize, |registry, racer| {
            let end = FinishTask::new(world.id(&name), world.buyer().scope(), bought("mb_1"));
            let (end, req) = (end.under(Some(first)), claims(&world, 5));
            async move {
                if racer % 2 == 0 {
                    registry.claim_jobs(req).await.must().len()
                } else {
                    refused!(registry.finish(end).await, RegistryError::LeaseLost(_));
                    0
                }
            }
        })
        .await;
        // A claimer may pass by what somebody else is writing at the moment; it finds it when it looks again.
        match found.iter().sum::<usize>() {
            0 => assert_eq!(claim(&world, 5).await.len(), 1),
            won => assert_eq!(won, 1),
        }
        let cancel = Outcome::Canceled("enough".into());
        assert_eq!(world.finish(&name, cancel).await.must(), Finished::Now, "the entrusted may end it");
        world.pass(MINUTE).await;
        assert!(claim(&world, 10).await.is_empty());
    }
}
