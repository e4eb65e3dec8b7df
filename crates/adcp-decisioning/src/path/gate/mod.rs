//! The gates between knowing who calls on which account and doing anything about it.

pub(super) mod access;
mod agent;
pub(super) mod credential;
mod scope;
mod status;

use std::sync::Arc;

use adcp_core::{AdcpError, Owner};
use serde_json::Value;

use super::account::Resolved;
use super::open::Admitted;
use crate::account::Account;
use crate::caller::Caller;
use crate::parts::Parts;
use crate::route::Route;

/// A call from an agent that the seller deals with.
pub(super) struct Arrived {
    pub(super) admitted: Admitted,
}

/// Before the request is even checked: somebody the seller does not deal with learns nothing from it.
pub(super) async fn arrive(parts: &Arc<Parts>, mut admitted: Admitted) -> Result<Arrived, AdcpError> {
    let spec = admitted.route.spec;
    if let Some(agents) = &parts.buyer_agents
        && let Some(caller) = admitted.caller.take()
    {
        admitted.caller = Some(agent::meet(agents, spec, caller, &admitted.arguments).await?);
    }
    credential::check(spec, &admitted.arguments)?;
    Ok(Arrived { admitted })
}

/// A call that may be answered for its caller on its account, ready to be claimed and decided.
pub(super) struct Acting {
    pub(super) route: Route,
    pub(super) arguments: Value,
    pub(super) caller: Option<Caller>,
    pub(super) account: Option<Account>,
}

impl Acting {
    /// Whose records this call makes; nobody's without a caller.
    pub(super) fn owner(&self) -> Option<Owner> {
        let caller = self.caller.as_ref()?;
        let account = self.account.as_ref().map(|account| account.id.clone());
        Some(Owner::new(caller.tenant.clone(), account, caller.principal.clone()))
    }
}

/// What the caller may do comes before the state of the account, which is none of its business otherwise.
pub(super) fn permit(resolved: Resolved) -> Result<Acting, AdcpError> {
    let agent = resolved.caller.as_ref().and_then(Caller::agent);
    agent::check(agent, resolved.account.as_ref())?;
    scope::check(&resolved)?;
    status::check(&resolved)?;
    let Resolved { route, arguments, caller, account } = resolved;
    Ok(Acting { route, arguments, caller, account })
}
