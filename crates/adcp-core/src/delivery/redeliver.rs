//! Dead letters that are sent again.

use crate::{DeliveryFilter, EventKey, TenantId};

/// Queues dead letters again: the same body and key, a schedule of their own. What was tried before stays on record.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Redeliver {
    /// The operator's tenant.
    pub tenant: TenantId,
    /// Which.
    pub which: Which,
    /// Who asks, for the record.
    pub by: String,
    /// At most so many of those that match. Default 500.
    pub limit: usize,
}

/// Which dead letters.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Which {
    /// These events.
    Keys(Vec<EventKey>),
    /// Those that pass and whose bodies are still there, oldest first.
    Matching(DeliveryFilter),
}

impl Redeliver {
    /// One event.
    #[must_use]
    pub fn one(tenant: TenantId, key: EventKey, by: impl Into<String>) -> Self {
        Self { tenant, which: Which::Keys(vec![key]), by: by.into(), limit: 500 }
    }

    /// All that pass and whose bodies are still there, oldest first.
    #[must_use]
    pub fn matching(tenant: TenantId, filter: DeliveryFilter, by: impl Into<String>) -> Self {
        Self { tenant, which: Which::Matching(filter), by: by.into(), limit: 500 }
    }

    /// Sets how many at most.
    #[must_use]
    pub const fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// What became of one event that was to be redelivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "each is told in words of its own")]
pub enum Redelivered {
    /// It is due now.
    Queued,
    /// It was delivered, or is still being tried.
    NotDead,
    /// This tenant has no such event.
    Unknown,
    /// Its body was forgotten.
    PastRetention,
    /// Its row cannot be read.
    Unreadable,
}
