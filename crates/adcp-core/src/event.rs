//! Events that wait for delivery: their bytes and their key are fixed when they are queued.

use std::fmt;

use adcp_types::json::JsonObject;
use serde_json::Value;

use crate::{
    AdcpError, Endpoint, NoRandomness, Outcome, Owner, Scope, Secret, TaskId, TaskRecord, TaskStatus,
    Timestamp, hex, random_bytes,
};

/// Where a buyer wants to hear of the end of one task. `Debug` prints no secret, and of the address only the endpoint.
///
/// Spec: `core/push-notification-config.json`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registration {
    /// The receiver's address, never read for meaning.
    pub url: String,
    /// The buyer's name of the operation, echoed verbatim.
    pub operation_id: String,
    /// The buyer's token, echoed verbatim.
    pub token: Option<Secret>,
    /// The legacy scheme that the buyer asks for instead of a signature.
    pub authentication: Option<CallbackAuth>,
    /// The key under which receivers recognise the event again: one registration leads to one terminal event.
    pub event_key: EventKey,
    /// Whether the seller tells the buyer itself, so that nothing is queued.
    pub by_seller: bool,
    /// Whether the store holds a token or credentials that its keys do not open. They are left out then, and the task
    /// does not end before there is a key: its event would be wrong.
    pub unopened: bool,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, operation_id, token, authentication, event_key, by_seller, unopened } = self;
        f.debug_struct("Registration")
            .field("endpoint", &Endpoint::of(url))
            .field("operation_id", operation_id)
            .field("token", token)
            .field("authentication", authentication)
            .field("event_key", event_key)
            .field("by_seller", by_seller)
            .field("unopened", unopened)
            .finish()
    }
}

impl Registration {
    /// A registration, with a fresh key for its event.
    ///
    /// # Errors
    ///
    /// [`NoRandomness`] when the operating system has none to give.
    pub fn new(url: impl Into<String>, operation_id: impl Into<String>) -> Result<Self, NoRandomness> {
        Ok(Self {
            url: url.into(),
            operation_id: operation_id.into(),
            token: None,
            authentication: None,
            event_key: EventKey::random()?,
            by_seller: false,
            unopened: false,
        })
    }

    /// Echoes this token.
    #[must_use]
    pub fn with_token(mut self, token: Option<Secret>) -> Self {
        self.token = token;
        self
    }

    /// Leaves it to the seller to tell the buyer.
    #[must_use]
    pub const fn told_by_seller(mut self, by_seller: bool) -> Self {
        self.by_seller = by_seller;
        self
    }

    /// Authenticates by a legacy scheme.
    #[must_use]
    pub fn with_authentication(mut self, authentication: Option<CallbackAuth>) -> Self {
        self.authentication = authentication;
        self
    }
}

/// A legacy way to authenticate at a receiver.
///
/// Spec: `enums/auth-scheme.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallbackAuth {
    /// `Bearer` or `HMAC-SHA256`.
    pub scheme: String,
    /// What the buyer gave.
    pub credentials: Secret,
}

impl CallbackAuth {
    /// Credentials under a scheme.
    #[must_use]
    pub fn new(scheme: impl Into<String>, credentials: Secret) -> Self {
        Self { scheme: scheme.into(), credentials }
    }
}

/// Identifies an event at its receiver, the same at every attempt: `whk_` and 128 random bits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey(String);

impl EventKey {
    /// A fresh key.
    ///
    /// # Errors
    ///
    /// [`NoRandomness`] when the operating system has none to give.
    pub fn random() -> Result<Self, NoRandomness> {
        Ok(Self(format!("whk_{}", hex(&random_bytes::<16>()?))))
    }

    /// A key as it was stored.
    #[must_use]
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an event tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// A task ended.
    Ended {
        /// The task.
        task: TaskId,
        /// Value of `enums/task-type.json`.
        task_type: String,
        /// How it ended.
        status: TaskStatus,
    },
    /// Something else happened that somebody asked to hear of.
    Notification {
        /// Its type, such as `creative.status_changed` or `scheduled`.
        kind: String,
        /// What it is about, such as the id of an order or a creative.
        about: Option<String>,
        /// Whose subscription it answers, as the buyer named it.
        subscriber: Option<String>,
    },
}

impl Subject {
    /// The task that ended.
    #[must_use]
    pub const fn task(&self) -> Option<&TaskId> {
        match self {
            Self::Ended { task, .. } => Some(task),
            Self::Notification { .. } => None,
        }
    }

    /// How the task ended.
    #[must_use]
    pub const fn status(&self) -> Option<TaskStatus> {
        match self {
            Self::Ended { status, .. } => Some(*status),
            Self::Notification { .. } => None,
        }
    }

    /// What a notification is about.
    #[must_use]
    pub fn about(&self) -> Option<&str> {
        match self {
            Self::Ended { .. } => None,
            Self::Notification { about, .. } => about.as_deref(),
        }
    }

    /// The type of the task or of the notification.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Ended { task_type, .. } => task_type,
            Self::Notification { kind, .. } => kind,
        }
    }
}

/// A message for a receiver, queued in the transaction that made it true. `Debug` prints its length instead of its body,
/// which repeats the buyer's token, and of its address only the endpoint.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// Its key, in the body too.
    pub key: EventKey,
    /// Whose it is.
    pub owner: Owner,
    /// What it tells.
    pub subject: Subject,
    /// The receiver's address.
    pub url: String,
    /// The legacy scheme that the buyer asked for.
    pub authentication: Option<CallbackAuth>,
    /// The body, byte for byte as every attempt sends it: JSON.
    pub body: String,
    /// When it was queued.
    pub queued_at: Timestamp,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, owner, subject, url, authentication, body, queued_at } = self;
        f.debug_struct("Event")
            .field("key", key)
            .field("owner", owner)
            .field("subject", subject)
            .field("endpoint", &Endpoint::of(url))
            .field("authentication", authentication)
            .field("body", &format_args!("{} bytes", body.len()))
            .field("queued_at", queued_at)
            .finish()
    }
}

impl Event {
    /// An event as a store keeps it, without legacy credentials.
    #[must_use]
    pub const fn stored(
        key: EventKey,
        owner: Owner,
        subject: Subject,
        url: String,
        body: String,
        queued_at: Timestamp,
    ) -> Self {
        Self { key, owner, subject, url, authentication: None, body, queued_at }
    }

    /// Where its lane leads.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::of(&self.url)
    }

    /// The event that tells of the end of `task`.
    ///
    /// Spec: `core/mcp-webhook-payload.json`.
    #[must_use]
    pub fn ending(task: &TaskRecord, outcome: &Outcome, to: &Registration, now: Timestamp) -> Self {
        let mut body = JsonObject::new();
        body.insert("idempotency_key".into(), to.event_key.as_str().into());
        body.insert("operation_id".into(), to.operation_id.as_str().into());
        body.insert("task_id".into(), task.id.as_str().into());
        body.insert("task_type".into(), task.task_type.as_str().into());
        body.insert("protocol".into(), task.protocol.as_str().into());
        body.insert("domain".into(), task.protocol.as_str().into());
        body.insert("status".into(), outcome.status().as_str().into());
        body.insert("timestamp".into(), now.to_string().into());
        if let Some(token) = &to.token {
            body.insert("token".into(), token.expose().into());
        }
        if let Some(context) = &task.context {
            body.insert("context".into(), Value::Object(context.clone()));
        }
        if let Outcome::Canceled(reason) = outcome {
            body.insert("message".into(), reason.as_str().into());
        }
        body.insert("result".into(), result(task, outcome));
        Self {
            key: to.event_key.clone(),
            owner: task.owner.clone(),
            subject: Subject::Ended {
                task: task.id.clone(),
                task_type: task.task_type.clone(),
                status: outcome.status(),
            },
            url: to.url.clone(),
            authentication: to.authentication.clone(),
            body: Value::Object(body).to_string(),
            queued_at: now,
        }
    }
}

/// The answer as the tool would have given it at once, or its whole error arm.
fn result(task: &TaskRecord, outcome: &Outcome) -> Value {
    let mut message = message(outcome);
    if let Some(context) = &task.context {
        message.insert("context".into(), Value::Object(context.clone()));
    }
    Value::Object(message)
}

fn message(outcome: &Outcome) -> JsonObject {
    let status = outcome.status().as_str();
    match outcome {
        Outcome::Completed(body) => {
            let mut message = body.clone();
            message.insert("status".into(), status.into());
            message
        }
        Outcome::Failed(error) | Outcome::Rejected(error) => error_arm(error, status),
        Outcome::Canceled(reason) => fields([("status", status.into()), ("message", reason.as_str().into())]),
    }
}

fn error_arm(error: &AdcpError, status: &str) -> JsonObject {
    let wire = Value::Object(error.to_json());
    fields([("status", status.into()), ("errors", vec![wire.clone()].into()), ("adcp_error", wire)])
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> JsonObject {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Reads what is queued, oldest first.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListEvents {
    /// Who asks.
    pub scope: Scope,
    /// Of this task only.
    pub task: Option<TaskId>,
    /// At most so many.
    pub limit: usize,
}

impl ListEvents {
    /// The oldest hundred within a scope.
    #[must_use]
    pub const fn new(scope: Scope) -> Self {
        Self { scope, task: None, limit: 100 }
    }

    /// Of one task only.
    #[must_use]
    pub fn of_task(mut self, task: TaskId) -> Self {
        self.task = Some(task);
        self
    }

    /// Sets how many are read.
    #[must_use]
    pub const fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}
