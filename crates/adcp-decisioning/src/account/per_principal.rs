//! Accounts that follow from who is calling.

use adcp_core::{AccountId, AdcpError};
use adcp_types::core::AccountRef;
use adcp_types::tools::ToolSpec;

use super::{Account, AccountKey, Accounts};
use crate::caller::Caller;

/// One account for each principal: the account id is the principal's name.
///
/// For sellers without an account system. A reference in the request must name that account.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct AccountPerPrincipal {
    sandbox: bool,
}

impl AccountPerPrincipal {
    /// One account for each principal.
    #[must_use]
    pub const fn new() -> Self {
        Self { sandbox: false }
    }

    /// Makes every account one for trials.
    #[must_use]
    pub const fn with_sandbox(mut self, sandbox: bool) -> Self {
        self.sandbox = sandbox;
        self
    }
}

impl Accounts for AccountPerPrincipal {
    async fn resolve(
        &self,
        caller: &Caller,
        reference: Option<&AccountRef>,
        _tool: &'static ToolSpec,
    ) -> Result<Option<Account>, AdcpError> {
        let own = Account::new(AccountId::new(caller.principal.as_str())).with_sandbox(self.sandbox);
        Ok(named(own, reference))
    }
}

/// The account, if the request leaves the choice open or names just this one.
pub(super) fn named(account: Account, reference: Option<&AccountRef>) -> Option<Account> {
    let meant = reference
        .is_none_or(|reference| AccountKey::of(reference).is_some_and(|key| account.answers_to(&key)));
    meant.then_some(account)
}
