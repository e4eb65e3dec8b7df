//! Accounts that a request must name.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use adcp_core::AdcpError;
use adcp_types::core::AccountRef;
use adcp_types::tools::ToolSpec;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Account, AccountKey, Accounts};
use crate::caller::Caller;

type Found = Result<Option<Account>, AdcpError>;

/// Accounts that the request names, by id or by natural key; without a name a call acts on none.
///
/// The lookup answers `None` alike for accounts that do not exist and accounts that are not the caller's.
///
/// ```
/// use adcp_core::AccountId;
/// use adcp_decisioning::{Account, AccountKey, ExplicitAccounts};
///
/// let accounts = ExplicitAccounts::new(|caller, key| async move {
///     let known = AccountId::new(format!("acct-{}", caller.principal));
///     Ok((key == AccountKey::Id(known.clone())).then(|| Account::new(known)))
/// });
/// # drop(accounts);
/// ```
#[derive(Clone)]
pub struct ExplicitAccounts(Arc<dyn Fn(Caller, AccountKey) -> BoxFuture<'static, Found> + Send + Sync>);

impl ExplicitAccounts {
    /// Accounts that `lookup` knows.
    #[must_use]
    pub fn new<F, Fut>(lookup: F) -> Self
    where
        F: Fn(Caller, AccountKey) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Account>, AdcpError>> + Send + 'static,
    {
        Self(Arc::new(move |caller, key| lookup(caller, key).boxed()))
    }
}

impl fmt::Debug for ExplicitAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExplicitAccounts")
    }
}

impl Accounts for ExplicitAccounts {
    async fn resolve(
        &self,
        caller: &Caller,
        reference: Option<&AccountRef>,
        _tool: &'static ToolSpec,
    ) -> Result<Option<Account>, AdcpError> {
        match reference.and_then(AccountKey::of) {
            Some(key) => (self.0)(caller.clone(), key).await,
            None => Ok(None),
        }
    }
}
