//! Why a task was not changed from outside.

use adcp_core::{AdcpError, Issue, RegistryError, TaskId, TaskStatus};
use adcp_types::ErrorCode;

/// Why a [`TaskDesk`](crate::TaskDesk) did not do what it was asked. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeskError {
    /// No such task, or it is somebody else's. Permanent.
    #[error("task `{0}` is unknown")]
    Unknown(TaskId),
    /// The task already ended with another outcome. Permanent.
    #[error("task `{0}` has already ended differently")]
    AlreadyEnded(TaskId),
    /// A task cannot go there from where it stands.
    #[error("a task cannot go from `{from}` to `{to}`")]
    NoSuchStep {
        /// Where it stands.
        from: TaskStatus,
        /// Where it was sent.
        to: TaskStatus,
    },
    /// The tool's schema refuses the body. The task is as it was; send a valid one.
    #[error("the body is not a valid answer of `{tool}`{}", first(issues))]
    Invalid {
        /// The tool that was called.
        tool: String,
        /// What is wrong, with JSON pointers.
        issues: Vec<Issue>,
    },
    /// The body is no JSON object, and every answer is one.
    #[error("the body for task `{0}` is not a JSON object")]
    NoObject(TaskId),
    /// The body contains a field that the envelope has: those are not the seller's to set.
    #[error("`{0}` is a field of the envelope; leave it out of the body")]
    EnvelopeField(&'static str),
    /// The tool has no such answer: it cannot ask, or this release does not know it.
    #[error("`{tool}` has no answer of the kind `{kind}`")]
    NoSuchAnswer {
        /// The tool that was called.
        tool: String,
        /// What was tried.
        kind: TaskStatus,
    },
    /// What is special to the tool speaks against the body.
    #[error("the answer is refused: {0}")]
    Refused(AdcpError),
    /// The store could not do it; the cause is its error.
    #[error("the task was not changed")]
    Store(#[source] RegistryError),
}

fn first(issues: &[Issue]) -> String {
    issues.first().map_or_else(String::new, |issue| format!(": {} at `{}`", issue.message, issue.pointer))
}

impl From<RegistryError> for DeskError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::UnknownTask(id) => Self::Unknown(id),
            RegistryError::AlreadyEnded(id) => Self::AlreadyEnded(id),
            RegistryError::NoSuchStep { from, to } => Self::NoSuchStep { from, to },
            other => Self::Store(other),
        }
    }
}

/// What a buyer may know of it, for sellers who let one act on a task.
impl From<DeskError> for AdcpError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Unknown(id) => RegistryError::UnknownTask(id).into(),
            DeskError::AlreadyEnded(id) => RegistryError::AlreadyEnded(id).into(),
            DeskError::NoSuchStep { from, to } => RegistryError::NoSuchStep { from, to }.into(),
            DeskError::NoSuchAnswer { .. } => {
                Self::new(ErrorCode::INVALID_STATE, "a task of this tool cannot go there")
            }
            DeskError::Refused(error) => error,
            DeskError::Invalid { .. } | DeskError::NoObject(_) | DeskError::EnvelopeField(_) => {
                Self::unavailable()
            }
            DeskError::Store(error) => error.into(),
        }
    }
}
