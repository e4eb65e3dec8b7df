//! What operators are shown of deliveries. What could hold a secret is left out.

use adcp_core::{
    Attempt, DeliveryDetail, DeliveryRecord, DeliveryState, Endpoint, EndpointRecord, EventKey, Subject,
    TenantId, Timestamp,
};
use serde_json::{Value, json};

use crate::query::encode;

/// One row of a list. Of the address only the endpoint: the rest may hold secrets of the receiver's.
pub(crate) fn delivery(record: &DeliveryRecord) -> Value {
    let subscriber = match &record.subject {
        Subject::Notification { subscriber, .. } => subscriber.as_deref(),
        _ => None,
    };
    json!({
        "id": record.key.as_str(),
        "href": href(&record.owner.tenant, &record.key),
        "tenant": record.owner.tenant.as_str(),
        "account": record.owner.account.as_ref().map(|account| account.as_str()),
        "principal": record.owner.principal.as_str(),
        "kind": record.subject.kind(),
        "task": record.subject.task().map(|task| task.as_str()),
        "task_status": record.subject.status().map(|status| status.as_str()),
        "about": record.subject.about(),
        "subscriber": subscriber,
        "endpoint": record.endpoint.as_str(),
        "authentication": record.scheme.as_deref().unwrap_or("signature"),
        "state": record.state.as_str(),
        "reason": record.reason.map(|reason| reason.as_str()),
        "attempts": record.attempts,
        "queued_at": record.queued_at.to_string(),
        "due_at": instant(record.due_at),
        "settled_at": instant(record.settled_at),
        "can_redeliver": can_redeliver(record),
        "redeliveries": record.redeliveries.iter().map(|again| json!({
            "at": again.at.to_string(),
            "by": again.by,
        })).collect::<Vec<_>>(),
    })
}

/// Everything that is kept of one delivery, but for its body: that repeats the buyer's token.
pub(crate) fn detail(detail: &DeliveryDetail) -> Value {
    let mut shown = delivery(&detail.record);
    shown["body"] = json!({
        "kept": detail.record.has_body,
        "readable": detail.body.is_some(),
        "bytes": detail.body.as_ref().map(String::len),
    });
    shown["attempts_kept"] = detail.attempts.iter().map(attempt_json).collect();
    shown
}

/// An attempt as operators are shown it, over HTTP and by `adcp webhooks show --json`.
#[must_use]
pub fn attempt_json(attempt: &Attempt) -> Value {
    json!({
        "number": attempt.number,
        "class": attempt.class.as_str(),
        "started_at": attempt.started_at.to_string(),
        "took_ms": u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
        "http_status": attempt.http_status,
        "peer": attempt.peer,
        "detail": attempt.detail,
        "answer": attempt.answer,
    })
}

/// An endpoint and its breaker as operators are shown them, over HTTP and by `adcp webhooks endpoints --json`.
#[must_use]
pub fn endpoint_json(record: &EndpointRecord) -> Value {
    json!({
        "endpoint": record.endpoint.as_str(),
        "breaker": record.breaker.state.as_str(),
        "failures": record.breaker.failures,
        "openings": record.breaker.openings,
        "paused_until": instant(record.breaker.until),
        "changed_at": record.changed_at.to_string(),
        "last": record.last.map(|class| class.as_str()),
    })
}

/// Where one delivery is read.
pub(crate) fn href(tenant: &TenantId, key: &EventKey) -> String {
    format!("/admin/deliveries/{}?tenant={}", encode(key.as_str()), encode(tenant.as_str()))
}

/// Whether a dead letter can be sent again, and would arrive anywhere.
pub(crate) fn can_redeliver(record: &DeliveryRecord) -> bool {
    record.state == DeliveryState::Dead && record.has_body && !leads_nowhere(record)
}

/// Whether the address is nobody's.
pub(crate) fn leads_nowhere(record: &DeliveryRecord) -> bool {
    record.endpoint == Endpoint::of("")
}

fn instant(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_unambiguous() {
        let link = href(&TenantId::new("a&b"), &EventKey::stored("../x/redeliver?y"));
        assert_eq!(link, "/admin/deliveries/..%2Fx%2Fredeliver%3Fy?tenant=a%26b");
    }
}
