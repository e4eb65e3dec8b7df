//! Documents: JSON under a name, with a revision. Subscriptions, and state of the seller's own.

mod key;
mod request;

use std::fmt;

use serde_json::Value;

pub use key::{BadDocument, DocumentKey, DocumentScope, MAX_DOCUMENT_BYTES};
pub use request::{
    DeleteDocument, Deleted, DocumentPage, DocumentPlace, Expect, ListDocuments, PutDocument, Reach, Wrote,
};

use crate::{NoRandomness, Timestamp, random_bytes};

/// What a document's revision is: it changes with each write, and begins elsewhere when the document is made again, so
/// that nobody takes a new one for the one they read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(u64);

impl Revision {
    /// Wraps the number as it is. At most 2⁵³ − 1, so that JSON and every database can hold it.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The revision of a document that was not there before.
    ///
    /// # Errors
    ///
    /// [`NoRandomness`] when the operating system has none to give.
    pub fn first() -> Result<Self, NoRandomness> {
        let [a, b, c, d, e, f] = random_bytes::<6>()?;
        Ok(Self(u64::from_be_bytes([0, 0, a, b, c, d, e, f]).max(1)))
    }

    /// The revision after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A document as a store keeps it. `Debug` prints no body that is secret.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Document {
    /// Its name, and whose it is.
    pub key: DocumentKey,
    /// Changes with each write.
    pub revision: Revision,
    /// What it holds.
    pub body: Value,
    /// Whether the body is sealed at rest.
    pub secret: bool,
    /// When it was made, by the store's clock.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

impl Document {
    /// A document that was just made.
    #[must_use]
    pub const fn made(
        key: DocumentKey,
        revision: Revision,
        body: Value,
        secret: bool,
        at: Timestamp,
    ) -> Self {
        Self { key, revision, body, secret, created_at: at, updated_at: at }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Document");
        out.field("key", &self.key).field("revision", &self.revision);
        if self.secret {
            out.field("body", &"secret");
        } else {
            out.field("body", &self.body);
        }
        out.field("updated_at", &self.updated_at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::TenantId;

    #[test]
    fn a_secret_body_is_not_printed() {
        let key = DocumentKey::new(DocumentScope::tenant(TenantId::single()), "hook", "a").unwrap();
        let at = Timestamp::from_micros(0);
        let print = |secret| {
            format!("{:?}", Document::made(key.clone(), Revision::new(1), json!("hunter2"), secret, at))
        };
        assert!(print(false).contains("hunter2"));
        assert!(!print(true).contains("hunter2"));
    }

    #[test]
    fn first_revisions_differ() {
        let (a, b) = (Revision::first().unwrap(), Revision::first().unwrap());
        assert_ne!(a, b);
        assert!(a.get() > 0 && a.get() < 1 << 48);
        assert_eq!(a.next().get(), a.get() + 1);
    }
}
