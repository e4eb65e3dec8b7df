//! Looking at endpoints: which of them are left in peace.

use adcp_core::{Endpoint, ListEndpoints, Registry, TenantId, hex, unhex};
use serde_json::{Value, json};

use crate::deliveries::MOST;
use crate::problem::Problem;
use crate::query::Query;
use crate::show;

/// Endpoints on a page, unless another number is asked for.
const USUAL: usize = 100;

/// One page, by name.
pub(crate) async fn list(registry: &dyn Registry, tenant: TenantId, query: &Query) -> Result<Value, Problem> {
    let limit = query.limit(USUAL, MOST)?;
    // One more tells whether there are more.
    let mut req = ListEndpoints::new(tenant.clone()).with_limit(limit + 1);
    req.paused = query.flag("paused")?;
    req.after = query.one("cursor")?.map(place).transpose()?;
    let mut found = registry.endpoints(req).await.map_err(|error| Problem::of_store(&error))?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| hex(last.endpoint.as_str().as_bytes()));
    Ok(json!({
        "tenant": tenant.as_str(),
        "endpoints": found.iter().map(show::endpoint_json).collect::<Vec<_>>(),
        "next": next,
    }))
}

fn place(cursor: &str) -> Result<Endpoint, Problem> {
    unhex(cursor)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|text| !text.contains('\0'))
        .map(Endpoint::stored)
        .ok_or_else(|| Problem::field("cursor", "is what `next` of the page before says"))
}
