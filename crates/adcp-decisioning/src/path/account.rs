//! On which account the call acts.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use adcp_core::AdcpError;
use adcp_types::ErrorCode;
use adcp_types::core::AccountRef;
use adcp_types::tools::{Presence, ToolSpec};
use futures_util::FutureExt;
use serde_json::Value;

use super::gate::access;
use super::validate::Valid;
use crate::account::{Account, AccountKey};
use crate::caller::Caller;
use crate::parts::Parts;
use crate::route::{Route, decode};

/// The ways of an account store to say no, which a buyer must not tell apart.
const NOT_FOUND: [ErrorCode; 3] =
    [ErrorCode::ACCOUNT_NOT_FOUND, ErrorCode::PERMISSION_DENIED, ErrorCode::REFERENCE_NOT_FOUND];

/// A call whose account is known, or known to be none.
pub(super) struct Resolved {
    pub(super) route: Route,
    pub(super) arguments: Value,
    pub(super) caller: Option<Caller>,
    pub(super) account: Option<Account>,
}

/// Every way of not finding an account ends in the same answer, so that probing tells nothing.
pub(super) async fn resolve(parts: &Arc<Parts>, valid: Valid) -> Result<Resolved, AdcpError> {
    let Valid { admitted } = valid;
    let spec = admitted.route.spec;
    let named = match admitted.arguments.get("account") {
        Some(value)
            if spec.account != Presence::Absent && !access::of(spec).account_filters && !value.is_null() =>
        {
            Some(value)
        }
        _ => None,
    };
    let reference = named.cloned().map(decode::<AccountRef>).transpose()?;
    let account = match &admitted.caller {
        Some(caller) => find(parts, caller, reference.as_ref(), spec).await?,
        None => None,
    };
    let account = match (account, &admitted.caller) {
        (Some(account), Some(caller)) if !belongs(&account, caller, named, reference.as_ref()) => {
            tracing::warn!(tool = spec.name, account = %account.id, "the account store gave an account that was not asked for");
            return Err(AdcpError::account_not_found());
        }
        (account, _) => account,
    };
    if account.as_ref().is_some_and(|account| !is_keepable(account.id.as_str())) {
        return Err(AdcpError::invalid_request(
            "account.account_id",
            format!("an account id has at most {MAX_ACCOUNT_ID} bytes and no control characters"),
        ));
    }
    if account.is_none() && (reference.is_some() || spec.account == Presence::Required) {
        return Err(AdcpError::account_not_found());
    }
    Ok(Resolved { route: admitted.route, arguments: admitted.arguments, caller: admitted.caller, account })
}

/// Bytes of an account id: it stands in the keys of every table, which databases bound.
const MAX_ACCOUNT_ID: usize = 512;

/// Whether every registry can keep rows under this id.
fn is_keepable(id: &str) -> bool {
    id.len() <= MAX_ACCOUNT_ID && !id.contains(char::is_control)
}

/// Asks the store. Its panic denies, and its ways of saying no become one.
async fn find(
    parts: &Arc<Parts>,
    caller: &Caller,
    reference: Option<&AccountRef>,
    spec: &'static ToolSpec,
) -> Result<Option<Account>, AdcpError> {
    // The store's code before its first await runs inside the guard, too.
    let asked = async { parts.accounts.resolve(caller, reference, spec).await };
    match AssertUnwindSafe(asked).catch_unwind().await {
        Ok(Ok(account)) => Ok(account),
        Ok(Err(error)) if NOT_FOUND.contains(error.code()) => {
            tracing::debug!(tool = spec.name, %error, "the account store refused an account");
            Err(AdcpError::account_not_found())
        }
        Ok(Err(error)) => {
            tracing::warn!(tool = spec.name, %error, "the account store failed");
            Err(error)
        }
        Err(_) => {
            tracing::error!(tool = spec.name, "the account store panicked");
            Err(AdcpError::unavailable())
        }
    }
}

/// Whether the record is what this caller asked for, by the record's own word.
///
/// A request's `sandbox` never makes an account one for trials; it only has to agree with the record.
fn belongs(
    account: &Account,
    caller: &Caller,
    named: Option<&Value>,
    reference: Option<&AccountRef>,
) -> bool {
    let tenant = account.tenant.as_ref().is_none_or(|tenant| *tenant == caller.tenant);
    let says = named.and_then(|named| named.get("sandbox")).and_then(Value::as_bool);
    let key = reference.and_then(AccountKey::of);
    let agrees = match &key {
        // The absence of the flag is part of a natural key; of an id it is not.
        Some(AccountKey::Natural(key)) => key.sandbox == account.sandbox,
        _ => says.is_none_or(|sandbox| sandbox == account.sandbox),
    };
    let same = match (&key, &account.natural_key) {
        (Some(AccountKey::Natural(asked)), Some(own)) => asked == own,
        _ => true,
    };
    tenant && agrees && same
}
