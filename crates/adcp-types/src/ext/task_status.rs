//! Which states end a task.

use crate::enums::TaskStatus;

impl TaskStatus {
    /// Whether the task is over, one way or another. An unknown state is not.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Canceled | Self::Rejected)
    }
}
