//! Accounts: entries to set up, and what is shown of them.

use adcp_core::AdcpError;
use adcp_types::ErrorCode;
use adcp_types::account::list_accounts_request::Status as WantedStatus;
use adcp_types::account::sync_accounts_request::Account as Entry;
use adcp_types::account::sync_accounts_response::{Account as Synced, Action, Status};
use adcp_types::account::{
    ListAccountsRequest, ListAccountsResponse, SyncAccountsRequest, SyncAccountsSuccess,
};
use adcp_types::core::account_ref::AccountRefBrand;
use adcp_types::core::{AccountRef, AccountWithAuthorization, BrandRef};
use adcp_types::enums::{AccountScope, AccountStatus, BillingParty};
use serde_json::json;

use crate::ad_server::{Account, Billing, Buyer, NewAccount, Opened, Setup};
use crate::seller::ReferenceSeller;
use crate::subscribers::Subscribers;

use super::creative::wire;
use super::error::{no_account, refused};
use super::note;
use super::page::{Direction, page};

/// Settings of an account that are kept for the buyer.
const KEPT: &[&str] = &["payment_terms", "billing_entity"];

/// Stands where an answer must name a brand and an operator and there are none, as for an account known by id only.
const NOBODY: &str = "unknown.invalid";

/// The brand and operator of a natural key.
pub(crate) fn setup(brand: &BrandRef, operator: &str) -> Setup {
    Setup { brand: brand.domain.clone(), brand_id: brand.brand_id.clone(), operator: operator.to_owned() }
}

/// An account that a sandbox opens because somebody uses it.
pub(crate) fn first_use(key: &AccountRefBrand) -> NewAccount {
    let setup = setup(&key.brand, &key.operator);
    let mut new = NewAccount::new(name(&setup), setup, Billing::Operator);
    new.sandbox = key.sandbox.unwrap_or_default();
    new
}

fn name(setup: &Setup) -> String {
    format!("{} through {}", setup.brand, setup.operator)
}

/// Lists the accounts that a request asks for.
pub(crate) async fn list(
    accounts: Vec<Account>,
    req: &ListAccountsRequest,
    subscribers: &Subscribers<'_>,
) -> Result<ListAccountsResponse, AdcpError> {
    // An account is active or gone.
    let any_status = req.status.as_ref().is_none_or(|status| *status == WantedStatus::Active);
    let wanted =
        |account: &Account| any_status && req.sandbox.is_none_or(|sandbox| sandbox == account.sandbox);
    let accounts = accounts.into_iter().filter(wanted).collect();
    let (accounts, pagination) =
        page(accounts, |account| (String::new(), account.serial), Direction::Up, req.pagination.as_ref())?;
    let mut rows = Vec::with_capacity(accounts.len());
    for account in &accounts {
        let mut row = shown(account);
        row.notification_configs = subscribers.of(&account.id).await?;
        rows.push(row);
    }
    Ok(ListAccountsResponse::new(rows).with_pagination(pagination))
}

fn shown(account: &Account) -> AccountWithAuthorization {
    let mut shown = AccountWithAuthorization::new(&account.id, &account.name, AccountStatus::Active)
        .with_billing(billing(account.billing))
        .with_sandbox(account.sandbox);
    if let Some(setup) = &account.setup {
        shown.brand = Some(Box::new(brand(setup)));
        shown.operator = Some(setup.operator.clone());
        shown.account_scope = Some(AccountScope::OperatorBrand);
    }
    shown.payment_terms = note::recall(&account.note, "payment_terms");
    shown
}

/// An account beside something that belongs to it.
pub(super) fn named(account: &Account) -> adcp_types::core::Account {
    adcp_types::core::Account::new(&account.id, &account.name, AccountStatus::Active)
        .with_sandbox(account.sandbox)
}

fn brand(setup: &Setup) -> BrandRef {
    let mut brand = BrandRef::new(&setup.brand);
    brand.brand_id.clone_from(&setup.brand_id);
    brand
}

fn billing(billing: Billing) -> BillingParty {
    match billing {
        Billing::Operator => BillingParty::Operator,
        Billing::Agent => BillingParty::Agent,
    }
}

/// Sets up and changes accounts, each entry for itself.
pub(crate) async fn sync(
    seller: &ReferenceSeller,
    buyer: &Buyer,
    req: &SyncAccountsRequest,
    subscribers: &Subscribers<'_>,
) -> Result<SyncAccountsSuccess, AdcpError> {
    let dry_run = req.dry_run.unwrap_or_default();
    let mut answers = Vec::with_capacity(req.accounts.len());
    let mut named = Vec::new();
    for (index, entry) in req.accounts.iter().enumerate() {
        let desk = Desk { seller, buyer, subscribers, entry, index, dry_run };
        let answer = match &entry.account {
            Some(reference) => desk.change(reference).await?,
            None => desk.provision().await?,
        };
        named.extend(answer.account_id.clone());
        answers.push(answer);
    }
    if req.delete_missing == Some(true) && !dry_run {
        for account in seller.ads().accounts(buyer) {
            if !named.contains(&account.id) {
                seller.ads().close_account(buyer, &account.id);
                subscribers.forget(&account.id).await?;
            }
        }
    }
    let mut response = SyncAccountsSuccess::new(answers);
    response.dry_run = dry_run.then_some(true);
    Ok(response)
}

/// One entry, and what it takes to do what it says.
struct Desk<'a> {
    seller: &'a ReferenceSeller,
    buyer: &'a Buyer,
    subscribers: &'a Subscribers<'a>,
    entry: &'a Entry,
    index: usize,
    dry_run: bool,
}

impl Desk<'_> {
    /// An entry with a brand, an operator and a billing party opens an account, or changes the one it names.
    async fn provision(&self) -> Result<Synced, AdcpError> {
        let Self { seller, buyer, entry, .. } = *self;
        let (Some(brand), Some(operator)) = (&entry.brand, &entry.operator) else {
            let error =
                AdcpError::new(ErrorCode::UNSUPPORTED_PROVISIONING, "an entry needs a brand and an operator")
                    .with_suggestion("send brand, operator and billing, or only the account to change");
            return Ok(failed(BrandRef::new(NOBODY), NOBODY, &[error]));
        };
        let setup = setup(brand, operator);
        let refuse = |errors: &[AdcpError]| {
            let mut answer = failed(brand.as_ref().clone(), operator, errors);
            answer.sandbox = entry.sandbox;
            Ok(answer)
        };
        let billing = match accepted_billing(entry.billing.as_ref()) {
            Ok(billing) => billing,
            Err(error) => return refuse(&[error]),
        };
        let mut new = NewAccount::new(name(&setup), setup.clone(), billing);
        new.sandbox = entry.sandbox.unwrap_or_default();
        new.note = note::keep(entry, KEPT);
        let known = seller.ads().account_for(buyer, &setup, new.sandbox);
        if let Err(errors) = self.judge(known.as_ref()).await? {
            return refuse(&errors);
        }
        if self.dry_run {
            let mut answer = Synced::new(brand.as_ref().clone(), operator, Action::Created, Status::Active);
            if let Some(account) = known {
                answer.account_id = Some(account.id);
                answer.action = Action::Updated;
            }
            return Ok(answer);
        }
        // An account changes as a whole or not at all, so subscribers are asked first where they can be.
        let mut changed = false;
        if let Some(account) = &known {
            match self.subscribe(account).await? {
                Ok(done) => changed = done,
                Err(errors) => return refuse(&errors),
            }
        }
        let (account, opened) = match seller.ads().open_account(buyer, new) {
            Ok(opened) => opened,
            Err(reason) => return refuse(&[refused(&reason.into(), "accounts")]),
        };
        if known.is_none()
            && let Err(errors) = self.subscribe(&account).await?
        {
            seller.ads().close_account(buyer, &account.id);
            return refuse(&errors);
        }
        self.answer(&account, opened, changed).await
    }

    /// An entry with an account changes its settings and nothing else.
    async fn change(&self, reference: &AccountRef) -> Result<Synced, AdcpError> {
        let Self { seller, buyer, entry, .. } = *self;
        let Some(account) = seller.find_account(buyer, reference) else {
            let (brand, operator) = match reference {
                AccountRef::Brand(key) => (key.brand.as_ref().clone(), key.operator.as_str()),
                _ => (BrandRef::new(NOBODY), NOBODY),
            };
            return Ok(failed(brand, operator, &[no_account()]));
        };
        let done = match self.judge(Some(&account)).await? {
            Ok(()) if self.dry_run => Ok(true),
            Ok(()) => self.subscribe(&account).await?,
            Err(errors) => Err(errors),
        };
        let changed = match done {
            Ok(changed) => changed,
            Err(errors) => {
                let mut answer = self.answer(&account, Opened::Unchanged, false).await?;
                (answer.action, answer.status) = (Action::Failed, Status::Rejected);
                answer.errors = Some(errors.iter().map(wire).collect());
                return Ok(answer);
            }
        };
        if self.dry_run {
            return self.answer(&account, Opened::Updated, changed).await;
        }
        match seller.ads().set_account_note(buyer, &account.id, note::keep(entry, KEPT)) {
            Ok((account, opened)) => self.answer(&account, opened, changed).await,
            Err(reason) => Ok(failed(BrandRef::new(NOBODY), NOBODY, &[refused(&reason.into(), "accounts")])),
        }
    }

    /// Whether the subscriptions of the entry could be kept, without asking anybody.
    async fn judge(&self, account: Option<&Account>) -> Result<Result<(), Vec<AdcpError>>, AdcpError> {
        let Some(configs) = &self.entry.notification_configs else { return Ok(Ok(())) };
        self.subscribers.check(account.map(|account| account.id.as_str()), configs, self.index).await
    }

    /// Replaces the subscriptions of the entry, where it names any, and says whether they are others now.
    async fn subscribe(&self, account: &Account) -> Result<Result<bool, Vec<AdcpError>>, AdcpError> {
        let Some(configs) = &self.entry.notification_configs else { return Ok(Ok(false)) };
        let before = self.subscribers.of(&account.id).await?;
        let done = self.subscribers.replace(&account.id, configs, self.index).await?;
        let after = self.subscribers.of(&account.id).await?;
        Ok(done.map(|()| before != after))
    }

    async fn answer(&self, account: &Account, opened: Opened, changed: bool) -> Result<Synced, AdcpError> {
        let opened = if changed && opened == Opened::Unchanged { Opened::Updated } else { opened };
        let mut answer = synced(account, opened);
        answer.notification_configs = self.subscribers.of(&account.id).await?;
        Ok(answer)
    }
}

fn synced(account: &Account, opened: Opened) -> Synced {
    let action = match opened {
        Opened::Created => Action::Created,
        Opened::Updated => Action::Updated,
        Opened::Unchanged => Action::Unchanged,
    };
    let (brand, operator) = match &account.setup {
        Some(setup) => (brand(setup), setup.operator.as_str()),
        None => (BrandRef::new(NOBODY), NOBODY),
    };
    let mut answer = Synced::new(brand, operator, action, Status::Active)
        .with_account_id(&account.id)
        .with_name(&account.name)
        .with_billing(billing(account.billing))
        .with_account_scope(AccountScope::OperatorBrand)
        .with_sandbox(account.sandbox);
    answer.payment_terms = note::recall(&account.note, "payment_terms");
    answer
}

fn failed(brand: BrandRef, operator: &str, errors: &[AdcpError]) -> Synced {
    let errors = errors.iter().map(wire).collect();
    Synced::new(brand, operator, Action::Failed, Status::Rejected).with_errors(errors)
}

fn accepted_billing(wanted: Option<&BillingParty>) -> Result<Billing, AdcpError> {
    match wanted {
        Some(BillingParty::Operator) => Ok(Billing::Operator),
        Some(BillingParty::Agent) => Ok(Billing::Agent),
        _ => Err(AdcpError::new(
            ErrorCode::BILLING_NOT_SUPPORTED,
            "nobody else than operator or agent is billed",
        )
        .with_field("billing")
        .with_suggestion("choose `operator` or `agent`")
        .with_detail("scope", "capability")
        .with_detail("supported_billing", json!(["operator", "agent"]))),
    }
}
