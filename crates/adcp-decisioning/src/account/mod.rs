//! On which account a call acts.

mod explicit;
mod key;
mod per_principal;
mod record;
mod single;
mod tenant;

use std::fmt;
use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::core::AccountRef;
use adcp_types::tools::ToolSpec;
use futures_util::future::BoxFuture;

use crate::caller::Caller;

pub use explicit::ExplicitAccounts;
pub use key::{AccountKey, NaturalKey};
pub use per_principal::AccountPerPrincipal;
pub use record::Account;
pub use single::SingleAccount;
pub use tenant::TenantAccounts;

/// Knows which accounts a caller may act on.
///
/// What implementers must keep: an account of somebody else is answered like one that does not exist, and
/// `sandbox` comes from the seller's record. What they may rely on: the path checks the record's tenant, key,
/// sandbox and status afterwards; each way of not finding an account gives the buyer the same answer; a
/// panic denies.
pub trait Accounts: Send + Sync + 'static {
    /// Resolves the reference in a request, or the absence of one.
    ///
    /// `None` means that the call acts on no account. That is refused when the request named one, and when
    /// the tool requires one.
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

impl fmt::Debug for dyn DynAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accounts")
    }
}
