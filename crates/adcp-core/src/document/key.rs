//! Names of documents, and whose they are.

use crate::{AccountId, Owner, TenantId};

/// The longest body, in bytes of its JSON text.
pub const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

/// The longest kind, in characters.
const LONGEST_KIND: usize = 64;

/// The longest id, in characters.
const LONGEST_ID: usize = 255;

/// Whose a document is. What belongs to another scope reads as absent: the seller's documents are not an account's, and
/// an account's are not those of one buyer's agent on it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DocumentScope {
    /// The seller's.
    Tenant {
        /// The seller.
        tenant: TenantId,
    },
    /// An account's, whoever acts on it.
    Account {
        /// The seller.
        tenant: TenantId,
        /// The account.
        account: AccountId,
    },
    /// A buyer's agent's, on one account or without one.
    Caller(Owner),
}

impl DocumentScope {
    /// The seller's documents.
    #[must_use]
    pub const fn tenant(tenant: TenantId) -> Self {
        Self::Tenant { tenant }
    }

    /// An account's documents.
    #[must_use]
    pub const fn account(tenant: TenantId, account: AccountId) -> Self {
        Self::Account { tenant, account }
    }

    /// The seller at which they are.
    #[must_use]
    pub const fn tenant_id(&self) -> &TenantId {
        match self {
            Self::Tenant { tenant } | Self::Account { tenant, .. } | Self::Caller(Owner { tenant, .. }) => {
                tenant
            }
        }
    }

    /// The account, for documents of one.
    #[must_use]
    pub const fn account_id(&self) -> Option<&AccountId> {
        match self {
            Self::Tenant { .. } => None,
            Self::Account { account, .. } => Some(account),
            Self::Caller(owner) => owner.account.as_ref(),
        }
    }
}

/// The name of a document: its scope, its kind and its id within both.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DocumentKey {
    scope: DocumentScope,
    kind: String,
    id: String,
}

impl DocumentKey {
    /// The document `id` of a kind.
    ///
    /// A kind has 1 to 64 lower-case letters, digits, `.`, `-` and `_`. An id has 1 to 255 visible ASCII characters.
    ///
    /// # Errors
    ///
    /// [`BadDocument`], naming the field.
    pub fn new(
        scope: DocumentScope,
        kind: impl Into<String>,
        id: impl Into<String>,
    ) -> Result<Self, BadDocument> {
        let (kind, id) = (kind.into(), id.into());
        check_kind(&kind)?;
        if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadDocument::Id);
        }
        Ok(Self { scope, kind, id })
    }

    /// Whose it is.
    #[must_use]
    pub const fn scope(&self) -> &DocumentScope {
        &self.scope
    }

    /// What sort of document it is.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Its id among those of its kind and scope.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

pub(super) fn check_kind(kind: &str) -> Result<(), BadDocument> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
    if kind.is_empty() || kind.len() > LONGEST_KIND || !kind.bytes().all(fits) {
        return Err(BadDocument::Kind);
    }
    Ok(())
}

/// A document that no store keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadDocument {
    /// Its kind.
    #[error("`kind` must be 1 to 64 lower-case letters, digits, `.`, `-` and `_`")]
    Kind,
    /// Its id.
    #[error("`id` must be 1 to 255 visible ASCII characters")]
    Id,
    /// Its body.
    #[error("`body` has {bytes} bytes as JSON text, and may have {MAX_DOCUMENT_BYTES}")]
    TooLarge {
        /// How long it is.
        bytes: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_by_the_field_that_is_wrong() {
        let scope = || DocumentScope::tenant(TenantId::single());
        let long = |of: &str, length| of.repeat(length);
        let cases = [
            ("webhook", "sub_1", None),
            ("a.b-c_9", "https://x.example/?q=1#~", None),
            (&long("k", 64), &long("!", 255), None),
            ("", "a", Some(BadDocument::Kind)),
            ("Webhook", "a", Some(BadDocument::Kind)),
            ("a b", "a", Some(BadDocument::Kind)),
            ("ä", "a", Some(BadDocument::Kind)),
            (&long("k", 65), "a", Some(BadDocument::Kind)),
            ("a", "", Some(BadDocument::Id)),
            ("a", "a b", Some(BadDocument::Id)),
            ("a", "a\0", Some(BadDocument::Id)),
            ("a", "é", Some(BadDocument::Id)),
            ("a", &long("x", 256), Some(BadDocument::Id)),
        ];
        for (kind, id, want) in cases {
            assert_eq!(DocumentKey::new(scope(), kind, id).err(), want, "{kind:?} {id:?}");
        }
        assert!(BadDocument::Id.to_string().contains("`id`"));
        assert!(BadDocument::TooLarge { bytes: 7 }.to_string().contains("`body` has 7 bytes"));
    }
}
