//! What a valid request may still not ask for. A refusal here has written nothing.

use std::sync::Arc;

use adcp_core::{AdcpError, Registration};

use super::gate::Acting;
use super::push;
use super::task::needs_account;
use crate::parts::Parts;

/// A call whose wishes can be fulfilled.
pub(super) struct Guarded {
    pub(super) acting: Acting,
    /// Whom to tell when the call becomes a task that ends.
    pub(super) notify: Option<Registration>,
}

/// Refuses a webhook that would never be sent.
///
/// A call that may become a task must end with a notification once its `push_notification_config` was accepted.
/// Tools that always answer at once send no notification, so there it is tolerated.
///
/// Spec: `core/push-notification-config.json`.
pub(super) fn guard(parts: &Arc<Parts>, acting: Acting) -> Result<Guarded, AdcpError> {
    let notify = register(parts, &acting)?;
    Ok(Guarded { acting, notify })
}

fn register(parts: &Arc<Parts>, acting: &Acting) -> Result<Option<Registration>, AdcpError> {
    let spec = acting.route.spec;
    let config = acting.arguments.get("push_notification_config").filter(|config| !config.is_null());
    let (Some(config), true, Some(_)) = (config, spec.submitted_arm, spec.task_type) else { return Ok(None) };
    let refused = |words: &str, instead: &str| {
        AdcpError::invalid_request("push_notification_config", words).with_suggestion(instead)
    };
    if acting.route.hook.at_once(&acting.arguments).is_some() {
        return Err(refused(
            "this is answered at once, so there is nothing to notify of",
            "leave push_notification_config out",
        ));
    }
    if acting.account.is_none() {
        return Err(needs_account());
    }
    if parts.delivery.is_none() && parts.auto_emit {
        return Err(refused(
            "this agent delivers no notifications",
            "leave push_notification_config out and poll with get_task_status",
        ));
    }
    let registration = push::registration(
        config,
        parts.delivery.as_deref(),
        parts.registry.capabilities().keeps_credentials,
    )?;
    Ok(Some(registration.told_by_seller(!parts.auto_emit)))
}
