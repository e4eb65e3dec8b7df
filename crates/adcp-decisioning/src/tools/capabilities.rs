//! `get_adcp_capabilities`: what is mounted, and what the adopter declared beyond it.

mod claims;
mod delivery;
mod duties;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use adcp_core::DeliveryTerms;
use adcp_types::json::{JsonObject, ToJson};
use adcp_types::protocol::GetAdcpCapabilitiesResponse;
use adcp_types::protocol::get_adcp_capabilities_response::{
    Adcp, Idempotency, IdempotencySupported, SupportedProtocol,
};
use adcp_types::tools::{self, SPECIALISMS, ToolSpec};
use serde_json::{Value, json};

use crate::build_error::BuildError;
use crate::ctx::Ctx;
use crate::generated::needs;
use crate::proposal::ProposalTerms;
use crate::route::Route;
use crate::version::Versions;

/// Blocks that a buyer may leave out by asking about some protocols only.
const BLOCKS: [&str; 5] = ["media_buy", "signals", "governance", "sponsored_intelligence", "creative"];

pub(super) fn route() -> Route {
    Route::own(&tools::GET_ADCP_CAPABILITIES, |ctx, request| async move { Ok(answer(&ctx, &request)) })
}

/// Spec: `protocol/get-adcp-capabilities-response.json`.
fn answer(ctx: &Ctx, request: &Value) -> JsonObject {
    let mut body = ctx.parts.capabilities.clone();
    if let Some(asked) = request.get("protocols").and_then(Value::as_array) {
        for block in BLOCKS {
            if !asked.iter().any(|name| name == block) {
                body.remove(block);
            }
        }
    }
    body
}

/// Capabilities of an adopter that declared none. The required fields are filled in by [`compose`].
pub(crate) fn undeclared() -> GetAdcpCapabilitiesResponse {
    let idempotency = Idempotency::Supported(IdempotencySupported::new(0));
    GetAdcpCapabilitiesResponse::new(Adcp::new(Vec::new(), idempotency), Vec::new())
}

/// The tools that are mounted.
pub(crate) struct Mounted<'a>(&'a HashMap<&'static str, Route>);

impl Mounted<'_> {
    fn has(&self, tool: &str) -> bool {
        self.0.contains_key(tool)
    }

    fn has_all(&self, tools: &[&ToolSpec]) -> bool {
        tools.iter().all(|spec| self.has(spec.name))
    }

    fn specs(&self) -> impl Iterator<Item = &'static ToolSpec> {
        self.0.values().map(|route| route.spec)
    }
}

/// What the parts of an agent say about it, beside its tools.
pub(crate) struct Told<'a> {
    pub(crate) proposals: Option<&'a ProposalTerms>,
    pub(crate) versions: Option<&'a Versions>,
    pub(crate) replay_ttl: Duration,
    pub(crate) delivery: Option<DeliveryTerms>,
    /// Whether the registry keeps the credentials of callbacks; without it nobody registers any.
    pub(crate) keeps_credentials: bool,
    pub(crate) published: Option<&'a Published>,
}

/// Where buyers read which agent this is, and its keys.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) brand_json_url: String,
    pub(crate) jwks_uri: String,
}

/// The whole answer, but for its envelope: the same for every buyer, so it is made and checked once.
///
/// Whatever contradicts itself goes to `faults`.
pub(crate) fn compose(
    declared: &GetAdcpCapabilitiesResponse,
    mounted: &HashMap<&'static str, Route>,
    told: &Told<'_>,
    faults: &mut Vec<BuildError>,
) -> JsonObject {
    let Told { proposals, versions, replay_ttl, .. } = *told;
    let mounted = Mounted(mounted);
    let mut body = match declared.to_json() {
        Value::Object(declared) => declared,
        _ => JsonObject::new(),
    };
    let protocols = protocols(&body, &mounted);
    claims::check(&body, &mounted, &protocols, faults);
    claims::check_proposals(&body, proposals, &mounted, faults);
    if protocols.contains("media_buy") {
        duties::set(&mut body, &["media_buy", "supports_proposals"], Value::Bool(proposals.is_some()));
    }
    derive(&mut body, &mounted, &protocols);
    delivery::tell(&mut body, told, faults);
    body.insert("supported_protocols".into(), json!(protocols));
    body.insert("status".into(), "completed".into());
    if let Some(versions) = versions {
        body.insert(
            "adcp".into(),
            json!({
                "major_versions": versions.majors(),
                "supported_versions": versions.supported(),
                "build_version": adcp_types::ADCP_VERSION,
                "idempotency": { "supported": true, "replay_ttl_seconds": replay_ttl.as_secs() },
            }),
        );
        // What is wrong with the parts above has been said in better words.
        if !faults.iter().any(|fault| matches!(fault, BuildError::NothingMounted | BuildError::ReplayTtl(_)))
        {
            claims::check_schema(&body, faults);
        }
    }
    body
}

/// The protocols whose entry points are mounted, and those that the adopter declares.
///
/// The manifest names entry points for specialisms: a protocol is offered when those of one of its specialisms
/// are mounted. A library of creatives or a list of accounts beside sales is not a protocol of its own.
fn protocols(body: &JsonObject, mounted: &Mounted<'_>) -> BTreeSet<String> {
    let mut offered: BTreeSet<String> = SupportedProtocol::VALUES
        .iter()
        .filter(|protocol| offers(protocol, mounted))
        .map(|protocol| (*protocol).to_owned())
        .collect();
    let declared = body.get("supported_protocols").and_then(Value::as_array).into_iter().flatten();
    offered.extend(declared.filter_map(Value::as_str).map(str::to_owned));
    // Metrics are a protocol without tools.
    if body.contains_key("measurement") {
        offered.insert("measurement".to_owned());
    }
    offered
}

fn offers(protocol: &str, mounted: &Mounted<'_>) -> bool {
    let entries = SPECIALISMS
        .iter()
        .filter(|specialism| wire(specialism.protocol) == protocol)
        .map(|specialism| specialism.entry_point_tools)
        .filter(|tools| !tools.is_empty());
    let mut named = false;
    for entry in entries {
        named = true;
        if entry.iter().all(|tool| mounted.has(tool)) {
            return true;
        }
    }
    // Sponsored intelligence has specialisms, but none with an entry point yet.
    !named && mounted.specs().any(|spec| wire(spec.protocol.as_str()) == protocol)
}

/// A protocol's name in capabilities; the manifest writes hyphens.
fn wire(protocol: &str) -> String {
    protocol.replace('-', "_")
}

/// Adds what follows from what is mounted, and says no where silence would be read as perhaps.
fn derive(body: &mut JsonObject, mounted: &Mounted<'_>, protocols: &BTreeSet<String>) {
    duties::derive(body, mounted, protocols);
    if protocols.contains("signals") {
        duties::set(body, &["signals", "discovery_modes"], json!(["brief"]));
    }
    duties::set(body, &["wholesale_feed_versioning", "supported"], Value::Bool(false));
    let mut experimental: BTreeSet<String> =
        mounted.specs().filter_map(|spec| needs::experimental(spec.name)).map(str::to_owned).collect();
    let declared = body.get("experimental_features").and_then(Value::as_array).into_iter().flatten();
    experimental.extend(declared.filter_map(Value::as_str).map(str::to_owned));
    if !experimental.is_empty() {
        body.insert("experimental_features".into(), json!(experimental));
    }
}
