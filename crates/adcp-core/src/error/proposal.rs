//! Errors about proposals. `field` is `proposal_id`, or `refine[0].proposal_id`.

use adcp_types::ErrorCode;

use super::AdcpError;

impl AdcpError {
    /// `PROPOSAL_NOT_FOUND`: no such proposal, one of somebody else, or one long gone.
    #[must_use]
    pub fn proposal_not_found(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::PROPOSAL_NOT_FOUND,
            field,
            "no such proposal",
            "ask get_products for a proposal, and use its proposal_id",
        )
    }

    /// `PROPOSAL_EXPIRED`: the proposal was held for a time, and that is over.
    #[must_use]
    pub fn proposal_expired(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::PROPOSAL_EXPIRED,
            field,
            "the proposal has expired",
            "ask get_products for a new proposal",
        )
    }

    /// `PROPOSAL_NOT_COMMITTED`: the proposal is a draft, or is taken.
    #[must_use]
    pub fn proposal_not_committed(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::PROPOSAL_NOT_COMMITTED,
            field,
            "the proposal is not committed",
            "finalize it with get_products in refine mode, then buy it",
        )
    }

    /// `MULTI_FINALIZE_UNSUPPORTED`: this seller cannot finalize several proposals as one.
    #[must_use]
    pub fn multi_finalize_unsupported(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::MULTI_FINALIZE_UNSUPPORTED,
            field,
            "several proposals cannot be finalized at once",
            "finalize one proposal per call",
        )
    }

    /// `IO_REQUIRED`: the proposal comes with an insertion order that nobody has accepted.
    #[must_use]
    pub fn io_required() -> Self {
        Self::about(
            ErrorCode::IO_REQUIRED,
            "io_acceptance",
            "the proposal needs its insertion order to be accepted",
            "send io_acceptance for the proposal's insertion order",
        )
    }
}
