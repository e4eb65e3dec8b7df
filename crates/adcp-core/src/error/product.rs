//! Errors about products.

use adcp_types::ErrorCode;

use super::AdcpError;

impl AdcpError {
    /// `PRODUCT_NOT_FOUND`: no such product, or not for this account.
    #[must_use]
    pub fn product_not_found(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::PRODUCT_NOT_FOUND,
            field,
            "no such product",
            "choose a product_id from get_products",
        )
    }

    /// `PRODUCT_UNAVAILABLE`: the product exists, and there is nothing left of it.
    #[must_use]
    pub fn product_unavailable(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::PRODUCT_UNAVAILABLE,
            field,
            "the product is sold out for this request",
            "choose other dates, less of it, or another product",
        )
    }

    /// `PRODUCT_EXPIRED`: the offer has run out.
    #[must_use]
    pub fn product_expired(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::PRODUCT_EXPIRED,
            field,
            "the product is no longer offered",
            "ask get_products for a current one",
        )
    }

    /// `POLICY_VIOLATION`: what is to be advertised, or how, breaks a policy.
    ///
    /// Spec: `error-details/policy-violation.json`.
    #[must_use]
    pub fn policy_violation(field: impl Into<String>, rules: &[&str]) -> Self {
        let error = Self::about(
            ErrorCode::POLICY_VIOLATION,
            field,
            "this breaks an advertising policy of the seller",
            "change what the named rules are about",
        );
        if rules.is_empty() { error } else { error.with_detail("violated_rules", rules) }
    }

    /// `COMPLIANCE_UNSATISFIED`: the chosen format cannot show a disclosure that is required.
    #[must_use]
    pub fn compliance_unsatisfied(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::COMPLIANCE_UNSATISFIED,
            field,
            "the format cannot carry a required disclosure",
            "choose a format that offers the position and persistence the disclosure needs",
        )
    }
}
