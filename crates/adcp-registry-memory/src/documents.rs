//! The table of documents.

use std::collections::BTreeMap;
use std::ops::Bound;

use adcp_core::stored::{DocumentBounds, DocumentColumns, document_place};
use adcp_core::{
    DeleteDocument, Deleted, Document, DocumentKey, DocumentPage, ListDocuments, PutDocument, RegistryError,
    Timestamp, Wrote,
};

use crate::config::MemoryLimits;
use crate::share::Shares;

/// Seller, kind, account, buyer's agent, id: in the order of lists.
type Place = (String, String, String, String, String);

#[derive(Default)]
pub(crate) struct Documents {
    rows: BTreeMap<Place, (Document, usize)>,
    shares: Shares<DocumentColumns>,
    byte_shares: Shares<DocumentColumns>,
}

impl Documents {
    pub(crate) fn get(&self, key: &DocumentKey) -> Option<Document> {
        self.rows.get(&place(key)).map(|(document, _)| document.clone())
    }

    pub(crate) fn put(
        &mut self,
        req: PutDocument,
        now: Timestamp,
        limits: &MemoryLimits,
    ) -> Result<Wrote, RegistryError> {
        let bytes = req.text()?.len();
        let at = place(&req.key);
        let found = self.rows.get(&at);
        let revision = found.map(|(document, _)| document.revision);
        let Some(next) = req.step(revision)? else { return Ok(Wrote::Stale(revision)) };
        let holder = DocumentColumns::of(req.key.scope());
        let grown = bytes.saturating_sub(found.map_or(0, |(_, bytes)| *bytes));
        self.byte_shares.admit(&holder, grown, limits.max_document_bytes, "bytes of documents")?;
        if found.is_none() {
            self.shares.admit(&holder, 1, limits.max_documents, "documents")?;
        }
        let mut document = Document::made(req.key, next, req.body, req.secret, now);
        if let Some(before) = self.remove(&at) {
            document.created_at = before.created_at;
        }
        self.shares.add(holder.clone(), 1);
        self.byte_shares.add(holder, bytes);
        self.rows.insert(at, (document, bytes));
        Ok(Wrote::Done(next))
    }

    pub(crate) fn delete(&mut self, req: &DeleteDocument) -> Deleted {
        let at = place(&req.key);
        let done = req.step(self.rows.get(&at).map(|(document, _)| document.revision));
        if done == Deleted::Gone {
            self.remove(&at);
        }
        done
    }

    pub(crate) fn list(&self, req: &ListDocuments) -> DocumentPage {
        let bounds = DocumentBounds::of(&req.reach);
        let of = |account: String, principal: String, id: String| {
            (bounds.tenant.clone(), req.kind.clone(), account, principal, id)
        };
        let from = match &req.after {
            Some(after) => {
                let (account, principal, id) = document_place(after);
                Bound::Excluded(of(account, principal, id))
            }
            None => Bound::Included(of(String::new(), String::new(), String::new())),
        };
        let limit = req.limit.max(1);
        let found = self
            .rows
            .range((from, Bound::Unbounded))
            .take_while(|((tenant, kind, ..), _)| *tenant == bounds.tenant && *kind == req.kind)
            .filter(|((_, _, account, principal, _), _)| {
                bounds.account.as_ref().is_none_or(|wanted| wanted == account)
                    && bounds.principal.as_ref().is_none_or(|wanted| wanted == principal)
            })
            .map(|(_, (document, _))| document.clone())
            .take(limit.saturating_add(1))
            .collect();
        DocumentPage::of(found, limit)
    }

    fn remove(&mut self, at: &Place) -> Option<Document> {
        let (document, bytes) = self.rows.remove(at)?;
        let holder = DocumentColumns::of(document.key.scope());
        self.shares.give_back(&holder, 1);
        self.byte_shares.give_back(&holder, bytes);
        Some(document)
    }
}

fn place(key: &DocumentKey) -> Place {
    let columns = DocumentColumns::of(key.scope());
    (columns.tenant, key.kind().to_owned(), columns.account, columns.principal, key.id().to_owned())
}
