//! On which account the call acts.

use std::sync::Arc;

use adcp_core::{AdcpError, Owner};
use adcp_types::core::AccountRef;
use adcp_types::tools::Presence;
use serde_json::Value;

use super::validate::Valid;
use crate::account::{Account, account_not_found};
use crate::caller::Caller;
use crate::parts::Parts;
use crate::route::{Route, decode};

/// A call with its account, ready to be claimed and decided.
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

pub(super) async fn resolve(parts: &Arc<Parts>, valid: Valid) -> Result<Acting, AdcpError> {
    let Valid { admitted } = valid;
    let spec = admitted.route.spec;
    let reference = match admitted.arguments.get("account") {
        Some(value) if spec.account != Presence::Absent && !value.is_null() => {
            Some(decode::<AccountRef>(value.clone())?)
        }
        _ => None,
    };
    let account = match &admitted.caller {
        Some(caller) => parts.accounts.resolve(caller, reference.as_ref(), spec).await?,
        None => None,
    };
    if account.is_none() && spec.account == Presence::Required {
        return Err(account_not_found());
    }
    Ok(Acting { route: admitted.route, arguments: admitted.arguments, caller: admitted.caller, account })
}
