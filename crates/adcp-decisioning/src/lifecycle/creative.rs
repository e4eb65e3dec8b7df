//! Creatives in an account's library.

use adcp_core::AdcpError;

use super::graph::{
    Actor::{Buyer, Seller, System},
    Lifecycle, assert_transition, edge, first, state,
};

/// Where a creative can stand.
///
/// None of the statuses is terminal: what was rejected can be sent again, what was archived brought back.
///
/// Spec: `enums/creative-status.json`.
pub static CREATIVE: Lifecycle = Lifecycle {
    name: "creative",
    field: "creative_id",
    states: &[
        first("processing"),
        first("pending_review"),
        state("approved"),
        state("suspended"),
        state("rejected"),
        state("archived"),
    ],
    edges: &[
        edge("processing", "pending_review", &[System], "processed"),
        edge("processing", "rejected", &[Seller, System], "unusable"),
        edge("pending_review", "approved", &[Seller], "passed review"),
        edge("pending_review", "rejected", &[Seller], "failed review"),
        edge("approved", "pending_review", &[Buyer, Seller], "changed, or reviewed again"),
        edge("approved", "suspended", &[Seller], "taken offline"),
        edge("approved", "rejected", &[Seller], "approval revoked"),
        edge("approved", "archived", &[Buyer, Seller], "put away"),
        edge("suspended", "approved", &[Seller], "reinstated"),
        edge("suspended", "rejected", &[Seller], "approval revoked"),
        edge("rejected", "processing", &[Buyer], "sent again"),
        edge("archived", "approved", &[Buyer], "brought back"),
        edge("archived", "pending_review", &[Buyer], "brought back for review"),
    ],
    refusals: &[],
};

/// Checks that a creative with this status may be assigned to a package.
///
/// What is still processed, reviewed or suspended may be: it runs once it is approved.
///
/// # Errors
///
/// `CREATIVE_REJECTED` for a rejected creative, `INVALID_STATE` for an archived one or an unknown status,
/// both about `field`.
pub fn assert_assignable(status: &str, field: impl Into<String>) -> Result<(), AdcpError> {
    let field = field.into();
    match status {
        "rejected" => Err(AdcpError::creative_rejected(field, &[]).with_detail("from_state", status)),
        "archived" => Err(AdcpError::invalid_state(field, "the creative is archived")
            .with_suggestion("bring it back with sync_creatives, or assign another one")
            .with_detail("from_state", status)),
        other => assert_transition(&CREATIVE, other, other).map_err(|error| error.with_field(field)),
    }
}
