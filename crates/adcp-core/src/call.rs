//! Idempotent calls: who asked first, and what was answered.

use std::time::Duration;

use adcp_types::json::JsonObject;

use crate::{Effect, Owner, Timestamp};

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
    /// The tool that is called, for the operator.
    pub tool: String,
    /// SHA-256 of the tool's name and the canonical request.
    pub hash: [u8; 32],
    /// How long the answer can be replayed, from now.
    pub ttl: Duration,
}

impl ClaimCall {
    /// A claim of `key` for a request of `tool` with this hash.
    #[must_use]
    pub fn new(key: CallKey, tool: impl Into<String>, hash: [u8; 32], ttl: Duration) -> Self {
        Self { key, tool: tool.into(), hash, ttl }
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

/// Records how a call ended, with everything its end does in the store: all of it or nothing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SettleCall {
    /// The claim; `None` for a call without a key.
    pub ticket: Option<Ticket>,
    /// What becomes of the claim.
    pub settlement: Settlement,
    /// What else is written in the same step.
    pub effects: Vec<Effect>,
}

impl SettleCall {
    /// The settlement of one claim, or of a call without a key.
    #[must_use]
    pub fn new(ticket: impl Into<Option<Ticket>>, settlement: Settlement) -> Self {
        Self { ticket: ticket.into(), settlement, effects: Vec::new() }
    }

    /// Writes these effects in the same step.
    #[must_use]
    pub fn applying(mut self, effects: Vec<Effect>) -> Self {
        self.effects = effects;
        self
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

/// A key without a known outcome: fenced, or claimed and never settled.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnresolvedCall {
    /// The key.
    pub key: CallKey,
    /// The tool that was called.
    pub tool: String,
    /// When it was claimed, by the registry's clock.
    pub since: Timestamp,
    /// Whether it was fenced; otherwise it runs still, or its process died.
    pub fenced: bool,
}

impl UnresolvedCall {
    /// A key without a known outcome.
    #[must_use]
    pub fn new(key: CallKey, tool: impl Into<String>, since: Timestamp, fenced: bool) -> Self {
        Self { key, tool: tool.into(), since, fenced }
    }
}

/// An operator's word on a key without a known outcome.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ResolveCall {
    /// The key.
    pub key: CallKey,
    /// What the operator found out.
    pub resolution: Resolution,
}

impl ResolveCall {
    /// Settles one key.
    #[must_use]
    pub const fn new(key: CallKey, resolution: Resolution) -> Self {
        Self { key, resolution }
    }
}

/// What an operator found out about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "it took effect or it did not")]
pub enum Resolution {
    /// It took effect. The key answers as expired, so that the buyer looks before it buys again.
    Succeeded,
    /// It had no effect: the key is free again.
    Released,
}
