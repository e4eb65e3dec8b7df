//! The table of idempotency keys.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use adcp_core::{CallKey, Claim, ClaimCall, RegistryError, Settlement, Ticket, Timestamp, random_bytes};

use crate::config::MemoryLimits;

#[derive(Default)]
pub(crate) struct Calls {
    rows: HashMap<CallKey, Row>,
    /// When each row may be forgotten. The number tells rows of one instant apart.
    forget: BTreeMap<(Timestamp, u64), CallKey>,
    reply_bytes: usize,
    counter: u64,
}

struct Row {
    hash: [u8; 32],
    token: [u8; 16],
    state: State,
    expires: Timestamp,
    forget: (Timestamp, u64),
}

enum State {
    Running,
    Fenced,
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
        self.forget_old(now);
        if let Some(row) = self.rows.get(&req.key) {
            return row.answer(&req.hash, now);
        }
        if self.rows.len() >= limits.max_calls {
            return Err(RegistryError::Full { what: "idempotency keys" });
        }
        if self.reply_bytes >= limits.max_reply_bytes {
            return Err(RegistryError::Full { what: "recorded replies" });
        }
        let token = random_bytes::<16>()
            .map_err(|source| RegistryError::Unavailable { op: "claim_call", source: Box::new(source) })?;
        let expires = now.after(req.ttl);
        self.counter += 1;
        // For one more lifetime the key answers that it expired, instead of running again.
        let forget = (expires.after(req.ttl.max(Duration::from_secs(60))), self.counter);
        self.forget.insert(forget, req.key.clone());
        self.rows
            .insert(req.key.clone(), Row { hash: req.hash, token, state: State::Running, expires, forget });
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

    pub(crate) fn settle(&mut self, held: &Held, settlement: &Settlement) -> Result<(), RegistryError> {
        let state = match settlement {
            Settlement::Replied(reply) => State::Replied(
                serde_json::to_vec(reply)
                    .map_err(|source| RegistryError::Corrupt { what: "reply", source: Box::new(source) })?
                    .into_boxed_slice(),
            ),
            Settlement::Fenced => State::Fenced,
            Settlement::Released => {
                self.remove(&held.0);
                return Ok(());
            }
        };
        if let Some(row) = self.rows.get_mut(&held.0) {
            self.reply_bytes += state.bytes();
            row.state = state;
        }
        Ok(())
    }

    fn forget_old(&mut self, now: Timestamp) {
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
            self.reply_bytes -= row.state.bytes();
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
            Self::Running | Self::Fenced => 0,
        }
    }
}
