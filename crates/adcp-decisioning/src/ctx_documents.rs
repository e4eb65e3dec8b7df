//! Documents of whoever calls: what a seller keeps for one buyer's agent, and nobody else's call reads.

use std::sync::Arc;

use adcp_core::{
    AdcpError, DeleteDocument, Deleted, Document, DocumentKey, DocumentPage, DocumentPlace, DocumentScope,
    Expect, ListDocuments, Owner, PutDocument, Reach, Registry, RegistryError, Wrote,
};
use serde_json::Value;

use crate::ctx::Ctx;

impl Ctx {
    /// What is kept for this caller, on the account that the call acts on or without one: JSON under names that the
    /// seller chooses, in the agent's registry.
    ///
    /// ```no_run
    /// # use adcp_core::{AdcpError, Expect};
    /// # use adcp_decisioning::Ctx;
    /// # async fn remember(ctx: &Ctx) -> Result<(), AdcpError> {
    /// let documents = ctx.documents()?;
    /// let expect = match documents.get("preferences", "formats").await? {
    ///     Some(known) => Expect::Revision(known.revision),
    ///     None => Expect::Absent,
    /// };
    /// // `Wrote::Stale` when another call was quicker: read again, decide again.
    /// documents.put("preferences", "formats", serde_json::json!(["display"]), expect).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `AUTH_MISSING` in a tool that answers without credentials.
    pub fn documents(&self) -> Result<CallerDocuments, AdcpError> {
        let caller = self.caller()?;
        let account = self.account.as_ref().map(|account| account.id.clone());
        let owner = Owner::new(caller.tenant.clone(), account, caller.principal.clone());
        let registry = Arc::clone(&self.parts.registry);
        Ok(CallerDocuments { registry, scope: DocumentScope::Caller(owner) })
    }
}

/// The documents of one caller. Cheap to clone; may be moved into a handoff.
///
/// Every method fails as the registry does: [`RegistryError::BadDocument`] for a name or a body that no store keeps,
/// [`RegistryError::Unavailable`] when the store could not be asked.
#[derive(Debug, Clone)]
pub struct CallerDocuments {
    registry: Arc<dyn Registry>,
    scope: DocumentScope,
}

impl CallerDocuments {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn get(&self, kind: &str, id: &str) -> Result<Option<Document>, RegistryError> {
        self.registry.document(&self.key(kind, id)?).await
    }

    /// Writes one, if it is as expected.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn put(
        &self,
        kind: &str,
        id: &str,
        body: Value,
        expect: Expect,
    ) -> Result<Wrote, RegistryError> {
        self.registry.put_document(PutDocument::new(self.key(kind, id)?, body, expect)).await
    }

    /// As [`Self::put`], for what holds credentials: it is sealed at rest.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unavailable`] also when the registry has no key to seal with.
    pub async fn put_secret(
        &self,
        kind: &str,
        id: &str,
        body: Value,
        expect: Expect,
    ) -> Result<Wrote, RegistryError> {
        self.registry.put_document(PutDocument::new(self.key(kind, id)?, body, expect).sealed()).await
    }

    /// Deletes one, if it is as expected.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn delete(&self, kind: &str, id: &str, expect: Expect) -> Result<Deleted, RegistryError> {
        self.registry.delete_document(DeleteDocument::new(self.key(kind, id)?, expect)).await
    }

    /// Lists those of a kind by id, a page of a hundred.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn list(
        &self,
        kind: &str,
        after: Option<DocumentPlace>,
    ) -> Result<DocumentPage, RegistryError> {
        let list = ListDocuments::new(Reach::Scope(self.scope.clone()), kind);
        self.registry.list_documents(list.map_err(RegistryError::BadDocument)?.after(after)).await
    }

    fn key(&self, kind: &str, id: &str) -> Result<DocumentKey, RegistryError> {
        DocumentKey::new(self.scope.clone(), kind, id).map_err(RegistryError::BadDocument)
    }
}
