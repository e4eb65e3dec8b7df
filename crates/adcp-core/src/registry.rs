//! The store seam: one method per thing that must happen together.

use std::fmt;
use std::time::Duration;

use adcp_types::ErrorCode;
use async_trait::async_trait;

use crate::{
    AdcpError, Ages, BadDocument, Changes, Claim, ClaimCall, ClaimDeliveries, ClaimJobs, ClaimedDeliveries,
    ConfirmTask, DeleteDocument, Deleted, DeliveryDetail, DeliveryPage, DiscardTask, Document, DocumentKey,
    DocumentPage, EndOverdue, EndpointRecord, Event, EventKey, ExpireDeliveries, FinishTask, Finished,
    Forget, Forgotten, Hold, IssueTask, ListDeliveries, ListDocuments, ListEndpoints, ListEvents, ListTasks,
    Owner, PauseTask, ProposalKey, ProposalRecord, ProposalRefusal, PublishEvents, Published, PutDocument,
    RecordAttempts, Recorded, Redeliver, Redelivered, ReleaseJob, RenewDeliveries, RenewLease,
    ReportProgress, ReserveProposal, Reserved, ResolveCall, Scope, SettleCall, TaskId, TaskPage, TaskRecord,
    TaskStatus, TenantId, UnresolvedCall, Wrote,
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
    /// Whether it can keep credentials that buyers register: in memory only, or sealed.
    pub keeps_credentials: bool,
}

impl Capabilities {
    /// A backend that keeps what it accepted, for the process that opened it.
    #[must_use]
    pub const fn durable() -> Self {
        Self { durable: true, cross_process: false, keeps_credentials: true }
    }

    /// A backend that keeps what it accepted, for any number of processes at once.
    #[must_use]
    pub const fn shared() -> Self {
        Self { durable: true, cross_process: true, keeps_credentials: true }
    }

    /// A backend that forgets when its process ends.
    #[must_use]
    pub const fn volatile() -> Self {
        Self { durable: false, cross_process: false, keeps_credentials: true }
    }

    /// Whether credentials can be kept: a store on disk keeps them sealed or not at all.
    #[must_use]
    pub const fn keeping_credentials(mut self, keeps: bool) -> Self {
        self.keeps_credentials = keeps;
        self
    }
}

/// The memory of every task a seller has accepted.
///
/// Implementers keep each method atomic, read a task outside the scope as absent, take the steps of [`TaskRecord`]
/// and write what [`effects_of`](crate::effects_of) says in the transaction that ends a task.
/// Reads show what [`TaskRecord::visible_to`] allows; writes reach what the scope covers, also while it is enqueued.
/// A method that is refused has written nothing.
#[async_trait]
pub trait TaskRegistry: fmt::Debug + Send + Sync + 'static {
    /// Writes a task as submitted, leaves a reservation among its effects to it and, when asked, records the reply
    /// of its call: all of it or nothing. An id that is taken, a stale ticket and a hold that is lost are refused.
    async fn issue(&self, req: IssueTask) -> Result<TaskRecord, RegistryError>;

    /// Shows an enqueued task to its buyer and, when asked, records the reply of its call. A task that ended in
    /// the meantime is confirmed too, and stays as it ended; what
    /// [`effects_of_confirming`](crate::effects_of_confirming) says is written. One that is open stays as it is.
    async fn confirm(&self, req: ConfirmTask) -> Result<TaskRecord, RegistryError>;

    /// Takes an enqueued task back, gives back what it reserved and, when asked, frees its key. Nobody is told. A
    /// task that is open or has ended is refused with [`RegistryError::NotEnqueuing`].
    async fn discard(&self, req: DiscardTask) -> Result<(), RegistryError>;

    /// Reads a task within `scope`.
    async fn get(&self, id: &TaskId, scope: &Scope) -> Result<Option<TaskRecord>, RegistryError>;

    /// Lists tasks within a scope, sorted, one page.
    async fn list(&self, req: ListTasks) -> Result<TaskPage, RegistryError>;

    /// Keeps a report and moves the task to `working`. Refused once it has ended.
    async fn report(&self, req: ReportProgress) -> Result<(), RegistryError>;

    /// Makes a task wait for its buyer, or go on. Refused once it has ended.
    async fn pause(&self, req: PauseTask) -> Result<(), RegistryError>;

    /// Ends a task with its effects. The first end wins; the same again changes nothing; another is refused. When
    /// the ledger refuses an effect the task stays open, to be ended otherwise.
    async fn finish(&self, req: FinishTask) -> Result<Finished, RegistryError>;

    /// Lengthens the lease of whoever works on a task, from now on. A lease whose time is over is lost, also when
    /// nobody noticed yet.
    async fn renew_lease(&self, req: RenewLease) -> Result<(), RegistryError>;

    /// Ends tasks whose deadline has passed, whose lease was not renewed, or whose job has no attempt left, as failed
    /// and with their effects, and returns them: those first that have been overdue longest. A task whose credentials
    /// cannot be opened is passed by, and stops nobody else's end.
    async fn end_overdue(&self, req: EndOverdue) -> Result<Vec<TaskRecord>, RegistryError>;

    /// Claims jobs that [can be claimed](TaskRecord::claimable_at) and whose deadline has not passed, in the order of
    /// [`in_turn`](crate::in_turn), each under a random lease of its own, and returns them. The attempt is counted in
    /// the same step. Of any number of simultaneous claimers one gets a job; one that somebody else is writing at the
    /// moment may be passed by, until the next claim.
    async fn claim_jobs(&self, req: ClaimJobs) -> Result<Vec<TaskRecord>, RegistryError>;

    /// Gives up the lease on a job, so that it can be claimed again. A lease whose time is over is lost, also when
    /// nobody claimed the job yet.
    async fn release_job(&self, req: ReleaseJob) -> Result<(), RegistryError>;
}

/// The memory of idempotency keys.
#[async_trait]
pub trait CallStore: fmt::Debug + Send + Sync + 'static {
    /// Claims a key: exactly one of any number of simultaneous callers is first. A key whose time is over answers
    /// [`Claim::Expired`], whatever became of its call, for at least as long again; one without a known outcome until
    /// somebody resolves it.
    async fn claim_call(&self, req: ClaimCall) -> Result<Claim, RegistryError>;

    /// Settles a call and writes its effects: all of it or nothing. A stale ticket is refused. A ticket does not grow
    /// stale with time: who settles after the key expired is still heard, unless the key is another's by then.
    async fn settle_call(&self, req: SettleCall) -> Result<(), RegistryError>;

    /// Lists keys without a known outcome, oldest first: fenced ones, and those that were never settled. They are
    /// listed until they are resolved, also when their time is over.
    async fn unresolved_calls(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<Vec<UnresolvedCall>, RegistryError>;

    /// Settles a key by an operator's word; `false` when it is not unresolved. Its ticket is stale from then on.
    async fn resolve_call(&self, req: ResolveCall) -> Result<bool, RegistryError>;
}

/// The ledger of proposals. Offers and purchases reach it as [`Effect`](crate::Effect)s of calls and tasks.
#[async_trait]
pub trait ProposalStore: fmt::Debug + Send + Sync + 'static {
    /// Reads a proposal. One that [may be forgotten](ProposalRecord::forget_at) reads as absent.
    async fn proposal(&self, key: &ProposalKey) -> Result<Option<ProposalRecord>, RegistryError>;

    /// Reads the proposal that an order of this owner's account bought, or of its principal where it has no
    /// account. When an order bought several, the latest.
    async fn proposal_of_buy(
        &self,
        owner: &Owner,
        media_buy_id: &str,
    ) -> Result<Option<ProposalRecord>, RegistryError>;

    /// Reserves a proposal: exactly one of any number of simultaneous purchases holds it.
    async fn reserve(&self, req: ReserveProposal) -> Result<Reserved, RegistryError>;

    /// Lengthens a hold from now on. One whose time is over is lost, also when nobody took it; one that a task keeps
    /// stays with the task.
    async fn renew_hold(&self, hold: &Hold, lease: Duration) -> Result<(), RegistryError>;
}

/// Events on their way to receivers. The ends of tasks queue theirs as [`Effect`](crate::Effect)s; others are published.
///
/// An event is its claimer's until its lease ends, by the registry's clock; [`Recorded::Lost`] answers whoever comes
/// later, and nothing of theirs is written. Its body and key never change. What is claimed follows
/// [`plan_claims`](crate::plan_claims), what is written [`Verdict::settle`](crate::Verdict::settle) and
/// [`Breaker`](crate::Breaker); a row that cannot be read stops nobody but itself.
#[async_trait]
pub trait DeliveryOutbox: fmt::Debug + Send + Sync + 'static {
    /// Reads events queued within a scope, oldest first.
    async fn events(&self, req: ListEvents) -> Result<Vec<Event>, RegistryError>;

    /// Queues events that no task's end tells of: all of them or none, except those whose key is known already, which
    /// stay as they are.
    async fn publish(&self, req: PublishEvents) -> Result<Vec<Published>, RegistryError>;

    /// Claims events that are due, of tenants and endpoints in turn, each for exactly one claimer. An event that
    /// cannot be read is given up.
    async fn claim_deliveries(&self, req: ClaimDeliveries) -> Result<ClaimedDeliveries, RegistryError>;

    /// Lengthens claims from now on, each as far as it still holds. In the order of the request.
    async fn renew_deliveries(&self, req: RenewDeliveries) -> Result<Vec<Recorded>, RegistryError>;

    /// Records what became of claims, each as far as it still holds, and moves the breakers of their endpoints. In the
    /// order of the request.
    async fn record_attempts(&self, req: RecordAttempts) -> Result<Vec<Recorded>, RegistryError>;

    /// Gives up what waited too long, unless it is being sent, and says how many.
    async fn expire_deliveries(&self, req: ExpireDeliveries) -> Result<usize, RegistryError>;

    /// Lists deliveries within a scope, newest first, one page.
    async fn deliveries(&self, req: ListDeliveries) -> Result<DeliveryPage, RegistryError>;

    /// Reads one delivery within a scope, with its attempts.
    async fn delivery(&self, key: &EventKey, scope: &Scope) -> Result<Option<DeliveryDetail>, RegistryError>;

    /// Queues dead letters again, and says of each what became of it.
    async fn redeliver(&self, req: Redeliver) -> Result<Vec<(EventKey, Redelivered)>, RegistryError>;

    /// Lists the endpoints that events were sent to.
    async fn endpoints(&self, req: ListEndpoints) -> Result<Vec<EndpointRecord>, RegistryError>;

    /// Hears of events that this process queues from now on.
    fn changes(&self) -> Changes;
}

/// JSON under names, with revisions: subscriptions, and state of the seller's own.
///
/// What belongs to another scope reads as absent. A write that does not find what it expects writes nothing.
#[async_trait]
pub trait Documents: fmt::Debug + Send + Sync + 'static {
    /// Reads a document.
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, RegistryError>;

    /// Writes a document, if it is as [expected](crate::Expect): of any number of simultaneous writers that expect the same,
    /// one writes. A secret body is sealed, or refused where there is no key.
    async fn put_document(&self, req: PutDocument) -> Result<Wrote, RegistryError>;

    /// Deletes a document, if it is as expected.
    async fn delete_document(&self, req: DeleteDocument) -> Result<Deleted, RegistryError>;

    /// Lists documents of a kind, one page. A document that is there before and after is on exactly one page, also
    /// when others come and go between them.
    async fn list_documents(&self, req: ListDocuments) -> Result<DocumentPage, RegistryError>;
}

/// One backend. Its parts are used together because their writes commit together.
#[async_trait]
pub trait Registry: TaskRegistry + CallStore + ProposalStore + DeliveryOutbox + Documents {
    /// What this backend promises beyond the required behaviour.
    fn capabilities(&self) -> Capabilities;

    /// Removes a batch of what is over for long enough, those first that have been for longest, each kind in a short
    /// transaction of its own. What is open stays: tasks that have not ended, keys without a known outcome, proposals
    /// that are held. Any number of processes may do so at once. An agent does it by itself.
    async fn forget(&self, req: Forget) -> Result<Forgotten, RegistryError>;

    /// How much waits in the whole store, and for how long. It reads few rows, however many there are.
    async fn ages(&self) -> Result<Ages, RegistryError>;
}

/// Why a registry call did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No such task in this scope. Permanent.
    #[error("task `{0}` is unknown")]
    UnknownTask(TaskId),
    /// A task of this id was issued before. Permanent.
    #[error("task `{0}` was issued before")]
    DuplicateTask(TaskId),
    /// The task already ended with another outcome. Permanent.
    #[error("task `{0}` has already ended differently")]
    AlreadyEnded(TaskId),
    /// The task cannot be taken back: its buyer may know of it, or it has ended. Permanent.
    #[error("task `{0}` is open or has ended")]
    NotEnqueuing(TaskId),
    /// The writer no longer works on the task: its lease ran out, or is another's. Permanent.
    #[error("the lease on task `{0}` is lost")]
    LeaseLost(TaskId),
    /// The task is not work that somebody else could go on with. Permanent.
    #[error("task `{0}` is no job")]
    NotAJob(TaskId),
    /// The transition table of tasks has no such step. Permanent.
    #[error("a task cannot go from `{from}` to `{to}`")]
    NoSuchStep {
        /// Where it stands.
        from: TaskStatus,
        /// Where it was sent.
        to: TaskStatus,
    },
    /// A proposal is not where a write needs it; nothing was written. Permanent.
    #[error("the ledger of proposals refuses the step")]
    Proposal(#[source] ProposalRefusal),
    /// Another holder settled this claim, or it is gone. Permanent.
    #[error("the claim of this call is no longer held")]
    StaleTicket,
    /// No store keeps such a document; nothing was written. Permanent.
    #[error("the document cannot be kept")]
    BadDocument(#[source] BadDocument),
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
            RegistryError::AlreadyEnded(_) => {
                Self::new(ErrorCode::INVALID_STATE, "the task has already ended differently")
            }
            RegistryError::NotEnqueuing(_) => {
                Self::new(ErrorCode::INVALID_STATE, "the task is open or has ended")
            }
            RegistryError::LeaseLost(_) => {
                Self::new(ErrorCode::INVALID_STATE, "somebody else decides about the task now")
            }
            RegistryError::NotAJob(_) => {
                Self::new(ErrorCode::INVALID_STATE, "nobody else could go on with the task")
            }
            RegistryError::NoSuchStep { from, to } => {
                Self::new(ErrorCode::INVALID_STATE, format!("a task cannot go from {from} to {to}"))
            }
            RegistryError::Proposal(refusal) => refusal.error("proposal_id"),
            RegistryError::DuplicateTask(_)
            | RegistryError::StaleTicket
            | RegistryError::BadDocument(_)
            | RegistryError::Full { .. }
            | RegistryError::Unavailable { .. }
            | RegistryError::Corrupt { .. } => Self::unavailable(),
        }
    }
}
