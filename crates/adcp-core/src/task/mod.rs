//! Tasks: what a seller promised to finish.

mod job;
mod lease;
mod list;
mod outcome;
mod record;
mod reference;
mod request;
mod status;

pub use job::{ClaimJobs, DEFAULT_JOB_ATTEMPTS, Job, JobOrder, ReleaseJob, WaitingJob, in_turn};
pub use lease::{Lease, LeaseToken, RenewLease};
pub use list::{ListTasks, TaskCursor, TaskFilter, TaskOrder, TaskPage};
pub use outcome::{Outcome, Progress};
pub use record::{DEFAULT_MAX_HISTORY, DEFAULT_TASK_RETENTION, TaskPhase, TaskRecord, Transition};
pub use reference::{BadTaskRef, TaskRef};
pub use request::{
    ConfirmTask, DiscardTask, EndOverdue, FinishTask, Finished, IssueTask, Pause, PauseTask, ReportProgress,
};
pub use status::TaskStatus;
