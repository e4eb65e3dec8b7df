#![doc = include_str!("../README.md")]

mod call;
mod error;
mod id;
pub mod json;
mod registry;
mod scope;
mod secret;
mod task;
mod time;

pub use call::{CallKey, Claim, ClaimCall, SettleCall, Settlement, Ticket};
pub use error::{AdcpError, Issue, field_path};
pub use id::{AccountId, NoRandomness, Principal, TaskId, TenantId, hex, random_bytes};
pub use registry::{BoxError, CallStore, Capabilities, Registry, RegistryError, TaskRegistry};
pub use scope::{Owner, Scope};
pub use secret::Secret;
pub use task::{
    DEFAULT_TASK_RETENTION, FinishTask, Finished, IssueTask, ListTasks, Outcome, Progress, ReportProgress,
    TaskCursor, TaskFilter, TaskOrder, TaskPage, TaskRecord, TaskStatus, Transition,
};
pub use time::{BadTimestamp, Clock, ManualClock, SystemClock, Timestamp};
