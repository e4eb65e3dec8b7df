//! Errors about creatives and formats.

use adcp_types::ErrorCode;
use serde_json::Value;

use super::AdcpError;

impl AdcpError {
    /// `CREATIVE_NOT_FOUND`: no such creative, or one of somebody else.
    #[must_use]
    pub fn creative_not_found(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::CREATIVE_NOT_FOUND,
            field,
            "no such creative",
            "send the creative with sync_creatives first",
        )
    }

    /// `CREATIVE_REJECTED`: the creative did not pass review, so it cannot run; `reasons` are for the buyer.
    ///
    /// Spec: `error-details/creative-rejected.json`.
    #[must_use]
    pub fn creative_rejected(field: impl Into<String>, reasons: &[&str]) -> Self {
        let error = Self::about(
            ErrorCode::CREATIVE_REJECTED,
            field,
            "the creative was rejected",
            "send the creative again with sync_creatives, or assign another one",
        );
        if reasons.is_empty() { error } else { error.with_detail("reasons", reasons) }
    }

    /// `CREATIVE_VALUE_NOT_ALLOWED`: the format takes only some values there.
    #[must_use]
    pub fn creative_value_not_allowed(field: impl Into<String>, allowed: Vec<Value>) -> Self {
        Self::about(
            ErrorCode::CREATIVE_VALUE_NOT_ALLOWED,
            field,
            "the format does not allow this value",
            "use one of the allowed values",
        )
        .with_detail("allowed_values", allowed)
    }

    /// `CREATIVE_INACCESSIBLE`: the assets could not be fetched.
    #[must_use]
    pub fn creative_inaccessible(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::CREATIVE_INACCESSIBLE,
            field,
            "an asset of the creative could not be fetched",
            "make the asset reachable from outside, then send the request again",
        )
    }

    /// `FORMAT_NOT_SUPPORTED`: nothing is built in that format here.
    #[must_use]
    pub fn format_not_supported(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::FORMAT_NOT_SUPPORTED,
            field,
            "this format is not supported",
            "choose a format from list_creative_formats",
        )
    }

    /// `PROVENANCE_REQUIRED`: the product takes only creatives that say where they come from.
    #[must_use]
    pub fn provenance_required(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::PROVENANCE_REQUIRED,
            field,
            "the product needs creatives with provenance",
            "add provenance to the creative",
        )
    }
}
