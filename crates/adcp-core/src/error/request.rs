//! Errors about a request as such: what it says, what it repeats, when it came.

use std::time::Duration;

use adcp_types::ErrorCode;
use serde_json::Value;

use super::AdcpError;

impl AdcpError {
    /// `INVALID_REQUEST` about one field, named like `packages[0].budget`.
    #[must_use]
    pub fn invalid_request(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::INVALID_REQUEST,
            field,
            message,
            "correct the named field and send the request again",
        )
    }

    /// `VALIDATION_ERROR`: the schema accepts the request, a rule of the business does not.
    #[must_use]
    pub fn validation_error(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::VALIDATION_ERROR,
            field,
            message,
            "change the named field and send the request again",
        )
    }

    /// `UNSUPPORTED_FEATURE`: this seller does not do what the field asks for.
    #[must_use]
    pub fn unsupported_feature(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::UNSUPPORTED_FEATURE,
            field,
            "this seller does not offer that",
            "leave the field out; get_adcp_capabilities says what is offered",
        )
    }

    /// `REFERENCE_NOT_FOUND`: no such thing, or nobody's business that there is one.
    ///
    /// For whatever has no code of its own: lists, standards, rights, offerings, catalogs, event sources, tasks.
    #[must_use]
    pub fn reference_not_found(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::REFERENCE_NOT_FOUND,
            field,
            "nothing here answers to that reference",
            "take the reference from an answer of this seller",
        )
    }

    /// `SERVICE_UNAVAILABLE`: the same call may succeed later.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(ErrorCode::SERVICE_UNAVAILABLE, "the seller cannot answer at the moment")
            .with_suggestion("send the same request again later")
    }

    /// `SERVICE_UNAVAILABLE`: a task did not end in the time it had.
    #[must_use]
    pub fn overdue() -> Self {
        Self::new(ErrorCode::SERVICE_UNAVAILABLE, "the task did not end in the time it had")
            .with_suggestion("send the request again with a fresh idempotency key")
    }

    /// `SERVICE_UNAVAILABLE`: whoever worked on a task is gone, and nobody knows how far it came.
    #[must_use]
    pub fn orphaned() -> Self {
        Self::new(ErrorCode::SERVICE_UNAVAILABLE, "the work on the task was interrupted").with_suggestion(
            "look up what took effect, then send the request again with a fresh idempotency key",
        )
    }

    /// `SERVICE_UNAVAILABLE`: the work on a task was begun as often as it may be, and no attempt came to an end.
    #[must_use]
    pub fn given_up() -> Self {
        Self::new(
            ErrorCode::SERVICE_UNAVAILABLE,
            "the work on the task was interrupted every time it was tried",
        )
        .with_suggestion(
            "look up what took effect, then send the request again later with a fresh idempotency key",
        )
    }

    /// `RATE_LIMITED`: too many calls; `wait` is sent as whole seconds from 1 to 3600.
    ///
    /// Spec: `error-details/rate-limited.json` names details that may be added.
    #[must_use]
    pub fn rate_limited(wait: Duration) -> Self {
        Self::new(ErrorCode::RATE_LIMITED, "too many calls in a short time")
            .with_suggestion("send the same request again after the stated wait")
            .with_retry_after(wait)
    }

    /// `CONFIGURATION_ERROR`: the seller's deployment is wrong, and only its operator can help.
    #[must_use]
    pub fn configuration_error() -> Self {
        Self::new(ErrorCode::CONFIGURATION_ERROR, "the seller's deployment is not configured for this")
            .with_suggestion("tell the operator of this agent; sending the request again does not help")
    }

    /// `CONFLICT`: the thing has changed since the buyer read it.
    ///
    /// Spec: `error-details/conflict.json`.
    #[must_use]
    pub fn conflict(expected: impl Into<Value>, current: impl Into<Value>) -> Self {
        Self::about(
            ErrorCode::CONFLICT,
            "revision",
            "it has changed since the named revision",
            "read it again, and repeat the change on its current revision",
        )
        .with_detail("expected_version", expected)
        .with_detail("current_version", current)
    }

    /// `INVALID_STATE`: what the request asks for does not fit the current status.
    ///
    /// `field` names the thing or the change; the message names the status.
    #[must_use]
    pub fn invalid_state(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::INVALID_STATE,
            field,
            message,
            "read the current status, and ask for what it allows",
        )
    }
}
