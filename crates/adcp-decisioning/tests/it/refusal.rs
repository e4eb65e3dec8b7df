//! What is refused, before and after the adopter was asked.

use std::sync::atomic::Ordering;

use adcp_core::Principal;
use adcp_decisioning::{Agent, Call, Tokens};
use serde_json::json;

use crate::seller::{Mode, agent, call, code, object, order};

#[tokio::test]
async fn a_stranger_is_asked_for_credentials() {
    let (agent, shared) = agent(Mode::Book);
    let reply = agent.call(Call::new("create_media_buy", object(order("key-0123456789abcdef")))).await;
    assert_eq!(code(&reply), "AUTH_MISSING");
    assert_eq!(shared.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_request_that_the_schema_refuses_names_the_field() {
    let (agent, shared) = agent(Mode::Book);
    let mut no_key = order("key-0123456789abcdef");
    no_key.as_object_mut().unwrap().remove("idempotency_key");
    let mut bad_budget = order("key-0123456789abcdef");
    bad_budget["packages"][0]["budget"] = json!("lots");
    let mut bad_start = order("key-0123456789abcdef");
    bad_start["start_time"] = json!("tomorrow");
    let cases = [(no_key, "idempotency_key"), (bad_budget, "packages[0].budget"), (bad_start, "start_time")];
    for (request, field) in cases {
        let reply = call(&agent, "acme", "create_media_buy", request).await;
        assert_eq!(code(&reply), "INVALID_REQUEST");
        assert_eq!(reply.body["adcp_error"]["field"], field, "{:?}", reply.body);
        assert_eq!(reply.body["context"]["correlation_id"], "key-0123456789abcdef");
    }
    assert_eq!(shared.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_foreign_account_reads_as_absent() {
    let (agent, shared) = agent(Mode::Book);
    let reply = call(&agent, "nova", "create_media_buy", order("key-0123456789abcdef")).await;
    assert_eq!(code(&reply), "ACCOUNT_NOT_FOUND");
    assert_eq!(shared.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_tool_that_is_not_mounted_is_no_feature() {
    let (agent, _) = agent(Mode::Book);
    let reply = call(&agent, "acme", "sync_creatives", json!({})).await;
    assert_eq!(code(&reply), "UNSUPPORTED_FEATURE");
}

#[tokio::test]
async fn an_invalid_answer_never_reaches_the_buyer() {
    for mode in [Mode::Invalid, Mode::Smuggle] {
        let (agent, shared) = agent(mode);
        let reply = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
        assert_eq!(code(&reply), "SERVICE_UNAVAILABLE", "{mode:?}");
        assert!(!reply.body.contains_key("media_buy_id"));
        // The adopter has acted, so the same request is not run again.
        let again = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
        assert_eq!(code(&again), "IDEMPOTENCY_IN_FLIGHT", "{mode:?}");
        assert_eq!(shared.calls.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_panic_is_contained_and_fences_the_key() {
    let (agent, shared) = agent(Mode::Panic);
    let reply = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
    assert_eq!(code(&reply), "SERVICE_UNAVAILABLE");
    let error = &reply.body["adcp_error"];
    assert!(!error.to_string().contains("fault"));
    assert_eq!(error["details"]["correlation_id"].as_str().unwrap().len(), 16);
    let again = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
    assert_eq!(code(&again), "IDEMPOTENCY_IN_FLIGHT");
    assert_eq!(shared.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_question_to_the_buyer_is_no_error() {
    let (agent, _) = agent(Mode::Ask);
    let reply = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
    assert!(!reply.failed, "{:?}", reply.body);
    assert_eq!(reply.body["status"], "input-required");
    assert_eq!(reply.body["reason"], "APPROVAL_REQUIRED");
}

#[test]
fn every_fault_of_a_configuration_is_reported_at_once() {
    let errors = Agent::builder(()).also_serve("3.1.0").background_tasks(0).build().unwrap_err();
    let text = errors.to_string();
    assert_eq!(format!("{errors:?}"), text, "a main that returns them prints the words");
    for part in ["nothing is mounted", "3.1.0", "authenticator", "accounts", "registry", "background"] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    assert_eq!(errors.iter().count(), 6);
}

#[tokio::test]
async fn credentials_identify_or_fail() {
    use adcp_decisioning::{AuthFailure, Authenticator, Credentials};
    let tokens = Tokens::new().with_token(Principal::new("acme"), &adcp_core::Secret::new("t"));
    let wrong = Credentials::Bearer(adcp_core::Secret::new("u"));
    assert_eq!(tokens.authenticate(&wrong).await, Err(AuthFailure::Invalid));
    assert_eq!(AuthFailure::Missing.error().code().as_str(), "AUTH_MISSING");
}
