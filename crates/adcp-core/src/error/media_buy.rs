//! Errors about media buys and their packages.

use adcp_types::{ErrorCode, Recovery};
use serde_json::Value;

use super::AdcpError;

impl AdcpError {
    /// `MEDIA_BUY_NOT_FOUND`: no such media buy, or one of somebody else.
    #[must_use]
    pub fn media_buy_not_found() -> Self {
        Self::about(
            ErrorCode::MEDIA_BUY_NOT_FOUND,
            "media_buy_id",
            "no such media buy",
            "get_media_buys lists the media buys of this account",
        )
    }

    /// `PACKAGE_NOT_FOUND`: no such package in this media buy.
    #[must_use]
    pub fn package_not_found(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::PACKAGE_NOT_FOUND,
            field,
            "no such package in this media buy",
            "get_media_buys shows the packages of a media buy",
        )
    }

    /// `NOT_CANCELLABLE`: it was canceled before, or the contract does not allow it.
    #[must_use]
    pub fn not_cancellable(message: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::NOT_CANCELLABLE,
            "canceled",
            message,
            "read the media buy; the change may have been made already, or need the seller's consent",
        )
    }

    /// `ACTION_NOT_ALLOWED`: the change is not among the available actions.
    ///
    /// `available` holds entries of `core/media-buy-available-action.json`. The lifecycle library of
    /// `adcp-decisioning` fills everything in from its tables. It is terminal when the product itself never
    /// offers the action (`not_supported_on_product`), since no other request can help.
    ///
    /// Spec: `error-details/action-not-allowed.json`.
    #[must_use]
    pub fn action_not_allowed(
        field: impl Into<String>,
        attempted: &str,
        reason: &str,
        available: Vec<Value>,
    ) -> Self {
        let error = Self::about(
            ErrorCode::ACTION_NOT_ALLOWED,
            field,
            format!("`{attempted}` is not available for this media buy now"),
            "choose from the available actions",
        )
        .with_detail("attempted_action", attempted)
        .with_detail("reason", reason)
        .with_detail("currently_available_actions", available);
        if reason == "not_supported_on_product" { error.with_recovery(Recovery::Terminal) } else { error }
    }

    /// `REQUOTE_REQUIRED`: the change leaves what was priced; `envelope` names which part of the quote.
    #[must_use]
    pub fn requote_required(field: impl Into<String>, envelope: &str) -> Self {
        Self::about(
            ErrorCode::REQUOTE_REQUIRED,
            field,
            "the change leaves what the price was quoted for",
            "ask get_products for a new quote, or stay within the old one",
        )
        .with_detail("envelope_field", envelope)
    }

    /// `TERMS_REJECTED`: a term of measurement or performance is not acceptable; `acceptable` says what is.
    #[must_use]
    pub fn terms_rejected(field: impl Into<String>, term: &str, acceptable: impl Into<Value>) -> Self {
        Self::about(
            ErrorCode::TERMS_REJECTED,
            field,
            format!("the term `{term}` is not acceptable"),
            "propose a term within the acceptable range, or leave it out",
        )
        .with_detail("term", term)
        .with_detail("acceptable", acceptable)
    }

    /// `CREATIVE_DEADLINE_EXCEEDED`: the package takes no new creatives any more.
    #[must_use]
    pub fn creative_deadline_exceeded(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::CREATIVE_DEADLINE_EXCEEDED,
            field,
            "the deadline for creatives of this package has passed",
            "keep the creatives assigned before, or ask the seller",
        )
    }
}
