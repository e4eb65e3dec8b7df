//! What is special to `comply_test_controller`: whom it obeys, and what it plays.

use adcp_types::json::JsonObject;
use serde_json::{Value, json};

use crate::ctx::Ctx;

/// The scenario that asks for the others.
const LIST: &str = "list_scenarios";

/// Answers what needs no seller. Whether the account is a sandbox is the seller's record, never the request's word.
///
/// Spec: `compliance/comply-test-controller-response.json`.
pub(crate) fn first(ctx: &Ctx, request: &Value) -> Option<JsonObject> {
    if !ctx.account().is_ok_and(|account| account.sandbox) {
        return Some(forbidden());
    }
    let declared =
        ctx.parts.capabilities.get("compliance_testing").and_then(|testing| testing.get("scenarios"));
    let plays = declared.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match request.get("scenario").and_then(Value::as_str).unwrap_or_default() {
        LIST => Some(object(json!({ "success": true, "scenarios": plays }))),
        asked if plays.iter().any(|scenario| scenario == asked) => None,
        _ => Some(refused("UNKNOWN_SCENARIO", "this agent does not play that scenario")),
    }
}

/// An account that is unknown and one where real things happen are told alike.
pub(crate) fn forbidden() -> JsonObject {
    refused("FORBIDDEN", "this account is no sandbox")
}

fn refused(error: &str, why: &str) -> JsonObject {
    object(json!({ "success": false, "error": error, "error_detail": why }))
}

fn object(answer: Value) -> JsonObject {
    match answer {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}
