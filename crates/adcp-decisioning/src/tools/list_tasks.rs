//! `list_tasks`: a buyer's own tasks, page by page.

use std::collections::BTreeMap;

use adcp_core::{
    AdcpError, ListTasks, TaskCursor, TaskFilter, TaskId, TaskOrder, TaskPage, TaskRecord, TaskStatus,
    Timestamp, hex,
};
use adcp_types::json::JsonObject;
use adcp_types::tools;
use serde_json::{Value, json};

use super::task;
use crate::ctx::Ctx;
use crate::route::Route;

pub(super) fn route() -> Route {
    Route::own(&tools::LIST_TASKS, answer)
}

/// Spec: `protocol/list-tasks-response.json`.
async fn answer(ctx: Ctx, request: Value) -> Result<JsonObject, AdcpError> {
    let scope = ctx.task_scope(request.get("account").is_some_and(|account| !account.is_null()))?;
    let mut ask = ListTasks::new(scope);
    let applied = filters(&request, &mut ask.filter)?;
    let field = sort(&request, &mut ask);
    ask.limit = request
        .pointer("/pagination/max_results")
        .and_then(Value::as_u64)
        .map_or(50, |n| n.clamp(1, 100) as usize);
    if let Some(cursor) = request.pointer("/pagination/cursor").and_then(Value::as_str) {
        ask.after = Some(open_cursor(cursor, &ask).ok_or_else(|| {
            AdcpError::invalid_request(
                "pagination.cursor",
                "expected a cursor from this list, sorted the same way",
            )
        })?);
    }
    let page = ctx.parts.registry.list(ask.clone()).await?;
    let with_history = request.get("include_history").and_then(Value::as_bool) == Some(true);

    let mut pagination = json!({ "has_more": page.has_more });
    if let Some(last) = page.tasks.last().filter(|_| page.has_more) {
        pagination["cursor"] = cursor(&ask, last).into();
    }
    let mut body = JsonObject::new();
    body.insert("status".into(), TaskStatus::Completed.as_str().into());
    body.insert("query_summary".into(), query_summary(&page, &applied, field, ask.descending));
    body.insert("tasks".into(), page.tasks.iter().map(|task| entry(task, with_history)).collect());
    body.insert("pagination".into(), pagination);
    Ok(body)
}

fn entry(record: &TaskRecord, with_history: bool) -> Value {
    let mut out = task::summary(record);
    out.insert("domain".into(), domain(&record.protocol).into());
    if with_history {
        out.insert("history".into(), task::history(record));
    }
    Value::Object(out)
}

/// The list knows two domains; everything around a purchase is the first.
fn domain(protocol: &str) -> &'static str {
    if protocol == "signals" { "signals" } else { "media-buy" }
}

fn query_summary(page: &TaskPage, applied: &[String], field: &str, descending: bool) -> Value {
    let direction = if descending { "desc" } else { "asc" };
    let mut out = json!({
        "returned": page.tasks.len(),
        "filters_applied": applied,
        "sort_applied": { "field": field, "direction": direction },
    });
    if let Some(totals) = &page.totals {
        let total: u64 = totals.iter().map(|(_, _, count)| count).sum();
        let (mut domains, mut statuses) = (BTreeMap::new(), BTreeMap::new());
        for (protocol, status, count) in totals {
            *domains.entry(domain(protocol)).or_insert(0) += count;
            *statuses.entry(status.as_str()).or_insert(0) += count;
        }
        out["total_matching"] = total.into();
        out["domain_breakdown"] = json!(domains);
        out["status_breakdown"] = json!(statuses);
    }
    out
}

/// Reads the filters; returns the names of those that were given.
fn filters(request: &Value, filter: &mut TaskFilter) -> Result<Vec<String>, AdcpError> {
    let Some(Value::Object(given)) = request.get("filters") else { return Ok(Vec::new()) };
    let words = |one: &str, many: &str| -> Vec<String> {
        let single = given.get(one).and_then(Value::as_str).into_iter();
        let several =
            given.get(many).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        single.chain(several).map(str::to_owned).collect()
    };
    let instant = |name: &str| -> Result<Option<Timestamp>, AdcpError> {
        let text = given.get(name).and_then(Value::as_str);
        text.map(Timestamp::parse)
            .transpose()
            .map_err(|error| AdcpError::invalid_request(format!("filters.{name}"), error.to_string()))
    };
    filter.protocols = words("protocol", "protocols");
    filter.task_types = words("task_type", "task_types");
    let statuses = words("status", "statuses");
    filter.statuses = statuses.iter().filter_map(|status| TaskStatus::parse(status)).collect();
    filter.ids = words("", "task_ids").into_iter().map(TaskId::new).collect();
    filter.created_after = instant("created_after")?;
    filter.created_before = instant("created_before")?;
    filter.updated_after = instant("updated_after")?;
    filter.updated_before = instant("updated_before")?;
    filter.context_contains = given.get("context_contains").and_then(Value::as_str).map(str::to_owned);
    filter.has_webhook = given.get("has_webhook").and_then(Value::as_bool);
    Ok(given.keys().cloned().collect())
}

/// Reads the sorting; returns the name of its field.
fn sort(request: &Value, ask: &mut ListTasks) -> &'static str {
    ask.descending = request.pointer("/sort/direction").and_then(Value::as_str) != Some("asc");
    let (order, field) = match request.pointer("/sort/field").and_then(Value::as_str) {
        Some("updated_at") => (TaskOrder::UpdatedAt, "updated_at"),
        Some("status") => (TaskOrder::Status, "status"),
        Some("task_type") => (TaskOrder::TaskType, "task_type"),
        Some("protocol") => (TaskOrder::Protocol, "protocol"),
        _ => (TaskOrder::CreatedAt, "created_at"),
    };
    ask.order = order;
    field
}

/// The mark of a sorting, so that a cursor is refused under another one.
fn mark(ask: &ListTasks) -> String {
    format!("{:?}{}", ask.order, if ask.descending { "-" } else { "+" })
}

fn cursor(ask: &ListTasks, last: &TaskRecord) -> String {
    hex(format!("{}\n{}\n{}", mark(ask), ask.order.key(last), last.id).as_bytes())
}

fn open_cursor(text: &str, ask: &ListTasks) -> Option<TaskCursor> {
    if text.len() > 1024 || !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    let byte = |i: usize| u8::from_str_radix(text.get(i..i + 2)?, 16).ok();
    let bytes: Vec<u8> = (0..text.len()).step_by(2).map(byte).collect::<Option<_>>()?;
    let plain = String::from_utf8(bytes).ok()?;
    let mut parts = plain.splitn(3, '\n');
    let (found, key, id) = (parts.next()?, parts.next()?, parts.next()?);
    (found == mark(ask)).then(|| TaskCursor::new(key.to_owned(), TaskId::new(id)))
}
