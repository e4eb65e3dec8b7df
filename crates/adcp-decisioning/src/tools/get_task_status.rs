//! `get_task_status`: how far one task is.

use adcp_core::{AdcpError, TaskId};
use adcp_types::json::JsonObject;
use adcp_types::tools;
use serde_json::Value;

use super::task;
use crate::ctx::Ctx;
use crate::route::Route;

pub(super) fn route() -> Route {
    Route::own(&tools::GET_TASK_STATUS, answer)
}

/// Spec: `protocol/get-task-status-response.json`.
async fn answer(ctx: Ctx, request: Value) -> Result<JsonObject, AdcpError> {
    let asked = |name: &str| request.get(name).and_then(Value::as_bool) == Some(true);
    let id = TaskId::new(request.get("task_id").and_then(Value::as_str).unwrap_or_default());
    let scope = ctx.task_scope(request.get("account").is_some_and(|account| !account.is_null()))?;
    let found = ctx.parts.registry.get(&id, &scope).await?;
    let record = found.ok_or_else(|| AdcpError::reference_not_found("task_id"))?;

    let mut body = task::summary(&record);
    body.insert("protocol".into(), record.protocol.as_str().into());
    if let Some(progress) = &record.progress {
        body.insert("progress".into(), task::progress(progress));
    }
    if let Some((words, name, question)) = task::question(&record) {
        body.insert("message".into(), words.into());
        body.insert(name.into(), question);
    }
    if let Some(reason) = task::reason(&record) {
        body.insert("message".into(), reason.into());
    }
    if let Some(error) = task::error(&record) {
        body.insert("error".into(), error);
    }
    if asked("include_history") {
        body.insert("history".into(), task::history(&record));
    }
    if let Some(result) = task::result(&record).filter(|_| asked("include_result")) {
        body.insert("result".into(), result);
    }
    Ok(body)
}
