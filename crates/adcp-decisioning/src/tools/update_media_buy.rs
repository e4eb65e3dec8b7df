//! What is special to `update_media_buy`: an order that bought a proposal keeps to it.

use adcp_core::AdcpError;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::hook::{Hook, Plan, Site};
use crate::proposal::{ledger, overlap};

/// What is special to `update_media_buy`.
pub(crate) static HOOK: UpdateMediaBuy = UpdateMediaBuy;

#[derive(Debug)]
pub(crate) struct UpdateMediaBuy;

impl Hook for UpdateMediaBuy {
    fn prepare<'a>(&'a self, site: Site<'a>, plan: &'a mut Plan) -> BoxFuture<'a, Result<(), AdcpError>> {
        prepare(site, plan).boxed()
    }
}

async fn prepare(site: Site<'_>, plan: &mut Plan) -> Result<(), AdcpError> {
    let Some(id) = plan.request.get("media_buy_id").and_then(Value::as_str).map(str::to_owned) else {
        return Ok(());
    };
    ledger::recall(site, &id, plan).await?;
    let Some(proposal) = plan.proposals.first() else { return Ok(()) };
    overlap::gate(proposal, &plan.request, "packages")?;
    overlap::gate(proposal, &plan.request, "new_packages")
}
