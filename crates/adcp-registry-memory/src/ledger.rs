//! The table of proposals. A step is planned on copies first, so that a refusal leaves nothing half-written.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use adcp_core::{
    AccountId, Effect, Effects, Event, Hold, Owner, Principal, ProposalKey, ProposalRecord, ProposalRefusal,
    ProposalState, RegistryError, ReserveProposal, Reserved, TenantId, Timestamp, random_bytes,
};

use crate::config::MemoryLimits;
use crate::share::Shares;

/// Rows that one step forgets at most, so that a table that fills makes room.
const MADE_ROOM: usize = 1000;

#[derive(Default)]
pub(crate) struct Ledger {
    rows: HashMap<ProposalKey, ProposalRecord>,
    by_buy: HashMap<Buy, ProposalKey>,
    forget: BTreeSet<(Timestamp, ProposalKey)>,
    shares: Shares<Holder>,
}

/// Whom proposals are offered to: an account, or a principal without one.
type Holder = (TenantId, Option<AccountId>, Option<Principal>);

/// An order, as its owner names it. The principal tells owners apart that have no account.
type Buy = (TenantId, Option<AccountId>, Option<Principal>, String);

/// What a step will write, every part of it checked.
#[derive(Default)]
pub(crate) struct Plan {
    changed: HashMap<ProposalKey, ProposalRecord>,
    pub(crate) events: Vec<Event>,
}

impl Ledger {
    /// A row whose time is not over: one that may be forgotten is as good as gone.
    pub(crate) fn get(&self, key: &ProposalKey, now: Timestamp) -> Option<&ProposalRecord> {
        self.rows.get(key).filter(|row| row.forget_at > now)
    }

    pub(crate) fn of_buy(
        &self,
        owner: &Owner,
        media_buy_id: &str,
        now: Timestamp,
    ) -> Option<&ProposalRecord> {
        self.get(self.by_buy.get(&buy(owner, media_buy_id))?, now)
    }

    pub(crate) fn reserve(
        &mut self,
        req: &ReserveProposal,
        now: Timestamp,
    ) -> Result<Reserved, RegistryError> {
        let token = random_bytes::<16>()
            .map_err(|source| RegistryError::Unavailable { op: "reserve", source: Box::new(source) })?;
        let Some(row) = self.get(&req.key, now) else {
            return Ok(Reserved::Refused(ProposalRefusal::Unknown));
        };
        let mut row = row.clone();
        if let Err(refusal) = row.reserve(token, req.lease, req.grace, now) {
            return Ok(Reserved::Refused(refusal));
        }
        self.put(row.clone());
        Ok(Reserved::Held { hold: Hold::new(req.key.clone(), token), proposal: Box::new(row) })
    }

    /// Lengthens a hold, or leaves it to a task. Checked and written in one go.
    pub(crate) fn renew(
        &mut self,
        hold: &Hold,
        lease: Option<std::time::Duration>,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let mut row =
            self.get(&hold.key, now).cloned().ok_or(RegistryError::Proposal(ProposalRefusal::HoldLost))?;
        row.renew(&hold.token, lease, now).map_err(RegistryError::Proposal)?;
        self.put(row);
        Ok(())
    }

    /// Keeps the drafts that a task may change for as long as that takes.
    pub(crate) fn await_task(&mut self, effects: &Effects, now: Timestamp) {
        for key in effects.awaited() {
            if let Some(mut row) = self.get(key, now).cloned() {
                row.await_task(now);
                self.put(row);
            }
        }
    }

    /// Checks every effect without writing any.
    pub(crate) fn plan(
        &self,
        effects: Vec<Effect>,
        now: Timestamp,
        limits: &MemoryLimits,
    ) -> Result<Plan, RegistryError> {
        let mut plan = Plan::default();
        for effect in effects {
            match effect {
                Effect::Queue(event) => plan.events.push(event),
                Effect::Consume { hold, buyer, media_buy_id, packages } => {
                    self.change(&mut plan, &hold.key, now, |row| {
                        row.consume(&hold.token, &buyer, &media_buy_id, packages, now)
                    })?
                }
                Effect::Release { hold } => {
                    let give_back = |row: &mut ProposalRecord| {
                        row.release(&hold.token, now);
                        Ok(())
                    };
                    match self.change(&mut plan, &hold.key, now, give_back) {
                        Ok(()) | Err(RegistryError::Proposal(ProposalRefusal::Unknown)) => {}
                        Err(error) => return Err(error),
                    }
                }
                Effect::Commit(commit) => {
                    let key = commit.key.clone();
                    self.change(&mut plan, &key, now, |row| row.commit(commit, now))?;
                }
                Effect::Offer(draft) => {
                    let known =
                        plan.changed.remove(&draft.key).or_else(|| self.get(&draft.key, now).cloned());
                    let row = match known {
                        Some(mut row) => {
                            row.offer_again(draft, now);
                            row
                        }
                        None => ProposalRecord::offered(draft, now),
                    };
                    plan.changed.insert(row.key.clone(), row);
                }
            }
        }
        // A step is one buyer's, so its new proposals have one holder.
        let mut added = plan.changed.keys().filter(|key| !self.rows.contains_key(key));
        if let Some(first) = added.next() {
            self.shares.admit(&holder(first), 1 + added.count(), limits.max_proposals, "proposals")?;
        }
        Ok(plan)
    }

    /// Writes what was planned and hands the events on; cannot fail.
    pub(crate) fn apply(&mut self, plan: Plan) -> Vec<Event> {
        for row in plan.changed.into_values() {
            self.put(row);
        }
        plan.events
    }

    /// Forgets what its time allows, and says how much.
    pub(crate) fn forget(&mut self, now: Timestamp, limit: usize) -> usize {
        for gone in 0..limit {
            match self.forget.first().cloned() {
                Some((at, key)) if at <= now => self.remove(&key),
                _ => return gone,
            }
        }
        limit
    }

    /// When the first proposal may be forgotten.
    pub(crate) fn first_to_forget(&self) -> Option<Timestamp> {
        self.forget.first().map(|(at, _)| *at)
    }

    /// Makes room in a table that fills.
    pub(crate) fn tidy(&mut self, now: Timestamp, limits: &MemoryLimits) {
        if self.rows.len() > limits.max_proposals / 2 {
            self.forget(now, MADE_ROOM);
        }
    }

    fn remove(&mut self, key: &ProposalKey) {
        if let Some(row) = self.rows.remove(key) {
            self.forget.remove(&(row.forget_at, key.clone()));
            self.shares.give_back(&holder(key), 1);
            self.unlink(&row);
        }
    }

    /// The order of a purchase leads to it no more.
    fn unlink(&mut self, row: &ProposalRecord) {
        if let (Some(buyer), Some(id)) = (&row.buyer, &row.media_buy_id)
            && let Entry::Occupied(found) = self.by_buy.entry(buy(buyer, id))
            && *found.get() == row.key
        {
            found.remove();
        }
    }

    fn change(
        &self,
        plan: &mut Plan,
        key: &ProposalKey,
        now: Timestamp,
        step: impl FnOnce(&mut ProposalRecord) -> Result<(), ProposalRefusal>,
    ) -> Result<(), RegistryError> {
        let known = plan.changed.get(key).or_else(|| self.get(key, now)).cloned();
        let mut row = known.ok_or(RegistryError::Proposal(ProposalRefusal::Unknown))?;
        step(&mut row).map_err(RegistryError::Proposal)?;
        plan.changed.insert(key.clone(), row);
        Ok(())
    }

    fn put(&mut self, row: ProposalRecord) {
        if let Some(old) = self.rows.remove(&row.key) {
            self.forget.remove(&(old.forget_at, row.key.clone()));
            self.unlink(&old);
        } else {
            self.shares.add(holder(&row.key), 1);
        }
        self.forget.insert((row.forget_at, row.key.clone()));
        if let (ProposalState::Consumed, Some(buyer), Some(id)) = (row.state, &row.buyer, &row.media_buy_id) {
            self.by_buy.insert(buy(buyer, id), row.key.clone());
        }
        self.rows.insert(row.key.clone(), row);
    }
}

fn holder(key: &ProposalKey) -> Holder {
    (key.tenant.clone(), key.account.clone(), key.principal.clone())
}

fn buy(owner: &Owner, media_buy_id: &str) -> Buy {
    let principal = owner.account.is_none().then(|| owner.principal.clone());
    (owner.tenant.clone(), owner.account.clone(), principal, media_buy_id.to_owned())
}
