//! Who may be billed: the check that `sync_accounts` needs for each of its entries.

use adcp_core::AdcpError;
use adcp_types::enums::BillingParty;

use crate::buyer_agent::BuyerAgent;

/// Checks who is to be billed: against what the seller offers, then against what it agreed with this agent.
///
/// `field` names the place in the request, like `accounts[0].billing`. Without an established agent only the
/// seller's own offer counts, and the error says no more than that the way is not supported. Nothing is ever
/// billed in another way than was asked for.
///
/// ```
/// use adcp_decisioning::{BuyerAgent, check_billing};
/// use adcp_types::enums::BillingParty::{Advertiser, Agent, Operator};
///
/// let agent = BuyerAgent::new("https://buyer.example/mcp");
/// let offered = [Operator, Agent];
/// assert!(check_billing("accounts[0].billing", &Operator, &offered, Some(&agent)).is_ok());
/// let refused = check_billing("accounts[0].billing", &Agent, &offered, Some(&agent)).unwrap_err();
/// assert_eq!(refused.code().as_str(), "BILLING_NOT_PERMITTED_FOR_AGENT");
/// let unknown = check_billing("accounts[0].billing", &Advertiser, &offered, Some(&agent)).unwrap_err();
/// assert_eq!(unknown.code().as_str(), "BILLING_NOT_SUPPORTED");
/// ```
///
/// # Errors
///
/// `BILLING_NOT_SUPPORTED` or `BILLING_NOT_PERMITTED_FOR_AGENT`.
///
/// Spec: `error-details/billing-not-supported.json`, `error-details/billing-not-permitted-for-agent.json`.
pub fn check_billing(
    field: &str,
    requested: &BillingParty,
    offered: &[BillingParty],
    agent: Option<&BuyerAgent>,
) -> Result<(), AdcpError> {
    if !offered.contains(requested) {
        return Err(match agent {
            Some(_) => {
                let offered: Vec<&str> = offered.iter().map(BillingParty::as_str).collect();
                AdcpError::billing_not_supported(field, &offered).with_detail("scope", "capability")
            }
            None => AdcpError::billing_not_supported(field, &[]),
        });
    }
    match agent {
        Some(agent) if !agent.billing.contains(requested) => {
            let suggested = offered.iter().find(|party| agent.billing.contains(party));
            let suggested = suggested.map(BillingParty::as_str);
            Err(AdcpError::billing_not_permitted_for_agent(field, requested.as_str(), suggested))
        }
        _ => Ok(()),
    }
}
