//! Accounts: which ones a caller may act on, the list of them, and new ones.

use adcp_core::{AccountId, AdcpError};
use adcp_decisioning::{self as sdk, Accounts, Caller, Ctx, ListAccounts, SyncAccounts};
use adcp_types::account::{
    ListAccountsRequest, ListAccountsResponse, SyncAccountsRequest, SyncAccountsSuccess,
};
use adcp_types::core::AccountRef;
use adcp_types::tools::{LIST_ACCOUNTS, ToolSpec};

use crate::ad_server::{Account, Buyer};
use crate::map::account;
use crate::map::error::{no_account, refused};
use crate::seller::{ReferenceSeller, buyer_of};
use crate::subscribers::Subscribers;

/// An account belongs to the agent that opened it. Another agent's account is no account.
///
/// - Without a reference the call acts on no account: reads then show everything of the caller's own accounts.
/// - In a sandbox an account that is not known yet is opened: by its id, or for its brand and operator.
impl Accounts for ReferenceSeller {
    async fn resolve(
        &self,
        caller: &Caller,
        reference: Option<&AccountRef>,
        tool: &'static ToolSpec,
    ) -> Result<Option<sdk::Account>, AdcpError> {
        // In a list of accounts the reference is a filter, and looking for an account must not open it.
        let Some(reference) = reference.filter(|_| tool.name != LIST_ACCOUNTS.name) else { return Ok(None) };
        let buyer = buyer_of(caller);
        let account = match self.find_account(&buyer, reference) {
            Some(account) => account,
            None if self.config().sandbox => self.open_on_first_use(&buyer, reference)?,
            None => return Err(no_account()),
        };
        Ok(Some(sdk::Account::new(AccountId::new(account.id)).with_sandbox(account.sandbox)))
    }
}

impl ReferenceSeller {
    /// The open account that a reference stands for, among the buyer's own.
    pub(crate) fn find_account(&self, buyer: &Buyer, reference: &AccountRef) -> Option<Account> {
        match reference {
            AccountRef::AccountId(by_id) => self.ads().account(buyer, &by_id.account_id),
            AccountRef::Brand(key) => self.ads().account_for(
                buyer,
                &account::setup(&key.brand, &key.operator),
                key.sandbox.unwrap_or_default(),
            ),
            _ => None,
        }
    }

    fn open_on_first_use(&self, buyer: &Buyer, reference: &AccountRef) -> Result<Account, AdcpError> {
        let opened = match reference {
            AccountRef::AccountId(by_id) => self.ads().open_named_account(buyer, &by_id.account_id),
            AccountRef::Brand(key) => {
                self.ads().open_account(buyer, account::first_use(key)).map(|(account, _)| account)
            }
            _ => return Err(no_account()),
        };
        opened.map_err(|reason| refused(&reason.into(), "accounts"))
    }
}

impl ListAccounts for ReferenceSeller {
    async fn list_accounts(
        &self,
        ctx: &Ctx,
        req: ListAccountsRequest,
    ) -> Result<ListAccountsResponse, AdcpError> {
        let buyer = Self::buyer(ctx)?;
        let accounts = match &req.account {
            Some(reference) => self.find_account(&buyer, reference).into_iter().collect(),
            None => self.ads().accounts(&buyer),
        };
        account::list(accounts, &req, &Subscribers::of_caller(self, ctx)?).await
    }
}

impl SyncAccounts for ReferenceSeller {
    async fn sync_accounts(
        &self,
        ctx: &Ctx,
        req: SyncAccountsRequest,
    ) -> Result<SyncAccountsSuccess, AdcpError> {
        account::sync(self, &Self::buyer(ctx)?, &req, &Subscribers::of_caller(self, ctx)?).await
    }
}
