//! Follows a task until it is done.

use std::time::{Duration, Instant};

use adcp_mcp::client::{Client, ClientError};
use adcp_types::json::JsonObject;
use adcp_types::tools::GET_TASK_STATUS;
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::output::{ProgressLine, tame};

/// The name of polling before it became a tool.
const LEGACY: &str = "tasks/get";
/// The first and the longest pause between two polls.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// Polls in a row that may find no answer.
const PATIENCE: usize = 3;

/// The id of the task that an answer stands for, while that task is under way.
pub(crate) fn task_of(body: &JsonObject, failed: bool) -> Option<String> {
    let text = |field| body.get(field).and_then(Value::as_str);
    let id = text("task_id").filter(|_| !failed)?;
    text("status").is_some_and(is_under_way).then(|| id.to_owned())
}

/// Polls until the task ends, or waits for the buyer; gives its result, or else its last status.
pub(crate) async fn follow(
    client: &Client,
    task: &str,
    account: Option<Value>,
    wait_for: Duration,
) -> Result<JsonObject, Failure> {
    let begin = Instant::now();
    let mut line = ProgressLine::new();
    let mut request = JsonObject::new();
    request.insert("task_id".to_owned(), Value::from(task));
    request.insert("include_result".to_owned(), Value::Bool(true));
    if let Some(account) = account {
        request.insert("account".to_owned(), account);
    }
    let mut pauses = std::iter::successors(Some(PAUSES.0), |pause| Some((*pause * 3 / 2).min(PAUSES.1)));
    loop {
        let mut polled = poll(client, &request).await.inspect_err(|_| line.end())?;
        let status = polled.get("status").and_then(Value::as_str).unwrap_or("unknown").to_owned();
        line.show(&describe(task, &status, &polled), begin.elapsed());
        if !is_under_way(&status) {
            line.end();
            return Ok(match polled.remove("result") {
                Some(Value::Object(result)) if status == "completed" => result,
                Some(result) => {
                    polled.insert("result".to_owned(), result);
                    polled
                }
                None => polled,
            });
        }
        if begin.elapsed() >= wait_for {
            line.end();
            let words = format!(
                "task {} is still {status} after {} s; ask again later with: adcp call URL {} '{}'",
                tame(task),
                wait_for.as_secs(),
                GET_TASK_STATUS.name,
                json!({ "task_id": task, "include_result": true }),
            );
            return Err(Failure::new(Exit::Transient, words));
        }
        let pause = pauses.next().unwrap_or(PAUSES.1);
        tokio::time::sleep(pause.min(wait_for.saturating_sub(begin.elapsed()))).await;
    }
}

/// One answer about the task. A broken connection is tried again; agents without the tool know its old name.
async fn poll(client: &Client, request: &JsonObject) -> Result<JsonObject, Failure> {
    let mut name = GET_TASK_STATUS.name;
    let mut missed = 0;
    loop {
        match client.call(name, request.clone()).await {
            Ok(reply) => return Ok(reply.body),
            Err(ClientError::Refused { code: -32602 | -32601, .. }) if name != LEGACY => name = LEGACY,
            Err(ClientError::Unreachable { .. } | ClientError::Timeout { .. }) if missed < PATIENCE => {
                missed += 1;
                tokio::time::sleep(PAUSES.1).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_under_way(status: &str) -> bool {
    matches!(status, "submitted" | "working")
}

fn describe(task: &str, status: &str, body: &JsonObject) -> String {
    let mut text = format!("task {task}: {status}");
    let progress = |field| body.get("progress").and_then(|progress| progress.get(field));
    if let Some(percentage) = progress("percentage").and_then(Value::as_f64) {
        text.push_str(&format!(", {percentage:.0} %"));
    }
    if let Some(step) = progress("current_step").and_then(Value::as_str) {
        text.push_str(&format!(", {step}"));
    }
    tame(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_work_under_way_is_followed() {
        let cases = [
            (json!({"status": "submitted", "task_id": "t1"}), false, Some("t1")),
            (json!({"status": "working", "task_id": "t1"}), false, Some("t1")),
            (json!({"status": "completed", "task_id": "t1"}), false, None),
            (json!({"status": "submitted"}), false, None),
            (json!({"status": "submitted", "task_id": "t1"}), true, None),
        ];
        for (body, failed, task) in cases {
            assert_eq!(task_of(body.as_object().unwrap(), failed).as_deref(), task, "{body}");
        }
    }

    #[test]
    fn progress_is_told_in_one_tame_line() {
        let body = json!({"progress": {"percentage": 40.0, "current_step": "legal\nreview\u{1b}[2J"}});
        let text = describe("t1", "working", body.as_object().unwrap());
        assert_eq!(text, "task t1: working, 40 %, legal review [2J");
    }
}
