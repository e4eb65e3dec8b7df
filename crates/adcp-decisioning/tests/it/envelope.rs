//! The fields beside every body.

use adcp_decisioning::Call;
use serde_json::json;

use crate::seller::{Mode, agent, call, code, object, order};

#[tokio::test]
async fn every_answer_carries_status_version_and_the_callers_context() {
    let (agent, _) = agent(Mode::Book);
    let reply = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
    assert!(!reply.failed, "{:?}", reply.body);
    assert_eq!(reply.body["status"], "completed");
    assert_eq!(reply.body["adcp_version"], adcp_types::ADCP_RELEASE);
    assert_eq!(reply.body["context"], json!({ "correlation_id": "key-0123456789abcdef" }));
    assert_eq!(reply.body["media_buy_id"], "mb_1");
    assert!(!reply.body.contains_key("replayed"));
    let plain = call(&agent, "acme", "get_products", json!({ "buying_mode": "wholesale" })).await;
    assert!(!plain.body.contains_key("context"), "a context was invented");
}

#[tokio::test]
async fn capabilities_are_public_and_say_what_is_mounted() {
    let (agent, _) = agent(Mode::Book);
    let reply =
        agent.call(Call::new("get_adcp_capabilities", object(json!({ "context": { "a": [1] } })))).await;
    assert!(!reply.failed, "{:?}", reply.body);
    assert_eq!(reply.body["adcp"]["supported_versions"], json!([adcp_types::ADCP_RELEASE]));
    assert_eq!(reply.body["adcp"]["major_versions"], json!([3]));
    assert_eq!(reply.body["adcp"]["idempotency"], json!({ "supported": true, "replay_ttl_seconds": 3600 }));
    assert_eq!(reply.body["supported_protocols"], json!(["media_buy"]));
    assert_eq!(reply.body["media_buy"]["supports_proposals"], false);
    assert_eq!(reply.body["context"], json!({ "a": [1] }));
    let narrowed =
        agent.call(Call::new("get_adcp_capabilities", object(json!({ "protocols": ["signals"] })))).await;
    assert!(!narrowed.body.contains_key("media_buy"));
}

#[tokio::test]
async fn only_what_is_mounted_is_listed() {
    let (agent, _) = agent(Mode::Book);
    let names: Vec<_> = agent.tools().iter().map(|tool| tool.name).collect();
    assert!(names.is_sorted());
    assert!(names.contains(&"create_media_buy") && names.contains(&"list_tasks"));
    assert!(!names.contains(&"sync_creatives") && !names.contains(&"tasks/get"));
    assert!(agent.knows("sync_creatives") && !agent.answers("sync_creatives"));
    assert!(agent.answers("tasks/get") && !agent.knows("nonsense"));
    for tool in agent.tools() {
        assert!(tool.description.len() > 40, "{} has no description to act on", tool.name);
        assert_eq!(tool.input_schema["type"], "object", "{}", tool.name);
    }
}

#[tokio::test]
async fn a_wrong_version_is_refused_in_both_layers_with_the_context() {
    let (agent, shared) = agent(Mode::Book);
    let ask = json!({ "buying_mode": "wholesale", "adcp_major_version": 99, "context": { "id": "x" } });
    let reply = call(&agent, "acme", "get_products", ask).await;
    assert!(reply.failed);
    assert_eq!(code(&reply), "VERSION_UNSUPPORTED");
    assert_eq!(reply.body["adcp_error"], reply.body["errors"][0]);
    assert_eq!(reply.body["adcp_error"]["recovery"], "correctable");
    assert_eq!(reply.body["status"], "failed");
    assert_eq!(reply.body["context"], json!({ "id": "x" }));
    assert_eq!(shared.calls.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_oversized_context_is_refused_and_not_echoed() {
    let (agent, _) = agent(Mode::Book);
    let ask = json!({ "buying_mode": "wholesale", "context": { "x": "y".repeat(65 * 1024) } });
    let reply = call(&agent, "acme", "get_products", ask).await;
    assert_eq!(code(&reply), "INVALID_REQUEST");
    assert_eq!(reply.body["adcp_error"]["field"], "context");
    assert!(reply.body["adcp_error"]["message"].as_str().unwrap().contains("65536"));
    assert!(!reply.body.contains_key("context"));
}
