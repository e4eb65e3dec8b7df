//! Building an agent: its handlers of jobs, and how it works on them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::build_error::BuildError;
use crate::builder::AgentBuilder;
use crate::decision::Makes;
use crate::job::{DynJob, Handler, JobHandler, Jobs};
use crate::worker::Pace;

/// Jobs that an agent runs at once, by default.
pub const DEFAULT_JOB_SLOTS: usize = 16;

/// How often an agent looks for jobs that it was not told of, by default: those of other processes, and those whose
/// process died.
pub const DEFAULT_JOB_POLL_INTERVAL: Duration = Duration::from_secs(5);

/// How long a job waits after its first attempt failed, by default. Each later wait is twice as long.
pub const DEFAULT_JOB_WAIT: Duration = Duration::from_secs(5);

/// The longest that a job waits after an attempt, by default, unless its error asks for more.
pub const DEFAULT_LONGEST_JOB_WAIT: Duration = Duration::from_secs(600);

/// What the builder was told about jobs.
pub(crate) struct JobSettings {
    handlers: Vec<(&'static str, Arc<dyn DynJob>)>,
    pace: Pace,
}

impl Default for JobSettings {
    fn default() -> Self {
        let pace = Pace {
            slots: DEFAULT_JOB_SLOTS,
            poll: DEFAULT_JOB_POLL_INTERVAL,
            first_wait: DEFAULT_JOB_WAIT,
            longest_wait: DEFAULT_LONGEST_JOB_WAIT,
        };
        Self { handlers: Vec::new(), pace }
    }
}

impl JobSettings {
    pub(crate) fn build(&self, faults: &mut Vec<BuildError>) -> (Jobs, Pace) {
        let pace = self.pace;
        let mut handlers: HashMap<&'static str, Arc<dyn DynJob>> = HashMap::new();
        for (kind, handler) in &self.handlers {
            if kind.is_empty() {
                faults.push(BuildError::JobWithoutKind);
            } else if handlers.insert(kind, Arc::clone(handler)).is_some() {
                faults.push(BuildError::JobTwice(kind));
            }
        }
        if pace.slots == 0 {
            faults.push(BuildError::NoJobSlots);
        }
        if pace.poll < Duration::from_millis(100) {
            faults.push(BuildError::JobPollInterval(pace.poll));
        }
        if pace.first_wait.is_zero() || pace.first_wait > pace.longest_wait {
            faults.push(BuildError::JobWait { first: pace.first_wait, longest: pace.longest_wait });
        }
        (Jobs::new(handlers), pace)
    }
}

/// Jobs.
impl<S: Send + Sync + 'static> AgentBuilder<S> {
    /// Does the jobs of one kind, whichever replica they were handed off on. A replica never claims kinds that it has
    /// no handler for. [`Ctx::handoff_to_job`](crate::Ctx::handoff_to_job) hands off to it.
    ///
    /// The work begins with [`Agent::start`](crate::Agent::start), or with the first call.
    #[must_use]
    #[allow(private_bounds, reason = "whatever a tool answers with is one, and nothing else")]
    pub fn job<J: JobHandler>(mut self, handler: J) -> Self
    where
        J::Output: Makes,
    {
        self.jobs.handlers.push((J::KIND, Arc::new(Handler(Arc::new(handler)))));
        self
    }

    /// Sets how many jobs this agent runs at once. Jobs beyond that wait in the registry.
    #[must_use]
    pub const fn job_slots(mut self, slots: usize) -> Self {
        self.jobs.pace.slots = slots;
        self
    }

    /// Sets how often the agent looks for jobs of other processes: ten times a second at most. Those handed off in its
    /// own process it hears of at once.
    ///
    /// When a process dies, its jobs begin again within this time and one [`Self::lease`], as soon as an agent with a
    /// handler for them has room.
    #[must_use]
    pub const fn job_poll_interval(mut self, every: Duration) -> Self {
        self.jobs.pace.poll = every;
        self
    }

    /// Sets how long a job waits after an attempt that failed: `first`, then twice as long each time, up to `longest`.
    /// Chance takes off up to a half; an error with a `retry_after` is waited out.
    #[must_use]
    pub const fn job_waits(mut self, first: Duration, longest: Duration) -> Self {
        self.jobs.pace.first_wait = first;
        self.jobs.pace.longest_wait = longest;
        self
    }
}
