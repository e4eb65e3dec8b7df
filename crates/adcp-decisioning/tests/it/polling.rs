//! What a buyer sees of its tasks, and nobody else does.

use std::sync::Arc;

use adcp_core::{AdcpError, Progress};
use adcp_decisioning::TaskDesk;
use adcp_registry_memory::MemoryRegistry;
use adcp_types::creative::SyncCreativesWorking;
use adcp_types::json::FromJson;
use adcp_types::media_buy::CreateMediaBuyInputRequired;
use serde_json::json;

use crate::handoff::ended;
use crate::scripted::{Scripted, building, buy, poll, scripted, task_of};
use crate::seller::{Mode, agent, booked, call, code, object, order};

#[tokio::test]
async fn a_foreign_task_and_an_unknown_one_read_alike() {
    let (agent, _) = agent(Mode::Task);
    let issued = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
    let id = &issued.body["task_id"];
    let foreign = call(&agent, "nova", "get_task_status", json!({ "task_id": id })).await;
    let unknown = call(&agent, "nova", "get_task_status", json!({ "task_id": "task_none" })).await;
    assert_eq!(code(&foreign), "REFERENCE_NOT_FOUND");
    assert_eq!(foreign.body, unknown.body);
    let list = call(&agent, "nova", "list_tasks", json!({})).await;
    assert_eq!(list.body["tasks"], json!([]));
}

#[tokio::test]
async fn a_list_is_filtered_sorted_and_paged() {
    let (agent, _) = agent(Mode::Task);
    let mut issued = Vec::new();
    for i in 0..5 {
        let reply = call(&agent, "acme", "create_media_buy", order(&format!("key-0123456789abcde{i}"))).await;
        issued.push(reply.body["task_id"].clone());
    }
    let mut seen = Vec::new();
    let mut ask = json!({ "pagination": { "max_results": 2 }, "sort": { "direction": "asc" } });
    loop {
        let page = call(&agent, "acme", "list_tasks", ask.clone()).await;
        assert!(!page.failed, "{:?}", page.body);
        assert_eq!(page.body["query_summary"]["total_matching"], 5);
        assert_eq!(page.body["query_summary"]["domain_breakdown"], json!({ "media-buy": 5 }));
        seen.extend(page.body["tasks"].as_array().unwrap().iter().map(|task| task["task_id"].clone()));
        if page.body["pagination"]["has_more"] == false {
            assert!(page.body["pagination"].get("cursor").is_none());
            break;
        }
        ask["pagination"]["cursor"] = page.body["pagination"]["cursor"].clone();
    }
    seen.sort_by_key(ToString::to_string);
    issued.sort_by_key(ToString::to_string);
    assert_eq!(seen, issued);

    let other_order = json!({ "pagination": { "cursor": ask["pagination"]["cursor"] } });
    let refused = call(&agent, "acme", "list_tasks", other_order).await;
    assert_eq!(refused.body["adcp_error"]["field"], "pagination.cursor");
    let none = call(&agent, "acme", "list_tasks", json!({ "filters": { "status": "completed" } })).await;
    assert_eq!(none.body["query_summary"]["total_matching"], 0);
    assert_eq!(none.body["query_summary"]["filters_applied"], json!(["status"]));
    let by_id = call(&agent, "acme", "list_tasks", json!({ "filters": { "task_ids": [issued[0]] } })).await;
    assert_eq!(by_id.body["tasks"].as_array().unwrap().len(), 1);
    let by_context = json!({ "filters": { "context_contains": "abcde3" } });
    assert_eq!(
        call(&agent, "acme", "list_tasks", by_context).await.body["tasks"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn a_cursor_holds_its_place_while_tasks_come() {
    for descending in [false, true] {
        let (agent, _) = agent(Mode::Task);
        let direction = if descending { "desc" } else { "asc" };
        let mut number = 0;
        let mut issue = async || {
            number += 1;
            let key = format!("key-0123456789ab{direction}{number}");
            call(&agent, "acme", "create_media_buy", order(&key)).await.body["task_id"].clone()
        };
        let mut old = Vec::new();
        for _ in 0..6 {
            old.push(issue().await);
        }
        let mut ask = json!({ "pagination": { "max_results": 1 }, "sort": { "direction": direction } });
        let mut seen = Vec::new();
        for _ in 0..6 {
            let page = call(&agent, "acme", "list_tasks", ask.clone()).await;
            seen.push(page.body["tasks"][0]["task_id"].clone());
            ask["pagination"]["cursor"] = page.body["pagination"]["cursor"].clone();
            issue().await;
        }
        old.sort_by_key(ToString::to_string);
        seen.sort_by_key(ToString::to_string);
        assert_eq!(seen, old, "each old task once, and none that came later: {direction}");
    }
}

#[tokio::test]
async fn a_question_and_a_reason_are_shown_with_the_task() {
    let (agent, _) = scripted(|ctx| Ok(ctx.handoff_to_workflow(async move |_| Ok(())).into()));
    let task = task_of(&buy(&agent).await);
    let question = CreateMediaBuyInputRequired::from_json(json!({ "reason": "APPROVAL_REQUIRED" })).unwrap();
    agent.desk().require_input(&task, &question).await.unwrap();
    let asked = poll(&agent, &task).await;
    assert_eq!(asked["status"], "input-required");
    assert_eq!(asked["input_required"], json!({ "reason": "APPROVAL_REQUIRED" }));
    assert!(asked["message"].as_str().unwrap().ends_with("APPROVAL_REQUIRED"), "{asked}");
    agent.desk().resume(&task).await.unwrap();
    let answered = poll(&agent, &task).await;
    assert!(answered.get("input_required").is_none() && answered.get("message").is_none(), "{answered}");
    agent.desk().cancel(&task, "the season is over").await.unwrap();
    let ended = poll(&agent, &task).await;
    assert_eq!((&ended["status"], &ended["message"]), (&"canceled".into(), &"the season is over".into()));
}

#[tokio::test]
async fn counters_of_a_tool_are_shown_with_its_progress() {
    let (agent, _) = scripted(|ctx| Ok(ctx.handoff_to_workflow(async move |_| Ok(())).into()));
    let task = task_of(&buy(&agent).await);
    let report = SyncCreativesWorking::new()
        .with_percentage(50.0)
        .with_current_step("transcoding")
        .with_step_number(2)
        .with_total_steps(4)
        .with_creatives_processed(3)
        .with_creatives_total(6)
        .with_context(object(json!({ "not": "progress" })));
    agent.desk().progress(&task, report).await.unwrap();
    let progress = json!({ "percentage": 50.0, "current_step": "transcoding", "step_number": 2, "total_steps": 4,
        "creatives_processed": 3, "creatives_total": 6 });
    let polled = poll(&agent, &task).await;
    assert_eq!(polled["progress"], progress);
    assert_eq!(polled["history"][1]["data"]["progress"], progress);
}

#[tokio::test]
async fn an_error_is_shown_with_all_that_helps() {
    let (agent, _) = scripted(|ctx| {
        Ok(ctx
            .handoff_to_task(async move |_| {
                Err(AdcpError::budget_too_low("packages[0].budget", 500, "EUR").with_suggestion("raise it"))
            })
            .into())
    });
    let reply = buy(&agent).await;
    let error = ended(&agent, &reply.body["task_id"]).await["error"].clone();
    assert_eq!((&error["code"], &error["field"]), (&"BUDGET_TOO_LOW".into(), &"packages[0].budget".into()));
    assert_eq!((&error["recovery"], &error["suggestion"]), (&"correctable".into(), &"raise it".into()));
    assert_eq!(error["details"]["operation"], "create_media_buy");
    assert!(error["details"]["specific_context"].is_object());
}

#[tokio::test]
async fn the_result_carries_the_context_of_the_call_and_the_poll_its_own() {
    let (agent, _) = scripted(|ctx| Ok(ctx.handoff_to_task(async move |_| Ok(booked())).into()));
    let reply = buy(&agent).await;
    ended(&agent, &reply.body["task_id"]).await;
    let ask = json!({ "task_id": reply.body["task_id"], "include_result": true, "context": { "poll": 2 } });
    let polled = call(&agent, "acme", "get_task_status", ask).await.body;
    assert_eq!(polled["context"], json!({ "poll": 2 }));
    assert_eq!(polled["result"]["context"], json!({ "correlation_id": "key-0123456789abcdef" }));
}

#[tokio::test]
async fn tasks_are_found_by_whether_their_end_is_notified() {
    let registry = Arc::new(MemoryRegistry::volatile());
    let seller = Scripted::buying(|ctx| Ok(ctx.handoff_to_workflow(async move |_| Ok(())).into()));
    let agent = building(&seller, registry).auto_emit(false).build().unwrap();
    let plain = buy(&agent).await;
    let mut ask = order("key-0123456789abcde2");
    ask["push_notification_config"] = json!({ "url": "https://buyer.example/hook", "operation_id": "op_1" });
    let registered = call(&agent, "acme", "create_media_buy", ask).await;
    for (has, want) in [(true, &registered), (false, &plain)] {
        let list = call(&agent, "acme", "list_tasks", json!({ "filters": { "has_webhook": has } })).await;
        assert_eq!(list.body["query_summary"]["total_matching"], 1);
        assert_eq!(list.body["tasks"][0]["task_id"], want.body["task_id"]);
        assert_eq!(list.body["tasks"][0]["has_webhook"], has);
    }
}

#[tokio::test]
async fn the_legacy_names_answer_with_the_same_payloads() {
    let (agent, _) = agent(Mode::Task);
    let issued = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
    let ask = json!({ "task_id": issued.body["task_id"], "include_history": true });
    for (tool, legacy, ask) in [
        ("get_task_status", "tasks/get", ask),
        ("list_tasks", "tasks/list", json!({ "filters": { "status": "submitted" } })),
    ] {
        let by_tool = call(&agent, "acme", tool, ask.clone()).await.body;
        assert_eq!(by_tool, call(&agent, "acme", legacy, ask).await.body);
        assert!(agent.tools().iter().all(|tool| tool.name != legacy));
    }
}

#[tokio::test]
async fn no_report_makes_a_task_unreadable() {
    let mut never = Progress::default();
    never.percentage = Some(f64::NAN);
    let mut huge = Progress::default();
    huge.percentage = Some(1e308);
    let odd = [
        never,
        huge,
        Progress::default().with_extra("percentage", "soon").with_extra("current_step", 7),
        Progress::default().with_position(0, 0).with_extra("total_steps", 0).with_extra("step_number", 0),
    ];
    for report in odd {
        let (agent, registry) = scripted(|ctx| Ok(ctx.handoff_to_workflow(async move |_| Ok(())).into()));
        let task = task_of(&buy(&agent).await);
        TaskDesk::new(registry).progress(&task, report.clone()).await.unwrap();
        let polled = poll(&agent, &task).await;
        assert_eq!(polled["status"], "working", "{report:?}: {polled}");
        let list = call(&agent, "acme", "list_tasks", json!({ "include_history": true })).await;
        assert_eq!(list.body["tasks"][0]["status"], "working", "{report:?}: {:?}", list.body);
    }
}
