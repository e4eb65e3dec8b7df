//! Bounds of the registry.

use adcp_core::DEFAULT_MAX_HISTORY;

/// How much the registry holds at most.
///
/// Once half of a bound is used, a buyer who uses a tenth of it gets no more, so that none fills the store for all.
/// At a bound new work is refused. The end of accepted work is not, except that a discovery cannot leave more
/// proposals than fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryLimits {
    /// Tasks, open and ended, and as many events. Default 100,000.
    pub max_tasks: usize,
    /// Bytes of the contexts that tasks echo and of what their jobs are given, as JSON text. Default 64 MiB.
    pub max_context_bytes: usize,
    /// Proposals, in any state. Default 100,000.
    pub max_proposals: usize,
    /// Idempotency keys. Default 200,000.
    pub max_calls: usize,
    /// Bytes of recorded replies, as JSON text. Default 256 MiB.
    pub max_reply_bytes: usize,
    /// Documents, of all scopes. Default 100,000.
    pub max_documents: usize,
    /// Bytes of documents, as JSON text. Default 256 MiB.
    pub max_document_bytes: usize,
    /// Entries of a task's history, beyond which a report of progress replaces the last one. Default 256.
    pub max_history: usize,
}

impl MemoryLimits {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_tasks: 100_000,
            max_context_bytes: 64 * 1024 * 1024,
            max_proposals: 100_000,
            max_calls: 200_000,
            max_reply_bytes: 256 * 1024 * 1024,
            max_documents: 100_000,
            max_document_bytes: 256 * 1024 * 1024,
            max_history: DEFAULT_MAX_HISTORY,
        }
    }

    /// Sets the number of tasks.
    #[must_use]
    pub const fn with_max_tasks(mut self, tasks: usize) -> Self {
        self.max_tasks = tasks;
        self
    }

    /// Sets the bytes of contexts.
    #[must_use]
    pub const fn with_max_context_bytes(mut self, bytes: usize) -> Self {
        self.max_context_bytes = bytes;
        self
    }

    /// Sets the number of proposals.
    #[must_use]
    pub const fn with_max_proposals(mut self, proposals: usize) -> Self {
        self.max_proposals = proposals;
        self
    }

    /// Sets the number of idempotency keys.
    #[must_use]
    pub const fn with_max_calls(mut self, calls: usize) -> Self {
        self.max_calls = calls;
        self
    }

    /// Sets the number of documents.
    #[must_use]
    pub const fn with_max_documents(mut self, documents: usize) -> Self {
        self.max_documents = documents;
        self
    }

    /// Sets the bytes of documents.
    #[must_use]
    pub const fn with_max_document_bytes(mut self, bytes: usize) -> Self {
        self.max_document_bytes = bytes;
        self
    }

    /// Sets the bytes of recorded replies.
    #[must_use]
    pub const fn with_max_reply_bytes(mut self, bytes: usize) -> Self {
        self.max_reply_bytes = bytes;
        self
    }
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self::new()
    }
}
