//! Documents.

use adcp_core::stored::{
    self, DocumentBounds, DocumentColumns, Sealer, document_binding, document_place, read_document,
};
use adcp_core::{
    DeleteDocument, Deleted, Document, DocumentKey, DocumentPage, Documents, Expect, ListDocuments,
    PutDocument, RegistryError, Revision, Timestamp, Wrote,
};
use async_trait::async_trait;
use deadpool_postgres::tokio_postgres::Row;

use crate::error::Fail;
use crate::registry::PostgresRegistry;
use crate::row::get;
use crate::statement::Value;
use crate::unit::{Tx, Unit};

#[async_trait]
impl Documents for PostgresRegistry {
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, RegistryError> {
        const OP: &str = "document";
        let shared = &self.database.shared;
        let rows = self.database.rows(OP, &shared.sql.document_get, &Name::of(key).and(&[])).await?;
        rows.first().map(|found| read(found, &*shared.config.sealer)).transpose().map_err(|fail| fail.of(OP))
    }

    async fn put_document(&self, req: PutDocument) -> Result<Wrote, RegistryError> {
        self.database.write(&req).await
    }

    async fn delete_document(&self, req: DeleteDocument) -> Result<Deleted, RegistryError> {
        self.database.write(&req).await
    }

    async fn list_documents(&self, req: ListDocuments) -> Result<DocumentPage, RegistryError> {
        const OP: &str = "list_documents";
        let shared = &self.database.shared;
        let bounds = DocumentBounds::of(&req.reach);
        let (account, principal, id) = match req.after.as_ref().map(document_place) {
            Some((account, principal, id)) => (Some(account), Some(principal), Some(id)),
            None => (None, None, None),
        };
        let limit = req.limit.max(1);
        let values: [(&'static str, &dyn Value); 8] = [
            ("tenant", &bounds.tenant),
            ("kind", &req.kind),
            ("account", &bounds.account),
            ("principal", &bounds.principal),
            ("after_account", &account),
            ("after_principal", &principal),
            ("after_id", &id),
            ("limit", &i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)),
        ];
        let rows = self.database.rows(OP, &shared.sql.documents_list, &values).await?;
        let sealer = &*shared.config.sealer;
        let documents = rows.iter().map(|found| read(found, sealer).map_err(|fail| fail.of(OP)));
        Ok(DocumentPage::of(documents.collect::<Result<_, _>>()?, limit))
    }
}

impl Unit for PutDocument {
    type Done = Wrote;
    const OP: &'static str = "put_document";

    /// Who expects nothing may write the same again. Anybody else would meet their own write.
    fn repeatable(&self) -> bool {
        self.expect == Expect::Any
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Wrote, Fail> {
        let text = self.text()?;
        let key = Name::of(&self.key);
        let found = locked(tx, &key).await?;
        let Some(next) = self.step(found)? else { return Ok(Wrote::Stale(found)) };
        let sealer = &*tx.shared.config.sealer;
        let body = if self.secret { sealer.seal(&text, &document_binding(&self.key))? } else { text };
        let (revision, now) = (number(next), tx.now.as_micros());
        let values =
            key.and(&[("revision", &revision), ("body", &body), ("sealed", &self.secret), ("now", &now)]);
        let sql = &tx.shared.sql;
        if found.is_some() {
            tx.execute(&sql.document_update, &values).await?;
        } else if tx.execute(&sql.document_insert, &values).await? == 0 {
            // Somebody made it since: the next try finds it.
            return Err(Fail::Overtaken);
        }
        Ok(Wrote::Done(next))
    }
}

impl Unit for DeleteDocument {
    type Done = Deleted;
    const OP: &'static str = "delete_document";

    async fn run(&self, tx: &Tx<'_>) -> Result<Deleted, Fail> {
        let key = Name::of(&self.key);
        let done = self.step(locked(tx, &key).await?);
        if done == Deleted::Gone {
            tx.execute(&tx.shared.sql.document_delete, &key.and(&[])).await?;
        }
        Ok(done)
    }
}

/// A key, column by column.
struct Name<'a> {
    columns: DocumentColumns,
    kind: &'a str,
    id: &'a str,
}

impl<'a> Name<'a> {
    fn of(key: &'a DocumentKey) -> Self {
        Self { columns: DocumentColumns::of(key.scope()), kind: key.kind(), id: key.id() }
    }

    /// The values of the key, and some more.
    fn and<'b>(&'b self, more: &[(&'static str, &'b dyn Value)]) -> Vec<(&'static str, &'b dyn Value)> {
        let mut values: Vec<(&'static str, &'b dyn Value)> = vec![
            ("tenant", &self.columns.tenant),
            ("kind", &self.kind),
            ("account", &self.columns.account),
            ("principal", &self.columns.principal),
            ("id", &self.id),
        ];
        values.extend_from_slice(more);
        values
    }
}

/// The revision of a document, which nobody else writes until this transaction ends.
async fn locked(tx: &Tx<'_>, key: &Name<'_>) -> Result<Option<Revision>, Fail> {
    let found = tx.row(&tx.shared.sql.document_lock, &key.and(&[])).await?;
    found.map(|row| get(&row, "revision").map(from_number)).transpose()
}

fn read(row: &Row, sealer: &dyn Sealer) -> Result<Document, Fail> {
    let text = |name: &str| get::<String>(row, name);
    let unreadable = || stored::Unreadable::new("document", "key");
    let scope = DocumentColumns::read(&text("tenant")?, &text("account")?, &text("principal")?);
    let key = DocumentKey::new(scope.ok_or_else(unreadable)?, text("kind")?, text("id")?)
        .map_err(|_| unreadable())?;
    let (body, sealed): (String, bool) = (text("body")?, get(row, "sealed")?);
    let body = if sealed { sealer.open(&body, &document_binding(&key))? } else { body };
    let created = Timestamp::from_micros(get(row, "created_at")?);
    let mut document =
        Document::made(key, from_number(get(row, "revision")?), read_document(&body)?, sealed, created);
    document.updated_at = Timestamp::from_micros(get(row, "updated_at")?);
    Ok(document)
}

fn number(revision: Revision) -> i64 {
    i64::try_from(revision.get()).unwrap_or(i64::MAX)
}

fn from_number(number: i64) -> Revision {
    Revision::new(number.unsigned_abs())
}
