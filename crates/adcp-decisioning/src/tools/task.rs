//! Tasks as buyers see them.

use adcp_core::{Outcome, Progress, TaskRecord, TaskStatus};
use adcp_types::json::JsonObject;
use serde_json::{Value, json};

/// The fields that a poll and a list share.
pub(super) fn summary(task: &TaskRecord) -> JsonObject {
    let mut out = JsonObject::new();
    out.insert("task_id".into(), task.id.as_str().into());
    out.insert("task_type".into(), task.task_type.as_str().into());
    out.insert("status".into(), task.status.as_str().into());
    out.insert("has_webhook".into(), task.has_webhook().into());
    out.insert("created_at".into(), task.created_at.to_string().into());
    out.insert("updated_at".into(), task.updated_at.to_string().into());
    if let Some(at) = task.ended_at.filter(|_| task.status != TaskStatus::Rejected) {
        out.insert("completed_at".into(), at.to_string().into());
    }
    out
}

/// The fields of a report that the schema knows. A counter of a tool is none of them.
const OWN_PROGRESS: [&str; 4] = ["current_step", "percentage", "step_number", "total_steps"];

/// Spec: `protocol/get-task-status-response.json`, `progress`.
pub(super) fn progress(progress: &Progress) -> Value {
    let mut out = JsonObject::new();
    // The fields of a report are the seller's to write, and what it writes must not make its task unreadable.
    if let Some(percentage) = progress.percentage.and_then(|said| Progress::percent(said).percentage) {
        out.insert("percentage".into(), percentage.into());
    }
    if let Some(step) = &progress.current_step {
        out.insert("current_step".into(), step.as_str().into());
    }
    if let Some(total) = progress.total_steps.filter(|n| *n > 0) {
        out.insert("total_steps".into(), total.into());
    }
    if let Some(number) = progress.step_number.filter(|n| *n > 0) {
        out.insert("step_number".into(), number.into());
    }
    for (name, value) in progress.extra.iter().filter(|(name, _)| !OWN_PROGRESS.contains(&name.as_str())) {
        out.entry(name.as_str()).or_insert_with(|| value.clone());
    }
    Value::Object(out)
}

/// Every status the task went through.
///
/// Spec: `protocol/get-task-status-response.json`, `history`.
pub(super) fn history(task: &TaskRecord) -> Value {
    let entry = |transition: &adcp_core::Transition| {
        let mut data = JsonObject::new();
        data.insert("status".into(), transition.status.as_str().into());
        if let Some(reported) = &transition.progress {
            data.insert("progress".into(), progress(reported));
        }
        json!({ "timestamp": transition.at.to_string(), "type": "response", "data": data })
    };
    task.history.iter().map(entry).collect()
}

/// For what the task waits: a sentence, and the name and body of what its buyer was asked.
///
/// The schema has no field for a question of a task that goes on, and takes any.
pub(super) fn question(task: &TaskRecord) -> Option<(String, &'static str, Value)> {
    let question = task.question.as_ref()?;
    let (words, name) = match task.status {
        TaskStatus::AuthRequired => ("the task goes on once you have authenticated", "auth_required"),
        _ => ("the task goes on once you have answered", "input_required"),
    };
    let text = |name: &str| question.get(name).and_then(Value::as_str);
    let words = text("message").map_or_else(
        || text("reason").map_or_else(|| words.to_owned(), |reason| format!("{words}: {reason}")),
        str::to_owned,
    );
    Some((words, name, Value::Object(question.clone())))
}

/// Why somebody ended the task early.
pub(super) fn reason(task: &TaskRecord) -> Option<&str> {
    match &task.outcome {
        Some(Outcome::Canceled(reason)) => Some(reason),
        _ => None,
    }
}

/// The finished answer as the tool would have given it at once.
pub(super) fn result(task: &TaskRecord) -> Option<Value> {
    match &task.outcome {
        Some(Outcome::Completed(body)) => {
            let mut message = body.clone();
            message.insert("status".into(), TaskStatus::Completed.as_str().into());
            if let Some(context) = &task.context {
                message.insert("context".into(), Value::Object(context.clone()));
            }
            Some(Value::Object(message))
        }
        _ => None,
    }
}

/// Why it ended badly.
pub(super) fn error(task: &TaskRecord) -> Option<Value> {
    match &task.outcome {
        Some(Outcome::Failed(error) | Outcome::Rejected(error)) => {
            let mut out = error.to_json();
            let mut details = json!({ "protocol": task.protocol, "operation": task.tool });
            if let Some(specific) = out.remove("details") {
                details["specific_context"] = specific;
            }
            out.insert("details".into(), details);
            Some(Value::Object(out))
        }
        _ => None,
    }
}
