//! One task under random steps.

use std::time::Duration;

use adcp_core::{
    Claim, ClaimJobs, Effects, EndOverdue, FinishTask, Finished, JobOrder, LeaseToken, Pause, Progress,
    RegistryError, ReleaseJob, RenewLease, ReportProgress, Settlement, TaskPhase, TaskRecord, Ticket,
};
use adcp_types::json::JsonObject;
use proptest::collection::vec;
use serde_json::json;

use super::cases::{Cases, agree};
use super::task_model::{ATTEMPTS, DEADLINE, Key, LEASE, Model, Setup, Step, Who, Word, ends, setups, steps};
use crate::Harness;
use crate::world::{DAY, MINUTE, Must, World, object, registration};

/// A task under random steps agrees with a model of it after each: one end, effects once, every transition allowed.
pub async fn random_tasks_agree_with_a_model(harness: &dyn Harness) {
    random_tasks_agree_with_a_model_in(harness, Cases::new(100)).await;
}

/// [`random_tasks_agree_with_a_model`] with cases of the caller's choice.
pub async fn random_tasks_agree_with_a_model_in(harness: &dyn Harness, cases: Cases) {
    let sequences = (setups(), vec(steps(), 1..24));
    cases.explore(sequences, async |(setup, steps)| walk(&World::new(harness), setup, steps).await).await;
}

async fn walk(world: &World<'_>, setup: &Setup, steps: &[Step]) -> Result<(), String> {
    let mut model = Model::new(setup);
    let Claim::First(ticket) = claim(world).await else { return Err("a fresh key is taken".into()) };
    let mut tokens =
        Tokens { ticket, holder: LeaseToken::random().must(), other: LeaseToken::random().must() };
    issue(world, setup, &tokens).await;
    compare(world, &model, setup).await.map_err(|why| format!("after issue: {why}"))?;
    for step in steps {
        let want = model.take(*step);
        agree(step, "its result", &take(world, *step, &mut tokens).await, &want)?;
        compare(world, &model, setup).await.map_err(|why| format!("after {step:?}: {why}"))?;
    }
    let found = match claim(world).await {
        Claim::First(_) => Key::Free,
        Claim::Replay(_) => Key::Replied,
        _ if model.key == Key::Fenced => Key::Fenced,
        _ => Key::Running,
    };
    agree(&"the last step", "the key", &found, &model.key)
}

/// A claim that no sequence of steps outlives.
async fn claim(world: &World<'_>) -> Claim {
    let mut call = world.call("key");
    call.ttl = DAY;
    world.registry.claim_call(call).await.must()
}

/// What writers show.
struct Tokens {
    ticket: Ticket,
    holder: LeaseToken,
    other: LeaseToken,
}

impl Tokens {
    const fn of(&self, who: Who) -> Option<LeaseToken> {
        match who {
            Who::Entrusted => None,
            Who::Holder => Some(self.holder),
            Who::Impostor => Some(self.other),
        }
    }
}

async fn issue(world: &World<'_>, setup: &Setup, tokens: &Tokens) {
    let mut effects = Effects::none().with_notify(setup.notify.then(registration));
    if setup.purchase {
        world.firm(&["p"]).await;
        effects = effects.with_purchase(world.reserve("p").await.must());
    }
    let mut task = world.task("t").with_effects(effects);
    let within = Duration::from_secs(DEADLINE * 60);
    if setup.enqueuing {
        task = task.enqueuing(within);
    } else {
        task = task.with_deadline(setup.deadline.then_some(within));
        if setup.replied {
            task = task.settling(tokens.ticket.clone(), reply());
        }
    }
    if setup.job {
        let order = JobOrder::new(kind(world), json!({ "order": 7 }));
        task = task.as_job(order.with_max_attempts(ATTEMPTS));
    }
    if setup.leased {
        task = task.leased(tokens.holder, Duration::from_secs(LEASE * 60));
    }
    world.issue(task).await;
}

/// Kinds are a matter of the whole store, so a case has its own.
fn kind(world: &World<'_>) -> String {
    format!("kind of {}", world.tenant)
}

fn reply() -> JsonObject {
    object(json!({ "status": "submitted", "task_id": "t" }))
}

async fn take(world: &World<'_>, step: Step, tokens: &mut Tokens) -> Word {
    let ticket = tokens.ticket.clone();
    let (id, scope) = (world.id("t"), world.buyer().scope());
    let question = || object(json!({ "message": "which?" }));
    match step {
        Step::Report(percent, who) => {
            let report = ReportProgress::new(id, scope, Progress::percent(f64::from(percent)));
            word(world.registry.report(report.under(tokens.of(who))).await)
        }
        Step::Renew(who) => {
            let token = tokens.of(who).unwrap_or(tokens.holder);
            let within = Duration::from_secs(LEASE * 60);
            word(world.registry.renew_lease(RenewLease::new(id, scope, token, within)).await)
        }
        Step::Claim => {
            let claims = ClaimJobs::new(vec![kind(world)], 5, Duration::from_secs(LEASE * 60));
            match world.registry.claim_jobs(claims).await.as_deref() {
                Ok([]) => "none",
                Ok([task]) => {
                    // Whoever worked on it before is the impostor from now on.
                    tokens.other = std::mem::replace(&mut tokens.holder, task.lease.must().token);
                    "one"
                }
                _ => "something else",
            }
        }
        Step::Release { who, wait, uncounted } => {
            let token = tokens.of(who).unwrap_or(tokens.holder);
            let release = ReleaseJob::new(id, scope, token).again_in(MINUTE * u32::from(wait));
            word(world.registry.release_job(if uncounted { release.uncounted() } else { release }).await)
        }
        Step::Ask => word(world.pause("t", Pause::Input(question())).await),
        Step::Authenticate => word(world.pause("t", Pause::Authentication(question())).await),
        Step::Resubmit => word(world.pause("t", Pause::Resubmitted).await),
        Step::Finish(end, who) => {
            let finish = FinishTask::new(id, scope, ends()[end].clone()).under(tokens.of(who));
            match world.registry.finish(finish).await {
                Ok(Finished::Before) => "before",
                other => word(other),
            }
        }
        Step::Confirm { deadline, settling } => {
            let within = Duration::from_secs(DEADLINE * 60);
            let mut confirm = world.confirm("t").with_deadline(deadline.then_some(within));
            if settling {
                confirm = confirm.settling(ticket, reply());
            }
            word(world.registry.confirm(confirm).await)
        }
        Step::Discard { releasing } => {
            let discard = world.discard("t").releasing(releasing.then(|| ticket.clone()));
            word(world.registry.discard(discard).await)
        }
        Step::Settle { fenced } => {
            let settlement = if fenced { Settlement::Fenced } else { Settlement::Released };
            word(world.settle(ticket.clone(), settlement).await)
        }
        Step::Pass(minutes) => {
            world.pass(MINUTE * u32::from(minutes)).await;
            "done"
        }
        Step::EndOverdue => match world.registry.end_overdue(EndOverdue::new(world.tenant.clone())).await {
            Ok(ended) if ended.is_empty() => "none",
            Ok(ended) if ended.len() == 1 => "one",
            _ => "something else",
        },
    }
}

fn word<T>(result: Result<T, RegistryError>) -> Word {
    match result.map(drop) {
        Ok(_) => "done",
        Err(RegistryError::UnknownTask(_)) => "unknown",
        Err(RegistryError::AlreadyEnded(_)) => "ended",
        Err(RegistryError::NoSuchStep { .. }) => "no such step",
        Err(RegistryError::StaleTicket) => "stale",
        Err(RegistryError::LeaseLost(_)) => "lease lost",
        Err(RegistryError::NotEnqueuing(_)) => "not enqueuing",
        Err(RegistryError::NotAJob(_)) => "no job",
        Err(_) => "something else",
    }
}

async fn compare(world: &World<'_>, model: &Model, setup: &Setup) -> Result<(), String> {
    let same = |what: &str, found: String, want: String| {
        if found == want { Ok(()) } else { Err(format!("{what} is {found}, the model says {want}")) }
    };
    let found = world.find("t").await;
    same("whether the task is there", found.is_some().to_string(), (!model.gone).to_string())?;
    let shown = model.open && !model.gone;
    same("whether the buyer sees it", world.shown("t").await.to_string(), shown.to_string())?;
    if let Some(task) = found {
        let statuses: Vec<_> = task.history.iter().map(|entry| entry.status).collect();
        same("the history", format!("{statuses:?}"), format!("{:?}", model.history))?;
        same("the status", task.status.to_string(), model.status().to_string())?;
        same("the outcome", format!("{:?}", task.outcome), format!("{:?}", model.outcome))?;
        let phase = if model.open { TaskPhase::Open } else { TaskPhase::Enqueuing };
        same("the phase", format!("{:?}", task.phase), format!("{phase:?}"))?;
        let minutes = task.deadline.map(|at| at.since(task.created_at).as_secs() / 60);
        same("the deadline", format!("{minutes:?}"), format!("{:?}", model.deadline))?;
        let lease = task.lease.map(|lease| lease.until.since(task.created_at).as_secs() / 60);
        same("the lease", format!("{lease:?}"), format!("{:?}", model.lease))?;
        let attempts = task.job.as_ref().map(|job| job.attempts);
        same("the attempts", format!("{attempts:?}"), format!("{:?}", model.job.map(|(begun, _)| begun)))?;
        lawful(&task)?;
    }
    let told: Vec<_> = world.events().await.into_iter().filter_map(|event| event.subject.status()).collect();
    same("what was queued", format!("{told:?}"), format!("{:?}", model.told()))?;
    if setup.purchase {
        let state = world.proposal("p").await.map(|record| record.state);
        same("the proposal", format!("{state:?}"), format!("{:?}", model.proposal()))?;
    }
    let open = world.registry.unresolved_calls(&world.tenant, 10).await.map_err(|error| error.to_string())?;
    let unresolved = open.iter().map(|call| if call.fenced { Key::Fenced } else { Key::Running }).next();
    let want = Some(model.key).filter(|key| matches!(key, Key::Running | Key::Fenced));
    same("the key", format!("{unresolved:?}"), format!("{want:?}"))
}

/// What holds of every task, whatever happened to it.
fn lawful(task: &TaskRecord) -> Result<(), String> {
    for pair in task.history.windows(2) {
        if !pair[0].status.can_become(pair[1].status) {
            return Err(format!("the history goes from {} to {}", pair[0].status, pair[1].status));
        }
        if pair[0].at > pair[1].at {
            return Err("the history goes back in time".into());
        }
    }
    let last = task.history.last().map(|entry| entry.status);
    if last != Some(task.status) {
        return Err(format!("the history ends with {last:?}, the task stands at {}", task.status));
    }
    if task.status.is_terminal() != task.outcome.is_some()
        || task.ended_at.is_some() != task.outcome.is_some()
    {
        return Err(format!("at {} the task ended with {:?}", task.status, task.outcome));
    }
    Ok(())
}
