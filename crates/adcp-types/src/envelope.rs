//! The envelope around every answer: what the transport says, beside the body of the tool.

use serde_json::Value;

use crate::core::Error;
use crate::enums::TaskStatus;
use crate::json::{Dec, DecodeError, Enc, FromJson, JsonObject, ToJson, bridge, setters};

/// Fields that stand beside the body of an answer.
///
/// Spec: `core/protocol-envelope.json` and `core/version-envelope.json`.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Envelope {
    /// State of the task that this answer is about.
    pub status: Option<TaskStatus>,
    /// The task, when one goes on.
    pub task_id: Option<String>,
    /// The conversation, when the transport has one.
    pub context_id: Option<String>,
    /// Echoed from the request, verbatim.
    pub context: Option<JsonObject>,
    /// A sentence for people.
    pub message: Option<String>,
    /// When the answer was made. Format: date-time.
    pub timestamp: Option<String>,
    /// The answer is repeated from an earlier call with the same idempotency key.
    pub replayed: Option<bool>,
    /// Why the whole call failed.
    pub adcp_error: Option<Box<Error>>,
    /// Where notifications go, echoed.
    pub push_notification_config: Option<JsonObject>,
    /// Proof of governance, passed on.
    pub governance_context: Option<String>,
    /// Release of the protocol that the answer follows.
    pub adcp_version: Option<String>,
    /// Major version of the protocol that the answer follows.
    pub adcp_major_version: Option<i64>,
    /// Everything else; of an [`Enveloped`] answer, nothing.
    pub extra: JsonObject,
}

/// Names of the envelope's fields.
pub const FIELDS: [&str; 12] = [
    "adcp_error",
    "adcp_major_version",
    "adcp_version",
    "context",
    "context_id",
    "governance_context",
    "message",
    "push_notification_config",
    "replayed",
    "status",
    "task_id",
    "timestamp",
];

impl Envelope {
    /// An empty envelope.
    pub fn new() -> Self {
        Self::default()
    }

    /// An envelope with a status.
    pub fn of(status: TaskStatus) -> Self {
        Self { status: Some(status), ..Self::default() }
    }
}

setters! {
    Envelope
    text {
        with_task_id task_id,
        with_context_id context_id,
        with_message message,
        with_timestamp timestamp,
        with_governance_context governance_context,
        with_adcp_version adcp_version,
    }
    plain {
        with_status status: TaskStatus,
        with_context context: JsonObject,
        with_replayed replayed: bool,
        with_push_notification_config push_notification_config: JsonObject,
        with_adcp_major_version adcp_major_version: i64,
    }
    boxed {
        with_adcp_error adcp_error: Error,
    }
}

impl FromJson for Envelope {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        let mut d = Dec::new(value)?;
        let mut s = Self::default();
        d.opt("status", &mut s.status);
        d.opt("task_id", &mut s.task_id);
        d.opt("context_id", &mut s.context_id);
        d.opt("context", &mut s.context);
        d.opt("message", &mut s.message);
        d.opt("timestamp", &mut s.timestamp);
        d.opt("replayed", &mut s.replayed);
        d.opt("adcp_error", &mut s.adcp_error);
        d.opt("push_notification_config", &mut s.push_notification_config);
        d.opt("governance_context", &mut s.governance_context);
        d.opt("adcp_version", &mut s.adcp_version);
        d.opt("adcp_major_version", &mut s.adcp_major_version);
        d.rest(&mut s.extra)?;
        Ok(s)
    }
}

impl ToJson for Envelope {
    fn to_json(&self) -> Value {
        let mut e = Enc::new(12, &self.extra);
        e.opt("adcp_error", &self.adcp_error);
        e.opt("adcp_major_version", &self.adcp_major_version);
        e.opt("adcp_version", &self.adcp_version);
        e.opt("context", &self.context);
        e.opt("context_id", &self.context_id);
        e.opt("governance_context", &self.governance_context);
        e.opt("message", &self.message);
        e.opt("push_notification_config", &self.push_notification_config);
        e.opt("replayed", &self.replayed);
        e.opt("status", &self.status);
        e.opt("task_id", &self.task_id);
        e.opt("timestamp", &self.timestamp);
        e.done()
    }
}

bridge! { Envelope, Failure }

/// An answer taken apart into its envelope and its body.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Enveloped<T> {
    /// What the transport says.
    pub envelope: Envelope,
    /// What the tool says.
    pub body: T,
}

impl<T> Enveloped<T> {
    /// Puts `body` into `envelope`.
    pub fn new(envelope: Envelope, body: T) -> Self {
        Self { envelope, body }
    }
}

impl<T: FromJson> FromJson for Enveloped<T> {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        let mut body = JsonObject::from_json(value)?;
        let mut envelope = JsonObject::new();
        for name in FIELDS {
            if let Some(field) = body.remove(name) {
                envelope.insert(name.to_owned(), field);
            }
        }
        Ok(Self {
            envelope: Envelope::from_json(Value::Object(envelope))?,
            body: T::from_json(Value::Object(body))?,
        })
    }
}

impl<T: ToJson> ToJson for Enveloped<T> {
    /// Both parts side by side; a field of the envelope wins over one of the body.
    fn to_json(&self) -> Value {
        let mut whole = match self.body.to_json() {
            Value::Object(map) => map,
            // A body that is no object has no place beside the envelope.
            _ => JsonObject::new(),
        };
        if let Value::Object(envelope) = self.envelope.to_json() {
            whole.extend(envelope);
        }
        Value::Object(whole)
    }
}

/// An answer that says the call failed.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Failure {
    /// What the transport says, with the error of the whole call.
    pub envelope: Envelope,
    /// Errors of the body.
    pub errors: Vec<Error>,
}

impl Failure {
    /// The error to look at first.
    pub fn error(&self) -> Option<&Error> {
        self.envelope.adcp_error.as_deref().or_else(|| self.errors.first())
    }
}

impl FromJson for Failure {
    fn from_json(value: Value) -> Result<Self, DecodeError> {
        let mut body = JsonObject::from_json(value)?;
        let errors = match body.remove("errors") {
            None | Some(Value::Null) => Vec::new(),
            Some(errors) => Vec::from_json(errors).map_err(|error| error.under("errors"))?,
        };
        Ok(Self { envelope: Envelope::from_json(Value::Object(body))?, errors })
    }
}

impl ToJson for Failure {
    fn to_json(&self) -> Value {
        let mut whole = self.envelope.to_json();
        if let (Value::Object(map), false) = (&mut whole, self.errors.is_empty()) {
            map.insert("errors".to_owned(), self.errors.to_json());
        }
        whole
    }
}

/// Where a call stands, as its answer says.
#[allow(dead_code, reason = "without a protocol's feature there are no outcomes")]
pub(crate) enum Phase {
    Done,
    Submitted,
    Working,
    InputRequired,
    Failed,
    Other,
}

#[allow(dead_code, reason = "without a protocol's feature there are no outcomes")]
impl Phase {
    /// Decides by the envelope's status first; `success` are the keys every success has.
    pub(crate) fn of(value: &Value, success: &[&str]) -> Self {
        let Some(map) = value.as_object() else { return Self::Other };
        let has = |key: &str| map.get(key).is_some_and(|value| !value.is_null());
        let complete = !success.is_empty() && success.iter().all(|key| map.contains_key(*key));
        match map.get("status").and_then(Value::as_str) {
            Some("submitted") if has("task_id") && !complete => return Self::Submitted,
            Some("working") if !complete => return Self::Working,
            Some("input-required") if !complete => return Self::InputRequired,
            Some("failed" | "rejected" | "canceled") if !complete => return Self::Failed,
            _ => {}
        }
        if has("adcp_error")
            || (has("errors") && !complete && (!success.is_empty() || map.get("status").is_none()))
        {
            return Self::Failed;
        }
        Self::Done
    }
}
