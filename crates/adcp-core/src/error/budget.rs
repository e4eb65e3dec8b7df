//! Errors about money.

use adcp_types::ErrorCode;
use serde_json::Value;

use super::AdcpError;
use crate::json::number_text;

impl AdcpError {
    /// `BUDGET_EXHAUSTED`: the money is spent.
    #[must_use]
    pub fn budget_exhausted() -> Self {
        Self::about(
            ErrorCode::BUDGET_EXHAUSTED,
            "account",
            "the budget has been spent",
            "have the budget raised outside this call",
        )
    }

    /// `BUDGET_EXCEEDED`: this would spend more than was allotted.
    #[must_use]
    pub fn budget_exceeded(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::about(ErrorCode::BUDGET_EXCEEDED, field, message, "ask for less, or have the allotment raised")
    }

    /// `BUDGET_TOO_LOW`, with the minimum and its currency (ISO 4217).
    ///
    /// Spec: `error-details/budget-too-low.json`.
    #[must_use]
    pub fn budget_too_low(field: impl Into<String>, minimum: impl Into<Value>, currency: &str) -> Self {
        let minimum = minimum.into();
        let shown = minimum.as_f64().map_or_else(|| minimum.to_string(), number_text);
        Self::about(
            ErrorCode::BUDGET_TOO_LOW,
            field,
            format!("the budget is below the minimum of {shown} {currency}"),
            "raise the budget, or choose another product or pricing option",
        )
        .with_detail("minimum_budget", minimum)
        .with_detail("currency", currency)
    }
}
