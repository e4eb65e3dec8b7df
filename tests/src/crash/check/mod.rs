//! What a history must never contain. Each rule looks at the buyer's log, the seller's journal and the tables.

mod keys;
mod outcomes;
#[cfg(test)]
mod sample;
mod snapshot;

use super::history::{History, Micros};

pub(crate) use self::keys::PASSING;
pub(crate) use self::snapshot::snapshot;

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The promise: P1, P2, P3 or P6.
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
    found
}
