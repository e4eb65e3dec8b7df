//! What goes when it is over for long enough, and how much is there that is not over yet.

use std::time::Duration;

use crate::{DEFAULT_TASK_RETENTION, DeliveryState};

/// How long things stay once they are over.
///
/// Idempotency keys and proposals carry the instant after which they may go. What is open stays whatever this says: a
/// task that has not ended, an event that is to be delivered, a key without a known outcome, a proposal that somebody holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// How long an ended task stays readable. Default seven days.
    pub tasks: Duration,
    /// How long the body of what was delivered is kept. Default seven days.
    pub bodies: Duration,
    /// How long it is remembered what was delivered, and by which attempts. Default 30 days.
    pub delivered: Duration,
    /// How long a dead letter can be sent again, and for as long again it is remembered that there was one. Default 30
    /// days.
    pub dead_letters: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Retention {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            tasks: DEFAULT_TASK_RETENTION,
            bodies: DAY.saturating_mul(7),
            delivered: DAY.saturating_mul(30),
            dead_letters: DAY.saturating_mul(30),
        }
    }

    /// Sets how long an ended task stays readable.
    #[must_use]
    pub const fn with_tasks(mut self, tasks: Duration) -> Self {
        self.tasks = tasks;
        self
    }

    /// Sets how long the body of what was delivered is kept.
    #[must_use]
    pub const fn with_bodies(mut self, bodies: Duration) -> Self {
        self.bodies = bodies;
        self
    }

    /// Sets how long it is remembered what was delivered.
    #[must_use]
    pub const fn with_delivered(mut self, delivered: Duration) -> Self {
        self.delivered = delivered;
        self
    }

    /// Sets how long a dead letter can be sent again.
    #[must_use]
    pub const fn with_dead_letters(mut self, dead_letters: Duration) -> Self {
        self.dead_letters = dead_letters;
        self
    }

    /// Of events that were settled so: after how long their bodies and credentials go, and after how long they do.
    #[must_use]
    pub fn of_events(&self) -> [(DeliveryState, Duration, Duration); 2] {
        [
            (DeliveryState::Delivered, self.bodies.min(self.delivered), self.delivered),
            (DeliveryState::Dead, self.dead_letters, self.dead_letters.saturating_mul(2)),
        ]
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self::new()
    }
}

/// Rows of each kind that one batch removes, by default: few enough that nobody waits for it.
const BATCH: usize = 500;

/// Removes a batch of what is over for long enough, whosever it is: for the machinery of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forget {
    /// How long things stay.
    pub retention: Retention,
    /// At most so many rows of each kind.
    pub limit: usize,
}

impl Forget {
    /// A batch of 500 rows of each kind.
    #[must_use]
    pub const fn new(retention: Retention) -> Self {
        Self { retention, limit: BATCH }
    }

    /// Sets how many rows of each kind are removed at most.
    #[must_use]
    pub const fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// How many rows a batch removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forgotten {
    /// Tasks.
    pub tasks: usize,
    /// Bodies of events, with their credentials.
    pub bodies: usize,
    /// Events, with what is known of their attempts.
    pub events: usize,
    /// Idempotency keys.
    pub calls: usize,
    /// Proposals.
    pub proposals: usize,
}

impl Forgotten {
    /// Whether a batch of this limit was full, so that more may be left.
    #[must_use]
    pub fn may_be_more(&self, limit: usize) -> bool {
        [self.tasks, self.bodies, self.events, self.calls, self.proposals]
            .iter()
            .any(|rows| *rows >= limit.max(1))
    }
}

/// Rows of a [`Backlog`] are counted up to here, so that a look costs the same however many there are.
pub const MOST_COUNTED: usize = 10_000;

/// How much waits, and how long things wait already, in the whole store: for metrics, and for people who ask what is
/// stuck.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ages {
    /// Tasks that have not ended, since they were issued.
    pub open_tasks: Backlog,
    /// Open tasks whose time is over or whose worker is gone, since they could be ended.
    pub overdue_tasks: Backlog,
    /// Idempotency keys without a known outcome, since they were claimed: calls that run, that were fenced, or whose
    /// process died.
    pub unresolved_calls: Backlog,
    /// Events that are to be delivered, since they were queued or redelivered.
    pub undelivered_events: Backlog,
    /// Dead letters, since they were given up.
    pub dead_letters: Backlog,
    /// How long the task that ended first has been over.
    pub oldest_ended_task: Option<Duration>,
    /// For how long the oldest idempotency key might have been forgotten; zero when none may yet.
    pub forgettable_calls: Duration,
    /// For how long the oldest proposal might have been forgotten; zero when none may yet.
    pub forgettable_proposals: Duration,
}

/// Rows that wait for something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backlog {
    /// How many there are; [`MOST_COUNTED`] stands for that many or more.
    pub count: usize,
    /// How long the oldest waits already.
    pub oldest: Option<Duration>,
}

impl Backlog {
    /// So many rows, the oldest of which waits for so long.
    #[must_use]
    pub const fn new(count: usize, oldest: Option<Duration>) -> Self {
        Self { count: if count > MOST_COUNTED { MOST_COUNTED } else { count }, oldest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_batch_of_any_kind_asks_for_another() {
        let batch =
            |tasks, events, calls, proposals| Forgotten { tasks, bodies: 0, events, calls, proposals };
        for (gone, more) in [
            (batch(0, 0, 0, 0), false),
            (batch(9, 9, 9, 9), false),
            (batch(10, 0, 0, 0), true),
            (batch(0, 10, 0, 0), true),
            (batch(0, 0, 10, 0), true),
            (batch(1, 0, 0, 10), true),
        ] {
            assert_eq!(gone.may_be_more(10), more, "{gone:?}");
        }
        assert!(Forgotten { bodies: 10, ..batch(0, 0, 0, 0) }.may_be_more(10));
        assert!(!batch(0, 0, 0, 0).may_be_more(0), "a batch of nothing is no reason to go on for ever");
    }
}
