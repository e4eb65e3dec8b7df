//! Where a document stands in the columns of a row, and what its sealed body is bound to.

use serde_json::{Value, json};

use super::{read_account, write_account};
use crate::{AccountId, DocumentKey, DocumentPlace, DocumentScope, Owner, Principal, Reach, TenantId};

/// What stands in the column of the account for documents of the whole seller: no account is written so.
const OF_ALL: &str = "*";

/// The columns of a scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct DocumentColumns {
    /// The seller.
    pub tenant: String,
    /// `*` for the whole seller, otherwise as [`write_account`] writes it.
    pub account: String,
    /// Empty for the seller and for an account, otherwise `@` and the buyer's agent.
    pub principal: String,
}

impl DocumentColumns {
    /// The columns of a scope.
    #[must_use]
    pub fn of(scope: &DocumentScope) -> Self {
        let (account, principal) = match scope {
            DocumentScope::Tenant { .. } => (OF_ALL.to_owned(), String::new()),
            DocumentScope::Account { account, .. } => (write_account(Some(account)), String::new()),
            DocumentScope::Caller(owner) => {
                (write_account(owner.account.as_ref()), format!("@{}", owner.principal))
            }
        };
        Self { tenant: scope.tenant_id().as_str().to_owned(), account, principal }
    }

    /// The scope of a row; `None` for columns that no scope has.
    #[must_use]
    pub fn read(tenant: &str, account: &str, principal: &str) -> Option<DocumentScope> {
        let tenant = TenantId::new(tenant);
        match (account, principal.strip_prefix('@')) {
            (OF_ALL, None) if principal.is_empty() => Some(DocumentScope::Tenant { tenant }),
            (OF_ALL, _) => None,
            (account, Some(principal)) => {
                let owner = Owner::new(tenant, read_account(account), Principal::new(principal));
                Some(DocumentScope::Caller(owner))
            }
            (account, None) if principal.is_empty() => {
                read_account(account).map(|account| DocumentScope::Account { tenant, account })
            }
            _ => None,
        }
    }
}

/// What a list demands of rows: the seller, and where set the account and the buyer's agent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DocumentBounds {
    /// The seller.
    pub tenant: String,
    /// The column of the account.
    pub account: Option<String>,
    /// The column of the buyer's agent.
    pub principal: Option<String>,
}

impl DocumentBounds {
    /// The bounds of a reach.
    #[must_use]
    pub fn of(reach: &Reach) -> Self {
        let account = |account: &AccountId| Some(write_account(Some(account)));
        match reach {
            Reach::Scope(scope) => {
                let columns = DocumentColumns::of(scope);
                Self {
                    tenant: columns.tenant,
                    account: Some(columns.account),
                    principal: Some(columns.principal),
                }
            }
            Reach::Account { tenant, account: of } => {
                Self { tenant: tenant.as_str().to_owned(), account: account(of), principal: None }
            }
            Reach::Tenant { tenant } => {
                Self { tenant: tenant.as_str().to_owned(), account: None, principal: None }
            }
        }
    }
}

/// The columns of a place in a list, and the id there: account, buyer's agent, id.
#[must_use]
pub fn document_place(place: &DocumentPlace) -> (String, String, String) {
    let columns = DocumentColumns::of(&place.scope);
    (columns.account, columns.principal, place.id.clone())
}

/// What a sealed body is bound to: its whole name, so that it opens nowhere else.
#[must_use]
pub fn document_binding(key: &DocumentKey) -> String {
    let columns = DocumentColumns::of(key.scope());
    json!(["document", columns.tenant, columns.account, columns.principal, key.kind(), key.id()]).to_string()
}

/// Reads a body.
///
/// # Errors
///
/// [`Unreadable`](super::Unreadable) when it is no JSON.
pub fn read_document(text: &str) -> Result<Value, super::Unreadable> {
    serde_json::from_str(text).map_err(|_| super::Unreadable { what: "document", at: "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_back_and_differ() {
        let tenant = || TenantId::new("t");
        let caller = |account: Option<&str>, principal: &str| {
            DocumentScope::Caller(Owner::new(
                tenant(),
                account.map(AccountId::new),
                Principal::new(principal),
            ))
        };
        let account = |id: &str| DocumentScope::account(tenant(), AccountId::new(id));
        let scopes = [
            DocumentScope::tenant(tenant()),
            account("a"),
            account("*"),
            account(""),
            caller(None, "p"),
            caller(None, ""),
            caller(Some("a"), "p"),
            caller(Some("*"), "p"),
            caller(Some(""), "@"),
        ];
        let mut seen = std::collections::HashSet::new();
        for scope in scopes {
            let columns = DocumentColumns::of(&scope);
            let read = DocumentColumns::read(&columns.tenant, &columns.account, &columns.principal);
            assert_eq!(read.as_ref(), Some(&scope));
            assert!(seen.insert(columns), "{scope:?}");
        }
        for (account, principal) in [("*", "@p"), ("", ""), ("=a", "p"), ("*", "p")] {
            assert_eq!(DocumentColumns::read("t", account, principal), None, "{account} {principal}");
        }
    }
}
