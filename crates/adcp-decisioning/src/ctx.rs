//! What an adopter's method knows about the call it answers.

use std::future::Future;
use std::sync::Arc;

use adcp_core::{AdcpError, ProposalRecord, Scope, TaskRef, Timestamp};
use adcp_types::ErrorCode;
use adcp_types::tools::ToolSpec;

use crate::account::Account;
use crate::caller::{AuthFailure, Caller};
use crate::handle::TaskHandle;
use crate::handoff::{Handoff, Workflow};
use crate::job::{JobHandler, JobHandoff};
use crate::parts::Parts;

/// The call being answered: who calls, on which account, when; and the only maker of handoffs.
#[derive(Debug, Clone)]
pub struct Ctx {
    pub(crate) parts: Arc<Parts>,
    pub(crate) tool: &'static ToolSpec,
    pub(crate) caller: Option<Caller>,
    pub(crate) account: Option<Account>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) proposals: Arc<[ProposalRecord]>,
}

impl Ctx {
    /// The tool that was called.
    #[must_use]
    pub const fn tool(&self) -> &'static ToolSpec {
        self.tool
    }

    /// Who calls.
    ///
    /// # Errors
    ///
    /// `AUTH_MISSING` in a tool that answers without credentials.
    pub fn caller(&self) -> Result<&Caller, AdcpError> {
        self.caller.as_ref().ok_or_else(|| AuthFailure::Missing.error())
    }

    /// The account the call acts on.
    ///
    /// # Errors
    ///
    /// `ACCOUNT_NOT_FOUND` when the request names none and the caller has no account of its own.
    pub fn account(&self) -> Result<&Account, AdcpError> {
        self.account.as_ref().ok_or_else(|| {
            // An account that was named and not found never gets here, so these words give nothing away.
            AdcpError::new(
                ErrorCode::ACCOUNT_NOT_FOUND,
                "the request names no account, and none goes without saying",
            )
            .with_field("account")
            .with_suggestion("name the account that this is for")
        })
    }

    /// Where the caller's tasks are looked for: on the account that the request names, or on all of its own.
    ///
    /// A poll that names no account would otherwise miss tasks of accounts given by natural key.
    pub(crate) fn task_scope(&self, names_account: bool) -> Result<Scope, AdcpError> {
        let caller = self.caller()?;
        let (tenant, principal) = (caller.tenant.clone(), caller.principal.clone());
        Ok(if names_account {
            Scope::Caller { tenant, principal, account: Some(self.account()?.id.clone()) }
        } else {
            Scope::Principal { tenant, principal }
        })
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// The buyer's key for this request, if it sent one.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// Answers `submitted` now and the rest later: `work` runs in the background as a task.
    ///
    /// The task ends with what `work` returns. An error, a panic or an invalid answer ends it as failed, and so does
    /// the end of the process where the store outlives it. [`Handoff`] has hooks and a deadline.
    ///
    /// ```no_run
    /// # use adcp_core::AdcpError;
    /// # use adcp_decisioning::{Ctx, Decision};
    /// # async fn review() -> Result<u32, AdcpError> { Ok(1) }
    /// fn decide(ctx: &Ctx) -> Decision<u32> {
    ///     ctx.handoff_to_task(|task| async move {
    ///         task.progress(adcp_core::Progress::percent(10.0)).await;
    ///         review().await
    ///     })
    ///     .into()
    /// }
    /// ```
    pub fn handoff_to_task<T, F, Fut>(&self, work: F) -> Handoff<T>
    where
        F: FnOnce(TaskHandle) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, AdcpError>> + Send + 'static,
    {
        Handoff::new(work)
    }

    /// Answers `submitted` now, while another system does the work: a queue, a workflow engine, a person.
    ///
    /// `enqueue` is called once, after the task was written and before the buyer hears of it. It hands the
    /// [`TaskRef`] over, which is stored as text with the other system's work item; whoever holds it ends the task
    /// through a [`TaskDesk`](crate::TaskDesk). When `enqueue` fails, panics or takes longer than the
    /// [lease](crate::AgentBuilder::enqueue_lease), the task is taken back and the buyer gets the error.
    ///
    /// ```no_run
    /// # use adcp_core::{AdcpError, TaskRef};
    /// # use adcp_decisioning::{Ctx, Decision};
    /// # async fn ask_a_person(task: String) -> Result<(), AdcpError> { Ok(()) }
    /// fn decide(ctx: &Ctx) -> Decision<u32> {
    ///     ctx.handoff_to_workflow(|task: TaskRef| ask_a_person(task.to_string())).into()
    /// }
    /// ```
    pub fn handoff_to_workflow<T, F, Fut>(&self, enqueue: F) -> Workflow<T>
    where
        F: FnOnce(TaskRef) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), AdcpError>> + Send + 'static,
    {
        Workflow::new(enqueue)
    }

    /// Answers `submitted` now, while the work is done as a job, by this process or any other with a handler for it.
    ///
    /// The input is stored with the task. When the process that works on it dies, another begins again with the same
    /// input: see [`JobHandler`] for what that asks of a handler. It is registered with
    /// [`AgentBuilder::job`](crate::AgentBuilder::job); handing off to one that is not is an error that the buyer
    /// gets and the log explains, and nothing is written.
    ///
    /// ```no_run
    /// # use adcp_core::AdcpError;
    /// # use adcp_decisioning::{Ctx, Decision, JobHandle, JobHandler};
    /// # use adcp_types::signals::GetSignalsResponse;
    /// struct Search;
    ///
    /// impl JobHandler for Search {
    ///     const KIND: &'static str = "search";
    ///     type Input = String;
    ///     type Output = GetSignalsResponse;
    ///
    ///     async fn run(&self, job: JobHandle, words: String) -> Result<GetSignalsResponse, AdcpError> {
    /// #       let search = async |_: &str, _: String| Err(AdcpError::unavailable());
    ///         search(job.key(), words).await
    ///     }
    /// }
    ///
    /// fn decide(ctx: &Ctx, words: &str) -> Decision<GetSignalsResponse> {
    ///     ctx.handoff_to_job::<Search>(words.to_owned()).into()
    /// }
    /// ```
    ///
    /// Only a handler whose output is the answer of the tool will do:
    ///
    /// ```compile_fail,E0277
    /// # use adcp_core::AdcpError;
    /// # use adcp_decisioning::{Ctx, Decision, JobHandle, JobHandler};
    /// # use adcp_types::{media_buy::CreateMediaBuySuccess, signals::GetSignalsResponse};
    /// # struct Search;
    /// # impl JobHandler for Search {
    /// #     const KIND: &'static str = "search";
    /// #     type Input = String;
    /// #     type Output = GetSignalsResponse;
    /// #     async fn run(&self, _: JobHandle, _: String) -> Result<GetSignalsResponse, AdcpError> {
    /// #         Err(AdcpError::unavailable())
    /// #     }
    /// # }
    /// fn decide(ctx: &Ctx, words: &str) -> Decision<CreateMediaBuySuccess> {
    ///     ctx.handoff_to_job::<Search>(words.to_owned()).into()
    /// }
    /// ```
    #[must_use]
    pub fn handoff_to_job<J: JobHandler>(&self, input: J::Input) -> JobHandoff<J::Output> {
        JobHandoff::new::<J>(input)
    }
}
