//! One task under random steps.

use std::time::Duration;

use adcp_core::{
    AdcpError, Claim, Effects, EndOverdue, FinishTask, Finished, LeaseToken, Outcome, Pause, Progress,
    ProposalState, RegistryError, RenewLease, ReportProgress, Settlement, TaskPhase, TaskRecord, TaskStatus,
    Ticket,
};
use adcp_types::json::JsonObject;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use serde_json::json;

use super::cases::{Cases, agree};
use crate::Harness;
use crate::world::{DAY, MINUTE, Must, World, bought, object, registration};

#[derive(Debug, Clone)]
struct Setup {
    enqueuing: bool,
    deadline: bool,
    purchase: bool,
    notify: bool,
    /// Whether the reply is recorded at issue, when the task is not enqueued.
    replied: bool,
    leased: bool,
}

/// As whom a writer speaks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Who {
    /// It does not say that it works on the task.
    Entrusted,
    /// It shows the token of the lease that the task may have been issued with.
    Holder,
    /// It shows another token.
    Impostor,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Report(u8, Who),
    Ask,
    Authenticate,
    Resubmit,
    Finish(usize, Who),
    Renew(Who),
    Confirm { deadline: bool, settling: bool },
    Discard { releasing: bool },
    Settle { fenced: bool },
    Pass(u8),
    EndOverdue,
}

/// Minutes until a deadline.
const DEADLINE: u64 = 45;
/// Minutes that a lease lasts.
const LEASE: u64 = 30;

fn setups() -> impl Strategy<Value = Setup> {
    any::<[bool; 6]>().prop_map(|[enqueuing, deadline, purchase, notify, replied, leased]| Setup {
        enqueuing,
        deadline,
        purchase,
        notify,
        replied,
        leased,
    })
}

fn whos() -> impl Strategy<Value = Who> {
    prop_oneof![3 => Just(Who::Entrusted), 3 => Just(Who::Holder), 1 => Just(Who::Impostor)]
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_u8..100, whos()).prop_map(|(percent, who)| Step::Report(percent, who)),
        1 => Just(Step::Ask),
        1 => Just(Step::Authenticate),
        1 => Just(Step::Resubmit),
        3 => (0..ends().len(), whos()).prop_map(|(end, who)| Step::Finish(end, who)),
        2 => whos().prop_map(Step::Renew),
        2 => any::<(bool, bool)>().prop_map(|(deadline, settling)| Step::Confirm { deadline, settling }),
        2 => any::<bool>().prop_map(|releasing| Step::Discard { releasing }),
        1 => any::<bool>().prop_map(|fenced| Step::Settle { fenced }),
        3 => (1_u8..60).prop_map(Step::Pass),
        3 => Just(Step::EndOverdue),
    ]
}

fn ends() -> Vec<Outcome> {
    vec![
        bought("mb_1"),
        bought("mb_2"),
        Outcome::Failed(AdcpError::unavailable()),
        Outcome::Canceled("late".into()),
        Outcome::Rejected(AdcpError::unavailable()),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Key {
    Running,
    Replied,
    Fenced,
    Free,
}

/// What is known of the task, in a few fields.
struct Model {
    gone: bool,
    open: bool,
    history: Vec<TaskStatus>,
    outcome: Option<Outcome>,
    deadline: Option<u64>,
    lease: Option<u64>,
    now: u64,
    key: Key,
    purchase: bool,
    notify: bool,
}

/// What a step came to, in a word.
type Word = &'static str;

impl Model {
    fn new(setup: &Setup) -> Self {
        Self {
            gone: false,
            open: !setup.enqueuing,
            history: vec![TaskStatus::Submitted],
            outcome: None,
            deadline: (setup.enqueuing || setup.deadline).then_some(DEADLINE),
            lease: setup.leased.then_some(LEASE),
            now: 0,
            key: if setup.replied && !setup.enqueuing { Key::Replied } else { Key::Running },
            purchase: setup.purchase,
            notify: setup.notify,
        }
    }

    fn status(&self) -> TaskStatus {
        *self.history.last().must()
    }

    fn enter(&mut self, next: TaskStatus) -> Word {
        match (self.gone, self.outcome.is_some()) {
            (true, _) => "unknown",
            (_, true) => "ended",
            _ if !self.status().can_become(next) => "no such step",
            _ => {
                self.history.push(next);
                "done"
            }
        }
    }

    fn end(&mut self, outcome: Outcome) -> Word {
        if self.outcome.as_ref() == Some(&outcome) && !self.gone {
            return "before";
        }
        let word = self.enter(outcome.status());
        if word == "done" {
            self.outcome = Some(outcome);
            self.deadline = None;
            self.lease = None;
        }
        word
    }

    /// Whether a writer is turned away. A task that is gone or has ended answers for itself.
    fn fences(&self, who: Who) -> bool {
        let holds = self.lease.is_some_and(|until| until > self.now);
        let lost = who == Who::Impostor || (who == Who::Holder && !holds);
        lost && !self.gone && self.outcome.is_none()
    }

    fn take(&mut self, step: Step) -> Word {
        match step {
            Step::Report(_, who) | Step::Finish(_, who) if self.fences(who) => "lease lost",
            // Who renews shows a token, its own or another.
            Step::Renew(who) if self.fences(if who == Who::Entrusted { Who::Holder } else { who }) => {
                "lease lost"
            }
            Step::Renew(_) if self.gone => "unknown",
            Step::Renew(_) if self.outcome.is_some() => "ended",
            Step::Renew(_) => {
                self.lease = Some(self.now + LEASE);
                "done"
            }
            Step::Report(..) => self.enter(TaskStatus::Working),
            Step::Ask => self.enter(TaskStatus::InputRequired),
            Step::Authenticate => self.enter(TaskStatus::AuthRequired),
            Step::Resubmit => self.enter(TaskStatus::Submitted),
            Step::Finish(end, _) => self.end(ends()[end].clone()),
            Step::Confirm { .. } | Step::Discard { .. } if self.gone => "unknown",
            Step::Confirm { settling: true, .. } if self.key != Key::Running => "stale",
            Step::Confirm { deadline, settling } => {
                if settling {
                    self.key = Key::Replied;
                }
                if !self.open && self.outcome.is_none() {
                    self.deadline = deadline.then_some(self.now + DEADLINE);
                }
                self.open = true;
                "done"
            }
            Step::Discard { .. } if self.open || self.outcome.is_some() => "not enqueuing",
            Step::Discard { releasing: true } if self.key != Key::Running => "stale",
            Step::Discard { releasing } => {
                if releasing {
                    self.key = Key::Free;
                }
                self.gone = true;
                "done"
            }
            Step::Settle { .. } if self.key != Key::Running => "stale",
            Step::Settle { fenced } => {
                self.key = if fenced { Key::Fenced } else { Key::Free };
                "done"
            }
            Step::Pass(minutes) => {
                self.now += u64::from(minutes);
                "done"
            }
            Step::EndOverdue if !self.gone && self.deadline.is_some_and(|at| at <= self.now) => {
                self.end(Outcome::Failed(AdcpError::overdue()));
                "one"
            }
            Step::EndOverdue if !self.gone && self.lease.is_some_and(|at| at <= self.now) => {
                self.end(Outcome::Failed(AdcpError::orphaned()));
                "one"
            }
            Step::EndOverdue => "none",
        }
    }

    /// Where the proposal stands that the task reserved.
    fn proposal(&self) -> Option<ProposalState> {
        self.purchase.then_some(match &self.outcome {
            _ if self.gone => ProposalState::Committed,
            None => ProposalState::Consuming,
            Some(Outcome::Completed(_)) => ProposalState::Consumed,
            Some(_) => ProposalState::Committed,
        })
    }

    /// The statuses that the buyer is told of.
    fn told(&self) -> Vec<TaskStatus> {
        self.outcome.iter().filter(|_| self.notify).map(Outcome::status).collect()
    }
}

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
    let tokens = Tokens { ticket, holder: LeaseToken::random().must(), other: LeaseToken::random().must() };
    issue(world, setup, &tokens).await;
    compare(world, &model, setup).await.map_err(|why| format!("after issue: {why}"))?;
    for step in steps {
        let want = model.take(*step);
        agree(step, "its result", &take(world, *step, &tokens).await, &want)?;
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
    if setup.leased {
        task = task.leased(tokens.holder, Duration::from_secs(LEASE * 60));
    }
    world.issue(task).await;
}

fn reply() -> JsonObject {
    object(json!({ "status": "submitted", "task_id": "t" }))
}

async fn take(world: &World<'_>, step: Step, tokens: &Tokens) -> Word {
    let Tokens { ticket, .. } = tokens;
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
                confirm = confirm.settling(ticket.clone(), reply());
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
        lawful(&task)?;
    }
    let told: Vec<_> = world.events().await.into_iter().map(|event| event.status).collect();
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
