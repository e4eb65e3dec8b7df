//! What a store is asked to do with documents, and what it says.

use serde_json::Value;

use super::key::check_kind;
use super::{BadDocument, Document, DocumentKey, DocumentScope, MAX_DOCUMENT_BYTES, Revision};
use crate::{AccountId, RegistryError, TenantId};

/// What a writer takes for granted. When it is not so, nothing is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a backend must decide about each")]
pub enum Expect {
    /// There is none: of any number of simultaneous writers one makes it.
    Absent,
    /// It is as the writer read it.
    Revision(Revision),
    /// Nothing: the last write counts.
    Any,
}

/// Writes a document: makes it, or replaces its whole body. `Debug` prints no body that is secret.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct PutDocument {
    /// Its name.
    pub key: DocumentKey,
    /// What it holds from now on: any JSON of at most [`MAX_DOCUMENT_BYTES`].
    pub body: Value,
    /// What the writer takes for granted.
    pub expect: Expect,
    /// Whether the body is sealed at rest. A store without a key refuses it.
    pub secret: bool,
}

impl PutDocument {
    /// Writes what anybody with the database may read.
    #[must_use]
    pub const fn new(key: DocumentKey, body: Value, expect: Expect) -> Self {
        Self { key, body, expect, secret: false }
    }

    /// Seals the body at rest: it holds credentials, such as a buyer's.
    #[must_use]
    pub const fn sealed(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The body as JSON text.
    ///
    /// # Errors
    ///
    /// [`RegistryError::BadDocument`] when it is too long.
    pub fn text(&self) -> Result<String, RegistryError> {
        let text = self.body.to_string();
        if text.len() > MAX_DOCUMENT_BYTES {
            return Err(RegistryError::BadDocument(BadDocument::TooLarge { bytes: text.len() }));
        }
        Ok(text)
    }

    /// The revision that this makes of what is there; `None` when it is not what the writer expects.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unavailable`] without randomness.
    pub fn step(&self, found: Option<Revision>) -> Result<Option<Revision>, RegistryError> {
        let fresh = || {
            Revision::first()
                .map(Some)
                .map_err(|source| RegistryError::Unavailable { op: "put_document", source: Box::new(source) })
        };
        match (self.expect, found) {
            (Expect::Absent | Expect::Any, None) => fresh(),
            (Expect::Any, Some(found)) => Ok(Some(found.next())),
            (Expect::Revision(seen), Some(found)) if seen == found => Ok(Some(found.next())),
            (Expect::Absent | Expect::Revision(_), _) => Ok(None),
        }
    }
}

impl std::fmt::Debug for PutDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("PutDocument");
        out.field("key", &self.key).field("expect", &self.expect);
        if self.secret {
            out.field("body", &"secret");
        } else {
            out.field("body", &self.body);
        }
        out.finish()
    }
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "it was written or it was not")]
pub enum Wrote {
    /// It is written, and this is its revision.
    Done(Revision),
    /// Nothing is written, for the document is not as expected: its revision, or `None` when there is none.
    Stale(Option<Revision>),
}

/// Deletes a document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteDocument {
    /// Its name.
    pub key: DocumentKey,
    /// What the writer takes for granted. [`Expect::Absent`] deletes nothing.
    pub expect: Expect,
}

impl DeleteDocument {
    /// Deletes one document.
    #[must_use]
    pub const fn new(key: DocumentKey, expect: Expect) -> Self {
        Self { key, expect }
    }

    /// What becomes of it when this is what is there.
    #[must_use]
    pub fn step(&self, found: Option<Revision>) -> Deleted {
        match (self.expect, found) {
            (_, None) => Deleted::Absent,
            (Expect::Any, Some(_)) => Deleted::Gone,
            (Expect::Revision(seen), Some(found)) if seen == found => Deleted::Gone,
            (Expect::Absent | Expect::Revision(_), Some(found)) => Deleted::Stale(found),
        }
    }
}

/// What became of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "each case is another answer")]
pub enum Deleted {
    /// It is gone.
    Gone,
    /// There was none.
    Absent,
    /// It stays, for it is not as expected.
    Stale(Revision),
}

/// How far a list of documents reaches. Beyond one scope it is for the seller's own people and machinery.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// One scope.
    Scope(DocumentScope),
    /// An account's documents and those of every buyer's agent on it.
    Account {
        /// The seller.
        tenant: TenantId,
        /// The account.
        account: AccountId,
    },
    /// Everything at a seller.
    Tenant {
        /// The seller.
        tenant: TenantId,
    },
}

/// Lists documents of a kind, one page: those of one scope by id, scope after scope.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListDocuments {
    /// How far.
    pub reach: Reach,
    /// Of which kind.
    pub kind: String,
    /// Goes on after this place.
    pub after: Option<DocumentPlace>,
    /// At most so many. Default 100.
    pub limit: usize,
}

impl ListDocuments {
    /// The first page.
    ///
    /// # Errors
    ///
    /// [`BadDocument::Kind`].
    pub fn new(reach: Reach, kind: impl Into<String>) -> Result<Self, BadDocument> {
        let kind = kind.into();
        check_kind(&kind)?;
        Ok(Self { reach, kind, after: None, limit: 100 })
    }

    /// Goes on after the last document of a page.
    #[must_use]
    pub fn after(mut self, place: Option<DocumentPlace>) -> Self {
        self.after = place;
        self
    }

    /// Sets how many at most; one at least.
    #[must_use]
    pub const fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// A place in a list: that of a document, also when it is gone by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentPlace {
    pub(crate) scope: DocumentScope,
    pub(crate) id: String,
}

impl DocumentPlace {
    /// The place of a document.
    #[must_use]
    pub fn of(key: &DocumentKey) -> Self {
        Self { scope: key.scope().clone(), id: key.id().to_owned() }
    }
}

/// One page of documents.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DocumentPage {
    /// In order.
    pub documents: Vec<Document>,
    /// Whether there are more.
    pub has_more: bool,
}

impl DocumentPage {
    /// A page of at most `limit` of what was found, which is one more where there are more.
    #[must_use]
    pub fn of(mut found: Vec<Document>, limit: usize) -> Self {
        let has_more = found.len() > limit;
        found.truncate(limit);
        Self { documents: found, has_more }
    }

    /// Where the next page begins.
    #[must_use]
    pub fn next(&self) -> Option<DocumentPlace> {
        self.documents.last().filter(|_| self.has_more).map(|last| DocumentPlace::of(&last.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_decides() {
        let key = || DocumentKey::new(DocumentScope::tenant(TenantId::single()), "k", "a").unwrap();
        let at = Revision::new;
        let cases = [
            (Expect::Absent, None, true, Deleted::Absent),
            (Expect::Absent, Some(at(7)), false, Deleted::Stale(at(7))),
            (Expect::Revision(at(7)), None, false, Deleted::Absent),
            (Expect::Revision(at(7)), Some(at(7)), true, Deleted::Gone),
            (Expect::Revision(at(7)), Some(at(8)), false, Deleted::Stale(at(8))),
            (Expect::Any, None, true, Deleted::Absent),
            (Expect::Any, Some(at(7)), true, Deleted::Gone),
        ];
        for (expect, found, writes, deleted) in cases {
            let next = PutDocument::new(key(), Value::Null, expect).step(found).unwrap();
            assert_eq!(next.is_some(), writes, "{expect:?} {found:?}");
            if let (Some(found), Some(next)) = (found, next) {
                assert_eq!(next, found.next());
            }
            assert_eq!(DeleteDocument::new(key(), expect).step(found), deleted, "{expect:?} {found:?}");
        }
    }
}
