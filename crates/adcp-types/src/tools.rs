//! The table of tools: one row per tool of the manifest.

pub use crate::generated::protocols::Protocol;
pub use crate::generated::tool_table::*;

/// Whether a request has a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete by definition")]
pub enum Presence {
    /// Every request has it.
    Required,
    /// A request may have it.
    Optional,
    /// The schema does not declare it.
    Absent,
}

/// What the manifest and the schemas say about a tool.
#[derive(Debug)]
#[non_exhaustive]
pub struct ToolSpec {
    /// Name on the wire.
    pub name: &'static str,
    /// Area it belongs to.
    pub protocol: Protocol,
    /// Changes state at the agent.
    pub mutating: bool,
    /// Marked experimental by its schemas.
    pub experimental: bool,
    /// Path of the request's schema.
    pub request_schema: &'static str,
    /// Path of the response's schema.
    pub response_schema: &'static str,
    /// Path of the schema for an accepted task.
    pub submitted_schema: Option<&'static str>,
    /// Path of the schema for a running task.
    pub working_schema: Option<&'static str>,
    /// Path of the schema for a task that waits for the caller.
    pub input_required_schema: Option<&'static str>,
    /// An answer may be `submitted`, by the response's own arm or by a schema of its own.
    pub submitted_arm: bool,
    /// The tool's value in the vocabulary of task types, if it has one.
    pub task_type: Option<&'static str>,
    /// Whether requests carry an idempotency key.
    pub idempotency_key: Presence,
    /// Whether requests name an account.
    pub account: Presence,
    /// Requests may ask for push notifications.
    pub push_notification_config: bool,
    /// Requests may ask for a page.
    pub pagination: bool,
    /// Specialisms that are certified with this tool.
    pub specialisms: &'static [&'static str],
}

/// What the manifest says about a specialism.
#[derive(Debug)]
#[non_exhaustive]
pub struct SpecialismSpec {
    /// Name in the manifest.
    pub name: &'static str,
    /// Area it belongs to.
    pub protocol: &'static str,
    /// Tools that its certification begins with; an agent without one of them cannot claim it.
    pub entry_point_tools: &'static [&'static str],
    /// Tools its certification calls.
    pub exercised_tools: &'static [&'static str],
}

/// The row of the tool called `name`.
pub fn find(name: &str) -> Option<&'static ToolSpec> {
    ALL.binary_search_by(|spec| spec.name.cmp(name)).ok().map(|at| ALL[at])
}
