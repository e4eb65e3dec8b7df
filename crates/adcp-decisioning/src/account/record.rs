//! The seller's record of an account, as far as the path and the adopter's methods need it.

use std::any::Any;
use std::sync::Arc;

use adcp_core::{AccountId, TenantId};
use adcp_types::core::AccountAuthorization;
use adcp_types::enums::AccountStatus;

use super::key::{AccountKey, NaturalKey};

/// An account that a call resolved to. Everything in it comes from the seller's record, nothing from the request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Account {
    /// The seller's id of it.
    pub id: AccountId,
    /// Whether it is for trials: nothing real is bought.
    pub sandbox: bool,
    /// What it may be used for at present.
    pub status: AccountStatus,
    /// The brand and operator it was made for, where it has one.
    pub natural_key: Option<NaturalKey>,
    /// The seller it belongs to. When set, callers of another tenant never see it.
    pub tenant: Option<TenantId>,
    /// What this caller may do on it. `None` sets no bounds.
    pub authorization: Option<AccountAuthorization>,
    /// Where a person completes the account, while that is pending.
    pub setup_url: Option<String>,
    data: Option<Arc<dyn Any + Send + Sync>>,
}

impl Account {
    /// An active account where real things happen.
    #[must_use]
    pub const fn new(id: AccountId) -> Self {
        Self {
            id,
            sandbox: false,
            status: AccountStatus::Active,
            natural_key: None,
            tenant: None,
            authorization: None,
            setup_url: None,
            data: None,
        }
    }

    /// Marks it as for trials.
    #[must_use]
    pub const fn with_sandbox(mut self, sandbox: bool) -> Self {
        self.sandbox = sandbox;
        self
    }

    /// Sets what it may be used for.
    ///
    /// Spec: `enums/account-status.json`.
    #[must_use]
    pub fn with_status(mut self, status: AccountStatus) -> Self {
        self.status = status;
        self
    }

    /// Says for whom it was made. A request by another key, or for the other sandbox, does not find it.
    #[must_use]
    pub fn with_natural_key(mut self, key: NaturalKey) -> Self {
        self.natural_key = Some(key);
        self
    }

    /// Says to which seller it belongs.
    #[must_use]
    pub fn with_tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// Bounds what this caller may do on it.
    ///
    /// Spec: `core/account-authorization.json`.
    #[must_use]
    pub fn with_authorization(mut self, authorization: AccountAuthorization) -> Self {
        self.authorization = Some(authorization);
        self
    }

    /// Names the page where a person completes it; told to the buyer while approval is pending.
    #[must_use]
    pub fn with_setup_url(mut self, url: impl Into<String>) -> Self {
        self.setup_url = Some(url.into());
        self
    }

    /// Attaches a value of the seller's own, such as its advertiser record. It never reaches the wire.
    #[must_use]
    pub fn with_data<T: Any + Send + Sync>(mut self, data: T) -> Self {
        self.data = Some(Arc::new(data));
        self
    }

    /// The attached value, if one of this type was.
    #[must_use]
    pub fn data<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.data.as_ref()?.downcast_ref()
    }

    /// Whether a request's key means this account.
    #[must_use]
    pub fn answers_to(&self, key: &AccountKey) -> bool {
        match key {
            AccountKey::Id(id) => *id == self.id,
            AccountKey::Natural(key) => self.natural_key.as_ref() == Some(key),
        }
    }
}
