//! How a request names an account.

use adcp_core::AccountId;
use adcp_types::core::{AccountRef, AccountRefBrand};

/// What a request says about an account: an id, or the facts that identify one.
///
/// Spec: `core/account-ref.json`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccountKey {
    /// The seller's own id.
    Id(AccountId),
    /// For whom and through whom the account buys.
    Natural(NaturalKey),
}

impl AccountKey {
    /// Reads a reference; `None` when it has neither form.
    #[must_use]
    pub fn of(reference: &AccountRef) -> Option<Self> {
        match reference {
            AccountRef::AccountId(named) => Some(Self::Id(AccountId::new(named.account_id.as_str()))),
            AccountRef::Brand(key) => Some(Self::Natural(NaturalKey::of(key))),
            _ => None,
        }
    }
}

/// The facts that identify an account without its id. With and without `sandbox` are two accounts.
///
/// Domains are kept in lower case, so that equal keys compare equal.
///
/// Spec: `core/account-ref.json`, `/oneOf/1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct NaturalKey {
    /// The domain of the brand that is advertised.
    pub brand: String,
    /// Which of the domain's brands, where it has several.
    pub brand_id: Option<String>,
    /// The domain of whoever operates the account.
    pub operator: String,
    /// Whether the account for trials is meant.
    pub sandbox: bool,
}

impl NaturalKey {
    /// The live account of `brand`, operated by `operator`.
    #[must_use]
    pub fn new(brand: impl AsRef<str>, operator: impl AsRef<str>) -> Self {
        Self {
            brand: brand.as_ref().to_ascii_lowercase(),
            brand_id: None,
            operator: operator.as_ref().to_ascii_lowercase(),
            sandbox: false,
        }
    }

    /// Names one of the domain's brands.
    #[must_use]
    pub fn with_brand_id(mut self, brand_id: impl Into<String>) -> Self {
        self.brand_id = Some(brand_id.into());
        self
    }

    /// Means the account for trials, or the live one.
    #[must_use]
    pub const fn with_sandbox(mut self, sandbox: bool) -> Self {
        self.sandbox = sandbox;
        self
    }

    /// The key in a request.
    #[must_use]
    pub fn of(reference: &AccountRefBrand) -> Self {
        let key = Self::new(&reference.brand.domain, &reference.operator)
            .with_sandbox(reference.sandbox.unwrap_or_default());
        match &reference.brand.brand_id {
            Some(brand_id) => key.with_brand_id(brand_id.as_str()),
            None => key,
        }
    }
}
