//! Sessions of sponsored intelligence.

use adcp_core::AdcpError;

use super::graph::{
    ANY,
    Actor::{Buyer, Seller, System},
    Lifecycle, Refusal, edge, first, last, state,
};

/// Where a session can stand.
///
/// The protocol names the statuses and no transitions; the graph is derived. A user who is offered a handoff
/// may go on talking instead. Whatever is asked of a session that has ended is `SESSION_TERMINATED`.
///
/// Spec: `enums/si-session-status.json`.
pub static SI_SESSION: Lifecycle = Lifecycle {
    name: "session",
    field: "session_id",
    states: &[first("active"), state("pending_handoff"), last("complete"), last("terminated")],
    edges: &[
        edge("active", "pending_handoff", &[Seller], "handoff offered"),
        edge("active", "complete", &[Seller], "nothing left to say"),
        edge("active", "terminated", &[Buyer, Seller, System], "ended, or timed out"),
        edge("pending_handoff", "active", &[Buyer], "conversation goes on"),
        edge("pending_handoff", "complete", &[Buyer, Seller], "handed off"),
        edge("pending_handoff", "terminated", &[Buyer, Seller, System], "ended, or timed out"),
    ],
    refusals: &[
        Refusal { from: "complete", to: ANY, error: AdcpError::session_terminated },
        Refusal { from: "terminated", to: ANY, error: AdcpError::session_terminated },
    ],
};
