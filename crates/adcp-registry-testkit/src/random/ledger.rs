//! A few proposals under random steps, one after another.

use adcp_core::{
    Effect, Effects, Hold, Outcome, ProposalRefusal, ProposalState, RegistryError, ReserveProposal, Reserved,
    Timestamp,
};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::subsequence;

use super::cases::{Cases, agree};
use crate::Harness;
use crate::world::{MINUTE, Must, World, bought, commits, firm_offer, offer, offers};

const NAMES: [&str; 3] = ["a", "b", "c"];
/// Minutes that a hold lasts, and that a draft is kept.
const LEASE: u64 = 30;
const KEEP: u64 = 24 * 60;

/// Places among holds and tasks are taken modulo their number.
#[derive(Debug, Clone)]
enum Step {
    Offer(Vec<usize>),
    OfferFirm(Vec<usize>, u64),
    Commit(Vec<usize>, u64),
    Reserve(usize),
    Renew(usize),
    Consume(usize, usize),
    Release(usize),
    Issue(usize),
    End(usize, bool),
    Pass(u32),
}

fn steps() -> impl Strategy<Value = Step> {
    let some = || subsequence(vec![0, 1, 2], 1..=3);
    let until = || prop_oneof![Just(60), Just(600), Just(3000)];
    prop_oneof![
        2 => some().prop_map(Step::Offer),
        2 => (some(), until()).prop_map(|(which, until)| Step::OfferFirm(which, until)),
        2 => (some(), until()).prop_map(|(which, until)| Step::Commit(which, until)),
        6 => (0..NAMES.len()).prop_map(Step::Reserve),
        2 => (0_usize..8).prop_map(Step::Renew),
        3 => (0_usize..8, 0_usize..2).prop_map(|(hold, order)| Step::Consume(hold, order)),
        2 => (0_usize..8).prop_map(Step::Release),
        3 => (0_usize..8).prop_map(Step::Issue),
        3 => (0_usize..8, any::<bool>()).prop_map(|(task, good)| Step::End(task, good)),
        2 => (1_u32..100).prop_map(Step::Pass),
    ]
}

#[derive(Debug, Clone, PartialEq)]
enum Row {
    Absent,
    Draft { forget: u64 },
    Committed { until: u64 },
    Consuming { until: u64, hold: usize, lease: Option<u64> },
    Consumed { order: usize, until: u64 },
}

#[derive(Clone)]
struct Model {
    now: u64,
    rows: [Row; 3],
    /// The proposal of each hold that was given.
    holds: Vec<usize>,
    /// The hold of each task that was issued, and whether it is open.
    tasks: Vec<(usize, bool)>,
}

type Word = String;

fn done() -> Word {
    "done".into()
}

impl Model {
    fn settle_time(&mut self) {
        for row in &mut self.rows {
            if matches!(row, Row::Draft { forget } if *forget <= self.now) {
                *row = Row::Absent;
            }
        }
    }

    fn take(&mut self, step: &Step) -> Word {
        match step {
            Step::Offer(which) => {
                for place in which {
                    if matches!(self.rows[*place], Row::Absent | Row::Draft { .. }) {
                        self.rows[*place] = Row::Draft { forget: self.now + KEEP };
                    }
                }
                done()
            }
            Step::OfferFirm(which, until) => {
                for place in which {
                    if matches!(self.rows[*place], Row::Absent | Row::Draft { .. }) {
                        self.rows[*place] = Row::Committed { until: *until };
                    }
                }
                done()
            }
            Step::Commit(which, until) => {
                let before = self.rows.clone();
                for place in which {
                    let refusal = match self.rows[*place] {
                        Row::Draft { .. } => {
                            self.rows[*place] = Row::Committed { until: *until };
                            continue;
                        }
                        Row::Committed { until: firm } if firm == *until => continue,
                        Row::Absent => ProposalRefusal::Unknown,
                        Row::Committed { .. } => ProposalRefusal::Committed,
                        Row::Consuming { .. } => ProposalRefusal::Consuming,
                        Row::Consumed { .. } => ProposalRefusal::Consumed,
                    };
                    self.rows = before;
                    return format!("{refusal:?}");
                }
                done()
            }
            Step::Reserve(place) => {
                let until = match self.rows[*place] {
                    Row::Absent => return format!("{:?}", ProposalRefusal::Unknown),
                    Row::Draft { .. } => return format!("{:?}", ProposalRefusal::Draft),
                    Row::Consumed { .. } => return format!("{:?}", ProposalRefusal::Consumed),
                    Row::Consuming { lease, .. } if lease.is_none_or(|lease| lease > self.now) => {
                        return format!("{:?}", ProposalRefusal::Consuming);
                    }
                    Row::Consuming { until, .. } | Row::Committed { until } => until,
                };
                if self.now > until {
                    return format!("{:?}", ProposalRefusal::Expired);
                }
                self.holds.push(*place);
                let hold = self.holds.len() - 1;
                self.rows[*place] = Row::Consuming { until, hold, lease: Some(self.now + LEASE) };
                done()
            }
            Step::Renew(hold) => {
                let Some(hold) = nth(*hold, self.holds.len()) else { return done() };
                match &mut self.rows[self.holds[hold]] {
                    Row::Consuming { hold: holder, lease, .. } if *holder == hold => match lease {
                        None => done(),
                        Some(until) if *until > self.now => {
                            *until = self.now + LEASE;
                            done()
                        }
                        Some(_) => lost(),
                    },
                    _ => lost(),
                }
            }
            Step::Consume(hold, order) => match nth(*hold, self.holds.len()) {
                Some(hold) => self.consume(hold, *order),
                None => done(),
            },
            Step::Release(hold) => {
                if let Some(hold) = nth(*hold, self.holds.len()) {
                    self.release(hold);
                }
                done()
            }
            Step::Issue(hold) => {
                let Some(hold) = nth(*hold, self.holds.len()) else { return done() };
                match &mut self.rows[self.holds[hold]] {
                    Row::Consuming { hold: holder, lease, .. }
                        if *holder == hold && lease.is_some_and(|until| until > self.now) =>
                    {
                        *lease = None;
                        self.tasks.push((hold, true));
                        done()
                    }
                    _ => lost(),
                }
            }
            Step::End(task, good) => {
                let Some(task) = nth(*task, self.tasks.len()) else { return done() };
                let (hold, open) = self.tasks[task];
                if !open {
                    return "ended".into();
                }
                let word = if *good { self.consume(hold, 10 + task) } else { done() };
                if word == done() {
                    self.tasks[task].1 = false;
                    if !*good {
                        self.release(hold);
                    }
                }
                word
            }
            Step::Pass(minutes) => {
                self.now += u64::from(*minutes);
                self.settle_time();
                done()
            }
        }
    }

    fn consume(&mut self, hold: usize, order: usize) -> Word {
        let row = &mut self.rows[self.holds[hold]];
        match row {
            Row::Consumed { order: before, .. } if *before == order => done(),
            Row::Consumed { .. } => format!("{:?}", ProposalRefusal::Consumed),
            Row::Consuming { hold: holder, until, .. } if *holder == hold => {
                *row = Row::Consumed { order, until: *until };
                done()
            }
            _ => lost(),
        }
    }

    fn release(&mut self, hold: usize) {
        let row = &mut self.rows[self.holds[hold]];
        if let Row::Consuming { hold: holder, until, .. } = row
            && *holder == hold
        {
            *row = Row::Committed { until: *until };
        }
    }
}

fn lost() -> Word {
    format!("{:?}", ProposalRefusal::HoldLost)
}

fn nth(place: usize, of: usize) -> Option<usize> {
    (of > 0).then(|| place % of)
}

/// What the steps run against.
struct Store<'a> {
    world: World<'a>,
    began: Timestamp,
    holds: Vec<Hold>,
    tasks: usize,
    /// Minutes that passed.
    passed: u32,
}

impl Store<'_> {
    async fn take(&mut self, step: &Step) -> Word {
        let (world, buyer) = (&self.world, self.world.buyer());
        let now = self.began.after(MINUTE * self.passed);
        let names = |which: &[usize]| which.iter().map(|place| NAMES[*place]).collect::<Vec<_>>();
        // Half a minute off, so that no step falls on the instant of an expiry.
        let at = |minutes: u64| self.began.after(MINUTE * u32::try_from(minutes).must() + MINUTE / 2);
        match step {
            Step::Offer(which) => {
                word(world.apply(offers(&buyer, &offer(&names(which), "offered"), now)).await)
            }
            Step::OfferFirm(which, until) => {
                word(world.apply(offers(&buyer, &firm_offer(&names(which), at(*until)), now)).await)
            }
            Step::Commit(which, until) => {
                word(world.apply(commits(&buyer, &names(which), at(*until), now)).await)
            }
            Step::Reserve(place) => {
                let req = ReserveProposal::new(world.proposal_key(NAMES[*place]));
                match world.registry.reserve(req.with_lease(MINUTE * 30)).await {
                    Ok(Reserved::Held { hold, .. }) => {
                        self.holds.push(hold);
                        done()
                    }
                    Ok(Reserved::Refused(refusal)) => format!("{refusal:?}"),
                    Err(error) => error.to_string(),
                }
            }
            Step::Renew(hold) => match nth(*hold, self.holds.len()) {
                Some(hold) => word(world.registry.renew_hold(&self.holds[hold], MINUTE * 30).await),
                None => done(),
            },
            Step::Consume(hold, order) => match nth(*hold, self.holds.len()) {
                Some(hold) => {
                    word(world.apply(vec![world.consume(&self.holds[hold], &name_of(*order))]).await)
                }
                None => done(),
            },
            Step::Release(hold) => match nth(*hold, self.holds.len()) {
                Some(hold) => {
                    word(world.apply(vec![Effect::Release { hold: self.holds[hold].clone() }]).await)
                }
                None => done(),
            },
            Step::Issue(hold) => {
                let Some(hold) = nth(*hold, self.holds.len()) else { return done() };
                let effects = Effects::none().with_purchase(self.holds[hold].clone());
                let task = world.task(&format!("t{}", self.tasks)).with_effects(effects);
                let word = word(world.registry.issue(task).await);
                self.tasks += usize::from(word == done());
                word
            }
            Step::End(task, good) => {
                let Some(task) = nth(*task, self.tasks) else { return done() };
                let canceled = Outcome::Canceled(format!("{good}"));
                let outcome = if *good { bought(&name_of(10 + task)) } else { canceled };
                match world.finish(&format!("t{task}"), outcome).await {
                    Ok(adcp_core::Finished::Before) => "ended".into(),
                    other => word(other),
                }
            }
            Step::Pass(minutes) => {
                world.pass(MINUTE * *minutes).await;
                self.passed += minutes;
                done()
            }
        }
    }

    async fn compare(&self, step: &Step, model: &Model) -> Result<(), String> {
        for (name, row) in NAMES.iter().zip(&model.rows) {
            let found = self.world.proposal(name).await;
            let state = found.as_ref().map(|record| record.state);
            let want = match row {
                Row::Absent => None,
                Row::Draft { .. } => Some(ProposalState::Draft),
                Row::Committed { .. } => Some(ProposalState::Committed),
                Row::Consuming { .. } => Some(ProposalState::Consuming),
                Row::Consumed { .. } => Some(ProposalState::Consumed),
            };
            agree(step, &format!("`{name}`"), &state, &want)?;
            let Some(record) = found else { continue };
            let (until, hold, order) = match row {
                Row::Absent | Row::Draft { .. } => (None, None, None),
                Row::Committed { until } => (Some(until), None, None),
                Row::Consuming { until, hold, .. } => (Some(until), Some(self.holds[*hold].token), None),
                Row::Consumed { until, order } => (Some(until), None, Some(name_of(*order))),
            };
            let expires = record.expires_at.map(|at| at.since(self.began).as_secs() / 60);
            agree(step, &format!("the expiry of `{name}`"), &expires, &until.copied())?;
            agree(step, &format!("the hold on `{name}`"), &record.hold, &hold)?;
            agree(step, &format!("the order of `{name}`"), &record.media_buy_id, &order)?;
            if let Some(order) = order {
                let found = self.world.registry.proposal_of_buy(&self.world.buyer(), &order).await.must();
                agree(step, &format!("what `{order}` bought"), &found.map(|found| found.state), &state)?;
            }
        }
        Ok(())
    }

    /// When nobody is left who could end a purchase, every proposal is bought, expired, or can be bought.
    async fn nothing_is_stuck(&mut self) -> Result<(), String> {
        for task in 0..self.tasks {
            let end = self.world.finish(&format!("t{task}"), Outcome::Canceled("over".into())).await;
            if !matches!(end, Ok(_) | Err(RegistryError::AlreadyEnded(_))) {
                return Err(format!("an open task cannot be canceled: {end:?}"));
            }
        }
        self.world.pass(MINUTE * 30).await;
        for name in NAMES {
            if let Err(refusal @ (ProposalRefusal::Consuming | ProposalRefusal::HoldLost)) =
                self.world.reserve(name).await
            {
                return Err(format!("`{name}` is stuck without a holder: {refusal}"));
            }
        }
        Ok(())
    }
}

fn name_of(order: usize) -> String {
    format!("mb_{order}")
}

fn word<T>(result: Result<T, RegistryError>) -> Word {
    match result {
        Ok(_) => done(),
        Err(RegistryError::Proposal(refusal)) => format!("{refusal:?}"),
        Err(RegistryError::AlreadyEnded(_)) => "ended".into(),
        Err(error) => error.to_string(),
    }
}

/// Proposals under random steps agree with a model of the ledger after each, and none is stuck in the end.
pub async fn random_ledgers_agree_with_a_model(harness: &dyn Harness) {
    random_ledgers_agree_with_a_model_in(harness, Cases::new(100)).await;
}

/// [`random_ledgers_agree_with_a_model`] with cases of the caller's choice.
pub async fn random_ledgers_agree_with_a_model_in(harness: &dyn Harness, cases: Cases) {
    cases.explore(vec(steps(), 1..40), async |steps| walk(World::new(harness), steps).await).await;
}

async fn walk(world: World<'_>, steps: &[Step]) -> Result<(), String> {
    let began = world.now().await;
    let mut store = Store { world, began, holds: Vec::new(), tasks: 0, passed: 0 };
    let mut model =
        Model { now: 0, rows: [Row::Absent, Row::Absent, Row::Absent], holds: Vec::new(), tasks: Vec::new() };
    let beginning = [Step::Offer(vec![0]), Step::OfferFirm(vec![1, 2], 3000)];
    for step in beginning.iter().chain(steps) {
        let want = model.take(step);
        agree(step, "its result", &store.take(step).await, &want)?;
        store.compare(step, &model).await?;
    }
    store.nothing_is_stuck().await
}
