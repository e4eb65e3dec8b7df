//! The agent: everything an adopter mounted, behind one call.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::Registry;
use adcp_core::json::Limits;
use adcp_types::json::JsonObject;
use futures_util::FutureExt;

use crate::builder::AgentBuilder;
use crate::caller::{AuthFailure, Caller, Credentials};
use crate::desk::TaskDesk;
use crate::listing::Tool;
use crate::parts::Parts;
use crate::path;

/// A seller's agent, ready to answer. Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub struct Agent {
    pub(crate) parts: Arc<Parts>,
}

/// One call, as a transport hands it over: parsed strictly, caller identified. `Debug` leaves the arguments out, which
/// may hold the key of a callback.
#[derive(Clone)]
#[non_exhaustive]
pub struct Call {
    /// The tool's name.
    pub tool: String,
    /// Its arguments, with the envelope fields beside them.
    pub arguments: JsonObject,
    /// Who calls; `None` without credentials.
    pub caller: Option<Caller>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("tool", &self.tool).field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl Call {
    /// A call without credentials.
    #[must_use]
    pub fn new(tool: impl Into<String>, arguments: JsonObject) -> Self {
        Self { tool: tool.into(), arguments, caller: None }
    }

    /// Names the caller.
    #[must_use]
    pub fn by(mut self, caller: Caller) -> Self {
        self.caller = Some(caller);
        self
    }
}

/// The whole answer to a call: the body with its envelope beside it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Reply {
    /// The message.
    pub body: JsonObject,
    /// Whether the task failed at once, so that a transport can mark it.
    pub failed: bool,
}

impl Reply {
    pub(crate) const fn new(body: JsonObject, failed: bool) -> Self {
        Self { body, failed }
    }
}

/// Whether the agent can do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Whether it takes calls.
    pub ok: bool,
    /// Whether accepted tasks survive the end of the process.
    pub durable: bool,
}

impl Agent {
    /// Starts building an agent around `seller`, which implements the traits of what it sells.
    #[must_use]
    pub fn builder<S: Send + Sync + 'static>(seller: S) -> AgentBuilder<S> {
        AgentBuilder::new(seller)
    }

    /// The mounted tools that are listed, by name. Legacy names are answered and never listed.
    #[must_use]
    pub fn tools(&self) -> &[Tool] {
        &self.parts.tools
    }

    /// Whether a call of this name is answered, listed or not.
    #[must_use]
    pub fn answers(&self, tool: &str) -> bool {
        self.parts.routes.contains_key(canonical_name(tool))
    }

    /// Whether this name is a tool of AdCP, mounted here or not.
    #[must_use]
    pub fn knows(&self, tool: &str) -> bool {
        adcp_types::tools::find(canonical_name(tool)).is_some()
    }

    /// Whether the tool answers without credentials.
    #[must_use]
    pub fn is_public(&self, tool: &str) -> bool {
        tool == adcp_types::tools::GET_ADCP_CAPABILITIES.name
    }

    /// Identifies a caller.
    ///
    /// # Errors
    ///
    /// [`AuthFailure`], without saying what was wrong with the credentials.
    pub async fn authenticate(&self, credentials: &Credentials) -> Result<Caller, AuthFailure> {
        // Its code before the first await runs inside the guard, too.
        let asked = async { self.parts.authenticator.authenticate(credentials).await };
        AssertUnwindSafe(asked).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("the authenticator panicked");
            Err(AuthFailure::Unavailable)
        })
    }

    /// Answers one call. Every outcome is a [`Reply`]: errors are written in both layers of the protocol.
    ///
    /// # Cancel safety
    ///
    /// The call runs in a task of its own and is finished even when the returned future is dropped.
    pub async fn call(&self, call: Call) -> Reply {
        self.start();
        path::call(Arc::clone(&self.parts), call).await
    }

    /// What the agent keeps its tasks, keys, proposals and events in, for the seller's own people and machinery.
    #[must_use]
    pub fn registry(&self) -> &Arc<dyn Registry> {
        &self.parts.registry
    }

    /// Where people and other systems end the tasks they were handed.
    #[must_use]
    pub fn desk(&self) -> TaskDesk {
        TaskDesk::of_agent(Arc::clone(&self.parts.registry), self.parts.background.signals().clone())
    }

    /// The limits on what peers may send.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.parts.limits
    }

    /// Whether the agent can do its work.
    #[must_use]
    pub fn health(&self) -> Health {
        Health {
            ok: !self.parts.background.is_stopping() && self.parts.companions.are_healthy(),
            durable: self.parts.registry.capabilities().durable,
        }
    }

    /// Starts what runs beside the calls, such as deliveries. The first call does it, too; again changes nothing.
    ///
    /// # Panics
    ///
    /// A companion may panic outside a runtime.
    pub fn start(&self) {
        self.parts.companions.start(&self.parts.registry);
    }

    /// Stops taking handoffs and waits for the functions that run; then stops what runs beside the calls.
    ///
    /// After `within` the functions are dropped and their tasks end as failed, with an error that invites the buyer
    /// to try again. Jobs are given up, for another replica to take at once; one that may run once only ends as failed.
    /// Tasks that another system carries stay as they are.
    ///
    /// Writing those ends and telling `on_failure` comes on top: ten seconds for a hook that hangs, six for a store
    /// that is away.
    pub async fn drain(&self, within: Duration) {
        let begun = tokio::time::Instant::now();
        self.parts.background.drain(within).await;
        self.parts.companions.drain(within.saturating_sub(begun.elapsed())).await;
    }
}

/// Legacy names of polling, before they became tools.
const ALIASES: [(&str, &str); 2] = [("tasks/get", "get_task_status"), ("tasks/list", "list_tasks")];

pub(crate) fn canonical_name(tool: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == tool).map_or(tool, |(_, name)| name)
}
