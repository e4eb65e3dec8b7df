//! Accounts of several sellers in one deployment.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use adcp_core::{AdcpError, TenantId};
use adcp_types::core::AccountRef;
use adcp_types::tools::ToolSpec;

use super::{Account, Accounts, DynAccounts};
use crate::caller::Caller;

/// A store of accounts for each tenant. The caller's tenant decides which one is asked, and nothing else does.
///
/// What comes out of a store belongs to its tenant, so an account of one tenant cannot answer for another.
/// A tenant without a store has no accounts.
///
/// ```
/// use adcp_core::{AccountId, TenantId};
/// use adcp_decisioning::{Account, AccountPerPrincipal, SingleAccount, TenantAccounts};
///
/// let accounts = TenantAccounts::new()
///     .with_tenant(TenantId::new("harbour"), AccountPerPrincipal::new())
///     .with_tenant(TenantId::new("meadow"), SingleAccount::new(Account::new(AccountId::new("house"))));
/// # drop(accounts);
/// ```
#[derive(Clone, Default)]
pub struct TenantAccounts(BTreeMap<TenantId, Arc<dyn DynAccounts>>);

impl TenantAccounts {
    /// No tenants: nobody has an account.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives `tenant` its store, in place of one it had.
    #[must_use]
    pub fn with_tenant(mut self, tenant: TenantId, accounts: impl Accounts) -> Self {
        self.0.insert(tenant, Arc::new(accounts));
        self
    }
}

impl fmt::Debug for TenantAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TenantAccounts").field(&self.0.keys().collect::<Vec<_>>()).finish()
    }
}

impl Accounts for TenantAccounts {
    async fn resolve(
        &self,
        caller: &Caller,
        reference: Option<&AccountRef>,
        tool: &'static ToolSpec,
    ) -> Result<Option<Account>, AdcpError> {
        let Some(store) = self.0.get(&caller.tenant) else {
            tracing::warn!(tenant = %caller.tenant, "a caller of a tenant that has no accounts");
            return Ok(None);
        };
        let found = store.resolve(caller, reference, tool).await?;
        Ok(found.map(|account| match account.tenant {
            Some(_) => account,
            None => account.with_tenant(caller.tenant.clone()),
        }))
    }
}
