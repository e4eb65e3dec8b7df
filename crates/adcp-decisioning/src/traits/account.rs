//! Accounts that buyers see and declare, and what is billed to them. A seller offers at least one of the first two.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::account::{
    GetAccountFinancialsRequest, GetAccountFinancialsSuccess, ListAccountsRequest, ListAccountsResponse,
    ReportUsageRequest, ReportUsageResponse, SyncAccountsRequest, SyncAccountsSuccess, SyncGovernanceRequest,
    SyncGovernanceSuccess,
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

/// What a seller decides who asks a buyer's governance agent before it sells.
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes no governance agents: `.sync_governance()` needs an `impl SyncGovernance for {Self}`"
)]
pub trait SyncGovernance: Send + Sync + 'static {
    /// Keeps the governance agent of each account. Its credentials are stored and never shown.
    fn sync_governance(
        &self,
        ctx: &Ctx,
        req: SyncGovernanceRequest,
    ) -> impl Future<Output = Result<SyncGovernanceSuccess, AdcpError>> + Send;
}

/// What a seller shows of an account's money.
#[diagnostic::on_unimplemented(
    message = "`{Self}` shows no financials: `.account_financials()` needs an `impl AccountFinancials for {Self}`"
)]
pub trait AccountFinancials: Send + Sync + 'static {
    /// Reports credit, balance and invoices of the account.
    fn get_account_financials(
        &self,
        ctx: &Ctx,
        req: GetAccountFinancialsRequest,
    ) -> impl Future<Output = Result<GetAccountFinancialsSuccess, AdcpError>> + Send;
}

/// What an agent decides that charges for use.
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes no usage reports: `.report_usage()` needs an `impl ReportUsage for {Self}`"
)]
pub trait ReportUsage: Send + Sync + 'static {
    /// Takes records of what was used and counts those it accepts.
    fn report_usage(
        &self,
        ctx: &Ctx,
        req: ReportUsageRequest,
    ) -> impl Future<Output = Result<ReportUsageResponse, AdcpError>> + Send;
}
