//! The registry: two tables behind one lock, so that what commits together is one critical section.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use adcp_core::{
    CallStore, Capabilities, Claim, ClaimCall, Clock, FinishTask, Finished, IssueTask, ListTasks, Registry,
    RegistryError, ReportProgress, Scope, SettleCall, Settlement, SystemClock, TaskId, TaskPage, TaskRecord,
    TaskRegistry,
};
use async_trait::async_trait;

use crate::calls::Calls;
use crate::config::MemoryLimits;
use crate::tasks::Tasks;

/// A registry in the memory of this process.
pub struct MemoryRegistry {
    tables: Mutex<Tables>,
    clock: Arc<dyn Clock>,
    limits: MemoryLimits,
}

#[derive(Default)]
struct Tables {
    tasks: Tasks,
    calls: Calls,
}

impl MemoryRegistry {
    /// A registry that forgets every accepted task when the process ends.
    #[must_use]
    pub fn volatile() -> Self {
        Self { tables: Mutex::default(), clock: Arc::new(SystemClock::new()), limits: MemoryLimits::new() }
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the bounds.
    #[must_use]
    pub const fn with_limits(mut self, limits: MemoryLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The tables. A panic elsewhere cannot leave them half-written: every change is made after all checks.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRegistry").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Registry for MemoryRegistry {
    fn capabilities(&self) -> Capabilities {
        Capabilities::volatile()
    }
}

#[async_trait]
impl TaskRegistry for MemoryRegistry {
    async fn issue(&self, req: IssueTask) -> Result<TaskRecord, RegistryError> {
        let now = self.clock.now();
        let tables = &mut *self.tables();
        tables.tasks.make_room(now, &self.limits)?;
        let settled = match &req.settles {
            Some((ticket, reply)) => Some((tables.calls.held(ticket)?, reply)),
            None => None,
        };
        if let Some((row, reply)) = settled {
            tables.calls.settle(&row, &Settlement::Replied(reply.clone()))?;
        }
        Ok(tables.tasks.insert(req, now))
    }

    async fn get(&self, id: &TaskId, scope: &Scope) -> Result<Option<TaskRecord>, RegistryError> {
        Ok(self.tables().tasks.get(id, scope).cloned())
    }

    async fn list(&self, req: ListTasks) -> Result<TaskPage, RegistryError> {
        Ok(self.tables().tasks.list(&req))
    }

    async fn report(&self, req: ReportProgress) -> Result<(), RegistryError> {
        let now = self.clock.now();
        self.tables().tasks.report(req, now, self.limits.max_history)
    }

    async fn finish(&self, req: FinishTask) -> Result<Finished, RegistryError> {
        let now = self.clock.now();
        self.tables().tasks.finish(req, now)
    }
}

#[async_trait]
impl CallStore for MemoryRegistry {
    async fn claim_call(&self, req: ClaimCall) -> Result<Claim, RegistryError> {
        let now = self.clock.now();
        self.tables().calls.claim(req, now, &self.limits)
    }

    async fn settle_call(&self, req: SettleCall) -> Result<(), RegistryError> {
        let calls = &mut self.tables().calls;
        let row = calls.held(&req.ticket)?;
        calls.settle(&row, &req.settlement)
    }
}
