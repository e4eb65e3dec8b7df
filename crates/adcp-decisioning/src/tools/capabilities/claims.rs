//! Whether an adopter's claims hold together, with each other and with what is mounted.

use std::collections::BTreeSet;

use adcp_schemas::Part;
use adcp_types::enums::Specialism;
use adcp_types::json::JsonObject;
use adcp_types::tools::{self, SPECIALISMS};
use serde_json::Value;

use super::{Mounted, duties, wire};
use crate::build_error::BuildError;
use crate::generated::needs;
use crate::proposal::ProposalTerms;

/// Collects every contradiction.
pub(super) fn check(
    body: &JsonObject,
    mounted: &Mounted<'_>,
    protocols: &BTreeSet<String>,
    faults: &mut Vec<BuildError>,
) {
    let selling = mounted.specs().any(|spec| !needs::mounted_by(spec.name).is_empty());
    if protocols.is_empty() && selling {
        faults.push(BuildError::NoProtocol);
    }
    for protocol in strings(body.get("supported_protocols")) {
        if protocol != "measurement" && !mounted.specs().any(|spec| belongs(protocol, spec.name)) {
            faults.push(BuildError::ProtocolTools(protocol.to_owned()));
        }
    }
    // A library beside sales may say what it keeps; the other blocks speak for a protocol.
    for block in ["brand", "governance", "media_buy", "signals", "sponsored_intelligence"] {
        if body.contains_key(block) && !protocols.contains(block) {
            faults.push(BuildError::BlockWithoutProtocol(block));
        }
    }
    for claimed in strings(body.get("specialisms")) {
        specialism(claimed, body, mounted, faults);
    }
    duties::check(body, mounted, faults);
    signing(body, mounted, faults);
    wholesale(body, faults);
    if mounted.has(tools::COMPLY_TEST_CONTROLLER.name) && !body.contains_key("compliance_testing") {
        faults.push(BuildError::NoScenarios);
    }
}

/// Proposals are supported exactly when the builder says how they are kept, and by a seller who can sell them.
pub(super) fn check_proposals(
    body: &JsonObject,
    terms: Option<&ProposalTerms>,
    mounted: &Mounted<'_>,
    faults: &mut Vec<BuildError>,
) {
    let path = ["media_buy", "supports_proposals"];
    let mut contradiction = |against: &str| {
        faults.push(BuildError::Contradiction {
            claim: format!("`{}`", path.join(".")),
            against: against.to_owned(),
        });
    };
    match (duties::at(body, &path).and_then(Value::as_bool), terms) {
        (Some(true), None) => contradiction("no `.proposals(…)` says how they are kept"),
        (Some(false), Some(_)) => contradiction("`.proposals(…)` keeps them"),
        _ => {}
    }
    let Some(terms) = terms else { return };
    let needed = [tools::GET_PRODUCTS.name, tools::CREATE_MEDIA_BUY.name];
    let missing: Vec<&'static str> = needed.into_iter().filter(|tool| !mounted.has(tool)).collect();
    if !missing.is_empty() {
        faults.push(BuildError::CapabilityTools { capability: path.join("."), missing });
    }
    let guaranteed =
        strings(body.get("specialisms")).any(|name| name == Specialism::SalesGuaranteed.as_str());
    terms.check(guaranteed, faults);
}

/// Whether the composed answer is one that may leave.
pub(super) fn check_schema(body: &JsonObject, faults: &mut Vec<BuildError>) {
    let Ok(validator) = adcp_schemas::tool_validator(tools::GET_ADCP_CAPABILITIES.name, Part::Response)
    else {
        return faults.push(BuildError::NoSchema(tools::GET_ADCP_CAPABILITIES.name));
    };
    let Err(violations) = validator.validate(&Value::Object(body.clone())) else { return };
    for violation in violations.iter() {
        // Said already, with the name that was meant.
        let said = violation.pointer().starts_with("/specialisms/") && violation.keyword() == "enum"
            || violation.pointer() == "/supported_protocols" && violation.keyword() == "minItems";
        if !said {
            faults.push(BuildError::InvalidCapability {
                pointer: violation.pointer().to_owned(),
                expected: violation
                    .missing()
                    .map_or_else(|| violation.expected().to_owned(), |name| format!("the field `{name}`")),
            });
        }
    }
}

/// Whether a tool is part of a protocol: its own, that of a specialism it is certified under, or of a capability.
fn belongs(protocol: &str, tool: &str) -> bool {
    let own = tools::find(tool).is_some_and(|spec| wire(spec.protocol.as_str()) == protocol);
    let certified = |tools: &[&str]| tools.contains(&tool) && tool != tools::GET_ADCP_CAPABILITIES.name;
    own || duties::serves(protocol, tool)
        || SPECIALISMS.iter().any(|it| wire(it.protocol) == protocol && certified(it.exercised_tools))
}

/// A specialism needs every entry point that the manifest names, and the traits that `traits.toml` adds to them.
///
/// What its certification exercises beyond that belongs to other agents, or to capabilities that are declared apart.
fn specialism(claimed: &str, body: &JsonObject, mounted: &Mounted<'_>, faults: &mut Vec<BuildError>) {
    let name = claimed.replace('-', "_");
    if let Some(spec) = SPECIALISMS.iter().find(|spec| spec.name == name && !claimed.contains('_')) {
        let needed: BTreeSet<&'static str> =
            spec.entry_point_tools.iter().chain(needs::of(spec.name)).copied().collect();
        let missing: Vec<&'static str> = needed.into_iter().filter(|tool| !mounted.has(tool)).collect();
        if !missing.is_empty() {
            faults.push(BuildError::SpecialismTools { specialism: claimed.to_owned(), missing });
        }
    } else if claimed == Specialism::SignedRequests.as_str() {
        if duties::at(body, &["request_signing", "supported"]) != Some(&Value::Bool(true)) {
            faults.push(BuildError::Contradiction {
                claim: "the specialism `signed-requests`".to_owned(),
                against: "`request_signing.supported` is not true".to_owned(),
            });
        }
    } else if !Specialism::VALUES.contains(&claimed) {
        faults.push(BuildError::UnknownSpecialism {
            claimed: claimed.to_owned(),
            did_you_mean: nearest(claimed, Specialism::VALUES),
        });
    }
}

/// Tools whose signing is announced must be there.
fn signing(body: &JsonObject, mounted: &Mounted<'_>, faults: &mut Vec<BuildError>) {
    for list in ["required_for", "supported_for", "warn_for"] {
        let named = strings(duties::at(body, &["request_signing", list]));
        let missing: Vec<&'static str> =
            named.filter_map(tools::find).map(|spec| spec.name).filter(|tool| !mounted.has(tool)).collect();
        if !missing.is_empty() {
            faults
                .push(BuildError::CapabilityTools { capability: format!("request_signing.{list}"), missing });
        }
    }
}

/// Events about a feed need the wholesale mode that reads it.
fn wholesale(body: &JsonObject, faults: &mut Vec<BuildError>) {
    let events: Vec<&str> = strings(duties::at(body, &["wholesale_feed_webhooks", "event_types"])).collect();
    for (prefix, path) in
        [("product.", ["media_buy", "buying_modes"]), ("signal.", ["signals", "discovery_modes"])]
    {
        let promised = events.iter().any(|event| event.starts_with(prefix));
        if promised && !strings(duties::at(body, &path)).any(|mode| mode == "wholesale") {
            faults.push(BuildError::Contradiction {
                claim: format!("`wholesale_feed_webhooks.event_types` with `{prefix}*`"),
                against: format!("`{}` does not contain `wholesale`", path.join(".")),
            });
        }
    }
}

fn strings(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The name that was probably meant, if one is close.
fn nearest(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let plain = word.to_lowercase().replace('_', "-");
    let best = known.iter().map(|name| (distance(&plain, name), *name)).min()?;
    (best.0 <= 1 + plain.chars().count() / 5).then_some(best.1)
}

/// How many characters must be inserted, dropped or replaced to get from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (j, b) in to.iter().enumerate() {
            let above = row[j + 1];
            let here = (corner + usize::from(a != *b)).min(above + 1).min(left + 1);
            row[j] = left;
            (corner, left) = (above, here);
        }
        row[to.len()] = left;
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        for (word, want) in [
            ("sales-guarantied", Some("sales-guaranteed")),
            ("sales_guaranteed", Some("sales-guaranteed")),
            ("Signal-Owned", Some("signal-owned")),
            ("signals-owned", Some("signal-owned")),
            ("quantum-bidding", None),
        ] {
            assert_eq!(nearest(word, Specialism::VALUES), want, "{word}");
        }
        for (from, to, want) in
            [("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0), ("ab", "ba", 2)]
        {
            assert_eq!(distance(from, to), want, "{from} {to}");
        }
    }
}
