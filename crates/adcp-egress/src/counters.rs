//! What a way out has done.

use std::sync::atomic::{AtomicU64, Ordering};

/// How often something was done since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Requests that were refused, because of their url or of where it leads.
    pub refused: u64,
    /// Names that were resolved.
    pub resolved: u64,
    /// Connections that were attempted.
    pub dialled: u64,
    /// Requests that went over a connection which had served before.
    pub reused: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) refused: AtomicU64,
    pub(crate) resolved: AtomicU64,
    pub(crate) dialled: AtomicU64,
    pub(crate) reused: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            refused: read(&self.refused),
            resolved: read(&self.resolved),
            dialled: read(&self.dialled),
            reused: read(&self.reused),
        }
    }
}
