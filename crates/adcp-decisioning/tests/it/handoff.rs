//! A call that becomes a task.

use std::time::Duration;

use adcp_core::AdcpError;
use adcp_decisioning::Agent;
use serde_json::{Value, json};

use crate::scripted::{buy, scripted};
use crate::seller::{Mode, agent, agent_with, booked, call, code, order};

/// Polls until the task has ended. Each poll yields, so the task gets its turn; no clock is involved.
pub(crate) async fn ended(agent: &Agent, task_id: &Value) -> Value {
    loop {
        let ask = json!({ "task_id": task_id, "include_result": true, "include_history": true });
        let reply = call(agent, "acme", "get_task_status", ask).await;
        assert!(!reply.failed, "{:?}", reply.body);
        if !["submitted", "working"].contains(&reply.body["status"].as_str().unwrap()) {
            return Value::Object(reply.body);
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_task_is_submitted_worked_on_and_completed() {
    let (agent, shared) = agent(Mode::Task);
    let reply = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
    assert!(!reply.failed);
    let mut names: Vec<_> = reply.body.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["adcp_version", "context", "status", "task_id"]);
    assert_eq!(reply.body["status"], "submitted");

    shared.started.notified().await;
    let ask = json!({ "task_id": reply.body["task_id"] });
    let working = call(&agent, "acme", "get_task_status", ask).await;
    assert_eq!(working.body["status"], "working");
    assert_eq!(working.body["progress"], json!({ "percentage": 50.0, "current_step": "review" }));
    assert!(!working.body.contains_key("result"));

    shared.go.notify_one();
    let task = ended(&agent, &reply.body["task_id"]).await;
    assert_eq!(task["status"], "completed");
    assert_eq!(task["task_type"], "create_media_buy");
    assert_eq!(task["protocol"], "media-buy");
    assert_eq!(task["result"]["media_buy_id"], "mb_1");
    assert_eq!(task["result"]["status"], "completed");
    let statuses: Vec<_> = task["history"].as_array().unwrap().iter().map(|e| &e["data"]["status"]).collect();
    assert_eq!(statuses, ["submitted", "working", "completed"]);
}

#[tokio::test]
async fn every_bad_end_is_an_end() {
    let cases = [
        (Mode::TaskFails, "POLICY_VIOLATION"),
        (Mode::TaskPanics, "SERVICE_UNAVAILABLE"),
        (Mode::TaskInvalid, "SERVICE_UNAVAILABLE"),
    ];
    for (mode, want) in cases {
        let (agent, shared) = agent(mode);
        let reply = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
        assert_eq!(reply.body["status"], "submitted", "{mode:?}");
        shared.started.notified().await;
        shared.go.notify_one();
        let task = ended(&agent, &reply.body["task_id"]).await;
        assert_eq!(task["status"], "failed", "{mode:?}");
        assert_eq!(task["error"]["code"], want, "{mode:?}");
        assert!(task.get("result").is_none());
    }
}

#[tokio::test]
async fn a_full_house_refuses_and_leaves_no_task() {
    let (agent, shared) = agent_with(Mode::Task, 1);
    let first = call(&agent, "acme", "create_media_buy", order("key-0123456789abcde1")).await;
    assert_eq!(first.body["status"], "submitted");
    let second = call(&agent, "acme", "create_media_buy", order("key-0123456789abcde2")).await;
    assert_eq!(code(&second), "SERVICE_UNAVAILABLE");
    assert!(second.body["adcp_error"]["retry_after"].as_u64().is_some_and(|wait| wait > 0));
    let list = call(&agent, "acme", "list_tasks", json!({})).await;
    assert_eq!(list.body["tasks"].as_array().unwrap().len(), 1);
    shared.go.notify_one();
    ended(&agent, &first.body["task_id"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_drained_agent_leaves_no_task_open() {
    let (agent, shared) = agent(Mode::TaskStuck);
    let reply = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
    shared.started.notified().await;
    agent.drain(Duration::from_secs(30)).await;
    let task = ended(&agent, &reply.body["task_id"]).await;
    assert_eq!(task["status"], "failed");
    assert_eq!(task["error"]["code"], "SERVICE_UNAVAILABLE");
    assert!(!agent.health().ok);
    let late = call(&agent, "acme", "create_media_buy", order("key-0123456789abcde2")).await;
    assert_eq!(code(&late), "SERVICE_UNAVAILABLE");
}

#[tokio::test(start_paused = true)]
async fn a_function_that_listens_finishes_before_the_drain_is_over() {
    let (agent, _) = scripted(|ctx| {
        Ok(ctx
            .handoff_to_task(async move |task: adcp_decisioning::TaskHandle| {
                task.cancelled().await;
                tokio::time::sleep(Duration::from_secs(20)).await;
                Ok(booked())
            })
            .into())
    });
    let reply = buy(&agent).await;
    let begun = tokio::time::Instant::now();
    agent.drain(Duration::from_secs(30)).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(20));
    assert_eq!(ended(&agent, &reply.body["task_id"]).await["status"], "completed");
}

#[tokio::test]
async fn a_webhook_that_nobody_would_send_is_refused_before_anything_happens() {
    let (agent, shared) = agent(Mode::Task);
    let mut ask = order("key-0123456789abcdef");
    ask["push_notification_config"] = json!({ "url": "https://buyer.example/hook", "operation_id": "op_1" });
    let reply = call(&agent, "acme", "create_media_buy", ask).await;
    assert_eq!(code(&reply), "INVALID_REQUEST");
    assert_eq!(reply.body["adcp_error"]["field"], "push_notification_config");
    assert_eq!(shared.calls.load(std::sync::atomic::Ordering::SeqCst), 0);
    let list = call(&agent, "acme", "list_tasks", json!({})).await;
    assert_eq!(list.body["tasks"], json!([]));
}

#[tokio::test]
async fn a_wholesale_read_cannot_become_a_task() {
    let (agent, _) = agent(Mode::Task);
    let reply =
        call(&agent, "acme", "get_products", json!({ "buying_mode": "brief", "brief": "video" })).await;
    assert_eq!(reply.body["status"], "submitted", "{:?}", reply.body);
    let reply = call(&agent, "acme", "get_products", json!({ "buying_mode": "wholesale" })).await;
    assert_eq!(code(&reply), "INVALID_REQUEST");
    assert_eq!(reply.body["adcp_error"]["field"], "buying_mode");
    let list = call(&agent, "acme", "list_tasks", json!({})).await;
    assert_eq!(list.body["tasks"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_only_written_leaves_no_answer_and_no_error() {
    let entity =
        || json!({ "legal_name": "Acme", "bank": { "account_holder": "Acme", "iban": "DE0012345678" } });
    let (answering, _) = scripted(move |_| {
        let mut answer = booked();
        answer.extra.insert("invoice_recipient".into(), entity());
        Ok(answer.into())
    });
    let (refusing, _) =
        scripted(move |_| Err(AdcpError::unavailable().with_detail("billing_entity", entity())));
    for (agent, holder) in [(answering, "invoice_recipient"), (refusing, "billing_entity")] {
        for reply in [buy(&agent).await, buy(&agent).await] {
            let text = Value::Object(reply.body).to_string();
            assert!(text.contains(holder) && !text.contains("DE0012345678"), "{text}");
        }
    }
}
