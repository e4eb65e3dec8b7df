//! The table of idempotency keys.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use adcp_core::{
    CallKey, Claim, ClaimCall, RegistryError, Resolution, Settlement, TenantId, Ticket, Timestamp,
    UnresolvedCall, random_bytes,
};

use crate::config::MemoryLimits;
use crate::share::{Buyer, Shares, buyer};

#[derive(Default)]
pub(crate) struct Calls {
    rows: HashMap<CallKey, Row>,
    /// When each row may be forgotten. The number tells rows of one instant apart.
    forget: BTreeMap<(Timestamp, u64), CallKey>,
    shares: Shares<Buyer>,
    reply_shares: Shares<Buyer>,
    counter: u64,
}

struct Row {
    tool: String,
    claimed: Timestamp,
    hash: [u8; 32],
    token: [u8; 16],
    state: State,
    expires: Timestamp,
    forget: (Timestamp, u64),
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
        if let Some(row) = self.rows.get(&req.key) {
            return row.answer(&req.hash, now);
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
        let forget = (expires.after(req.ttl.max(Duration::from_secs(60))), self.counter);
        self.forget.insert(forget, req.key.clone());
        let row = Row {
            tool: req.tool,
            claimed: now,
            hash: req.hash,
            token,
            state: State::Running,
            expires,
            forget,
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
        if let Some(row) = self.rows.get_mut(&held.0) {
            self.reply_shares.add(buyer(&held.0.owner), state.bytes());
            row.state = state;
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
        let open = |row: &Row| matches!(row.state, State::Running | State::Fenced);
        let mut found: Vec<_> =
            self.rows.iter().filter(|(key, row)| key.owner.tenant == *tenant && open(row)).collect();
        found
            .sort_unstable_by(|(a_key, a), (b_key, b)| (a.claimed, &a_key.key).cmp(&(b.claimed, &b_key.key)));
        let call = |(key, row): (&CallKey, &Row)| {
            UnresolvedCall::new(
                key.clone(),
                row.tool.as_str(),
                row.claimed,
                matches!(row.state, State::Fenced),
            )
        };
        found.into_iter().take(limit).map(call).collect()
    }

    pub(crate) fn resolve(&mut self, key: &CallKey, resolution: Resolution) -> bool {
        match self.rows.get_mut(key) {
            Some(row) if matches!(row.state, State::Running | State::Fenced) => match resolution {
                Resolution::Succeeded => row.state = State::Settled,
                Resolution::Released => self.remove(key),
            },
            _ => return false,
        }
        true
    }

    /// Forgets keys whose time is over twice.
    pub(crate) fn forget_old(&mut self, now: Timestamp) {
        while let Some(entry) = self.forget.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let key = entry.get().clone();
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &CallKey) {
        if let Some(row) = self.rows.remove(key) {
            self.forget.remove(&row.forget);
            let buyer = buyer(&key.owner);
            self.shares.give_back(&buyer, 1);
            self.reply_shares.give_back(&buyer, row.state.bytes());
        }
    }
}

impl Row {
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
