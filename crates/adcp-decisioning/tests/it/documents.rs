//! What a seller keeps for a caller, and that no other caller reads it.

use std::sync::Arc;

use adcp_core::{
    AdcpError, Deleted, DocumentScope, Documents as _, Expect, ListDocuments, Reach, RegistryError,
};
use adcp_core::{TenantId, Wrote};
use adcp_decisioning::{AccountPerPrincipal, Agent, Ctx, Discovery, Signals, Tokens};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::signals::{GetSignalsRequest, GetSignalsResponse};
use serde_json::json;

use crate::scripted::signals;
use crate::seller::call;

/// Counts the visits of each caller, and notes the page that it was on.
struct Remembering;

impl Signals for Remembering {
    async fn get_signals(
        &self,
        ctx: &Ctx,
        _req: GetSignalsRequest,
    ) -> Result<Discovery<GetSignalsResponse>, AdcpError> {
        let documents = ctx.documents()?;
        let visits = documents.get("visits", "signals").await?;
        let (count, expect) = match &visits {
            Some(visits) => (visits.body.as_u64().unwrap(), Expect::Revision(visits.revision)),
            None => (0, Expect::Absent),
        };
        let wrote = documents.put("visits", "signals", json!(count + 1), expect).await?;
        assert!(matches!(wrote, Wrote::Done(_)), "{wrote:?}");
        if count == 1 {
            documents.put_secret("visits", "secret", json!("hush"), Expect::Absent).await?;
            let page = documents.list("visits", None).await?;
            let ids: Vec<_> = page.documents.iter().map(|document| document.key.id()).collect();
            assert_eq!((ids, page.has_more), (vec!["secret", "signals"], false));
            assert_eq!(documents.delete("visits", "secret", Expect::Any).await?, Deleted::Gone);
            let refused = documents.get("Not a kind", "x").await;
            assert!(matches!(refused, Err(RegistryError::BadDocument(_))), "{refused:?}");
        }
        Ok(signals().into())
    }
}

#[tokio::test]
async fn what_is_kept_for_a_caller_is_that_callers_only() {
    let registry = Arc::new(MemoryRegistry::volatile());
    let agent = Agent::builder(Remembering)
        .signals()
        .authenticator(Tokens::new())
        .accounts(AccountPerPrincipal::new())
        .shared_registry(registry.clone())
        .build()
        .unwrap();
    for (caller, times) in [("acme", 3), ("rival", 1)] {
        for _ in 0..times {
            let answer = call(&agent, caller, "get_signals", json!({ "signal_spec": "sports" })).await;
            assert!(!answer.failed, "{:?}", answer.body);
        }
    }
    let all = ListDocuments::new(Reach::Tenant { tenant: TenantId::single() }, "visits").unwrap();
    let kept = registry.list_documents(all).await.unwrap().documents;
    let seen: Vec<_> = kept
        .iter()
        .map(|document| match document.key.scope() {
            DocumentScope::Caller(owner) => (owner.principal.as_str(), document.body.as_u64().unwrap()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(seen, [("acme", 3), ("rival", 1)]);
}
