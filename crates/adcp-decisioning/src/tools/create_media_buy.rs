//! What is special to `create_media_buy`: it may buy a proposal, once.

use adcp_core::{AdcpError, ProposalRecord};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::hook::{Hook, Plan, Site};
use crate::proposal::{derive, ledger, overlap};

/// What is special to `create_media_buy`.
pub(crate) static HOOK: CreateMediaBuy = CreateMediaBuy;

#[derive(Debug)]
pub(crate) struct CreateMediaBuy;

impl Hook for CreateMediaBuy {
    /// The schema asks for a budget beside a proposal in a way that names no field.
    fn check(&self, request: &Value) -> Result<(), AdcpError> {
        let given = |name: &str| request.get(name).is_some_and(|value| !value.is_null());
        if given("proposal_id") && !given("total_budget") {
            return Err(AdcpError::invalid_request(
                "total_budget",
                "a proposal is bought with a total budget",
            )
            .with_suggestion("send total_budget with amount and currency"));
        }
        Ok(())
    }

    fn prepare<'a>(&'a self, site: Site<'a>, plan: &'a mut Plan) -> BoxFuture<'a, Result<(), AdcpError>> {
        prepare(site, plan).boxed()
    }
}

/// Reserves the proposal first, so that the ledger's clock decides whether it can be bought at all. Whatever is found
/// wrong after that gives it back.
async fn prepare(site: Site<'_>, plan: &mut Plan) -> Result<(), AdcpError> {
    let (Some(terms), Some(owner)) = (&site.parts.proposals, site.owner) else { return Ok(()) };
    let Some(id) = plan.request.get("proposal_id").and_then(Value::as_str).map(str::to_owned) else {
        return Ok(());
    };
    ledger::reserve(site, terms, owner, &id, plan).await?;
    let Some(proposal) = plan.proposals.first() else { return Ok(()) };
    insertion_order(proposal, &plan.request)?;
    let missing = plan.request.get("packages").and_then(Value::as_array).is_none_or(Vec::is_empty);
    if missing && terms.derives() {
        let packages = derive::packages(proposal, plan.request.get("total_budget"))?;
        if let Value::Object(fields) = &mut plan.request {
            fields.insert("packages".into(), packages.into());
        }
    }
    overlap::gate(proposal, &plan.request, "packages")
}

/// A proposal whose insertion order wants a signature is bought with one.
///
/// Spec: `core/insertion-order.json`; `media-buy/create-media-buy-request.json`, `io_acceptance`.
fn insertion_order(proposal: &ProposalRecord, request: &Value) -> Result<(), AdcpError> {
    let Some(order) = proposal.payload.get("insertion_order") else { return Ok(()) };
    match request.get("io_acceptance").filter(|acceptance| !acceptance.is_null()) {
        None if order.get("requires_signature") == Some(&Value::Bool(true)) => Err(AdcpError::io_required()),
        None => Ok(()),
        Some(acceptance) if acceptance.get("io_id") == order.get("io_id") => Ok(()),
        Some(_) => Err(AdcpError::invalid_request(
            "io_acceptance.io_id",
            "this is not the insertion order of the proposal",
        )
        .with_suggestion("accept the insertion_order that the proposal carries")),
    }
}
