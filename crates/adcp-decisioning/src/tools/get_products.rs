//! What is special to `get_products`: buying modes, refinements, the ledger of proposals, the time budget.

mod answer;
mod fields;

use std::time::Duration;

use adcp_core::{AdcpError, Effects, KeepDrafts};
use adcp_types::json::JsonObject;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::discovery;
use crate::hook::{Hook, Made, Plan, Site};
use crate::proposal::{ledger, refine};

/// What is special to `get_products`.
pub(crate) static HOOK: GetProducts = GetProducts;

#[derive(Debug)]
pub(crate) struct GetProducts;

impl Hook for GetProducts {
    fn adapt(&self, request: &mut Value) {
        adapt(request);
    }

    fn check(&self, request: &Value) -> Result<(), AdcpError> {
        consistent(request)?;
        discovery::refuse_push(request, "buying_mode")?;
        refine::check(request)
    }

    fn at_once(&self, request: &Value) -> Option<&'static str> {
        // A wholesale read is answered at once; what is not ready is named in `incomplete`.
        discovery::is_wholesale(request, "buying_mode").then_some("buying_mode")
    }

    fn prepare<'a>(&'a self, site: Site<'a>, plan: &'a mut Plan) -> BoxFuture<'a, Result<(), AdcpError>> {
        prepare(site, plan).boxed()
    }

    fn late(&self, request: &Value) -> Option<JsonObject> {
        Some(late(request))
    }

    fn finish(&self, effects: &Effects, request: Option<&Value>, mut made: Made) -> Result<Made, AdcpError> {
        discovery::refuse_own_status(&made.body)?;
        answer::complete(effects, request, &mut made)?;
        if let Some(request) = request {
            fields::trim(request, &mut made);
        }
        Ok(made)
    }
}

/// Callers of releases without buying modes send none: what else they sent says which one they mean.
///
/// Spec: `media-buy/get-products-request.json`, `buying_mode`.
fn adapt(request: &mut Value) {
    let Value::Object(fields) = request else { return };
    if fields.contains_key("buying_mode") {
        return;
    }
    let mode = if fields.contains_key("refine") {
        "refine"
    } else if fields.get("brief").and_then(Value::as_str).is_some_and(|brief| !brief.is_empty()) {
        "brief"
    } else {
        fields.remove("brief");
        "wholesale"
    };
    fields.insert("buying_mode".into(), mode.into());
}

/// Refuses what the named mode does not take.
fn consistent(request: &Value) -> Result<(), AdcpError> {
    let mode = request.get("buying_mode").and_then(Value::as_str).unwrap_or_default();
    let given = |name: &str| request.get(name).is_some_and(|value| !value.is_null());
    let wrong = |field: &str, what: &str, help: &str| {
        Err(AdcpError::invalid_request(field, what).with_suggestion(help))
    };
    match mode {
        "wholesale" if given("brief") => {
            wrong("brief", "wholesale mode takes no brief", "leave brief out, or ask in brief mode")
        }
        "refine" if given("brief") => {
            wrong("brief", "refine mode takes no brief", "put what you want changed into refine")
        }
        "refine" if request.get("refine").and_then(Value::as_array).is_none_or(Vec::is_empty) => {
            wrong("refine", "refine mode needs at least one entry", "say in refine what to change")
        }
        _ => Ok(()),
    }
}

/// Looks up what a refinement names, and says what becomes of the proposals in the answer.
async fn prepare(site: Site<'_>, plan: &mut Plan) -> Result<(), AdcpError> {
    plan.time = time_budget(&plan.request);
    let (Some(terms), Some(owner)) = (&site.parts.proposals, site.owner) else { return Ok(()) };
    if discovery::is_wholesale(&plan.request, "buying_mode") {
        return Ok(());
    }
    plan.effects.drafts = Some(KeepDrafts::new(terms.keep()).committing_for(terms.commit_for()));
    if plan.request.get("buying_mode").and_then(Value::as_str) != Some("refine") {
        return Ok(());
    }
    refine::check_finalizing(&plan.request, terms)?;
    for entry in refine::entries(&plan.request) {
        let Some(id) = entry.proposal() else { continue };
        let found = ledger::find(site, owner, id).await?;
        let record = found.ok_or_else(|| AdcpError::proposal_not_found(entry.field("proposal_id")))?;
        entry.allowed(&record, terms, site.parts.clock.now())?;
        if entry.finalizes() {
            plan.effects.finalizes.push(record.key.clone());
        } else {
            plan.effects.refines.push(record.key.clone());
        }
        plan.proposals.push(record);
    }
    Ok(())
}

/// How long the seller may take. A campaign's length is no measure of time here.
///
/// Spec: `core/duration.json`.
fn time_budget(request: &Value) -> Option<Duration> {
    let budget = request.get("time_budget")?;
    let seconds = match budget.get("unit")?.as_str()? {
        "seconds" => 1,
        "minutes" => 60,
        "hours" => 3600,
        "days" => 24 * 3600,
        _ => return None,
    };
    Some(Duration::from_secs(budget.get("interval")?.as_u64()?.saturating_mul(seconds)))
}

/// What a buyer is told whose time budget was too small: nothing was found, nothing was changed.
fn late(request: &Value) -> JsonObject {
    let finalizing = refine::entries(request).any(refine::Entry::finalizes);
    let scope = if finalizing { "proposals" } else { "products" };
    let mut body = JsonObject::new();
    body.insert("products".into(), json!([]));
    // What was found for nobody is shared with nobody.
    body.insert("cache_scope".into(), "account".into());
    body.insert(
        "incomplete".into(),
        json!([{ "scope": scope, "description": "the time budget ended before there was an answer" }]),
    );
    let outcomes = refine::all(request, "unable");
    if !outcomes.is_empty() {
        body.insert("refinement_applied".into(), outcomes.into());
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_mode_is_inferred_and_a_given_one_kept() {
        let cases = [
            (json!({}), "wholesale"),
            (json!({"brief": ""}), "wholesale"),
            (json!({"brief": "video"}), "brief"),
            (json!({"refine": []}), "refine"),
            (json!({"brief": "video", "buying_mode": "nonsense"}), "nonsense"),
        ];
        for (mut request, want) in cases {
            adapt(&mut request);
            assert_eq!(request["buying_mode"], want, "{request}");
        }
    }

    #[test]
    fn a_time_budget_is_a_time() {
        let cases = [
            (json!({"interval": 90, "unit": "seconds"}), Some(90)),
            (json!({"interval": 2, "unit": "minutes"}), Some(120)),
            (json!({"interval": 1, "unit": "hours"}), Some(3600)),
            (json!({"interval": 2, "unit": "days"}), Some(172_800)),
            (json!({"interval": u64::MAX, "unit": "days"}), Some(u64::MAX)),
            (json!({"interval": 1, "unit": "campaign"}), None),
            (json!({"unit": "days"}), None),
        ];
        for (budget, seconds) in cases {
            let request = json!({ "time_budget": budget });
            assert_eq!(time_budget(&request), seconds.map(Duration::from_secs), "{request}");
        }
        assert_eq!(time_budget(&json!({})), None);
    }
}
