//! Whether the seller deals with the agent that calls.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::AdcpError;
use adcp_types::tools::ToolSpec;
use futures_util::FutureExt;
use serde_json::Value;
use tokio::time::Instant;

use super::access;
use crate::account::Account;
use crate::buyer_agent::{AgentStatus, BuyerAgent, DynBuyerAgents};
use crate::caller::Caller;

/// A denial takes at least this long, so that time does not tell an unknown agent from a known one.
pub(super) const DENIAL_TAKES: Duration = Duration::from_millis(50);

/// Finds the agent behind a caller, if the seller keeps a record of agents.
pub(super) async fn meet(
    agents: &Arc<dyn DynBuyerAgents>,
    spec: &'static ToolSpec,
    caller: Caller,
    arguments: &Value,
) -> Result<Caller, AdcpError> {
    if access::of(spec).public {
        return Ok(caller);
    }
    let entered = Instant::now();
    let asked = async { agents.find(&caller).await };
    let found = match AssertUnwindSafe(asked).catch_unwind().await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            tracing::warn!(tool = spec.name, %error, "the record of agents could not be asked");
            return Err(AdcpError::unavailable());
        }
        Err(_) => {
            tracing::error!(tool = spec.name, "the record of agents panicked");
            return Err(AdcpError::unavailable());
        }
    };
    let denied = match found {
        Some(agent) => match agent.status {
            AgentStatus::Suspended => return Err(AdcpError::agent_suspended()),
            AgentStatus::Blocked => return Err(AdcpError::agent_blocked()),
            AgentStatus::Active if brands(arguments).all(|domain| agent.may_act_for(domain)) => {
                return Ok(caller.met(agent));
            }
            AgentStatus::Active => "an agent acts for a brand it may not act for",
        },
        None => "an agent that nobody knows",
    };
    tracing::info!(tool = spec.name, principal = %caller.principal, denied, "denied");
    tokio::time::sleep_until(entered + DENIAL_TAKES).await;
    Err(AdcpError::permission_denied())
}

/// What the agent may not do on this account, once both are known.
pub(super) fn check(agent: Option<&BuyerAgent>, account: Option<&Account>) -> Result<(), AdcpError> {
    let (Some(agent), Some(account)) = (agent, account) else { return Ok(()) };
    let brand = account.natural_key.as_ref().map(|key| key.brand.as_str());
    if brand.is_some_and(|domain| !agent.may_act_for(domain)) {
        return Err(AdcpError::account_not_found());
    }
    if agent.sandbox_only && !account.sandbox {
        return Err(AdcpError::sandbox_only());
    }
    Ok(())
}

/// The brands that a request acts for: its own, its account's, and those of the entries of its lists.
fn brands(arguments: &Value) -> impl Iterator<Item = &str> {
    let lists =
        arguments.as_object().into_iter().flat_map(serde_json::Map::values).filter_map(Value::as_array);
    std::iter::once(arguments).chain(lists.flatten()).flat_map(|place| {
        [place.get("brand"), place.get("buyer_brand"), place.get("account").and_then(|a| a.get("brand"))]
            .into_iter()
            .flatten()
            .filter_map(|brand| brand.get("domain")?.as_str())
    })
}
