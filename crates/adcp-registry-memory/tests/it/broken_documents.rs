//! Documents with one fault.

use adcp_core::{
    DeleteDocument, Deleted, Document, DocumentKey, DocumentPage, Documents, Expect, ListDocuments, Owner,
    PutDocument, Reach, RegistryError, Wrote,
};
use adcp_core::{DocumentScope, Principal};
use async_trait::async_trait;

use crate::broken::{Broken, Fault, dawdle};

/// The same document with everybody on the account.
fn shared(key: &DocumentKey) -> DocumentKey {
    match key.scope() {
        DocumentScope::Caller(owner) => {
            let anybody = Owner::new(owner.tenant.clone(), owner.account.clone(), Principal::new("anybody"));
            DocumentKey::new(DocumentScope::Caller(anybody), key.kind(), key.id()).unwrap()
        }
        _ => key.clone(),
    }
}

impl Broken {
    fn place(&self, key: &DocumentKey) -> DocumentKey {
        if self.has(Fault::SharesDocumentsOfAnAccount) { shared(key) } else { key.clone() }
    }
}

#[async_trait]
impl Documents for Broken {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, RegistryError> {
        let found = self.inner.document(&self.place(key)).await?;
        Ok(found.map(|mut found| {
            found.key = key.clone();
            found
        }))
    }

    async fn put_document(&self, mut req: PutDocument) -> Result<Wrote, RegistryError> {
        req.key = self.place(&req.key);
        if self.has(Fault::ComparesAndSetsInTwoSteps) {
            let found = self.inner.document(&req.key).await?.map(|found| found.revision);
            if req.step(found)?.is_none() {
                return Ok(Wrote::Stale(found));
            }
            dawdle().await;
            req.expect = Expect::Any;
        }
        if self.has(Fault::IgnoresRevisions) && matches!(req.expect, Expect::Revision(_)) {
            req.expect = Expect::Any;
        }
        self.inner.put_document(req).await
    }

    async fn delete_document(&self, mut req: DeleteDocument) -> Result<Deleted, RegistryError> {
        req.key = self.place(&req.key);
        self.inner.delete_document(req).await
    }

    async fn list_documents(&self, mut req: ListDocuments) -> Result<DocumentPage, RegistryError> {
        if self.has(Fault::ListsDocumentsOfOthers)
            && let Reach::Scope(scope) = &req.reach
        {
            req.reach = Reach::Tenant { tenant: scope.tenant_id().clone() };
        }
        self.inner.list_documents(req).await
    }
}
