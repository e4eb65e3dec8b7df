//! The memory of received events among the documents of a registry: shared by everybody on it, and as durable as it is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adcp_core::{
    BoxError, Clock, DeleteDocument, Deleted, Document, DocumentKey, DocumentPlace, DocumentScope, Expect,
    ListDocuments, PutDocument, Reach, Registry, Revision, SystemClock, TenantId, Wrote, hex,
};
use async_trait::async_trait;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::dedup::{Arrival, Claimed, Dedup, Seen};

const KIND: &str = "adcp.received-webhook";

/// Claims between two looks at what may be forgotten, and documents that one look sees: several for each claim, so that what is
/// kept stays in proportion to what arrives.
const CLAIMS: u32 = 16;
const PAGE: usize = 64;

/// Tries against others who write the same event.
const TRIES: usize = 4;

/// Remembers in the documents of a registry. Processes that share the registry share the memory.
///
/// Leases are measured from the registry's clock to this one: keep both within a second or two of each other.
#[derive(Debug)]
pub struct DocumentDedup {
    registry: Arc<dyn Registry>,
    tenant: TenantId,
    clock: Arc<dyn Clock>,
    keep: Duration,
    walk: Mutex<Walk>,
}

/// How far the look for what may be forgotten has come.
#[derive(Debug, Default)]
struct Walk {
    claims: u32,
    after: Option<DocumentPlace>,
}

impl DocumentDedup {
    /// Remembers for 24 hours, at the tenant of a registry that has one.
    #[must_use]
    pub fn new(registry: Arc<dyn Registry>) -> Self {
        Self {
            registry,
            tenant: TenantId::single(),
            clock: Arc::new(SystemClock::new()),
            keep: Duration::from_secs(24 * 60 * 60),
            walk: Mutex::default(),
        }
    }

    /// Remembers at this tenant.
    #[must_use]
    pub fn at(mut self, tenant: TenantId) -> Self {
        self.tenant = tenant;
        self
    }

    /// Sets how long events are remembered: not shorter than senders try.
    #[must_use]
    pub const fn with_memory_of(mut self, keep: Duration) -> Self {
        self.keep = keep;
        self
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    fn key(&self, sender: &str, key: &str) -> Result<DocumentKey, BoxError> {
        let mut name = Sha256::new();
        // The length keeps apart what would read the same when put together.
        name.update(u64::try_from(sender.len()).unwrap_or(u64::MAX).to_be_bytes());
        name.update(sender);
        name.update(key);
        let scope = DocumentScope::tenant(self.tenant.clone());
        Ok(DocumentKey::new(scope, KIND, hex(&name.finalize()))?)
    }

    /// Forgets a little of what is old.
    async fn tidy(&self) -> Result<(), BoxError> {
        let after = {
            let mut walk = self.walk.lock().unwrap_or_else(PoisonError::into_inner);
            walk.claims += 1;
            if walk.claims < CLAIMS {
                return Ok(());
            }
            walk.claims = 0;
            walk.after.take()
        };
        let reach = Reach::Scope(DocumentScope::tenant(self.tenant.clone()));
        let list = ListDocuments::new(reach, KIND)?.after(after).with_limit(PAGE);
        let page = self.registry.list_documents(list).await?;
        for document in &page.documents {
            if self.age(document) >= self.keep {
                let expect = Expect::Revision(document.revision);
                self.registry.delete_document(DeleteDocument::new(document.key.clone(), expect)).await?;
            }
        }
        self.walk.lock().unwrap_or_else(PoisonError::into_inner).after = page.next();
        Ok(())
    }

    fn age(&self, document: &Document) -> Duration {
        self.clock.now().since(document.updated_at)
    }

    /// What is known of an event that has a document; none when it may be claimed.
    fn known(&self, document: &Document, arrival: &Arrival) -> Option<Seen> {
        let age = self.age(document);
        let lease = document.body.get("lease_ms").and_then(Value::as_u64);
        if age >= self.keep {
            return None;
        }
        if document.body.get("hash").and_then(Value::as_str) != Some(&hex(&arrival.hash)) {
            return Some(Seen::Conflict);
        }
        match lease {
            None => Some(Seen::Finished),
            Some(lease) if age >= Duration::from_millis(lease) => None,
            Some(_) => Some(Seen::InProgress),
        }
    }
}

#[async_trait]
impl Dedup for DocumentDedup {
    async fn claim(&self, arrival: Arrival) -> Result<Seen, BoxError> {
        if let Err(error) = self.tidy().await {
            tracing::warn!(error = &*error as &dyn std::error::Error, "forgetting received webhooks failed");
        }
        let key = self.key(&arrival.sender, &arrival.key)?;
        let lease = u64::try_from(arrival.lease.as_millis()).unwrap_or(u64::MAX);
        let body = json!({ "hash": hex(&arrival.hash), "lease_ms": lease });
        let mut expect = Expect::Absent;
        for _ in 0..TRIES {
            let put = PutDocument::new(key.clone(), body.clone(), expect);
            if let Wrote::Done(revision) = self.registry.put_document(put).await? {
                return Ok(Seen::New(Claimed::new(&arrival, revision.get())));
            }
            expect = match self.registry.document(&key).await? {
                None => Expect::Absent,
                Some(document) => match self.known(&document, &arrival) {
                    Some(seen) => return Ok(seen),
                    None => Expect::Revision(document.revision),
                },
            };
        }
        // Whoever was quicker every time works on it.
        Ok(Seen::InProgress)
    }

    async fn complete(&self, claimed: &Claimed) -> Result<bool, BoxError> {
        let key = self.key(&claimed.sender, &claimed.key)?;
        let body = json!({ "hash": hex(&claimed.hash) });
        let put = PutDocument::new(key, body, Expect::Revision(Revision::new(claimed.proof)));
        Ok(matches!(self.registry.put_document(put).await?, Wrote::Done(_)))
    }

    async fn release(&self, claimed: &Claimed) -> Result<bool, BoxError> {
        let key = self.key(&claimed.sender, &claimed.key)?;
        let delete = DeleteDocument::new(key, Expect::Revision(Revision::new(claimed.proof)));
        Ok(self.registry.delete_document(delete).await? == Deleted::Gone)
    }
}
