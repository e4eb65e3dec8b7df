//! Items of a buyer's catalog.

use super::graph::{
    Actor::{Buyer, Seller},
    Lifecycle, edge, first, state,
};

/// Where an item of a catalog can stand.
///
/// The protocol names the statuses and no transitions; the graph is derived. An item that changes is reviewed
/// again, also one that was rejected; a withdrawn item can be offered again. `warning` runs, with remarks.
///
/// Spec: `enums/catalog-item-status.json`.
pub static CATALOG_ITEM: Lifecycle = Lifecycle {
    name: "catalog item",
    field: "catalogs",
    states: &[first("pending"), first("approved"), state("warning"), state("rejected"), state("withdrawn")],
    edges: &[
        edge("pending", "approved", &[Seller], "passed review"),
        edge("pending", "warning", &[Seller], "passed with remarks"),
        edge("pending", "rejected", &[Seller], "failed review"),
        edge("pending", "withdrawn", &[Buyer, Seller], "withdrawn"),
        edge("approved", "pending", &[Buyer, Seller], "changed, or reviewed again"),
        edge("approved", "warning", &[Seller], "remarks added"),
        edge("approved", "rejected", &[Seller], "approval revoked"),
        edge("approved", "withdrawn", &[Buyer, Seller], "withdrawn"),
        edge("warning", "pending", &[Buyer, Seller], "changed, or reviewed again"),
        edge("warning", "approved", &[Seller], "remarks settled"),
        edge("warning", "rejected", &[Seller], "approval revoked"),
        edge("warning", "withdrawn", &[Buyer, Seller], "withdrawn"),
        edge("rejected", "pending", &[Buyer], "sent again"),
        edge("rejected", "withdrawn", &[Buyer, Seller], "withdrawn"),
        edge("withdrawn", "pending", &[Buyer], "offered again"),
        edge("withdrawn", "approved", &[Seller], "reinstated"),
    ],
    refusals: &[],
};
