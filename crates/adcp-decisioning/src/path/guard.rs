//! What a valid request may still not ask for. A refusal here has written nothing.

use adcp_core::AdcpError;

use super::gate::Acting;

/// Refuses a webhook that would never be sent.
///
/// A call that may become a task must end with a notification once its `push_notification_config` was accepted.
/// Where nothing delivers, accepting one would be a promise broken. Tools that always answer at once send
/// no notification, so there it is tolerated.
///
/// Spec: `core/push-notification-config.json`.
pub(super) fn guard(acting: Acting) -> Result<Acting, AdcpError> {
    let spec = acting.route.spec;
    let wanted = acting.arguments.get("push_notification_config").is_some_and(|config| !config.is_null());
    if wanted && spec.submitted_arm && spec.task_type.is_some() {
        return Err(AdcpError::invalid_request(
            "push_notification_config",
            "this agent delivers no notifications",
        )
        .with_suggestion("leave push_notification_config out and poll with get_task_status"));
    }
    Ok(acting)
}
