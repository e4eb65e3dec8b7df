//! Audiences that buyers upload.

use super::graph::{
    Actor::{Buyer, Seller, System},
    Lifecycle, edge, first, state,
};

/// Where an audience can stand.
///
/// The protocol names the statuses and no transitions; the graph is derived. Every status but `suspended`
/// follows from the members an audience has, and members may change at any time.
///
/// Spec: `enums/audience-status.json`.
pub static AUDIENCE: Lifecycle = Lifecycle {
    name: "audience",
    field: "audience_id",
    states: &[first("processing"), state("ready"), state("too_small"), state("suspended")],
    edges: &[
        edge("processing", "ready", &[System], "matched"),
        edge("processing", "too_small", &[System], "too few matched"),
        edge("processing", "suspended", &[Seller], "taken offline"),
        edge("ready", "processing", &[Buyer], "members changed"),
        edge("ready", "too_small", &[System], "members lost"),
        edge("ready", "suspended", &[Seller], "taken offline"),
        edge("too_small", "processing", &[Buyer], "members changed"),
        edge("too_small", "ready", &[System], "members matched later"),
        edge("too_small", "suspended", &[Seller], "taken offline"),
        edge("suspended", "processing", &[Seller], "reinstated, to be matched again"),
        edge("suspended", "ready", &[Seller], "reinstated"),
        edge("suspended", "too_small", &[Seller], "reinstated, too few members"),
    ],
    refusals: &[],
};
