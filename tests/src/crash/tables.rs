//! The rows of a registry, read in one snapshot and past its own code.

use serde_json::Value;

use super::history::Micros;

/// What the tables held at one instant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    pub(crate) at: Micros,
    pub(crate) tasks: Vec<TaskRow>,
    pub(crate) events: Vec<EventRow>,
    pub(crate) proposals: Vec<ProposalRow>,
    pub(crate) calls: Vec<CallRow>,
    pub(crate) attempts: Vec<AttemptRow>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct TaskRow {
    pub(crate) id: String,
    pub(crate) tool: String,
    /// Whether its buyer was told of it.
    pub(crate) open_to_buyer: bool,
    pub(crate) status: String,
    pub(crate) created_at: Micros,
    pub(crate) ended_at: Option<Micros>,
    /// When somebody ends it who is not its owner.
    pub(crate) due_at: Option<Micros>,
    pub(crate) has_webhook: bool,
    /// The key of its call, which the buyer wrote into its context.
    pub(crate) key: Option<String>,
    /// The order that it ended with.
    pub(crate) media_buy: Option<String>,
    /// The proposal that its end buys or gives back.
    pub(crate) purchase: Option<String>,
    /// The draft that its end makes firm.
    pub(crate) finalizes: Option<String>,
}

impl TaskRow {
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.status.as_str(), "completed" | "failed" | "canceled" | "rejected")
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct EventRow {
    pub(crate) task: String,
    pub(crate) status: String,
    pub(crate) key: String,
    pub(crate) url: String,
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    /// Claims that were not given back.
    pub(crate) claims: i64,
    pub(crate) queued_at: Micros,
    pub(crate) settled_at: Option<Micros>,
}

impl EventRow {
    /// Whether it was delivered or given up.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.state.as_str(), "delivered" | "dead")
    }
}

/// What a worker wrote down of one claim.
#[derive(Debug, Clone, Default)]
pub(crate) struct AttemptRow {
    pub(crate) key: String,
    pub(crate) class: String,
    pub(crate) detail: Option<String>,
}

impl AttemptRow {
    /// Whether it was sent again at once, because a kept connection was gone.
    pub(crate) fn twice(&self) -> bool {
        self.detail.as_deref().is_some_and(|detail| detail.contains("sent twice"))
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct ProposalRow {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) media_buy: Option<String>,
    /// When the hold of a call is over; a task holds without an end.
    pub(crate) held_until: Option<Micros>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct CallRow {
    pub(crate) key: String,
    pub(crate) state: String,
}

/// The statements of a snapshot. `{s}` is the schema with its dot, where there are schemas.
pub(super) const TASKS: &str = "SELECT id, phase, status, created_at, ended_at, due_at, has_webhook, context, \
     outcome, effects, tool FROM {s}tasks";
pub(super) const EVENTS: &str = "SELECT coalesce(task, ''), coalesce(status, ''), key, url, state, reason, attempts, \
     queued_at, settled_at FROM {s}events";
pub(super) const ATTEMPTS: &str = "SELECT key, class, detail FROM {s}attempts";
pub(super) const PROPOSALS: &str = "SELECT id, state, media_buy_id, held_until FROM {s}proposals";
pub(super) const CALLS: &str = "SELECT key, state FROM {s}calls";

impl TaskRow {
    /// What the columns of text say, beside those that are read as they are.
    pub(super) fn with_texts(mut self, context: Option<&str>, outcome: Option<&str>, effects: &str) -> Self {
        let at = |text: Option<&str>, pointer: &str| {
            let value: Value = serde_json::from_str(text?).ok()?;
            value.pointer(pointer)?.as_str().map(str::to_owned)
        };
        self.key = at(context, "/key");
        self.media_buy = at(outcome, "/completed/media_buy_id");
        self.purchase = at(Some(effects), "/purchase/proposal");
        self.finalizes = at(Some(effects), "/finalizes/0/proposal");
        self
    }
}
