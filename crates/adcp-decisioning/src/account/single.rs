//! One account for everybody.

use adcp_core::AdcpError;
use adcp_types::core::AccountRef;
use adcp_types::tools::ToolSpec;

use super::per_principal::named;
use super::{Account, Accounts};
use crate::caller::Caller;

/// One account on which every caller acts.
///
/// A reference in the request must name it, by id or by the key it was given. Tasks and idempotency keys stay
/// apart all the same: they belong to the principal on the account, never to the account alone.
#[derive(Debug, Clone)]
pub struct SingleAccount(Account);

impl SingleAccount {
    /// Everybody acts on `account`.
    #[must_use]
    pub const fn new(account: Account) -> Self {
        Self(account)
    }
}

impl Accounts for SingleAccount {
    async fn resolve(
        &self,
        _caller: &Caller,
        reference: Option<&AccountRef>,
        _tool: &'static ToolSpec,
    ) -> Result<Option<Account>, AdcpError> {
        Ok(named(self.0.clone(), reference))
    }
}
