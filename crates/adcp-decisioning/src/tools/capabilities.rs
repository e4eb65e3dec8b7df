//! `get_adcp_capabilities`: what is mounted, and what the adopter declared beyond it.

use std::collections::BTreeSet;

use adcp_types::json::{JsonObject, ToJson};
use adcp_types::protocol::GetAdcpCapabilitiesResponse;
use adcp_types::protocol::get_adcp_capabilities_response::{Adcp, Idempotency, IdempotencySupported};
use adcp_types::tools;
use serde_json::{Value, json};

use crate::ctx::Ctx;
use crate::parts::Parts;
use crate::route::Route;

pub(super) fn route() -> Route {
    Route::own(&tools::GET_ADCP_CAPABILITIES, |ctx, request| async move { Ok(answer(&ctx, &request)) })
}

/// Spec: `protocol/get-adcp-capabilities-response.json`.
fn answer(ctx: &Ctx, request: &Value) -> JsonObject {
    let mut body = match ctx.parts.declared.to_json() {
        Value::Object(declared) => declared,
        _ => JsonObject::new(),
    };
    let protocols = protocols(&ctx.parts);
    deny_by_default(&mut body, &protocols);
    // A buyer may ask about some protocols only; blocks of the others are left out.
    if let Some(asked) = request.get("protocols").and_then(Value::as_array) {
        for block in ["media_buy", "signals", "governance", "sponsored_intelligence", "creative"] {
            if !asked.iter().any(|name| name == block) {
                body.remove(block);
            }
        }
    }
    body.insert(
        "adcp".into(),
        json!({
            "major_versions": ctx.parts.versions.majors(),
            "supported_versions": ctx.parts.versions.supported(),
            "build_version": adcp_types::ADCP_VERSION,
            "idempotency": { "supported": true, "replay_ttl_seconds": ctx.parts.replay_ttl.as_secs() },
        }),
    );
    body.insert("supported_protocols".into(), json!(protocols));
    body.insert("status".into(), "completed".into());
    body
}

/// The protocols whose baseline the mounted tools can meet.
fn protocols(parts: &Parts) -> BTreeSet<&'static str> {
    // A library of creatives or a list of accounts beside sales is not a protocol of its own.
    let entry = [(&tools::GET_PRODUCTS, "media_buy"), (&tools::GET_SIGNALS, "signals")];
    entry.into_iter().filter(|(spec, _)| parts.routes.contains_key(spec.name)).map(|(_, name)| name).collect()
}

/// Capabilities of an adopter that declared none. The required fields are filled in at each answer.
pub(crate) fn undeclared() -> GetAdcpCapabilitiesResponse {
    let idempotency = Idempotency::Supported(IdempotencySupported::new(0));
    GetAdcpCapabilitiesResponse::new(Adcp::new(Vec::new(), idempotency), Vec::new())
}

/// Says no where silence would be read as perhaps.
fn deny_by_default(body: &mut JsonObject, protocols: &BTreeSet<&'static str>) {
    let mut deny = |block: &str, field: &str| {
        if let Value::Object(block) = body.entry(block).or_insert_with(|| json!({})) {
            block.entry(field).or_insert(Value::Bool(false));
        }
    };
    if protocols.contains("media_buy") {
        deny("media_buy", "supports_proposals");
    }
    deny("wholesale_feed_versioning", "supported");
}
