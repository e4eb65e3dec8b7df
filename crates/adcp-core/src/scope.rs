//! Whose things a query may see.

use crate::{AccountId, Principal, TenantId};

/// The bounds of a read or write. Without one, no store query compiles.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// A buyer's request: one account (or none resolved) as one principal sees it.
    Caller {
        /// The seller.
        tenant: TenantId,
        /// The account; `None` when the call names none, which is a place of its own, not a wildcard.
        account: Option<AccountId>,
        /// The buyer's agent.
        principal: Principal,
    },
    /// A buyer's poll that names no account: every account, but as this principal only.
    Principal {
        /// The seller.
        tenant: TenantId,
        /// The buyer's agent.
        principal: Principal,
    },
    /// The seller's own people and machinery: everything of one tenant.
    Operator {
        /// The seller.
        tenant: TenantId,
    },
}

/// The owner of a record: exactly one caller's view.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Owner {
    /// The seller.
    pub tenant: TenantId,
    /// The account, if the call resolved one.
    pub account: Option<AccountId>,
    /// The buyer's agent.
    pub principal: Principal,
}

impl Owner {
    /// Somebody's view of one account.
    #[must_use]
    pub const fn new(tenant: TenantId, account: Option<AccountId>, principal: Principal) -> Self {
        Self { tenant, account, principal }
    }

    /// The scope that sees exactly what this owner has.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::Caller {
            tenant: self.tenant.clone(),
            account: self.account.clone(),
            principal: self.principal.clone(),
        }
    }
}

impl Scope {
    /// Whether a record of `owner` may be seen from here.
    #[must_use]
    pub fn covers(&self, owner: &Owner) -> bool {
        match self {
            Self::Caller { tenant, account, principal } => {
                *tenant == owner.tenant && *account == owner.account && *principal == owner.principal
            }
            Self::Principal { tenant, principal } => *tenant == owner.tenant && *principal == owner.principal,
            Self::Operator { tenant } => *tenant == owner.tenant,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_sees_only_its_own() {
        let owner = |account: Option<&str>, principal: &str| {
            Owner::new(TenantId::single(), account.map(AccountId::new), Principal::new(principal))
        };
        let mine = owner(Some("a"), "p");
        for (other, sees) in [
            (owner(Some("a"), "p"), true),
            (owner(Some("b"), "p"), false),
            (owner(Some("a"), "q"), false),
            (owner(None, "p"), false),
        ] {
            assert_eq!(mine.scope().covers(&other), sees, "{other:?}");
        }
        let polling = |principal: &str| Scope::Principal {
            tenant: TenantId::single(),
            principal: Principal::new(principal),
        };
        assert!(polling("p").covers(&mine));
        assert!(!polling("q").covers(&mine));
        assert!(Scope::Operator { tenant: TenantId::single() }.covers(&mine));
        assert!(!Scope::Operator { tenant: TenantId::new("x") }.covers(&mine));
    }
}
