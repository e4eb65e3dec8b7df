//! What is common to the tools that find things: a wholesale read is answered at once, and only the SDK makes tasks.

use adcp_core::AdcpError;
use adcp_types::ErrorCode;
use adcp_types::json::JsonObject;
use serde_json::Value;

/// Whether the request reads a whole feed.
pub(super) fn is_wholesale(request: &Value, mode: &str) -> bool {
    request.get(mode).and_then(Value::as_str) == Some("wholesale")
}

/// Refuses a callback for an answer that comes at once, before anybody is asked.
pub(super) fn refuse_push(request: &Value, mode: &str) -> Result<(), AdcpError> {
    const FIELD: &str = "push_notification_config";
    if !is_wholesale(request, mode) || request.get(FIELD).is_none() {
        return Ok(());
    }
    Err(AdcpError::invalid_request(FIELD, "a wholesale read is answered at once, so nothing would be sent")
        .with_suggestion("leave push_notification_config out, or ask in brief mode"))
}

/// Refuses a task that the seller wrote by hand: nobody could poll it.
pub(super) fn refuse_own_status(body: &JsonObject) -> Result<(), AdcpError> {
    let Some(name) = ["status", "task_id"].into_iter().find(|name| body.contains_key(*name)) else {
        return Ok(());
    };
    tracing::error!(
        field = name,
        "a discovery answer states its own status; hand off with the call's `Ctx` instead"
    );
    Err(AdcpError::new(
        ErrorCode::INVALID_REQUEST,
        format!("the seller's answer states its own `{name}`; its developer must hand off with `Ctx::handoff_to_task`"),
    )
    .with_suggestion("ask for less, so that the seller can answer at once, and tell it about this"))
}
