#![doc = include_str!("../README.md")]

mod background;
mod call;
mod delivery;
mod document;
mod effect;
mod error;
mod event;
#[doc(hidden)]
pub mod fault;
mod id;
pub mod json;
mod proposal;
mod publish;
mod registry;
mod retention;
mod scope;
mod secret;
pub mod stored;
mod task;
mod time;

pub use background::{Background, Delivery, DeliveryTerms, Inadmissible};
pub use call::{
    CallKey, Claim, ClaimCall, Resolution, ResolveCall, SettleCall, Settlement, Ticket, UnresolvedCall,
};
pub use delivery::{
    Admission, Attempt, AttemptClass, AttemptReport, Breaker, BreakerPolicy, BreakerState, Changes,
    ClaimDeliveries, ClaimPlan, ClaimedDeliveries, ClaimedDelivery, DeadReason, DeliveryCursor,
    DeliveryDetail, DeliveryFilter, DeliveryHold, DeliveryPage, DeliveryPlace, DeliveryRecord, DeliveryState,
    Endpoint, EndpointRecord, ExpireDeliveries, Health, Lane, ListDeliveries, ListEndpoints, MAX_ANSWER,
    MAX_ATTEMPTS_KEPT, MAX_REDELIVERIES_KEPT, RecordAttempt, RecordAttempts, Recorded, Redeliver,
    Redelivered, Redelivery, RenewDeliveries, Settled, Signal, Take, Verdict, Visit, Which, plan_claims,
};
pub use document::{
    BadDocument, DeleteDocument, Deleted, Document, DocumentKey, DocumentPage, DocumentPlace, DocumentScope,
    Expect, ListDocuments, MAX_DOCUMENT_BYTES, PutDocument, Reach, Revision, Wrote,
};
pub use effect::{Effect, Effects, KeepDrafts, effects_of, effects_of_confirming};
pub use error::{AdcpError, Issue, field_path};
pub use event::{CallbackAuth, Event, EventKey, ListEvents, Registration, Subject};
pub use id::{AccountId, NoRandomness, Principal, ProposalId, TaskId, TenantId, hex, random_bytes, unhex};
pub use proposal::{
    Backing, BadRecipe, CommitProposal, Draft, Hold, Overlap, ProposalKey, ProposalRecord, ProposalRefusal,
    ProposalState, Recipe, RecipeKind, Recipes, ReserveProposal, Reserved,
};
pub use publish::{Publication, PublishEvents, Published};
pub use registry::{
    BoxError, CallStore, Capabilities, DeliveryOutbox, Documents, ProposalStore, Registry, RegistryError,
    TaskRegistry,
};
pub use retention::{Ages, Backlog, Forget, Forgotten, MOST_COUNTED, Retention};
pub use scope::{Owner, Scope};
pub use secret::Secret;
pub use task::{
    BadTaskRef, ClaimJobs, ConfirmTask, DEFAULT_JOB_ATTEMPTS, DEFAULT_MAX_HISTORY, DEFAULT_TASK_RETENTION,
    DiscardTask, EndOverdue, FinishTask, Finished, IssueTask, Job, JobOrder, Lease, LeaseToken, ListTasks,
    Outcome, Pause, PauseTask, Progress, ReleaseJob, RenewLease, ReportProgress, TaskCursor, TaskFilter,
    TaskOrder, TaskPage, TaskPhase, TaskRecord, TaskRef, TaskStatus, Transition, WaitingJob, in_turn,
};
pub use time::{BadTimestamp, Clock, ManualClock, SystemClock, Timestamp};
