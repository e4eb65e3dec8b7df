//! Accounts that buyers see and declare. A seller offers at least one of the two.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::account::{
    ListAccountsRequest, ListAccountsResponse, SyncAccountsRequest, SyncAccountsSuccess,
};

use crate::ctx::Ctx;

/// What a seller shows of its accounts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` lists no accounts: `.list_accounts()` needs an `impl ListAccounts for {Self}`"
)]
pub trait ListAccounts: Send + Sync + 'static {
    /// Lists the accounts open to the caller, and no others.
    fn list_accounts(
        &self,
        ctx: &Ctx,
        req: ListAccountsRequest,
    ) -> impl Future<Output = Result<ListAccountsResponse, AdcpError>> + Send;
}

/// What a seller decides about accounts that buyers declare.
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes no accounts: `.sync_accounts()` needs an `impl SyncAccounts for {Self}`"
)]
pub trait SyncAccounts: Send + Sync + 'static {
    /// Sets up and changes accounts. An account that is refused is reported in its own entry.
    fn sync_accounts(
        &self,
        ctx: &Ctx,
        req: SyncAccountsRequest,
    ) -> impl Future<Output = Result<SyncAccountsSuccess, AdcpError>> + Send;
}
