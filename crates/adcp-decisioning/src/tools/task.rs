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
    out.insert("created_at".into(), task.created_at.to_string().into());
    out.insert("updated_at".into(), task.updated_at.to_string().into());
    if let Some(at) = task.ended_at.filter(|_| task.status != TaskStatus::Rejected) {
        out.insert("completed_at".into(), at.to_string().into());
    }
    out
}

/// Spec: `protocol/get-task-status-response.json`, `progress`.
pub(super) fn progress(progress: &Progress) -> Value {
    let mut out = JsonObject::new();
    if let Some(percentage) = progress.percentage {
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

/// The finished answer as the tool would have given it at once.
pub(super) fn result(task: &TaskRecord) -> Option<Value> {
    match &task.outcome {
        Some(Outcome::Completed(body)) => {
            let mut message = body.clone();
            message.insert("status".into(), TaskStatus::Completed.as_str().into());
            Some(Value::Object(message))
        }
        _ => None,
    }
}

/// Why it ended badly.
pub(super) fn error(task: &TaskRecord) -> Option<Value> {
    match &task.outcome {
        Some(Outcome::Failed(error) | Outcome::Rejected(error)) => {
            let mut out = json!({ "code": error.code().as_str(), "message": error.message() });
            out["details"] = json!({ "protocol": task.protocol, "operation": task.tool });
            if let Some(specific) = error.details() {
                out["details"]["specific_context"] = Value::Object(specific.clone());
            }
            Some(out)
        }
        _ => None,
    }
}
