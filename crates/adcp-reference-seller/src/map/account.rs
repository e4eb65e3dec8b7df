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
use adcp_types::core::{AccountRef, AccountWithAuthorization, BrandRef, NotificationConfig};
use adcp_types::enums::{AccountScope, AccountStatus, BillingParty};
use serde_json::json;

use crate::ad_server::{Account, Billing, Buyer, NewAccount, Note, Opened, Setup};
use crate::seller::ReferenceSeller;

use super::creative::wire;
use super::error::{no_account, refused};
use super::note;
use super::page::{Direction, page};

/// Settings of an account that are kept for the buyer.
const KEPT: &[&str] = &["notification_configs", "payment_terms", "billing_entity"];

/// Events that concern an account and not one media buy.
const ACCOUNT_EVENTS: &[&str] = &["creative.", "product.", "signal.", "wholesale_feed."];

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
pub(crate) fn list(
    accounts: Vec<Account>,
    req: &ListAccountsRequest,
) -> Result<ListAccountsResponse, AdcpError> {
    // An account is active or gone.
    let any_status = req.status.as_ref().is_none_or(|status| *status == WantedStatus::Active);
    let wanted =
        |account: &Account| any_status && req.sandbox.is_none_or(|sandbox| sandbox == account.sandbox);
    let accounts = accounts.into_iter().filter(wanted).collect();
    let (accounts, pagination) =
        page(accounts, |account| (String::new(), account.serial), Direction::Up, req.pagination.as_ref())?;
    Ok(ListAccountsResponse::new(accounts.iter().map(shown).collect()).with_pagination(pagination))
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
    shown.notification_configs = configs(&account.note);
    shown
}

/// An account beside something that belongs to it.
pub(super) fn named(account: &Account) -> adcp_types::core::Account {
    adcp_types::core::Account::new(&account.id, &account.name, AccountStatus::Active)
        .with_sandbox(account.sandbox)
}

/// Notification settings as they are shown: credentials go in and never come out.
fn configs(kept: &Note) -> Option<Vec<NotificationConfig>> {
    let mut configs: Vec<NotificationConfig> = note::recall(kept, "notification_configs")?;
    for config in &mut configs {
        if let Some(authentication) = &mut config.authentication {
            authentication.credentials = None;
        }
    }
    Some(configs)
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
pub(crate) fn sync(
    seller: &ReferenceSeller,
    buyer: &Buyer,
    req: &SyncAccountsRequest,
) -> Result<SyncAccountsSuccess, AdcpError> {
    let dry_run = req.dry_run.unwrap_or_default();
    let mut answers = Vec::with_capacity(req.accounts.len());
    let mut named = Vec::new();
    for entry in &req.accounts {
        let answer = match &entry.account {
            Some(reference) => change(seller, buyer, reference, entry, dry_run),
            None => provision(seller, buyer, entry, dry_run),
        };
        named.extend(answer.account_id.clone());
        answers.push(answer);
    }
    if req.delete_missing == Some(true) && !dry_run {
        for account in seller.ads().accounts(buyer) {
            if !named.contains(&account.id) {
                seller.ads().close_account(buyer, &account.id);
            }
        }
    }
    let mut response = SyncAccountsSuccess::new(answers);
    response.dry_run = dry_run.then_some(true);
    Ok(response)
}

/// An entry with a brand, an operator and a billing party opens an account, or changes the one it names.
fn provision(seller: &ReferenceSeller, buyer: &Buyer, entry: &Entry, dry_run: bool) -> Synced {
    let (Some(brand), Some(operator)) = (&entry.brand, &entry.operator) else {
        let error =
            AdcpError::new(ErrorCode::UNSUPPORTED_PROVISIONING, "an entry needs a brand and an operator")
                .with_suggestion("send brand, operator and billing, or only the account to change");
        return failed(BrandRef::new(NOBODY), NOBODY, &error);
    };
    let setup = setup(brand, operator);
    let refuse = |error: &AdcpError| {
        let mut answer = failed(brand.as_ref().clone(), operator, error);
        answer.sandbox = entry.sandbox;
        answer
    };
    let billing = match accepted_billing(entry.billing.as_ref()) {
        Ok(billing) => billing,
        Err(error) => return refuse(&error),
    };
    if let Err(error) = check_configs(entry) {
        return refuse(&error);
    }
    let mut new = NewAccount::new(name(&setup), setup.clone(), billing);
    new.sandbox = entry.sandbox.unwrap_or_default();
    new.note = note::keep(entry, KEPT);
    if dry_run {
        let known = seller.ads().account_for(buyer, &setup, new.sandbox);
        let mut answer = Synced::new(brand.as_ref().clone(), operator, Action::Created, Status::Active);
        if let Some(account) = known {
            answer.account_id = Some(account.id);
            answer.action = Action::Updated;
        }
        return answer;
    }
    match seller.ads().open_account(buyer, new) {
        Ok((account, opened)) => synced(&account, opened),
        Err(reason) => refuse(&refused(&reason.into(), "accounts")),
    }
}

/// An entry with an account changes its settings and nothing else.
fn change(
    seller: &ReferenceSeller,
    buyer: &Buyer,
    reference: &AccountRef,
    entry: &Entry,
    dry_run: bool,
) -> Synced {
    let refuse = |error: &AdcpError| match reference {
        AccountRef::Brand(key) => failed(key.brand.as_ref().clone(), &key.operator, error),
        _ => failed(BrandRef::new(NOBODY), NOBODY, error),
    };
    let Some(account) = seller.find_account(buyer, reference) else { return refuse(&no_account()) };
    if let Err(error) = check_configs(entry) {
        let mut answer = synced(&account, Opened::Unchanged);
        (answer.action, answer.status) = (Action::Failed, Status::Rejected);
        answer.errors = Some(vec![wire(&error)]);
        return answer;
    }
    if dry_run {
        return synced(&account, Opened::Updated);
    }
    match seller.ads().set_account_note(buyer, &account.id, note::keep(entry, KEPT)) {
        Ok((account, opened)) => synced(&account, opened),
        Err(reason) => refuse(&refused(&reason.into(), "accounts")),
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
    answer.notification_configs = configs(&account.note);
    answer
}

fn failed(brand: BrandRef, operator: &str, error: &AdcpError) -> Synced {
    Synced::new(brand, operator, Action::Failed, Status::Rejected).with_errors(vec![wire(error)])
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

/// Each subscriber once, and only to what happens to an account.
fn check_configs(entry: &Entry) -> Result<(), AdcpError> {
    let configs = entry.notification_configs.as_deref().unwrap_or_default();
    for (index, config) in configs.iter().enumerate() {
        if configs[..index].iter().any(|before| before.subscriber_id == config.subscriber_id) {
            let field = format!("notification_configs[{index}].subscriber_id");
            return Err(AdcpError::invalid_request(field, "this subscriber is named twice"));
        }
        for (place, event) in config.event_types.iter().enumerate() {
            if !ACCOUNT_EVENTS.iter().any(|prefix| event.as_str().starts_with(prefix)) {
                let field = format!("notification_configs[{index}].event_types[{place}]");
                return Err(AdcpError::invalid_request(
                    field,
                    "this event belongs to a media buy, not to an account",
                ));
            }
        }
    }
    Ok(())
}
