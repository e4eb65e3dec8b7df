//! Where a task stands, and where it can go from there.

/// Where a task stands.
///
/// Spec: `enums/task-status.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "complete by the protocol; a tenth status is a new release")]
pub enum TaskStatus {
    /// Accepted; waits for something outside the seller's process.
    Submitted,
    /// Being worked on.
    Working,
    /// Waits for the buyer.
    InputRequired,
    /// Ended well.
    Completed,
    /// Ended by a cancellation.
    Canceled,
    /// Ended badly.
    Failed,
    /// Ended by a refusal.
    Rejected,
    /// Waits for credentials of the buyer.
    AuthRequired,
    /// Lost from view; not an end.
    Unknown,
}

impl TaskStatus {
    /// All nine, in the order of the schema.
    pub const ALL: [Self; 9] = [
        Self::Submitted,
        Self::Working,
        Self::InputRequired,
        Self::Completed,
        Self::Canceled,
        Self::Failed,
        Self::Rejected,
        Self::AuthRequired,
        Self::Unknown,
    ];

    /// The wire value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Working => "working",
            Self::InputRequired => "input-required",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::AuthRequired => "auth-required",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a wire value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether nothing can follow.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Canceled | Self::Failed | Self::Rejected)
    }

    /// Whether a task here may stand at `next` afterwards. The one transition table of the SDK.
    ///
    /// ```text
    /// submitted ──► working ◄──► input-required, auth-required
    ///     │            │               │
    ///     └────────────┴───────────────┴──► completed · failed · canceled · rejected
    /// ```
    ///
    /// `working`, `input-required` and `auth-required` may repeat: each report and each question is an entry of
    /// the history. An answered question leads back to `submitted` or `working`. `unknown` is a view of a task
    /// that is lost, from which every road is open. Nothing follows an end.
    ///
    /// ```
    /// use adcp_core::TaskStatus;
    ///
    /// assert!(TaskStatus::Submitted.can_become(TaskStatus::Completed));
    /// assert!(!TaskStatus::Completed.can_become(TaskStatus::Failed));
    /// ```
    #[must_use]
    pub const fn can_become(self, next: Self) -> bool {
        if self.is_terminal() {
            return false;
        }
        match next {
            Self::Submitted => matches!(self, Self::InputRequired | Self::AuthRequired | Self::Unknown),
            Self::Unknown => !matches!(self, Self::Unknown),
            _ => true,
        }
    }
}

impl std::fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_statuses_are_ends_and_nothing_follows_them() {
        let ends: Vec<_> =
            TaskStatus::ALL.into_iter().filter(|s| s.is_terminal()).map(TaskStatus::as_str).collect();
        assert_eq!(ends, ["completed", "canceled", "failed", "rejected"]);
        for status in TaskStatus::ALL {
            assert_eq!(TaskStatus::parse(status.as_str()), Some(status));
            for next in TaskStatus::ALL {
                assert!(!(status.is_terminal() && status.can_become(next)), "{status} to {next}");
            }
        }
    }

    #[test]
    fn every_open_task_can_end_every_way() {
        for status in TaskStatus::ALL.into_iter().filter(|s| !s.is_terminal()) {
            for end in TaskStatus::ALL.into_iter().filter(|s| s.is_terminal()) {
                assert!(status.can_become(end), "{status} to {end}");
            }
        }
    }
}
