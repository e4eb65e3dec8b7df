//! Errors about campaign governance.

use adcp_types::ErrorCode;

use super::AdcpError;

impl AdcpError {
    /// `PLAN_NOT_FOUND`: no such plan, or one of somebody else.
    #[must_use]
    pub fn plan_not_found(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::PLAN_NOT_FOUND,
            field,
            "no such plan",
            "send the plan with sync_plans first, and use its plan_id",
        )
    }

    /// `GOVERNANCE_DENIED`: the governance agent said no; `explanation` is what it lets the buyer know.
    ///
    /// For tools whose answer has a rejected arm, return that arm instead.
    #[must_use]
    pub fn governance_denied(explanation: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::GOVERNANCE_DENIED,
            "account",
            explanation,
            "change what was objected to, or have the plan changed",
        )
    }

    /// `GOVERNANCE_UNAVAILABLE`: the governance agent could not be asked, so nothing was done.
    #[must_use]
    pub fn governance_unavailable() -> Self {
        Self::about(
            ErrorCode::GOVERNANCE_UNAVAILABLE,
            "account",
            "the account's governance agent cannot be asked at the moment",
            "send the same request again later",
        )
    }

    /// `CAMPAIGN_SUSPENDED`: a person looks at the plan first.
    #[must_use]
    pub fn campaign_suspended() -> Self {
        Self::about(
            ErrorCode::CAMPAIGN_SUSPENDED,
            "account",
            "the plan is suspended until a person has reviewed it",
            "send the same request again after the review",
        )
    }
}
