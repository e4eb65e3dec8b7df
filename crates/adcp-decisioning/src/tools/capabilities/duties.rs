//! Which tools a capability obliges an agent to have, and which capabilities follow from tools.

use std::collections::BTreeSet;

use adcp_types::json::JsonObject;
use adcp_types::tools::{self, ToolSpec};
use serde_json::Value;

use super::Mounted;
use crate::build_error::BuildError;

/// A capability that is worth nothing without its tools.
struct Duty {
    path: &'static [&'static str],
    tools: &'static [&'static ToolSpec],
    /// Whether who has the tools has the capability.
    follows: bool,
}

const fn duty(path: &'static [&'static str], tools: &'static [&'static ToolSpec]) -> Duty {
    Duty { path, tools, follows: false }
}

const fn fact(path: &'static [&'static str], tools: &'static [&'static ToolSpec]) -> Duty {
    Duty { path, tools, follows: true }
}

/// Spec: `protocol/get-adcp-capabilities-response.json`.
const DUTIES: &[Duty] = &[
    fact(&["account", "account_financials"], &[&tools::GET_ACCOUNT_FINANCIALS]),
    fact(&["brand", "rights"], &[&tools::ACQUIRE_RIGHTS, &tools::GET_RIGHTS]),
    fact(&["creative", "has_creative_library"], &[&tools::LIST_CREATIVES]),
    fact(&["creative", "supports_transformers"], &[&tools::LIST_TRANSFORMERS]),
    fact(&["media_buy", "features", "catalog_management"], &[&tools::SYNC_CATALOGS]),
    duty(&["compliance_testing"], &[&tools::COMPLY_TEST_CONTROLLER]),
    duty(&["creative", "bills_through_adcp"], &[&tools::REPORT_USAGE]),
    duty(&["creative", "supports_generation"], &[&tools::BUILD_CREATIVE]),
    duty(&["creative", "supports_refinement"], &[&tools::BUILD_CREATIVE]),
    duty(&["creative", "supports_transformation"], &[&tools::BUILD_CREATIVE]),
    duty(&["governance", "creative_features"], &[&tools::GET_CREATIVE_FEATURES]),
    duty(&["media_buy", "audience_targeting"], &[&tools::SYNC_AUDIENCES]),
    duty(&["media_buy", "conversion_tracking"], &[&tools::LOG_EVENT, &tools::SYNC_EVENT_SOURCES]),
];

/// Capabilities that are claimed while their tools are missing.
pub(super) fn check(body: &JsonObject, mounted: &Mounted<'_>, faults: &mut Vec<BuildError>) {
    for duty in DUTIES.iter().filter(|duty| claimed(body, duty.path)) {
        let missing: Vec<&'static str> =
            duty.tools.iter().map(|spec| spec.name).filter(|tool| !mounted.has(tool)).collect();
        if !missing.is_empty() {
            faults.push(BuildError::CapabilityTools { capability: duty.path.join("."), missing });
        }
    }
}

/// Whether a capability of the protocol `block` is what the tool is for.
pub(super) fn serves(block: &str, tool: &str) -> bool {
    let of_block = DUTIES.iter().filter(|duty| duty.path.first() == Some(&block));
    of_block.flat_map(|duty| duty.tools).any(|spec| spec.name == tool)
}

/// Adds the capabilities that follow from tools, in the blocks of offered protocols and where the adopter began one.
pub(super) fn derive(body: &mut JsonObject, mounted: &Mounted<'_>, protocols: &BTreeSet<String>) {
    for fact in DUTIES.iter().filter(|duty| duty.follows && mounted.has_all(duty.tools)) {
        let block = fact.path.first().copied().unwrap_or_default();
        if body.contains_key(block) || protocols.contains(block) {
            set(body, fact.path, Value::Bool(true));
        }
    }
}

/// Sets what nobody declared.
pub(super) fn set(body: &mut JsonObject, path: &[&str], value: Value) {
    match path {
        [] => {}
        [name] => {
            body.entry(*name).or_insert(value);
        }
        [block, rest @ ..] => {
            let inner = body.entry(*block).or_insert_with(|| Value::Object(JsonObject::new()));
            if let Value::Object(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

/// What stands at a path.
pub(super) fn at<'a>(body: &'a JsonObject, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(body.get(*first)?, |value, name| value.get(name))
}

fn claimed(body: &JsonObject, path: &[&str]) -> bool {
    match at(body, path) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Array(list)) => !list.is_empty(),
        Some(_) => true,
    }
}
