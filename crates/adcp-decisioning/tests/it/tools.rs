//! Every tool of the manifest through a seller of everything.

use adcp_decisioning::Call;
use adcp_types::tools::ALL;
use serde_json::json;

use crate::everything::{Mood, bare, body_of, everything, request, response};
use crate::scripted::{poll, task_of};
use crate::seller::{buyer, call, code, object};

/// Answered by the SDK itself.
const OWN: [&str; 3] = ["get_adcp_capabilities", "get_task_status", "list_tasks"];

#[tokio::test]
async fn every_method_gets_the_typed_request_once_and_its_answer_reaches_the_buyer() {
    let (agent, seen) = everything();
    for spec in ALL {
        let asked = request(spec, "acme", &format!("key-0123456789-{}", spec.name));
        assert!(agent.answers(spec.name), "{} has no home", spec.name);
        if OWN.contains(&spec.name) {
            continue;
        }
        let reply = call(&agent, "acme", spec.name, asked.clone()).await;
        assert!(!reply.failed, "{}: {:?}", spec.name, reply.body);
        assert_eq!(reply.body["status"], "completed", "{}", spec.name);
        assert_eq!(seen.take(), [(spec.name, asked)], "{}", spec.name);
        assert_eq!(body_of(spec.name, &reply.body), response(spec.name), "{}", spec.name);
    }
}

#[tokio::test]
async fn whatever_has_a_submitted_answer_and_a_task_type_may_become_a_task_and_nothing_else() {
    let (agent, seen) = everything();
    seen.be(Mood::HandOff);
    for spec in ALL.iter().filter(|spec| !OWN.contains(&spec.name)) {
        let asked = request(spec, "acme", &format!("key-0123456789-{}", spec.name));
        let reply = call(&agent, "acme", spec.name, asked).await;
        let (true, Some(task_type)) = (spec.submitted_arm, spec.task_type) else {
            assert_eq!(reply.body["status"], "completed", "{}", spec.name);
            continue;
        };
        assert_eq!(reply.body["status"], "submitted", "{}: {:?}", spec.name, reply.body);
        let fields: Vec<_> = reply.body.keys().collect();
        assert_eq!(fields, ["adcp_version", "status", "task_id"], "{}", spec.name);
        let poll = json!({ "task_id": reply.body["task_id"], "include_result": true });
        let foreign = call(&agent, "umbrella", "get_task_status", poll.clone()).await;
        assert_eq!(code(&foreign), "REFERENCE_NOT_FOUND", "{} shows its task to others", spec.name);
        let ended = loop {
            let polled = call(&agent, "acme", "get_task_status", poll.clone()).await;
            if polled.body["status"] == "completed" {
                break polled;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(ended.body["task_type"], task_type, "{}", spec.name);
        let result = ended.body["result"].as_object().unwrap();
        assert_eq!(body_of(spec.name, result), response(spec.name), "{}", spec.name);
    }
}

#[tokio::test]
async fn whatever_may_become_a_task_may_be_carried_by_another_system() {
    let (agent, seen) = everything();
    seen.be(Mood::Enqueue);
    for spec in ALL.iter().filter(|spec| spec.submitted_arm && spec.task_type.is_some()) {
        let asked = request(spec, "acme", &format!("key-0123456789-{}", spec.name));
        let reply = call(&agent, "acme", spec.name, asked).await;
        let fields: Vec<_> = reply.body.keys().collect();
        assert_eq!(fields, ["adcp_version", "status", "task_id"], "{}: {:?}", spec.name, reply.body);
        let task = task_of(&reply);
        agent.desk().complete(&task, &response(spec.name)).await.unwrap();
        let polled = poll(&agent, &task).await;
        assert_eq!(polled["status"], "completed", "{}", spec.name);
        let result = polled["result"].as_object().unwrap();
        assert_eq!(body_of(spec.name, result), response(spec.name), "{}", spec.name);
    }
}

#[tokio::test]
async fn whatever_has_a_schema_for_questions_may_ask_and_nothing_else() {
    let (agent, seen) = everything();
    seen.be(Mood::Ask);
    for spec in ALL.iter().filter(|spec| !OWN.contains(&spec.name)) {
        let asked = request(spec, "acme", &format!("key-0123456789-{}", spec.name));
        let reply = call(&agent, "acme", spec.name, asked).await;
        let want = if spec.input_required_schema.is_some() { "input-required" } else { "completed" };
        assert_eq!(reply.body["status"], want, "{}: {:?}", spec.name, reply.body);
    }
}

#[tokio::test]
async fn every_tool_is_listed_with_words_to_act_on() {
    let (agent, _) = everything();
    let listed: Vec<&str> = agent.tools().iter().map(|tool| tool.name).collect();
    let all: Vec<&str> = ALL.iter().map(|spec| spec.name).collect();
    assert_eq!(listed, all);
    for tool in agent.tools() {
        assert!(tool.description.len() > 40, "{} has no description to act on", tool.name);
        assert_eq!(tool.input_schema["type"], "object", "{}", tool.name);
    }
}

#[tokio::test]
async fn what_is_not_mounted_is_advertised_nowhere() {
    let (builder, seen) = bare();
    let agent = builder.signals().build().unwrap();
    for spec in ALL {
        let there = spec.name == "get_signals" || OWN.contains(&spec.name);
        assert_eq!(agent.answers(spec.name), there, "{}", spec.name);
        assert_eq!(agent.tools().iter().any(|tool| tool.name == spec.name), there, "{}", spec.name);
        if !there {
            let reply = call(
                &agent,
                "acme",
                spec.name,
                request(spec, "acme", &format!("key-0123456789-{}", spec.name)),
            )
            .await;
            assert_eq!(reply.body["adcp_error"]["code"], "UNSUPPORTED_FEATURE", "{}", spec.name);
        }
    }
    assert_eq!(seen.take(), []);
    let told = agent.call(Call::new("get_adcp_capabilities", object(json!({})))).await.body;
    assert_eq!(told["supported_protocols"], json!(["signals"]));
    for block in [
        "account",
        "brand",
        "compliance_testing",
        "creative",
        "experimental_features",
        "governance",
        "media_buy",
    ] {
        assert!(!told.contains_key(block), "{block} is told of though nothing stands behind it");
    }
}

#[tokio::test]
async fn capabilities_follow_from_what_is_mounted() {
    let (agent, _) = everything();
    let told = agent.call(Call::new("get_adcp_capabilities", object(json!({}))).by(buyer("acme"))).await.body;
    assert_eq!(
        told["supported_protocols"],
        json!(["brand", "creative", "governance", "media_buy", "signals", "sponsored_intelligence"])
    );
    assert_eq!(
        told["experimental_features"],
        json!([
            "brand.rights_lifecycle",
            "brand.search",
            "governance.campaign",
            "sponsored_intelligence.core"
        ])
    );
    assert_eq!(told["creative"], json!({ "has_creative_library": true, "supports_transformers": true }));
    assert_eq!(told["brand"], json!({ "rights": true }));
    assert_eq!(told["signals"], json!({ "discovery_modes": ["brief"] }));
    assert_eq!(
        told["media_buy"],
        json!({ "supports_proposals": false, "features": { "catalog_management": true } })
    );
    assert_eq!(told["compliance_testing"], json!({ "scenarios": ["seed_product"] }));
}

#[tokio::test]
async fn one_group_alone_opens_its_protocol() {
    let protocols = async |mount: fn(Mount) -> Mount| {
        let agent = mount(bare().0).build().unwrap();
        let told = agent.call(Call::new("get_adcp_capabilities", object(json!({})))).await.body;
        told["supported_protocols"].clone()
    };
    assert_eq!(protocols(|it| it.sales()).await, json!(["media_buy"]));
    assert_eq!(protocols(|it| it.sales().creative_library().list_accounts()).await, json!(["media_buy"]));
    assert_eq!(protocols(|it| it.creative_formats().creative_building()).await, json!(["creative"]));
    assert_eq!(protocols(|it| it.list_accounts().audiences()).await, json!(["media_buy"]));
    assert_eq!(protocols(|it| it.property_lists()).await, json!(["governance"]));
    assert_eq!(protocols(|it| it.governance()).await, json!(["governance"]));
    assert_eq!(protocols(|it| it.brand_identity()).await, json!(["brand"]));
    assert_eq!(protocols(|it| it.sponsored_intelligence()).await, json!(["sponsored_intelligence"]));
}

type Mount = adcp_decisioning::AgentBuilder<crate::everything::Everything>;

#[tokio::test]
async fn an_error_that_is_returned_as_an_answer_is_an_error_and_frees_the_key() {
    let (agent, seen) = everything();
    seen.be(Mood::ErrorArm);
    let mut refused = Vec::new();
    for spec in ALL.iter().filter(|spec| !OWN.contains(&spec.name)) {
        let asked = request(spec, "acme", &format!("key-0123456789-{}", spec.name));
        let reply = call(&agent, "acme", spec.name, asked.clone()).await;
        // Types that cannot hold an error arm answer, and schemas without one refuse what it would be.
        if !reply.failed || code(&reply) == "SERVICE_UNAVAILABLE" {
            continue;
        }
        assert_eq!(code(&reply), "POLICY_VIOLATION", "{}: {:?}", spec.name, reply.body);
        assert_eq!(reply.body["adcp_error"]["field"], "name", "{}", spec.name);
        assert_eq!(reply.body["errors"][0], reply.body["adcp_error"], "{}", spec.name);
        seen.take();
        call(&agent, "acme", spec.name, asked).await;
        assert_eq!(seen.take().len(), 1, "{} was not asked again", spec.name);
        refused.push(spec.name);
    }
    for tool in ["acquire_rights", "build_creative", "creative_approval"] {
        assert!(refused.contains(&tool), "{tool} took an error for an answer: {refused:?}");
    }
}
