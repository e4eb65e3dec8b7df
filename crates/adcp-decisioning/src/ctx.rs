//! What an adopter's method knows about the call it answers.

use std::future::Future;
use std::sync::Arc;

use adcp_core::{AdcpError, Progress, ProposalRecord, ReportProgress, Scope, TaskId, Timestamp};
use adcp_types::tools::ToolSpec;
use tokio_util::sync::CancellationToken;

use crate::account::{Account, account_not_found};
use crate::caller::{AuthFailure, Caller};
use crate::decision::Handoff;
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
        self.account.as_ref().ok_or_else(account_not_found)
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
    /// The task ends with what `work` returns. An error, a panic or an invalid answer ends it as failed.
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
}

/// A running task, as its own function sees it.
#[derive(Debug, Clone)]
pub struct TaskHandle {
    pub(crate) parts: Arc<Parts>,
    pub(crate) id: TaskId,
    pub(crate) scope: Scope,
    pub(crate) cancellation: CancellationToken,
}

impl TaskHandle {
    /// The id the buyer polls.
    #[must_use]
    pub const fn id(&self) -> &TaskId {
        &self.id
    }

    /// Reports how far the work is. A report that cannot be stored is logged and otherwise ignored.
    pub async fn progress(&self, progress: Progress) {
        let report = ReportProgress::new(self.id.clone(), self.scope.clone(), progress);
        if let Err(error) = self.parts.registry.report(report).await {
            tracing::warn!(task_id = %self.id, error = &error as &dyn std::error::Error, "progress not stored");
        }
    }

    /// Resolves when the work should stop: the agent is shutting down.
    pub async fn cancelled(&self) {
        self.cancellation.cancelled().await;
    }
}
