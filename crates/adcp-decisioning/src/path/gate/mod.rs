//! The gates between knowing who calls on which account and doing anything about it.

pub(super) mod access;
mod scope;
mod status;

use adcp_core::{AdcpError, Owner};
use serde_json::Value;

use super::account::Resolved;
use crate::account::Account;
use crate::caller::Caller;
use crate::route::Route;

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
    scope::check(&resolved)?;
    status::check(&resolved)?;
    let Resolved { route, arguments, caller, account } = resolved;
    Ok(Acting { route, arguments, caller, account })
}
