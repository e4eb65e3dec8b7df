//! What a history must never contain. Each rule looks at the buyer's log, the seller's journal and the tables.

mod deliveries;
mod keys;
mod outcomes;
#[cfg(test)]
mod sample;
mod snapshot;

use super::history::{History, Micros};

pub(crate) use self::deliveries::{Deliveries, count_deliveries};
pub(crate) use self::keys::PASSING;
pub(crate) use self::snapshot::snapshot;

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The promise: P1 to P6.
    pub(crate) promise: &'static str,
    /// The task, key or proposal.
    pub(crate) subject: String,
    pub(crate) words: String,
}

impl Violation {
    pub(crate) fn new(promise: &'static str, subject: impl Into<String>, words: impl Into<String>) -> Self {
        Self { promise, subject: subject.into(), words: words.into() }
    }
}

/// How long a task may take beyond its own time and the last crash, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) within: Micros,
    /// For a task that its buyer was never told of, because it was still being enqueued.
    pub(crate) hidden: Micros,
    /// How long a lease counts: nobody else begins a job before.
    pub(crate) lease: Micros,
    pub(crate) delivery: DeliveryLimits,
}

/// The same of webhooks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeliveryLimits {
    /// How long a claim counts.
    pub(crate) lease: Micros,
    /// What may come on top.
    pub(crate) slack: Micros,
    /// And for each time that the receiver failed.
    pub(crate) each: Micros,
    /// How often one is tried before it is given up.
    pub(crate) attempts: i64,
}

impl DeliveryLimits {
    /// How long it takes at most from what broke last, with so many failures of the receiver.
    pub(crate) const fn within(self, failures: i64) -> Micros {
        self.lease + self.slack + failures * self.each
    }
}

/// Every broken promise of a run that has come to rest.
pub(crate) fn check(history: &History, limits: Limits) -> Vec<Violation> {
    let mut found = outcomes::lost(history);
    found.extend(outcomes::late(history, limits));
    found.extend(outcomes::changed(history));
    found.extend(snapshot(&history.tables));
    found.extend(snapshot::registered(history));
    found.extend(snapshot::at_rest(&history.tables));
    found.extend(keys::answers(history));
    found.extend(keys::runs(history));
    found.extend(keys::jobs(history, limits));
    found.extend(keys::tasks(history));
    found.extend(deliveries::all(history, limits));
    found
}
