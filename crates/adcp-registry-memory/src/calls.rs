//! The table of idempotency keys.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use adcp_core::{
    CallKey, Claim, ClaimCall, RegistryError, Resolution, Settlement, TenantId, Ticket, Timestamp,
    UnresolvedCall, random_bytes,
};

use crate::config::MemoryLimits;
use crate::share::{Buyer, Shares, buyer};

/// Rows that a claim forgets at most, so that a table that fills makes room.
const MADE_ROOM: usize = 1000;

#[derive(Default)]
pub(crate) struct Calls {
    rows: HashMap<CallKey, Row>,
    /// Rows without a known outcome, by when they were claimed. The number tells rows of one instant apart.
    unresolved: BTreeMap<(Timestamp, u64), CallKey>,
    /// The others, by when they may be forgotten.
    forget: BTreeMap<(Timestamp, u64), CallKey>,
    shares: Shares<Buyer>,
    reply_shares: Shares<Buyer>,
    counter: u64,
}

struct Row {
    tool: String,
    claimed: Timestamp,
    number: u64,
    hash: [u8; 32],
    token: [u8; 16],
    state: State,
    expires: Timestamp,
    forget_at: Timestamp,
}

enum State {
    Running,
    Fenced,
    /// An operator found out that it took effect; there is no reply to give.
    Settled,
    Replied(Box<[u8]>),
}

/// A row whose ticket was checked and not yet used.
pub(crate) struct Held(CallKey);

impl Calls {
    pub(crate) fn claim(
        &mut self,
        req: ClaimCall,
        now: Timestamp,
        limits: &MemoryLimits,
    ) -> Result<Claim, RegistryError> {
        match self.rows.get(&req.key) {
            Some(row) if row.may_go(now) => self.remove(&req.key),
            Some(row) => return row.answer(&req.hash, now),
            None => {}
        }
        let fills = self.rows.len() > limits.max_calls / 2;
        if fills || self.reply_shares.total() > limits.max_reply_bytes / 2 {
            self.forget(now, MADE_ROOM);
        }
        let buyer = buyer(&req.key.owner);
        self.shares.admit(&buyer, 1, limits.max_calls, "idempotency keys")?;
        // How long the reply will be is not known yet; a reply that is there is never refused.
        self.reply_shares.admit(&buyer, 1, limits.max_reply_bytes, "recorded replies")?;
        let token = random_bytes::<16>()
            .map_err(|source| RegistryError::Unavailable { op: "claim_call", source: Box::new(source) })?;
        let expires = now.after(req.ttl);
        self.counter += 1;
        // For one more lifetime the key answers that it expired, instead of running again.
        let forget_at = expires.after(req.ttl.max(Duration::from_secs(60)));
        self.unresolved.insert((now, self.counter), req.key.clone());
        let row = Row {
            tool: req.tool,
            claimed: now,
            number: self.counter,
            hash: req.hash,
            token,
            state: State::Running,
            expires,
            forget_at,
        };
        self.rows.insert(req.key.clone(), row);
        self.shares.add(buyer, 1);
        Ok(Claim::First(Ticket::new(req.key, token)))
    }

    /// Checks a ticket without using it.
    pub(crate) fn held(&self, ticket: &Ticket) -> Result<Held, RegistryError> {
        match self.rows.get(&ticket.key) {
            Some(row) if row.token == ticket.token && matches!(row.state, State::Running) => {
                Ok(Held(ticket.key.clone()))
            }
            _ => Err(RegistryError::StaleTicket),
        }
    }

    /// Settles a row whose ticket was checked; cannot fail.
    pub(crate) fn settle(&mut self, held: &Held, settlement: &Settlement, text: Option<Box<[u8]>>) {
        let state = match (settlement, text) {
            (Settlement::Released, _) => return self.remove(&held.0),
            (Settlement::Replied(_), Some(text)) => State::Replied(text),
            (Settlement::Replied(_) | Settlement::Fenced, _) => State::Fenced,
        };
        self.reply_shares.add(buyer(&held.0.owner), state.bytes());
        self.enter(&held.0, state);
    }

    /// Gives a row another state, and its place in the index that belongs to it.
    fn enter(&mut self, key: &CallKey, state: State) {
        if let Some(row) = self.rows.get_mut(key) {
            row.state = state;
            if !row.is_unresolved() {
                self.unresolved.remove(&(row.claimed, row.number));
                self.forget.insert((row.forget_at, row.number), key.clone());
            }
        }
    }

    /// The reply as it is kept, made before anything is written because it can fail.
    pub(crate) fn text(settlement: &Settlement) -> Result<Option<Box<[u8]>>, RegistryError> {
        match settlement {
            Settlement::Replied(reply) => serde_json::to_vec(reply)
                .map(|text| Some(text.into_boxed_slice()))
                .map_err(|source| RegistryError::Corrupt { what: "reply", source: Box::new(source) }),
            Settlement::Released | Settlement::Fenced => Ok(None),
        }
    }

    /// Keys without a known outcome, oldest first.
    pub(crate) fn unresolved(&self, tenant: &TenantId, limit: usize) -> Vec<UnresolvedCall> {
        let ours = self.unresolved.values().filter(|key| key.owner.tenant == *tenant);
        let call = |key: &CallKey| {
            let row = self.rows.get(key)?;
            let fenced = matches!(row.state, State::Fenced);
            Some(UnresolvedCall::new(key.clone(), row.tool.as_str(), row.claimed, fenced))
        };
        ours.filter_map(call).take(limit).collect()
    }

    pub(crate) fn resolve(&mut self, key: &CallKey, resolution: Resolution) -> bool {
        match self.rows.get(key) {
            Some(row) if row.is_unresolved() => match resolution {
                Resolution::Succeeded => self.enter(key, State::Settled),
                Resolution::Released => self.remove(key),
            },
            _ => return false,
        }
        true
    }

    /// Forgets keys whose time is over twice, and says how many.
    pub(crate) fn forget(&mut self, now: Timestamp, limit: usize) -> usize {
        for gone in 0..limit {
            match self.forget.first_key_value() {
                Some(((at, _), key)) if *at <= now => self.remove(&key.clone()),
                _ => return gone,
            }
        }
        limit
    }

    /// How many keys have no known outcome, and since when the oldest waits for one.
    pub(crate) fn waiting(&self) -> (usize, Option<Timestamp>) {
        (self.unresolved.len(), self.unresolved.first_key_value().map(|((claimed, _), _)| *claimed))
    }

    /// When the first key may be forgotten.
    pub(crate) fn first_to_forget(&self) -> Option<Timestamp> {
        self.forget.first_key_value().map(|((at, _), _)| *at)
    }

    fn remove(&mut self, key: &CallKey) {
        if let Some(row) = self.rows.remove(key) {
            self.forget.remove(&(row.forget_at, row.number));
            self.unresolved.remove(&(row.claimed, row.number));
            let buyer = buyer(&key.owner);
            self.shares.give_back(&buyer, 1);
            self.reply_shares.give_back(&buyer, row.state.bytes());
        }
    }
}

impl Row {
    /// Whether nobody knows what became of the call. Such a row is not forgotten.
    fn is_unresolved(&self) -> bool {
        matches!(self.state, State::Running | State::Fenced)
    }

    fn may_go(&self, now: Timestamp) -> bool {
        !self.is_unresolved() && self.forget_at <= now
    }

    fn answer(&self, hash: &[u8; 32], now: Timestamp) -> Result<Claim, RegistryError> {
        if now >= self.expires {
            return Ok(Claim::Expired);
        }
        if self.hash != *hash {
            return Ok(Claim::Conflict);
        }
        match &self.state {
            State::Running | State::Fenced => Ok(Claim::InFlight),
            State::Settled => Ok(Claim::Expired),
            State::Replied(bytes) => serde_json::from_slice(bytes)
                .map(Claim::Replay)
                .map_err(|source| RegistryError::Corrupt { what: "reply", source: Box::new(source) }),
        }
    }
}

impl State {
    fn bytes(&self) -> usize {
        match self {
            Self::Replied(bytes) => bytes.len(),
            Self::Running | Self::Fenced | Self::Settled => 0,
        }
    }
}
