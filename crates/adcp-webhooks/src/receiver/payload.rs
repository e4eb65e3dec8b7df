//! What a webhook tells, in whichever envelope it came.

use serde_json::{Map, Value};

/// What a webhook tells.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Payload {
    /// How far a task is. The way in which the address was registered decides the envelope; both read the same here.
    Task(TaskNews),
    /// Something that no task tells of: a creative's status, a feed, a list, artifacts.
    Notification(Notification),
    /// The sender asks whether this address wants what it is going to send. Repeat it to say yes.
    ///
    /// Spec: `core/webhook-challenge.json`.
    Challenge(String),
}

impl Payload {
    /// Reads a body of whatever sender: what it tells, and the event's key, which challenges and events of A2A may not have.
    ///
    /// It proves nothing. For people and tools that look at what arrived; a [`WebhookReceiver`](crate::WebhookReceiver) checks
    /// who sent it first.
    ///
    /// # Errors
    ///
    /// [`BadPayload`].
    pub fn read(body: &Value) -> Result<(Self, Option<String>), BadPayload> {
        read(body).map(|read| (read.payload, read.key))
    }
}

/// How far a task is.
///
/// Spec: `core/mcp-webhook-payload.json`, or a task, a status or an artifact of A2A.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TaskNews {
    /// In which envelope it came.
    pub envelope: Envelope,
    /// The task.
    pub task_id: String,
    /// Value of `enums/task-type.json`; A2A names none.
    pub task_type: Option<String>,
    /// Value of `enums/task-status.json`; an artifact of A2A comes without.
    pub status: Option<String>,
    /// The buyer's name of the operation; A2A has none of its own.
    pub operation_id: Option<String>,
    /// What the tool would have answered, or what is known so far.
    pub result: Option<Value>,
}

/// The two forms of the same news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are two ways to register an address")]
pub enum Envelope {
    /// Flat, of `push_notification_config` in the arguments of a tool.
    Adcp,
    /// An event of A2A, of A2A's own configuration.
    A2a,
}

/// Something that no task tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// Its type or event, such as `creative.status_changed`; artifacts name none.
    pub kind: Option<String>,
    /// The subscription that it answers.
    pub subscriber_id: Option<String>,
}

/// Why a body is no webhook. A receiver answers 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadPayload {
    /// It is a result without its envelope, or something else.
    #[error("missing_envelope_fields")]
    Envelope,
    /// It has no `idempotency_key`.
    #[error("missing_idempotency_key")]
    NoKey,
    /// Its `idempotency_key` is not 16 to 255 letters, digits and `_.:-`.
    #[error("invalid_idempotency_key")]
    Key,
    /// Its status is not one of a task.
    #[error("invalid_envelope_status")]
    Status,
    /// Its challenge is not 32 to 255 letters, digits and `_.:-`.
    #[error("invalid_challenge")]
    Challenge,
}

/// A body that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Read {
    pub(crate) payload: Payload,
    /// None for challenges, and for events of A2A, which have none.
    pub(crate) key: Option<String>,
    pub(crate) token: Option<String>,
}

const STATUSES: [&str; 9] = [
    "submitted",
    "working",
    "input-required",
    "completed",
    "canceled",
    "failed",
    "rejected",
    "auth-required",
    "unknown",
];

/// Reads a body.
pub(crate) fn read(body: &Value) -> Result<Read, BadPayload> {
    let Value::Object(body) = body else { return Err(BadPayload::Envelope) };
    if body.get("type").and_then(Value::as_str) == Some("webhook.challenge") {
        return challenge(body);
    }
    if let Some(news) = a2a(body) {
        let of = |name: &str| news.1.get("metadata").and_then(|metadata| text(metadata.as_object()?, name));
        let key = of("idempotency_key").map(checked_key).transpose()?;
        return Ok(Read { payload: Payload::Task(news.0), key, token: None });
    }
    let has = |names: &[&str]| names.iter().all(|name| body.contains_key(*name));
    let payload = if has(&["notification_type", "fired_at"])
        || has(&["event", "list_id"])
        || has(&["batch_id", "artifacts"])
    {
        Payload::Notification(Notification {
            kind: text(body, "notification_type").or_else(|| text(body, "event")),
            subscriber_id: text(body, "subscriber_id"),
        })
    } else {
        Payload::Task(flat(body)?)
    };
    let key = text(body, "idempotency_key").ok_or(BadPayload::NoKey)?;
    Ok(Read { payload, key: Some(checked_key(key)?), token: text(body, "token") })
}

fn challenge(body: &Map<String, Value>) -> Result<Read, BadPayload> {
    let challenge = text(body, "challenge").filter(|it| is_word(it, 32)).ok_or(BadPayload::Challenge)?;
    Ok(Read { payload: Payload::Challenge(challenge), key: None, token: text(body, "token") })
}

fn flat(body: &Map<String, Value>) -> Result<TaskNews, BadPayload> {
    let required = |name: &str| text(body, name).ok_or(BadPayload::Envelope);
    let (task_id, task_type) = (required("task_id")?, required("task_type")?);
    let (operation_id, status) = (required("operation_id")?, required("status")?);
    required("timestamp")?;
    if !STATUSES.contains(&status.as_str()) {
        return Err(BadPayload::Status);
    }
    Ok(TaskNews {
        envelope: Envelope::Adcp,
        task_id,
        task_type: Some(task_type),
        status: Some(status),
        operation_id: Some(operation_id),
        result: body.get("result").cloned(),
    })
}

/// An event of A2A, and the object that it is.
fn a2a(body: &Map<String, Value>) -> Option<(TaskNews, &Map<String, Value>)> {
    // Newer senders put the event under its name.
    let wrapped =
        ["task", "statusUpdate", "artifactUpdate"].into_iter().find_map(|name| body.get(name)?.as_object());
    let event = wrapped.filter(|_| body.len() == 1).unwrap_or(body);
    let kind = event.get("kind").and_then(Value::as_str);
    let (status, artifact) = (event.get("status").and_then(Value::as_object), event.get("artifact"));
    let is_one = matches!(kind, Some("task" | "status-update" | "artifact-update"));
    if !is_one && status.is_none() && wrapped.is_none() {
        return None;
    }
    let task_id = text(event, "taskId").or_else(|| text(event, "id"))?;
    let state = status.and_then(|status| text(status, "state")).map(|state| state_word(&state));
    let artifacts = event.get("artifacts").and_then(Value::as_array).and_then(|all| all.first());
    let message = status.and_then(|status| status.get("message"));
    let result = [artifacts, artifact, message].into_iter().flatten().find_map(last_data);
    let operation_id = event.get("metadata").and_then(|metadata| text(metadata.as_object()?, "operation_id"));
    let news =
        TaskNews { envelope: Envelope::A2a, task_id, task_type: None, status: state, operation_id, result };
    Some((news, event))
}

/// `TASK_STATE_INPUT_REQUIRED` and `input-required` are one.
fn state_word(state: &str) -> String {
    let word = state.strip_prefix("TASK_STATE_").unwrap_or(state).to_ascii_lowercase().replace('_', "-");
    if word == "cancelled" { "canceled".to_owned() } else { word }
}

/// The data of the last part that has any.
fn last_data(of: &Value) -> Option<Value> {
    of.get("parts")?.as_array()?.iter().rev().find_map(|part| part.get("data").cloned())
}

fn text(of: &Map<String, Value>, name: &str) -> Option<String> {
    of.get(name)?.as_str().map(str::to_owned)
}

fn checked_key(key: String) -> Result<String, BadPayload> {
    if is_word(&key, 16) { Ok(key) } else { Err(BadPayload::Key) }
}

/// `^[A-Za-z0-9_.:-]{least,255}$`.
fn is_word(text: &str, least: usize) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    (least..=255).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str = "whk_0123456789abcdef";

    fn envelope() -> Value {
        json!({
            "idempotency_key": KEY, "operation_id": "op-1", "task_id": "t", "task_type": "create_media_buy",
            "status": "completed", "timestamp": "2026-11-21T08:00:00Z", "token": "tttttttttttttttt",
            "result": { "media_buy_id": "mb" },
        })
    }

    fn without(name: &str) -> Value {
        let mut body = envelope();
        body.as_object_mut().unwrap().remove(name);
        body
    }

    #[test]
    fn both_envelopes_tell_the_same() {
        let Read { payload: Payload::Task(flat), key, token } = read(&envelope()).unwrap() else { panic!() };
        assert_eq!((key.as_deref(), token.as_deref()), (Some(KEY), Some("tttttttttttttttt")));
        let task = json!({
            "kind": "task", "id": "t", "contextId": "c", "metadata": { "operation_id": "op-1" },
            "status": { "state": "completed" },
            "artifacts": [{ "parts": [{ "kind": "text", "text": "done" }, { "kind": "data", "data": { "media_buy_id": "mb" } }] }],
        });
        let update = json!({ "statusUpdate": {
            "taskId": "t", "metadata": { "operation_id": "op-1", "idempotency_key": KEY },
            "status": { "state": "TASK_STATE_COMPLETED", "message": { "parts": [{ "data": { "media_buy_id": "mb" } }] } },
        }});
        for (event, want) in [(task, None), (update, Some(KEY))] {
            let Read { payload: Payload::Task(news), key, .. } = read(&event).unwrap() else { panic!() };
            assert_eq!(key.as_deref(), want);
            assert_eq!(news.envelope, Envelope::A2a);
            assert_eq!((&news.task_id, &news.status), (&flat.task_id, &flat.status));
            assert_eq!((&news.operation_id, &news.result), (&flat.operation_id, &flat.result));
        }
    }

    #[test]
    fn a_body_that_is_no_webhook_says_what_is_missing() {
        let mut active = envelope();
        active["status"] = "active".into();
        let mut short = envelope();
        short["idempotency_key"] = "whk_1".into();
        let bare =
            json!({ "notification_type": "scheduled", "sequence_number": 1, "media_buy_deliveries": [] });
        for (body, want) in [
            (bare, BadPayload::Envelope),
            (json!([]), BadPayload::Envelope),
            (json!({}), BadPayload::Envelope),
            (without("idempotency_key"), BadPayload::NoKey),
            (without("operation_id"), BadPayload::Envelope),
            (without("timestamp"), BadPayload::Envelope),
            (active, BadPayload::Status),
            (short, BadPayload::Key),
            (json!({ "type": "webhook.challenge", "challenge": "short" }), BadPayload::Challenge),
        ] {
            assert_eq!(read(&body), Err(want), "{body}");
            assert_eq!(Payload::read(&body), Err(want), "{body}");
        }
    }

    #[test]
    fn notifications_and_challenges_are_told_apart() {
        let creative = json!({
            "idempotency_key": KEY, "notification_type": "creative.status_changed", "fired_at": "2026-11-21T08:00:00Z",
            "subscriber_id": "s",
        });
        let want =
            Notification { kind: Some("creative.status_changed".into()), subscriber_id: Some("s".into()) };
        assert_eq!(read(&creative).unwrap().payload, Payload::Notification(want));
        let list = json!({ "idempotency_key": KEY, "event": "property_list_changed", "list_id": "l" });
        assert!(matches!(read(&list).unwrap().payload, Payload::Notification(_)));
        assert!(matches!(Payload::read(&list), Ok((Payload::Notification(_), Some(key))) if key == KEY));
        let text = "c".repeat(32);
        let challenge = json!({ "type": "webhook.challenge", "challenge": text });
        assert_eq!(read(&challenge).unwrap().payload, Payload::Challenge(text));
    }
}
