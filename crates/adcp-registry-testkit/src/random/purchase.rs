//! Several buyers after the same proposals at once, with a history of what each was told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adcp_core::{
    CallKey, Claim, ClaimCall, Effect, Effects, FinishTask, Hold, IssueTask, Outcome, Owner, ProposalKey,
    ProposalRefusal, ProposalState, Registry, RegistryError, ReserveProposal, Reserved, SettleCall,
    Settlement, TaskId, Ticket,
};
use serde_json::json;
use tokio::task::JoinSet;

use super::cases::{Cases, Dice};
use crate::Harness;
use crate::world::{MINUTE, Must, TTL, World, bought, object, offer, offers, registration};

const NAMES: [&str; 3] = ["a", "b", "c"];
const ROUNDS: u64 = 5;
const WORKERS: u64 = 6;

/// What a worker was told about a proposal.
#[derive(Debug, Clone, PartialEq)]
enum Told {
    Held([u8; 16]),
    Bought([u8; 16], String),
    GivenBack,
}

/// One answer, with the interval in which it was made true.
#[derive(Debug, Clone)]
struct Entry {
    round: u64,
    began: u64,
    ended: u64,
    proposal: usize,
    told: Told,
}

/// What became of an order that was placed with a key.
#[derive(Debug, Clone)]
struct Placed {
    key: String,
    order: String,
    recorded: bool,
}

/// A task that took a hold over.
#[derive(Debug, Clone)]
struct Issued {
    name: String,
    proposal: usize,
    ended: bool,
}

#[derive(Default)]
struct History {
    tick: AtomicU64,
    entries: Mutex<Vec<Entry>>,
    placed: Mutex<Vec<Placed>>,
    tasks: Mutex<Vec<Issued>>,
    /// Holds that somebody took and left alone.
    left: Mutex<Vec<(usize, Hold)>>,
}

impl History {
    fn tick(&self) -> u64 {
        self.tick.fetch_add(1, Ordering::SeqCst)
    }

    fn note(&self, round: u64, began: u64, proposal: usize, told: Told) {
        let entry = Entry { round, began, ended: self.tick(), proposal, told };
        locked(&self.entries).push(entry);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Buyers who reserve, renew, buy, give back and walk away at once never buy twice, and leave nothing stuck.
pub async fn concurrent_purchases_keep_the_ledger_whole(harness: &dyn Harness) {
    concurrent_purchases_keep_the_ledger_whole_in(harness, Cases::new(16)).await;
}

/// [`concurrent_purchases_keep_the_ledger_whole`] with cases of the caller's choice.
pub async fn concurrent_purchases_keep_the_ledger_whole_in(harness: &dyn Harness, cases: Cases) {
    for seed in cases.seeds() {
        let world = World::new(harness);
        let history = Arc::new(History::default());
        world.firm(&NAMES).await;
        let mut dice = Dice::new(seed);
        for round in 0..ROUNDS {
            let mut workers = JoinSet::new();
            for number in 0..WORKERS {
                let worker = Worker {
                    registry: world.instance(),
                    history: Arc::clone(&history),
                    owner: world.buyer(),
                    keys: NAMES.map(|name| world.proposal_key(name)),
                    name: format!("{round}_{number}-{}", world.tenant),
                    round,
                };
                workers.spawn(worker.run(Dice::new(seed ^ (round << 16) ^ (number << 24))));
            }
            let (registry, now) = (world.instance(), world.now().await);
            let again = offers(&world.buyer(), &offer(&NAMES, "again"), now);
            workers.spawn(async move {
                let settle = SettleCall::new(None, Settlement::Released).applying(again);
                registry.settle_call(settle).await.must();
            });
            workers.join_all().await;
            // Holds last a minute: they live on, or all that no task keeps are over.
            world.pass([Duration::ZERO, MINUTE / 3, MINUTE][dice.roll(3)]).await;
        }
        if let Err(why) = judge(&world, &history).await {
            panic!("{why}\nseed {seed}, as it was told: {:#?}", locked(&history.entries));
        }
    }
}

struct Worker {
    registry: Arc<dyn Registry>,
    history: Arc<History>,
    owner: Owner,
    keys: [ProposalKey; 3],
    name: String,
    round: u64,
}

impl Worker {
    async fn run(self, mut dice: Dice) {
        for attempt in 0..3 {
            let Some((proposal, hold)) = self.hold(&mut dice).await else { continue };
            let name = format!("{}_{attempt}", self.name);
            match dice.roll(7) {
                0 => self.give_back(proposal, hold).await,
                1 => locked(&self.history.left).push((proposal, hold)),
                2 | 3 => self.task(&mut dice, &name, proposal, hold).await,
                4 => {
                    tokio::task::yield_now().await;
                    if self.registry.renew_hold(&hold, MINUTE).await.is_ok() {
                        self.buy(&name, proposal, hold).await;
                    }
                }
                _ => self.buy(&name, proposal, hold).await,
            }
        }
    }

    /// Reserves a proposal, or comes back to one that somebody left alone.
    async fn hold(&self, dice: &mut Dice) -> Option<(usize, Hold)> {
        let left = if dice.roll(4) == 0 { locked(&self.history.left).pop() } else { None };
        if left.is_some() {
            return left;
        }
        let proposal = dice.roll(NAMES.len());
        let began = self.history.tick();
        let req = ReserveProposal::new(self.keys[proposal].clone()).with_lease(MINUTE);
        match self.registry.reserve(req).await.must() {
            Reserved::Held { hold, .. } => {
                self.history.note(self.round, began, proposal, Told::Held(hold.token));
                Some((proposal, hold))
            }
            Reserved::Refused(ProposalRefusal::Consuming | ProposalRefusal::Consumed) => None,
            Reserved::Refused(other) => panic!("a firm proposal is refused: {other}"),
        }
    }

    async fn give_back(&self, proposal: usize, hold: Hold) {
        let began = self.history.tick();
        let settle = SettleCall::new(None, Settlement::Released).applying(vec![Effect::Release { hold }]);
        self.registry.settle_call(settle).await.must();
        self.history.note(self.round, began, proposal, Told::GivenBack);
    }

    async fn claim(&self, name: &str) -> Ticket {
        let key = CallKey::new(self.owner.clone(), name);
        match self.registry.claim_call(ClaimCall::new(key, "create_media_buy", [1; 32], TTL)).await.must() {
            Claim::First(ticket) => ticket,
            other => panic!("a fresh key is {other:?}"),
        }
    }

    async fn buy(&self, name: &str, proposal: usize, hold: Hold) {
        let order = format!("mb_{name}");
        let ticket = self.claim(name).await;
        let began = self.history.tick();
        let token = hold.token;
        let bought = Effect::Consume {
            hold,
            buyer: self.owner.clone(),
            media_buy_id: order.clone(),
            packages: BTreeMap::new(),
        };
        let reply = object(json!({ "media_buy_id": order }));
        let settle = SettleCall::new(ticket, Settlement::Replied(reply)).applying(vec![bought]);
        let recorded = match self.registry.settle_call(settle).await {
            Ok(()) => true,
            Err(RegistryError::Proposal(ProposalRefusal::HoldLost | ProposalRefusal::Consumed)) => false,
            Err(other) => panic!("a purchase came to {other:?}"),
        };
        if recorded {
            self.history.note(self.round, began, proposal, Told::Bought(token, order.clone()));
        }
        locked(&self.history.placed).push(Placed { key: name.to_owned(), order, recorded });
    }

    async fn task(&self, dice: &mut Dice, name: &str, proposal: usize, hold: Hold) {
        let token = hold.token;
        let id = TaskId::new(name);
        let effects = Effects::none().with_purchase(hold).with_notify(Some(registration()));
        let task = IssueTask::new(
            id.clone(),
            self.owner.clone(),
            "create_media_buy",
            "create_media_buy",
            "media-buy",
        );
        let ticket = self.claim(name).await;
        let reply = object(json!({ "task_id": name }));
        match self.registry.issue(task.with_effects(effects).settling(ticket, reply)).await {
            Ok(_) => {}
            Err(RegistryError::Proposal(ProposalRefusal::HoldLost | ProposalRefusal::Consumed)) => return,
            Err(other) => panic!("an issue came to {other:?}"),
        }
        let order = format!("mb_{name}");
        let (outcome, told) = match dice.roll(3) {
            0 => {
                locked(&self.history.tasks).push(Issued { name: name.to_owned(), proposal, ended: false });
                return;
            }
            1 => (bought(&order), Told::Bought(token, order)),
            _ => (Outcome::Canceled("late".into()), Told::GivenBack),
        };
        let began = self.history.tick();
        self.registry.finish(FinishTask::new(id, self.owner.scope(), outcome)).await.must();
        self.history.note(self.round, began, proposal, told);
        locked(&self.history.tasks).push(Issued { name: name.to_owned(), proposal, ended: true });
    }
}

/// What must be true of every history.
async fn judge(world: &World<'_>, history: &History) -> Result<(), String> {
    let entries = locked(&history.entries).clone();
    let placed = locked(&history.placed).clone();
    let tasks = locked(&history.tasks).clone();
    for (place, name) in NAMES.iter().enumerate() {
        let mine: Vec<_> = entries.iter().filter(|entry| entry.proposal == place).collect();
        let order = one_purchase(name, &mine)?;
        taken_one_at_a_time(name, &mine)?;
        let record = world.proposal(name).await.must();
        if record.media_buy_id != order {
            return Err(format!(
                "`{name}` says {:?} bought it, the buyers say {order:?}",
                record.media_buy_id
            ));
        }
        if let Some(order) = &order {
            let found = world.registry.proposal_of_buy(&world.buyer(), order).await.must();
            if found.as_ref() != Some(&record) {
                return Err(format!("`{order}` leads to {found:?}"));
            }
        }
        let kept = tasks.iter().any(|task| task.proposal == place && !task.ended);
        if kept && record.state != ProposalState::Consuming {
            return Err(format!("an open task keeps `{name}`, which is {:?}", record.state));
        }
    }
    for Placed { key, order, recorded } in placed {
        match world.claim(&key).await {
            Claim::Replay(reply) if recorded && reply["media_buy_id"] == order.as_str() => {}
            Claim::InFlight if !recorded => {}
            other => return Err(format!("the purchase of `{order}` (done: {recorded}) answers {other:?}")),
        }
    }
    let told: usize = tasks.iter().filter(|task| task.ended).count();
    let queued = all_events(world).await;
    if queued != told {
        return Err(format!("{told} tasks ended, {queued} events were queued"));
    }
    nothing_is_stuck(world, &tasks).await
}

async fn all_events(world: &World<'_>) -> usize {
    let req = adcp_core::ListEvents::new(world.operator()).with_limit(1000);
    world.registry.events(req).await.must().len()
}

/// At most one order, by the newest hold, and nobody holds it afterwards.
fn one_purchase(name: &str, entries: &[&Entry]) -> Result<Option<String>, String> {
    let mut order = None;
    for entry in entries {
        let Told::Bought(token, id) = &entry.told else { continue };
        if let Some(before) = order.replace(id.clone()) {
            return Err(format!("`{name}` was bought twice, by {before} and {id}"));
        }
        let holds = || entries.iter().filter(|other| matches!(other.told, Told::Held(_)));
        let Some(held) = holds().find(|other| other.told == Told::Held(*token)) else {
            return Err(format!("`{name}` was bought with a token that nobody was given"));
        };
        if holds().any(|other| other.began > entry.ended) {
            return Err(format!("`{name}` was reserved after it was bought"));
        }
        if holds().any(|other| other.began > held.ended && other.ended < entry.began) {
            return Err(format!("`{name}` was bought with a token that another had replaced"));
        }
    }
    Ok(order)
}

/// Within a round no time passes: whoever takes a proposal after another must have been let in.
fn taken_one_at_a_time(name: &str, entries: &[&Entry]) -> Result<(), String> {
    let mut rounds: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
    for entry in entries {
        let (held, back) = rounds.entry(entry.round).or_default();
        match entry.told {
            Told::Held(_) => *held += 1,
            Told::GivenBack => *back += 1,
            Told::Bought(..) => {}
        }
    }
    for (round, (held, back)) in rounds {
        if held > back + 1 {
            return Err(format!(
                "in round {round} `{name}` was held {held} times and given back {back} times"
            ));
        }
    }
    Ok(())
}

async fn nothing_is_stuck(world: &World<'_>, tasks: &[Issued]) -> Result<(), String> {
    for Issued { name, .. } in tasks.iter().filter(|task| !task.ended) {
        let end =
            FinishTask::new(TaskId::new(name.as_str()), world.operator(), Outcome::Canceled("over".into()));
        world.registry.finish(end).await.must();
    }
    world.pass(MINUTE).await;
    for name in NAMES {
        match world.reserve(name).await {
            Ok(_) | Err(ProposalRefusal::Consumed) => {}
            Err(refusal) => return Err(format!("`{name}` is stuck without a holder: {refusal}")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(began: u64, ended: u64, told: Told) -> Entry {
        Entry { round: 0, began, ended, proposal: 0, told }
    }

    #[test]
    fn the_judge_finds_what_must_not_be() {
        let bought = |token, order: &str| Told::Bought([token; 16], order.into());
        let held = |token| Told::Held([token; 16]);
        let cases = [
            (vec![(0, 1, held(1)), (2, 3, bought(1, "x"))], None),
            (vec![(0, 1, held(1)), (2, 3, bought(1, "x")), (4, 5, bought(1, "y"))], Some("bought twice")),
            (vec![(0, 1, held(1)), (2, 3, bought(2, "x"))], Some("nobody was given")),
            (vec![(0, 1, held(1)), (2, 3, bought(1, "x")), (4, 5, held(2))], Some("after it was bought")),
            (vec![(0, 1, held(1)), (2, 3, held(2)), (4, 5, bought(1, "x"))], Some("had replaced")),
            (vec![(0, 1, held(1)), (2, 3, held(2))], Some("held 2 times")),
            (vec![(0, 1, held(1)), (2, 3, Told::GivenBack), (4, 5, held(2))], None),
        ];
        for (told, fault) in cases {
            let entries: Vec<_> =
                told.into_iter().map(|(began, ended, told)| entry(began, ended, told)).collect();
            let entries: Vec<_> = entries.iter().collect();
            let found = one_purchase("a", &entries).and_then(|_| taken_one_at_a_time("a", &entries));
            match fault {
                None => assert_eq!(found, Ok(()), "{entries:?}"),
                Some(words) => assert!(found.unwrap_err().contains(words), "{entries:?}"),
            }
        }
    }
}
