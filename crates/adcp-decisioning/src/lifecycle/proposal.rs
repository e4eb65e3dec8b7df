//! Proposals, from the first draft to the media buy.

use adcp_core::AdcpError;

use super::graph::{
    ANY,
    Actor::{Buyer, Seller, System},
    Lifecycle, Refusal, edge, first, last, state,
};

const FIELD: &str = "proposal_id";

/// Where a proposal can stand.
///
/// Buyers see `draft` and `committed`; the others are how a seller keeps a proposal from being bought twice.
/// Only a committed proposal is bought: a draft and one that is taken are `PROPOSAL_NOT_COMMITTED`, one whose
/// time is over is `PROPOSAL_EXPIRED`.
///
/// Spec: `enums/proposal-status.json`.
pub static PROPOSAL: Lifecycle = Lifecycle {
    name: "proposal",
    field: FIELD,
    states: &[
        first("draft"),
        first("committed"),
        state("consuming").off_wire(),
        last("consumed").off_wire(),
        last("expired").off_wire(),
    ],
    edges: &[
        edge("draft", "committed", &[Buyer, Seller], "finalized"),
        edge("draft", "expired", &[System], "time is over"),
        edge("committed", "consuming", &[Buyer], "being bought"),
        edge("committed", "expired", &[System], "time is over"),
        edge("consuming", "consumed", &[System], "bought"),
        edge("consuming", "committed", &[System], "purchase failed"),
    ],
    refusals: &[
        Refusal { from: "expired", to: ANY, error: || AdcpError::proposal_expired(FIELD) },
        Refusal { from: ANY, to: "consuming", error: || AdcpError::proposal_not_committed(FIELD) },
    ],
};
