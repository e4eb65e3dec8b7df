//! The work that every registry is given.

use std::time::Duration;

use adcp_core::{
    AccountId, FinishTask, IssueTask, LeaseToken, Outcome, Owner, Principal, Registry, Scope, TaskId,
    TenantId,
};
use adcp_types::json::JsonObject;
use serde_json::json;

/// Whose tasks they are.
pub(crate) fn owner() -> Owner {
    Owner::new(TenantId::single(), Some(AccountId::new("bench")), Principal::new("buyer"))
}

pub(super) fn scope() -> Scope {
    owner().scope()
}

fn object(value: serde_json::Value) -> JsonObject {
    match value {
        serde_json::Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}

/// A task of a purchase, with a lease as the agent's own work has one.
pub(super) fn task(id: &str, token: LeaseToken) -> IssueTask {
    IssueTask::new(TaskId::new(id), owner(), "create_media_buy", "create_media_buy", "media-buy")
        .with_context(Some(object(json!({ "trace": "bench", "campaign": "spring-2026" }))))
        .leased(token, Duration::from_secs(30))
}

/// How it ends: with the answer of a purchase of two packages.
pub(super) fn end(id: &str, token: LeaseToken) -> FinishTask {
    let answer = json!({
        "media_buy_id": format!("mb_{id}"),
        "media_buy_status": "active",
        "confirmed_at": "2026-05-01T12:00:00Z",
        "revision": 1,
        "packages": [
            { "package_id": "pkg_1", "product_id": "homepage", "budget": 12500, "pricing_option_id": "cpm" },
            { "package_id": "pkg_2", "product_id": "article", "budget": 4000, "pricing_option_id": "cpm" },
        ],
    });
    FinishTask::new(TaskId::new(id), scope(), Outcome::Completed(object(answer))).under(Some(token))
}

/// Issues a task and ends it.
pub(super) async fn issue_and_finish(registry: &dyn Registry, id: &str) -> anyhow::Result<()> {
    let token = LeaseToken::random()?;
    registry.issue(task(id, token)).await?;
    registry.finish(end(id, token)).await?;
    Ok(())
}
