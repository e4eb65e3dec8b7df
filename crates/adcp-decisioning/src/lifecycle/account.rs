//! Accounts at the seller.

use adcp_core::AdcpError;

use super::graph::{
    ANY,
    Actor::{Buyer, Seller, System},
    Lifecycle, Refusal, edge, first, last, state,
};

/// Where an account can stand.
///
/// An account that is closed or was rejected reads as absent: work on it is `ACCOUNT_NOT_FOUND`.
///
/// Spec: `enums/account-status.json`.
pub static ACCOUNT: Lifecycle = Lifecycle {
    name: "account",
    field: "account",
    states: &[
        first("pending_approval"),
        first("active"),
        state("payment_required"),
        state("suspended"),
        last("rejected"),
        last("closed"),
    ],
    edges: &[
        edge("pending_approval", "active", &[Seller], "approved"),
        edge("pending_approval", "rejected", &[Seller], "declined"),
        edge("pending_approval", "closed", &[Buyer, Seller], "closed"),
        edge("active", "payment_required", &[Seller, System], "payment overdue"),
        edge("active", "suspended", &[Seller], "suspended"),
        edge("active", "closed", &[Buyer, Seller], "closed"),
        edge("payment_required", "active", &[Seller, System], "paid"),
        edge("payment_required", "closed", &[Buyer, Seller], "closed"),
        edge("suspended", "active", &[Seller], "reinstated"),
        edge("suspended", "closed", &[Buyer, Seller], "closed"),
    ],
    refusals: &[
        Refusal { from: "rejected", to: ANY, error: AdcpError::account_not_found },
        Refusal { from: "closed", to: ANY, error: AdcpError::account_not_found },
    ],
};
