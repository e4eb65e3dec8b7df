//! Media buys and their packages.

use adcp_core::AdcpError;

use super::graph::{
    Actor::{Buyer, Seller, System},
    Lifecycle, Refusal, edge, first, last, state,
};

/// Where a media buy can stand.
///
/// Canceling twice is `NOT_CANCELLABLE`; anything else that would change a media buy that has ended is
/// `INVALID_STATE`. Nothing is paused before it is active.
///
/// Spec: `enums/media-buy-status.json`.
pub static MEDIA_BUY: Lifecycle = Lifecycle {
    name: "media buy",
    field: "media_buy_id",
    states: &[
        first("pending_creatives"),
        first("pending_start"),
        first("active"),
        state("paused"),
        last("completed"),
        last("rejected"),
        last("canceled"),
    ],
    edges: &[
        edge("pending_creatives", "pending_start", &[Buyer, Seller], "creatives supplied"),
        edge("pending_creatives", "active", &[Buyer, Seller], "creatives supplied, flight begun"),
        edge("pending_creatives", "rejected", &[Seller], "declined"),
        edge("pending_creatives", "canceled", &[Buyer, Seller], "called off"),
        edge("pending_start", "active", &[System], "flight begins"),
        edge("pending_start", "rejected", &[Seller], "declined"),
        edge("pending_start", "canceled", &[Buyer, Seller], "called off"),
        edge("active", "paused", &[Buyer, Seller], "held"),
        edge("active", "completed", &[System], "flight, goal or budget reached"),
        edge("active", "canceled", &[Buyer, Seller], "called off"),
        edge("paused", "active", &[Buyer, Seller], "resumed"),
        edge("paused", "completed", &[System], "flight ends"),
        edge("paused", "canceled", &[Buyer, Seller], "called off"),
    ],
    refusals: &[Refusal {
        from: "canceled",
        to: "canceled",
        error: || AdcpError::not_cancellable("the media buy was canceled before"),
    }],
};

/// Where a package can stand, beside its media buy.
///
/// On the wire a package has no status but two flags, `paused` and `canceled`; this graph is derived from
/// them. A package ends with its media buy.
///
/// Spec: `core/package.json`.
pub static PACKAGE: Lifecycle = Lifecycle {
    name: "package",
    field: "package_id",
    states: &[first("active").off_wire(), first("paused").off_wire(), last("canceled").off_wire()],
    edges: &[
        edge("active", "paused", &[Buyer, Seller], "held"),
        edge("active", "canceled", &[Buyer, Seller], "called off"),
        edge("paused", "active", &[Buyer, Seller], "resumed"),
        edge("paused", "canceled", &[Buyer, Seller], "called off"),
    ],
    refusals: &[Refusal {
        from: "canceled",
        to: "canceled",
        error: || AdcpError::not_cancellable("the package was canceled before"),
    }],
};
