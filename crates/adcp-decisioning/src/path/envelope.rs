//! The fields that stand beside every body.

use std::sync::Arc;

use adcp_core::AdcpError;
use adcp_types::json::JsonObject;
use serde_json::Value;

use super::gate::credential::is_clean;
use crate::agent::Reply;
use crate::parts::Parts;

/// A caller's `context` may have this many bytes as JSON text.
pub(super) const MAX_CONTEXT_BYTES: usize = 64 * 1024;

/// What the envelope of this call's answer says.
#[derive(Clone)]
pub(super) struct Envelope {
    context: Option<JsonObject>,
    served: String,
}

impl Envelope {
    /// The envelope before anything is known but the request.
    pub(super) fn of(arguments: &JsonObject, parts: &Arc<Parts>) -> Self {
        let context = match arguments.get("context") {
            // A context with a credential is refused, and its refusal must not say the credential back.
            Some(Value::Object(context)) if is_clean(context) => Some(context.clone()),
            _ => None,
        };
        let echoed =
            context.filter(|c| serde_json::to_vec(c).is_ok_and(|text| text.len() <= MAX_CONTEXT_BYTES));
        Self { context: echoed, served: parts.versions.default_release().to_owned() }
    }

    /// Names the release that serves the call.
    pub(super) fn serve(&mut self, release: &str) {
        release.clone_into(&mut self.served);
    }

    /// The caller's context, to be kept with a task.
    pub(super) const fn context(&self) -> Option<&JsonObject> {
        self.context.as_ref()
    }

    /// Puts the envelope around a body that carries its status.
    pub(super) fn wrap(&self, mut body: JsonObject) -> JsonObject {
        if let Some(context) = &self.context {
            body.insert("context".into(), Value::Object(context.clone()));
        }
        body.insert("adcp_version".into(), self.served.as_str().into());
        body
    }

    /// The part of a message that is recorded for replays: everything but what each reply adds anew.
    pub(super) fn unwrap(&self, message: &JsonObject) -> JsonObject {
        let mut body = message.clone();
        body.remove("context");
        body.remove("adcp_version");
        body
    }

    /// An answer that is not the adopter's.
    pub(super) fn complete(&self, mut body: JsonObject) -> Reply {
        body.insert("status".into(), "completed".into());
        Reply::new(self.wrap(body), false)
    }

    /// A recorded body, sent again.
    pub(super) fn replay(&self, body: JsonObject) -> Reply {
        let mut message = self.wrap(body);
        message.insert("replayed".into(), true.into());
        Reply::new(message, false)
    }

    /// A failure, in both layers.
    ///
    /// Spec: `core/protocol-envelope.json`, `adcp_error`; `core/error.json`.
    pub(super) fn refuse(&self, error: &AdcpError) -> Reply {
        let wire = Value::Object(error.to_json());
        let mut body = JsonObject::new();
        body.insert("status".into(), "failed".into());
        body.insert("errors".into(), Value::Array(vec![wire.clone()]));
        body.insert("adcp_error".into(), wire);
        Reply::new(self.wrap(body), true)
    }
}
