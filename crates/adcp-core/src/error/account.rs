//! Errors about accounts and how they are billed.

use adcp_types::ErrorCode;

use super::AdcpError;

const ACCOUNT: &str = "account";

impl AdcpError {
    /// `ACCOUNT_NOT_FOUND`: no such account, one of somebody else, or one that is closed or rejected.
    #[must_use]
    pub fn account_not_found() -> Self {
        Self::about(
            ErrorCode::ACCOUNT_NOT_FOUND,
            ACCOUNT,
            "no such account is open to this agent",
            "open one with sync_accounts, or choose one from list_accounts",
        )
    }

    /// `ACCOUNT_SETUP_REQUIRED`: the account exists but is not ready; `url` is where a person continues.
    ///
    /// Spec: `error-details/account-setup-required.json`.
    #[must_use]
    pub fn account_setup_required(url: Option<&str>) -> Self {
        let error = Self::about(
            ErrorCode::ACCOUNT_SETUP_REQUIRED,
            ACCOUNT,
            "the account is not set up yet",
            "finish its setup; list_accounts shows when it is active",
        );
        match url {
            Some(url) => error.with_detail("setup_url", url),
            None => error,
        }
    }

    /// `ACCOUNT_AMBIGUOUS`: the natural key fits several accounts.
    #[must_use]
    pub fn account_ambiguous() -> Self {
        Self::about(
            ErrorCode::ACCOUNT_AMBIGUOUS,
            ACCOUNT,
            "several accounts answer to that",
            "name one by its account_id, from list_accounts",
        )
    }

    /// `ACCOUNT_PAYMENT_REQUIRED`: something is owed first.
    #[must_use]
    pub fn account_payment_required() -> Self {
        Self::about(
            ErrorCode::ACCOUNT_PAYMENT_REQUIRED,
            ACCOUNT,
            "the account has an outstanding balance",
            "settle the balance with the seller",
        )
    }

    /// `ACCOUNT_SUSPENDED`: the account takes no changes for now.
    #[must_use]
    pub fn account_suspended() -> Self {
        Self::about(ErrorCode::ACCOUNT_SUSPENDED, ACCOUNT, "the account is suspended", "contact the seller")
    }

    /// `BILLING_NOT_SUPPORTED`: nobody is billed in that way here; `supported` names the ways there are.
    ///
    /// Give no way for a caller who is not established. `details.scope` can be added with
    /// [`AdcpError::with_detail`], as `capability` or `account`.
    ///
    /// Spec: `error-details/billing-not-supported.json`.
    #[must_use]
    pub fn billing_not_supported(field: impl Into<String>, supported: &[&str]) -> Self {
        let error = Self::about(
            ErrorCode::BILLING_NOT_SUPPORTED,
            field,
            "this way of billing is not supported",
            "choose a way of billing that get_adcp_capabilities lists",
        );
        if supported.is_empty() { error } else { error.with_detail("supported_billing", supported) }
    }

    /// `BILLING_NOT_PERMITTED_FOR_AGENT`: others may be billed so, this established agent may not.
    ///
    /// Spec: `error-details/billing-not-permitted-for-agent.json`.
    #[must_use]
    pub fn billing_not_permitted_for_agent(
        field: impl Into<String>,
        rejected: &str,
        suggested: Option<&str>,
    ) -> Self {
        let error = Self::about(
            ErrorCode::BILLING_NOT_PERMITTED_FOR_AGENT,
            field,
            "this agent may not be billed in that way",
            "choose another way of billing, or ask the seller for this one",
        )
        .with_detail("rejected_billing", rejected);
        match suggested {
            Some(suggested) => error.with_detail("suggested_billing", suggested),
            None => error,
        }
    }

    /// `BILLING_OUT_OF_BAND`: this account is billed outside the protocol.
    #[must_use]
    pub fn billing_out_of_band() -> Self {
        Self::about(
            ErrorCode::BILLING_OUT_OF_BAND,
            ACCOUNT,
            "the account is billed outside the protocol",
            "settle usage with the seller as agreed",
        )
    }

    /// `PAYMENT_TERMS_NOT_SUPPORTED`: other terms are never silently taken instead.
    #[must_use]
    pub fn payment_terms_not_supported(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::PAYMENT_TERMS_NOT_SUPPORTED,
            field,
            "these payment terms are not supported",
            "leave payment_terms out, or choose other ones",
        )
    }

    /// `BRAND_REQUIRED`: the operation costs money, and nobody says whose brand it is for.
    #[must_use]
    pub fn brand_required() -> Self {
        Self::about(
            ErrorCode::BRAND_REQUIRED,
            "brand",
            "this is billed, so it needs a brand or an account",
            "name the brand, or the account",
        )
    }

    /// `UNSUPPORTED_PROVISIONING`: this seller opens accounts another way.
    #[must_use]
    pub fn unsupported_provisioning(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::UNSUPPORTED_PROVISIONING,
            field,
            "accounts are not opened with an entry of this shape",
            "send the shape that get_adcp_capabilities describes",
        )
    }
}
