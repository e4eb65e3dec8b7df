//! The store seam: one method per thing that must happen together.

use std::fmt;

use adcp_types::ErrorCode;
use async_trait::async_trait;

use crate::{
    AdcpError, Claim, ClaimCall, FinishTask, Finished, IssueTask, ListTasks, ReportProgress, Scope,
    SettleCall, TaskId, TaskPage, TaskRecord,
};

/// A cause kept for the log.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a backend promises beyond the required behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Whether what it accepted survives the end of the process.
    pub durable: bool,
    /// Whether several processes can share it.
    pub cross_process: bool,
}

impl Capabilities {
    /// A backend that forgets when its process ends.
    #[must_use]
    pub const fn volatile() -> Self {
        Self { durable: false, cross_process: false }
    }
}

/// The memory of every task a seller has accepted.
///
/// Implementers keep each method atomic, and read a task outside the scope as absent.
#[async_trait]
pub trait TaskRegistry: fmt::Debug + Send + Sync + 'static {
    /// Writes a task as submitted and, when asked, the recorded reply of its call: both or neither.
    async fn issue(&self, req: IssueTask) -> Result<TaskRecord, RegistryError>;

    /// Reads a task within `scope`.
    async fn get(&self, id: &TaskId, scope: &Scope) -> Result<Option<TaskRecord>, RegistryError>;

    /// Lists tasks within a scope, sorted, one page.
    async fn list(&self, req: ListTasks) -> Result<TaskPage, RegistryError>;

    /// Keeps a report and moves the task to `working`. Nothing changes once it has ended.
    async fn report(&self, req: ReportProgress) -> Result<(), RegistryError>;

    /// Ends a task. The first end wins; the same again changes nothing; another is refused.
    async fn finish(&self, req: FinishTask) -> Result<Finished, RegistryError>;
}

/// The memory of idempotency keys.
#[async_trait]
pub trait CallStore: fmt::Debug + Send + Sync + 'static {
    /// Claims a key: exactly one of any number of simultaneous callers is first.
    async fn claim_call(&self, req: ClaimCall) -> Result<Claim, RegistryError>;

    /// Settles a claim. A stale ticket is refused.
    async fn settle_call(&self, req: SettleCall) -> Result<(), RegistryError>;
}

/// One backend. Its parts are used together because their writes commit together.
pub trait Registry: TaskRegistry + CallStore {
    /// What this backend promises beyond the required behaviour.
    fn capabilities(&self) -> Capabilities;
}

/// Why a registry call did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No such task in this scope. Permanent.
    #[error("task `{0}` is unknown")]
    UnknownTask(TaskId),
    /// The task already ended with another outcome. Permanent.
    #[error("task `{0}` has already ended differently")]
    AlreadyEnded(TaskId),
    /// Another holder settled this claim, or it is gone. Permanent.
    #[error("the claim of this call is no longer held")]
    StaleTicket,
    /// A bound of the store is reached. The same call may succeed later.
    #[error("the store holds as many {what} as it may")]
    Full {
        /// What there are too many of.
        what: &'static str,
    },
    /// The store could not be asked. The same call may succeed later.
    #[error("registry unavailable during {op}")]
    Unavailable {
        /// The method.
        op: &'static str,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// Stored bytes no longer decode. Permanent, and worth waking someone for.
    #[error("stored {what} cannot be decoded")]
    Corrupt {
        /// What was read.
        what: &'static str,
        /// Why it does not decode.
        #[source]
        source: BoxError,
    },
}

impl From<RegistryError> for AdcpError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::UnknownTask(_) => Self::reference_not_found("task_id"),
            RegistryError::AlreadyEnded(_) => Self::new(ErrorCode::INVALID_STATE, "the task has ended"),
            RegistryError::StaleTicket
            | RegistryError::Full { .. }
            | RegistryError::Unavailable { .. }
            | RegistryError::Corrupt { .. } => Self::unavailable(),
        }
    }
}
