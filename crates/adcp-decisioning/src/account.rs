//! On which account a call acts.

use std::fmt;
use std::future::Future;

use adcp_core::{AccountId, AdcpError};
use adcp_types::core::AccountRef;
use adcp_types::tools::ToolSpec;
use futures_util::future::BoxFuture;

use crate::caller::Caller;

/// An account that a call resolved to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The seller's id of it.
    pub id: AccountId,
    /// Whether it is for trials: nothing real is bought. Decided by the seller's record, never by the request.
    pub sandbox: bool,
}

impl Account {
    /// An account where real things happen.
    #[must_use]
    pub const fn new(id: AccountId) -> Self {
        Self { id, sandbox: false }
    }

    /// Marks it as for trials.
    #[must_use]
    pub const fn with_sandbox(mut self, sandbox: bool) -> Self {
        self.sandbox = sandbox;
        self
    }
}

/// Knows which accounts a caller may act on.
///
/// Implementers answer `ACCOUNT_NOT_FOUND` alike for accounts that do not exist and accounts of others.
pub trait Accounts: Send + Sync + 'static {
    /// Resolves the reference in a request, or the absence of one.
    ///
    /// `None` means that the call acts on no account; a tool that requires one is then refused.
    fn resolve(
        &self,
        caller: &Caller,
        reference: Option<&AccountRef>,
        tool: &'static ToolSpec,
    ) -> impl Future<Output = Result<Option<Account>, AdcpError>> + Send;
}

/// [`Accounts`] behind a pointer; exists because native async traits are not object safe.
pub(crate) trait DynAccounts: Send + Sync {
    fn resolve<'a>(
        &'a self,
        caller: &'a Caller,
        reference: Option<&'a AccountRef>,
        tool: &'static ToolSpec,
    ) -> BoxFuture<'a, Result<Option<Account>, AdcpError>>;
}

impl<A: Accounts> DynAccounts for A {
    fn resolve<'a>(
        &'a self,
        caller: &'a Caller,
        reference: Option<&'a AccountRef>,
        tool: &'static ToolSpec,
    ) -> BoxFuture<'a, Result<Option<Account>, AdcpError>> {
        Box::pin(Accounts::resolve(self, caller, reference, tool))
    }
}

/// One account for each principal: the account id is the principal's name.
///
/// For sellers without an account system. A reference in the request must name that account.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct AccountPerPrincipal;

impl AccountPerPrincipal {
    /// One account for each principal.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Accounts for AccountPerPrincipal {
    async fn resolve(
        &self,
        caller: &Caller,
        reference: Option<&AccountRef>,
        _tool: &'static ToolSpec,
    ) -> Result<Option<Account>, AdcpError> {
        let own = caller.principal.as_str();
        let named = match reference {
            Some(AccountRef::AccountId(named)) => named.account_id == own,
            Some(_) => false,
            None => true,
        };
        if named { Ok(Some(Account::new(AccountId::new(own)))) } else { Err(account_not_found()) }
    }
}

/// The one answer for an account that is unknown, foreign or closed.
pub(crate) fn account_not_found() -> AdcpError {
    AdcpError::new(adcp_types::ErrorCode::ACCOUNT_NOT_FOUND, "no such account is open to this agent")
        .with_field("account")
        .with_suggestion("list the accounts open to this agent, or ask the seller to set one up")
}

impl fmt::Debug for dyn DynAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accounts")
    }
}
