//! What is special to `get_media_buy_delivery`: the seller sees which proposals the named orders bought.

use adcp_core::AdcpError;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::hook::{Hook, Plan, Site};
use crate::proposal::ledger;

/// What is special to `get_media_buy_delivery`.
pub(crate) static HOOK: GetMediaBuyDelivery = GetMediaBuyDelivery;

#[derive(Debug)]
pub(crate) struct GetMediaBuyDelivery;

impl Hook for GetMediaBuyDelivery {
    fn prepare<'a>(&'a self, site: Site<'a>, plan: &'a mut Plan) -> BoxFuture<'a, Result<(), AdcpError>> {
        prepare(site, plan).boxed()
    }
}

/// As many orders are looked up; a report over more is one over a portfolio, not over what a proposal bought.
const LOOKED_UP: usize = 100;

async fn prepare(site: Site<'_>, plan: &mut Plan) -> Result<(), AdcpError> {
    if site.parts.proposals.is_none() {
        return Ok(());
    }
    let ids = plan.request.get("media_buy_ids").and_then(Value::as_array);
    let ids: Vec<String> =
        ids.into_iter().flatten().filter_map(Value::as_str).take(LOOKED_UP).map(str::to_owned).collect();
    for id in ids {
        ledger::recall(site, &id, plan).await?;
    }
    Ok(())
}
