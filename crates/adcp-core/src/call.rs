//! Idempotent calls: who asked first, and what was answered.

use std::time::Duration;

use adcp_types::json::JsonObject;

use crate::Owner;

/// What makes two calls the same call: the caller and the key the buyer chose.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CallKey {
    /// Tenant, account and principal.
    pub owner: Owner,
    /// The buyer's `idempotency_key`.
    pub key: String,
    /// The conversation, for tools whose keys count within one.
    pub session: Option<String>,
}

impl CallKey {
    /// The key `key` of `owner`.
    #[must_use]
    pub fn new(owner: Owner, key: impl Into<String>) -> Self {
        Self { owner, key: key.into(), session: None }
    }

    /// Counts the key within one conversation.
    #[must_use]
    pub fn with_session(mut self, session: Option<String>) -> Self {
        self.session = session;
        self
    }
}

/// Claims a key before the adopter's code runs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClaimCall {
    /// The key.
    pub key: CallKey,
    /// SHA-256 of the tool's name and the canonical request.
    pub hash: [u8; 32],
    /// How long the answer can be replayed, from now.
    pub ttl: Duration,
}

impl ClaimCall {
    /// A claim of `key` for a request with this hash.
    #[must_use]
    pub const fn new(key: CallKey, hash: [u8; 32], ttl: Duration) -> Self {
        Self { key, hash, ttl }
    }
}

/// What a claim found.
#[derive(Debug, Clone)]
#[allow(clippy::exhaustive_enums, reason = "each case decides what the buyer is told")]
pub enum Claim {
    /// Nobody came before: run, then settle, release or fence with this ticket.
    First(Ticket),
    /// The first call still runs, or its outcome is unknown.
    InFlight,
    /// The first call was answered with this.
    Replay(JsonObject),
    /// The key was used for another request.
    Conflict,
    /// The key was used, and its time is over.
    Expired,
}

/// The right to settle a claim. A later holder's ticket makes this one stale.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ticket {
    /// The claimed key.
    pub key: CallKey,
    /// Random token of this claim.
    pub token: [u8; 16],
}

impl Ticket {
    /// The ticket of a claim; registries make these.
    #[must_use]
    pub const fn new(key: CallKey, token: [u8; 16]) -> Self {
        Self { key, token }
    }
}

/// Records how a claimed call ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SettleCall {
    /// The claim.
    pub ticket: Ticket,
    /// What becomes of it.
    pub settlement: Settlement,
}

impl SettleCall {
    /// The settlement of one claim.
    #[must_use]
    pub const fn new(ticket: Ticket, settlement: Settlement) -> Self {
        Self { ticket, settlement }
    }
}

/// What becomes of a claimed key.
#[derive(Debug, Clone)]
#[allow(clippy::exhaustive_enums, reason = "a backend must decide about each")]
pub enum Settlement {
    /// Answered: the reply is replayed from now on.
    Replied(JsonObject),
    /// Failed without effect: the key is free again.
    Released,
    /// Nobody knows what happened: the key is never run again silently.
    Fenced,
}
