//! Errors about signals and audiences.

use adcp_types::ErrorCode;
use serde_json::Value;

use super::AdcpError;

impl AdcpError {
    /// `SIGNAL_NOT_FOUND`: no such signal, or not for this account.
    #[must_use]
    pub fn signal_not_found(field: impl Into<String>) -> Self {
        Self::about(ErrorCode::SIGNAL_NOT_FOUND, field, "no such signal", "choose a signal from get_signals")
    }

    /// `SIGNAL_TARGETING_INCOMPATIBLE`: a creative's condition and its package's targeting exclude each other.
    #[must_use]
    pub fn signal_targeting_incompatible(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::SIGNAL_TARGETING_INCOMPATIBLE,
            field,
            "the signal condition does not fit the targeting of the package",
            "change the condition or the targeting so that both can hold",
        )
    }

    /// `AUDIENCE_TOO_SMALL`, with the size it needs.
    ///
    /// Spec: `error-details/audience-too-small.json`.
    #[must_use]
    pub fn audience_too_small(field: impl Into<String>, minimum: impl Into<Value>) -> Self {
        Self::about(
            ErrorCode::AUDIENCE_TOO_SMALL,
            field,
            "the audience is too small to be used",
            "add members, or target something wider",
        )
        .with_detail("minimum_size", minimum)
    }
}
