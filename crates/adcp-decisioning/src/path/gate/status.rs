//! What the account may be used for at present.

use adcp_core::AdcpError;
use adcp_types::enums::AccountStatus;
use serde_json::Value;

use super::access::{self, Leave};
use crate::account::Account;
use crate::path::account::Resolved;

/// Refuses what the account's status does not leave open.
///
/// Spec: `enums/account-status.json`, `error-details/account-setup-required.json`.
pub(super) fn check(resolved: &Resolved) -> Result<(), AdcpError> {
    let Some(account) = &resolved.account else { return Ok(()) };
    let access = access::of(resolved.route.spec);
    let leave = match &account.status {
        AccountStatus::Active => Leave::All,
        AccountStatus::PendingApproval => access.pending,
        AccountStatus::PaymentRequired => access.payment,
        AccountStatus::Suspended => access.suspended,
        AccountStatus::Rejected | AccountStatus::Closed => access.ended,
        other => {
            tracing::error!(account = %account.id, status = other.as_str(), "an account has an unknown status");
            Leave::Nothing
        }
    };
    match leave {
        Leave::All => Ok(()),
        Leave::Nothing => Err(refusal(account, "account")),
        Leave::Without(field) if is_there(&resolved.arguments, field) => Err(refusal(account, field)),
        Leave::Without(_) => Ok(()),
    }
}

fn is_there(arguments: &Value, field: &str) -> bool {
    match arguments.get(field) {
        None | Some(Value::Null) => false,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(_) => true,
    }
}

fn refusal(account: &Account, field: &str) -> AdcpError {
    match &account.status {
        AccountStatus::PendingApproval => AdcpError::account_setup_required(account.setup_url.as_deref()),
        AccountStatus::PaymentRequired => AdcpError::account_payment_required().with_field(field),
        AccountStatus::Suspended => AdcpError::account_suspended(),
        _ => AdcpError::account_not_found(),
    }
}
