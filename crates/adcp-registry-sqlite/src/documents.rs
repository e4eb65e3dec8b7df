//! Documents.

use adcp_core::stored::{
    self, DocumentBounds, DocumentColumns, Sealer, document_binding, document_place, read_document,
};
use adcp_core::{
    DeleteDocument, Deleted, Document, DocumentKey, DocumentPage, Documents, ListDocuments, PutDocument,
    RegistryError, Revision, Timestamp, Wrote,
};
use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, Transaction, named_params};

use crate::error::Fail;
use crate::registry::SqliteRegistry;

#[async_trait]
impl Documents for SqliteRegistry {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, RegistryError> {
        let (key, sealer) = (key.clone(), self.sealer());
        self.database
            .read("document", move |tx| {
                let columns = DocumentColumns::of(key.scope());
                let mut statement = tx.prepare_cached(include_str!("sql/document_get.sql"))?;
                let mut rows = statement.query(named_params! {
                    ":tenant": columns.tenant, ":kind": key.kind(), ":account": columns.account,
                    ":principal": columns.principal, ":id": key.id(),
                })?;
                rows.next()?.map(|found| read(found, &*sealer)).transpose()
            })
            .await
    }

    async fn put_document(&self, req: PutDocument) -> Result<Wrote, RegistryError> {
        let (now, sealer) = (self.now(), self.sealer());
        self.database.write("put_document", move |tx| put(tx, &req, now, &*sealer)).await
    }

    async fn delete_document(&self, req: DeleteDocument) -> Result<Deleted, RegistryError> {
        self.database
            .write("delete_document", move |tx| {
                let done = req.step(revision(tx, &req.key)?);
                if done == Deleted::Gone {
                    let columns = DocumentColumns::of(req.key.scope());
                    tx.prepare_cached(include_str!("sql/document_delete.sql"))?.execute(named_params! {
                        ":tenant": columns.tenant, ":kind": req.key.kind(), ":account": columns.account,
                        ":principal": columns.principal, ":id": req.key.id(),
                    })?;
                }
                Ok(done)
            })
            .await
    }

    async fn list_documents(&self, req: ListDocuments) -> Result<DocumentPage, RegistryError> {
        let sealer = self.sealer();
        self.database.read("list_documents", move |tx| list(tx, &req, &*sealer)).await
    }
}

fn put(tx: &Transaction<'_>, req: &PutDocument, now: Timestamp, sealer: &dyn Sealer) -> Result<Wrote, Fail> {
    let text = req.text()?;
    let found = revision(tx, &req.key)?;
    let Some(next) = req.step(found)? else { return Ok(Wrote::Stale(found)) };
    let body = if req.secret { sealer.seal(&text, &document_binding(&req.key))? } else { text };
    let columns = DocumentColumns::of(req.key.scope());
    tx.prepare_cached(include_str!("sql/document_put.sql"))?.execute(named_params! {
        ":tenant": columns.tenant, ":kind": req.key.kind(), ":account": columns.account,
        ":principal": columns.principal, ":id": req.key.id(), ":revision": number(next), ":body": body,
        ":sealed": req.secret, ":now": now.as_micros(),
    })?;
    Ok(Wrote::Done(next))
}

fn revision(tx: &Transaction<'_>, key: &DocumentKey) -> Result<Option<Revision>, Fail> {
    let columns = DocumentColumns::of(key.scope());
    let values = named_params! {
        ":tenant": columns.tenant, ":kind": key.kind(), ":account": columns.account,
        ":principal": columns.principal, ":id": key.id(),
    };
    let mut statement = tx.prepare_cached(include_str!("sql/document_revision.sql"))?;
    Ok(statement.query_row(values, |row| row.get(0)).optional()?.map(from_number))
}

fn list(tx: &Transaction<'_>, req: &ListDocuments, sealer: &dyn Sealer) -> Result<DocumentPage, Fail> {
    let bounds = DocumentBounds::of(&req.reach);
    let (account, principal, id) = match req.after.as_ref().map(document_place) {
        Some((account, principal, id)) => (Some(account), Some(principal), Some(id)),
        None => (None, None, None),
    };
    let limit = req.limit.max(1);
    let mut statement = tx.prepare_cached(include_str!("sql/documents_list.sql"))?;
    let mut rows = statement.query(named_params! {
        ":tenant": bounds.tenant, ":kind": req.kind, ":account": bounds.account,
        ":principal": bounds.principal, ":after_account": account, ":after_principal": principal,
        ":after_id": id, ":limit": i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1),
    })?;
    let mut documents = Vec::new();
    while let Some(found) = rows.next()? {
        documents.push(read(found, sealer)?);
    }
    Ok(DocumentPage::of(documents, limit))
}

fn read(row: &Row<'_>, sealer: &dyn Sealer) -> Result<Document, Fail> {
    let text = |name: &str| row.get::<_, String>(name);
    let unreadable = || stored::Unreadable::new("document", "key");
    let scope = DocumentColumns::read(&text("tenant")?, &text("account")?, &text("principal")?);
    let key = DocumentKey::new(scope.ok_or_else(unreadable)?, text("kind")?, text("id")?)
        .map_err(|_| unreadable())?;
    let (body, sealed): (String, bool) = (text("body")?, row.get("sealed")?);
    let body = if sealed { sealer.open(&body, &document_binding(&key))? } else { body };
    let created = Timestamp::from_micros(row.get("created_at")?);
    let mut document =
        Document::made(key, from_number(row.get("revision")?), read_document(&body)?, sealed, created);
    document.updated_at = Timestamp::from_micros(row.get("updated_at")?);
    Ok(document)
}

fn number(revision: Revision) -> i64 {
    i64::try_from(revision.get()).unwrap_or(i64::MAX)
}

fn from_number(number: i64) -> Revision {
    Revision::new(number.unsigned_abs())
}
