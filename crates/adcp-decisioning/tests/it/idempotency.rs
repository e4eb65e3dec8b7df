//! Once, however often the buyer sends it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use adcp_core::{AdcpError, Resolution, ResolveCall, TenantId};
use adcp_types::ErrorCode;
use adcp_types::json::JsonObject;
use serde_json::json;

use crate::flaky::Flaky;
use crate::scripted::{Scripted, bought, building, buy};
use crate::seller::{Mode, agent, call, code, order};

fn without(body: &JsonObject, names: &[&str]) -> JsonObject {
    let mut body = body.clone();
    for name in names {
        body.remove(*name);
    }
    body
}

#[tokio::test]
async fn a_repeated_request_is_answered_from_the_record() {
    for mode in [Mode::Book, Mode::Task] {
        let (agent, shared) = agent(mode);
        let first = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
        let mut retry = order("key-0123456789abcdef");
        retry["context"] = json!({ "attempt": 2 });
        let second = call(&agent, "acme", "create_media_buy", retry).await;
        assert_eq!(second.body["replayed"], true);
        assert_eq!(second.body["context"], json!({ "attempt": 2 }), "the context is the caller's of today");
        assert_eq!(without(&first.body, &["context"]), without(&second.body, &["context", "replayed"]));
        assert_eq!(shared.calls.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn another_payload_conflicts_and_tells_nothing() {
    let (agent, shared) = agent(Mode::Book);
    call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
    let mut other = order("key-0123456789abcdef");
    other["packages"][0]["budget"] = json!(2000);
    let reply = call(&agent, "acme", "create_media_buy", other).await;
    assert_eq!(code(&reply), "IDEMPOTENCY_CONFLICT");
    for absent in ["field", "details", "issues"] {
        assert!(reply.body["adcp_error"].get(absent).is_none(), "{absent}");
    }
    let other_tool = json!({
        "idempotency_key": "key-0123456789abcdef", "account": { "account_id": "acme" }, "media_buy_id": "mb_1",
        "paused": true,
    });
    assert_eq!(code(&call(&agent, "acme", "update_media_buy", other_tool).await), "IDEMPOTENCY_CONFLICT");
    assert_eq!(shared.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_error_frees_the_key() {
    let (agent, shared) = agent(Mode::Refuse);
    for _ in 0..2 {
        let reply = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
        assert_eq!(code(&reply), "PRODUCT_NOT_FOUND");
    }
    assert_eq!(shared.calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_storm_runs_the_adopter_once() {
    let (agent, shared) = agent(Mode::Wait);
    let mut storm = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let agent = agent.clone();
        storm.spawn(
            async move { call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await },
        );
    }
    shared.started.notified().await;
    let mut in_flight = 0;
    for _ in 0..31 {
        let reply = storm.join_next().await.unwrap().unwrap();
        assert_eq!(code(&reply), "IDEMPOTENCY_IN_FLIGHT");
        assert!(reply.body["adcp_error"]["details"]["retry_after"].as_u64().unwrap() >= 1);
        in_flight += 1;
    }
    shared.go.notify_one();
    let first = storm.join_next().await.unwrap().unwrap();
    assert_eq!(first.body["media_buy_id"], "mb_1");
    assert_eq!((in_flight, shared.calls.load(Ordering::SeqCst)), (31, 1));
}

#[tokio::test]
async fn a_buyer_who_hangs_up_leaves_a_finished_call() {
    let (agent, shared) = agent(Mode::Wait);
    let hung_up = tokio::spawn({
        let agent = agent.clone();
        async move { call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await }
    });
    shared.started.notified().await;
    hung_up.abort();
    assert!(hung_up.await.unwrap_err().is_cancelled());
    shared.go.notify_one();
    loop {
        let reply = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
        if code(&reply) != "IDEMPOTENCY_IN_FLIGHT" {
            assert_eq!(reply.body["replayed"], true);
            assert_eq!(reply.body["media_buy_id"], "mb_1");
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(shared.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_shutdown_waits_for_the_call_of_a_buyer_who_hung_up() {
    let (agent, shared) = agent(Mode::Wait);
    let hung_up = tokio::spawn({
        let agent = agent.clone();
        async move { call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await }
    });
    shared.started.notified().await;
    hung_up.abort();
    let draining = tokio::spawn({
        let agent = agent.clone();
        async move { agent.drain(Duration::from_secs(60)).await }
    });
    while agent.health().ok {
        tokio::task::yield_now().await;
    }
    assert!(!draining.is_finished());
    shared.go.notify_one();
    draining.await.unwrap();
    let open = agent.registry().unresolved_calls(&TenantId::single(), 10).await.unwrap();
    assert_eq!(open, [], "the answer was recorded before the shutdown was over");
}

#[tokio::test]
async fn reads_tolerate_a_key_and_run_each_time() {
    let (agent, shared) = agent(Mode::Book);
    let ask = json!({ "buying_mode": "wholesale", "idempotency_key": "key-0123456789abcdef" });
    for _ in 0..2 {
        let reply = call(&agent, "acme", "get_products", ask.clone()).await;
        assert!(!reply.failed, "{:?}", reply.body);
        assert!(!reply.body.contains_key("replayed"));
    }
    assert_eq!(shared.calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_unknown_outcome_waits_for_the_operator() {
    for (resolution, then) in
        [(Resolution::Succeeded, "IDEMPOTENCY_EXPIRED"), (Resolution::Released, "SERVICE_UNAVAILABLE")]
    {
        let (agent, shared) = agent(Mode::Panic);
        call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
        let open = agent.registry().unresolved_calls(&TenantId::single(), 10).await.unwrap();
        let [fenced] = open.as_slice() else { panic!("{open:?}") };
        assert_eq!((fenced.tool.as_str(), fenced.fenced), ("create_media_buy", true));

        let word = ResolveCall::new(fenced.key.clone(), resolution);
        assert!(agent.registry().resolve_call(word.clone()).await.unwrap());
        assert!(!agent.registry().resolve_call(word).await.unwrap(), "it is settled already");
        let again = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
        assert_eq!(code(&again), then);
        let runs = if resolution == Resolution::Released { 2 } else { 1 };
        assert_eq!(shared.calls.load(Ordering::SeqCst), runs, "{resolution:?}");
    }
}

#[tokio::test]
async fn a_made_up_session_opens_no_second_scope() {
    let (agent, shared) = agent(Mode::Book);
    call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
    let mut again = order("key-0123456789abcdef");
    again["session_id"] = json!("another");
    assert_eq!(code(&call(&agent, "acme", "create_media_buy", again).await), "IDEMPOTENCY_CONFLICT");
    assert_eq!(shared.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_recorded_although_the_store_is_away_for_a_moment() {
    for good in [true, false] {
        let registry = Flaky::new();
        let seller = Scripted::buying(move |_| {
            if good {
                bought().map(Into::into)
            } else {
                Err(AdcpError::new(ErrorCode::POLICY_VIOLATION, "not here"))
            }
        });
        let agent = building(&seller, registry.clone()).build().unwrap();
        registry.settlements.store(3, Ordering::SeqCst);
        let first = buy(&agent).await;
        assert_eq!(code(&first), if good { "none" } else { "POLICY_VIOLATION" }, "{:?}", first.body);
        let again = buy(&agent).await;
        assert_eq!(code(&again), code(&first), "the key has a known outcome: {:?}", again.body);
        assert_eq!(seller.calls(), if good { 1 } else { 2 });
    }
}
