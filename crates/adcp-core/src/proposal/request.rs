//! What a registry is asked to do with proposals. Their ends come as effects, never as calls of their own.

use std::collections::BTreeMap;
use std::time::Duration;

use adcp_types::json::JsonObject;

use super::{ProposalKey, ProposalRecord, ProposalRefusal, Recipes};
use crate::Timestamp;

/// What stands behind an answer and is not part of it: for the ledger, never for the buyer.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Backing {
    /// Execution data by product id.
    pub recipes: Recipes,
    /// Whole products by product id, also where the answer shows parts of them or another page.
    pub products: BTreeMap<String, JsonObject>,
}

impl Backing {
    /// Recipes and whole products, both by product id.
    #[must_use]
    pub const fn new(recipes: Recipes, products: BTreeMap<String, JsonObject>) -> Self {
        Self { recipes, products }
    }
}

/// A proposal to keep, as an answer offers it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Draft {
    /// Its id, and whose it is.
    pub key: ProposalKey,
    /// The proposal on the wire, whole.
    pub payload: JsonObject,
    /// Execution data of its products.
    pub recipes: Recipes,
    /// Its products, whole, by product id.
    pub products: BTreeMap<String, JsonObject>,
    /// Set when it can be bought without being finalized: until then.
    pub committed_until: Option<Timestamp>,
    /// How long a draft is kept that nobody finalizes.
    pub keep: Duration,
}

/// A draft that its seller made firm.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CommitProposal {
    /// Which proposal.
    pub key: ProposalKey,
    /// The firm proposal on the wire.
    pub payload: JsonObject,
    /// Replaces the draft's execution data, product by product.
    pub recipes: Recipes,
    /// Replaces the draft's products, product by product.
    pub products: BTreeMap<String, JsonObject>,
    /// Until when it can be bought.
    pub expires_at: Timestamp,
}

/// The right to buy a proposal, or to give it back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hold {
    /// Which proposal.
    pub key: ProposalKey,
    /// Random token of this reservation.
    pub token: [u8; 16],
}

impl Hold {
    /// A hold; registries make these.
    #[must_use]
    pub const fn new(key: ProposalKey, token: [u8; 16]) -> Self {
        Self { key, token }
    }
}

/// Reserves a committed proposal for one purchase.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReserveProposal {
    /// Which proposal.
    pub key: ProposalKey,
    /// How long the hold lasts unless it is renewed or a task takes it over.
    pub lease: Duration,
    /// How long after its expiry it can still be bought.
    pub grace: Duration,
}

impl ReserveProposal {
    /// A reservation for a minute, without grace.
    #[must_use]
    pub const fn new(key: ProposalKey) -> Self {
        Self { key, lease: Duration::from_secs(60), grace: Duration::ZERO }
    }

    /// Sets how long the hold lasts.
    #[must_use]
    pub const fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Sets how long after its expiry it can still be bought.
    #[must_use]
    pub const fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }
}

/// What a reservation found.
#[derive(Debug, Clone)]
#[allow(clippy::exhaustive_enums, reason = "held or not; the reasons are an enum of their own")]
pub enum Reserved {
    /// The proposal is held for the caller.
    Held {
        /// The right to buy it.
        hold: Hold,
        /// What was reserved.
        proposal: Box<ProposalRecord>,
    },
    /// It cannot be bought.
    Refused(ProposalRefusal),
}
