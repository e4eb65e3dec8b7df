//! Once, however often the buyer sends it.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::json::canonical;
use adcp_core::{AdcpError, CallKey, Claim, ClaimCall, Ticket, field_path};
use adcp_types::ErrorCode;
use adcp_types::json::JsonObject;
use adcp_types::tools::{Protocol, ToolSpec};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::gate::Acting;
use crate::parts::Parts;

/// How long a buyer should wait for a call that is still running.
const IN_FLIGHT_WAIT: Duration = Duration::from_secs(2);

/// What the claim of a key found.
pub(super) enum Claimed {
    First(Box<First>),
    Before(JsonObject),
}

/// A call that may run: the first with its key, or one that needs no key.
pub(super) struct First {
    pub(super) acting: Acting,
    pub(super) key: Option<String>,
    pub(super) ticket: Option<Ticket>,
}

/// Spec: `protocol/get-adcp-capabilities-response.json`, `adcp.idempotency`.
pub(super) async fn claim(parts: &Arc<Parts>, acting: Acting) -> Result<Claimed, AdcpError> {
    let key = acting.arguments.get("idempotency_key").and_then(Value::as_str).map(str::to_owned);
    let (Some(text), Some(owner), true) = (&key, acting.owner(), acting.route.spec.mutating) else {
        return Ok(Claimed::First(Box::new(First { acting, key, ticket: None })));
    };
    let hash = fingerprint(acting.route.spec.name, &acting.arguments)?;
    let session = session(acting.route.spec, &acting.arguments);
    let call_key = CallKey::new(owner, text.as_str()).with_session(session);
    match parts
        .registry
        .claim_call(ClaimCall::new(call_key, acting.route.spec.name, hash, parts.replay_ttl))
        .await?
    {
        Claim::First(ticket) => Ok(Claimed::First(Box::new(First { acting, key, ticket: Some(ticket) }))),
        Claim::Replay(reply) => Ok(Claimed::Before(reply)),
        Claim::InFlight => Err(in_flight()),
        Claim::Conflict => Err(AdcpError::new(
            ErrorCode::IDEMPOTENCY_CONFLICT,
            "this idempotency key was already used for another request",
        )
        .with_suggestion("use a fresh key for a new request; repeat a request unchanged to retry it")),
        Claim::Expired => {
            Err(AdcpError::new(ErrorCode::IDEMPOTENCY_EXPIRED, "the answer to this key is no longer kept")
                .with_suggestion("look up whether the first request took effect before sending a new one"))
        }
    }
}

/// The conversation that a key counts in. Elsewhere the name means nothing, and must not open a second scope.
fn session(spec: &ToolSpec, arguments: &Value) -> Option<String> {
    if spec.protocol != Protocol::SponsoredIntelligence {
        return None;
    }
    arguments.get("session_id").and_then(Value::as_str).map(str::to_owned)
}

fn in_flight() -> AdcpError {
    AdcpError::new(
        ErrorCode::IDEMPOTENCY_IN_FLIGHT,
        "the first request with this key has no known outcome yet",
    )
    .with_retry_after(IN_FLIGHT_WAIT)
    .with_detail("retry_after", IN_FLIGHT_WAIT.as_secs())
    .with_suggestion("send the same request again after the wait")
}

/// SHA-256 over the tool's name and the canonical request, without what may differ between retries.
fn fingerprint(tool: &str, arguments: &Value) -> Result<[u8; 32], AdcpError> {
    let mut counted = arguments.clone();
    if let Value::Object(fields) = &mut counted {
        for name in ["idempotency_key", "context", "governance_context"] {
            fields.remove(name);
        }
    }
    if let Some(Value::Object(authentication)) =
        counted.pointer_mut("/push_notification_config/authentication")
    {
        authentication.remove("credentials");
    }
    let text = canonical(&counted)
        .map_err(|error| AdcpError::invalid_request(field_path(&error.pointer), error.to_string()))?;
    let mut hash = Sha256::new();
    hash.update(tool.as_bytes());
    hash.update([0]);
    hash.update(&text);
    Ok(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_counts_as_the_same_request() {
        let base = json!({"idempotency_key": "a", "budget": 25, "push_notification_config": {"url": "u", "authentication": {"credentials": "x"}}});
        let same = json!({"idempotency_key": "b", "budget": 25.0, "context": {"a": 1}, "governance_context": "g",
            "push_notification_config": {"authentication": {"credentials": "y"}, "url": "u"}});
        let hash = |tool: &str, value: &Value| fingerprint(tool, value).unwrap();
        assert_eq!(hash("t", &base), hash("t", &same));
        assert_ne!(hash("t", &base), hash("u", &base), "another tool is another request");
        for other in [
            json!({"budget": 26, "push_notification_config": {"url": "u", "authentication": {}}}),
            json!({"budget": 25, "push_notification_config": {"url": "v", "authentication": {}}}),
            json!({"budget": 25, "ext": null, "push_notification_config": {"url": "u", "authentication": {}}}),
        ] {
            assert_ne!(hash("t", &base), hash("t", &other), "{other}");
        }
        let rounded = json!({"ext": {"n": 9_007_199_254_740_993_i64}});
        assert_eq!(fingerprint("t", &rounded).unwrap_err().field(), Some("ext.n"));
    }
}
