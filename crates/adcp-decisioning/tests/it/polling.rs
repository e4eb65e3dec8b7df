//! What a buyer sees of its tasks, and nobody else does.

use serde_json::json;

use crate::seller::{Mode, agent, call, code, order};

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
async fn legacy_names_answer_like_the_tools() {
    let (agent, _) = agent(Mode::Task);
    let issued = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
    let ask = json!({ "task_id": issued.body["task_id"] });
    let tool = call(&agent, "acme", "get_task_status", ask.clone()).await;
    let legacy = call(&agent, "acme", "tasks/get", ask).await;
    assert_eq!(tool.body["task_id"], legacy.body["task_id"]);
    let list = call(&agent, "acme", "tasks/list", json!({})).await;
    assert_eq!(list.body["tasks"][0]["task_id"], issued.body["task_id"]);
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
