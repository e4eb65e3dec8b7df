//! The seller's answer to `get_products`: what it must hold, and what is filled in.

use std::collections::BTreeMap;

use adcp_core::{AdcpError, Effects, Timestamp};
use adcp_types::json::JsonObject;
use serde_json::{Value, json};

use crate::hook::Made;
use crate::proposal::{derive, fault, objects, overlap, refine, text};
use crate::tools::discovery;

/// Checks the proposals of an answer before they are kept, and fills in what follows from the request.
pub(super) fn complete(effects: &Effects, request: Option<&Value>, made: &mut Made) -> Result<(), AdcpError> {
    if let Some(request) = request
        && discovery::is_wholesale(request, "buying_mode")
        && let Some(proposals) = made.body.remove("proposals")
    {
        let count = proposals.as_array().map_or(0, Vec::len);
        tracing::warn!(count, "proposals were left out of a wholesale answer");
    }
    if effects.drafts.is_some() || !effects.finalizes.is_empty() {
        let new = request.is_some_and(|request| request.get("refine").is_none());
        check_proposals(made, new).map_err(|what| fault(&what))?;
    }
    if !effects.finalizes.is_empty() {
        finalized(effects, request, &mut made.body).map_err(|what| fault(&what))?;
    }
    if effects.drafts.as_ref().is_some_and(|keep| keep.commit_for.is_none()) {
        name_drafts(&mut made.body);
    }
    let outcomes = made.body.get("refinement_applied").and_then(Value::as_array);
    if let (Some(request), Some(outcomes)) = (request, outcomes)
        && !refine::matches(request, outcomes)
    {
        return Err(fault("refinement_applied does not follow the entries of refine one by one"));
    }
    Ok(())
}

/// Says of each proposal without a status that it is a draft, which is how it is kept: buyers take one that says
/// nothing as ready to be bought.
fn name_drafts(body: &mut JsonObject) {
    let proposals = body.get_mut("proposals").and_then(Value::as_array_mut);
    for proposal in proposals.into_iter().flatten().filter_map(Value::as_object_mut) {
        proposal.entry("proposal_status").or_insert_with(|| "draft".into());
    }
}

/// Finds what would make a proposal unsellable: allocations that are no whole, recipes that promise what the product
/// does not offer and, in a first answer, products that nobody has seen.
fn check_proposals(made: &Made, new: bool) -> Result<(), String> {
    let shown =
        objects(&made.body, "products").filter_map(|product| Some((text(product, "product_id")?, product)));
    let whole = made.backing.products.iter().map(|(id, product)| (id.as_str(), product));
    let products: BTreeMap<&str, &JsonObject> = shown.chain(whole).collect();
    for proposal in objects(&made.body, "proposals") {
        let id = text(proposal, "proposal_id").unwrap_or_default();
        let within = |what: String| format!("proposal `{id}`: {what}");
        derive::weights(proposal).map_err(within)?;
        for product_id in objects(proposal, "allocations").filter_map(|it| text(it, "product_id")) {
            let Some(product) = products.get(product_id) else {
                if new {
                    return Err(within(format!(
                        "its product `{product_id}` is neither in the answer nor behind it"
                    )));
                }
                continue;
            };
            let recipe = made.backing.recipes.get(product_id);
            if let Some(excess) = recipe.and_then(|recipe| overlap::excess(product, recipe.overlap())) {
                return Err(within(format!(
                    "the recipe of `{product_id}` allows {excess}, which the product does not offer"
                )));
            }
        }
    }
    Ok(())
}

/// Checks that every named draft became firm, or none did and each is said to be `unable`.
fn finalized(effects: &Effects, request: Option<&Value>, body: &mut JsonObject) -> Result<(), String> {
    let named = || effects.finalizes.iter().map(|key| key.id.as_str());
    let outcomes = body.get("refinement_applied").and_then(Value::as_array);
    let unable = outcomes.is_some_and(|outcomes| {
        !outcomes.is_empty() && outcomes.iter().all(|outcome| outcome["status"] == "unable")
    });
    for id in named() {
        let proposal = objects(body, "proposals").find(|proposal| text(proposal, "proposal_id") == Some(id));
        let firm = proposal.filter(|proposal| text(proposal, "proposal_status") == Some("committed"));
        match firm {
            Some(_) if unable => {
                return Err(format!("proposal `{id}` is committed, yet said to be `unable`"));
            }
            Some(firm) => {
                let until = text(firm, "expires_at").map(Timestamp::parse);
                if !matches!(until, Some(Ok(_))) {
                    return Err(format!("the committed proposal `{id}` says no `expires_at`"));
                }
            }
            None if unable => {}
            None => {
                return Err(format!(
                    "proposal `{id}` was to be finalized and is not in the answer with `proposal_status: committed`"
                ));
            }
        }
    }
    if outcomes.is_none() {
        let applied = match request {
            Some(request) => refine::all(request, "applied"),
            None => named()
                .map(|id| json!({ "scope": "proposal", "proposal_id": id, "status": "applied" }))
                .collect(),
        };
        body.insert("refinement_applied".into(), applied.into());
    }
    body.entry("products").or_insert_with(|| json!([]));
    body.entry("cache_scope").or_insert_with(|| "account".into());
    Ok(())
}
