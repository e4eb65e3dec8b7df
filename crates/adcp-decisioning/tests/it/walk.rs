//! Every tool of the manifest through the same checks, so that a new one is covered the day it is generated.

use std::sync::Arc;

use adcp_decisioning::{Agent, Call, Reply};
use adcp_types::tools::{ALL, Presence, ToolSpec};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::everything::{Mood, Seen, everything, request};
use crate::seller::{buyer, call, code, object};

/// Tools that the SDK answers itself: no method, no key, no account of their own.
fn is_own(spec: &ToolSpec) -> bool {
    spec.protocol.as_str() == "protocol"
}

/// Every refusal says the same in both layers, and nothing but the envelope beside them.
fn assert_refused(tool: &str, reply: &Reply, want: &str) {
    assert_eq!(code(reply), want, "{tool}: {:?}", reply.body);
    assert!(reply.failed, "{tool}");
    assert_eq!(reply.body["status"], "failed", "{tool}");
    assert_eq!(reply.body["errors"], json!([reply.body["adcp_error"]]), "{tool}");
    for part in ["message", "recovery"] {
        assert!(!reply.body["adcp_error"][part].as_str().unwrap().is_empty(), "{tool} has no {part}");
    }
    let envelope = ["adcp_error", "adcp_version", "context", "errors", "status"];
    assert!(reply.body.keys().all(|name| envelope.contains(&name.as_str())), "{tool}: {:?}", reply.body);
}

#[tokio::test]
async fn every_tool_refuses_alike() {
    let (agent, seen) = everything();
    for spec in ALL {
        let context = json!({ "correlation_id": spec.name });
        let ask = |extra: Value| {
            let mut ask = extra;
            ask["context"] = context.clone();
            ask
        };
        let stranger = agent.call(Call::new(spec.name, object(ask(json!({}))))).await;
        let mut replies = vec![stranger];
        if agent.is_public(spec.name) {
            assert!(!replies[0].failed, "{}", spec.name);
        } else {
            assert_refused(spec.name, &replies[0], "AUTH_MISSING");
        }
        for (extra, want) in [
            (json!({ "adcp_version": "99.0" }), "VERSION_UNSUPPORTED"),
            (json!({ "adcp_major_version": 99 }), "VERSION_UNSUPPORTED"),
            (json!({ "adcp_version": 7 }), "INVALID_REQUEST"),
        ] {
            let reply = call(&agent, "acme", spec.name, ask(extra)).await;
            assert_refused(spec.name, &reply, want);
            replies.push(reply);
        }
        for reply in replies {
            assert_eq!(reply.body["context"], context, "{}", spec.name);
            assert_eq!(reply.body["adcp_version"], adcp_types::ADCP_RELEASE, "{}", spec.name);
        }
    }
    assert_eq!(seen.take(), [], "an adopter was asked about a refused call");
}

#[tokio::test]
async fn every_malformed_body_is_refused_by_the_name_of_its_field() {
    let (agent, seen) = everything();
    for spec in ALL {
        let mut asked = request(spec, "acme", "key-0123456789abcdef");
        let schema = agent.tools().iter().find(|tool| tool.name == spec.name).unwrap().input_schema.clone();
        let required = schema.get("required").and_then(Value::as_array).and_then(|names| names.first());
        let field = match required.and_then(Value::as_str) {
            // Callers of older releases leave this one out, and are understood.
            Some(name) if name != "buying_mode" => {
                asked.as_object_mut().unwrap().remove(name);
                name
            }
            _ => {
                asked["ext"] = 7.into();
                "ext"
            }
        };
        let reply = call(&agent, "acme", spec.name, asked).await;
        assert_refused(spec.name, &reply, "INVALID_REQUEST");
        assert_eq!(reply.body["adcp_error"]["field"], field, "{}", spec.name);
        assert!(!reply.body["adcp_error"]["issues"].as_array().unwrap().is_empty(), "{}", spec.name);
    }
    assert_eq!(seen.take(), []);
}

#[tokio::test]
async fn every_answer_echoes_the_context_and_every_refusal_of_a_seller_fills_both_layers() {
    let (agent, seen) = everything();
    for spec in ALL.iter().filter(|spec| spec.name != "get_task_status") {
        let context = json!({ "nested": { "name": [spec.name] } });
        let mut asked = request(spec, "acme", &format!("key-0123456789-{}", spec.name));
        asked["context"] = context.clone();
        let reply = call(&agent, "acme", spec.name, asked.clone()).await;
        assert!(!reply.failed, "{}: {:?}", spec.name, reply.body);
        assert_eq!(reply.body["context"], context, "{}", spec.name);
        if is_own(spec) {
            continue;
        }
        seen.be(Mood::Refuse);
        if spec.idempotency_key != Presence::Absent {
            asked["idempotency_key"] = format!("key-9876543210-{}", spec.name).into();
        }
        let refused = call(&agent, "acme", spec.name, asked.clone()).await;
        assert_refused(spec.name, &refused, "POLICY_VIOLATION");
        assert_eq!(refused.body["adcp_error"]["field"], "name", "{}", spec.name);
        assert_eq!(refused.body["context"], context, "{}", spec.name);
        // An error is not recorded: the same key may try again.
        seen.be(Mood::Answer);
        let again = call(&agent, "acme", spec.name, asked).await;
        assert!(!again.failed && !again.body.contains_key("replayed"), "{}: {:?}", spec.name, again.body);
        assert_eq!(seen.take().len(), 3, "{}", spec.name);
    }
}

/// Asks and counts how often the seller heard of it.
async fn counted(agent: &Agent, seen: &Arc<Seen>, who: &str, tool: &str, asked: &Value) -> (Reply, usize) {
    let reply = call(agent, who, tool, asked.clone()).await;
    (reply, seen.take().len())
}

#[tokio::test]
async fn every_change_runs_once_per_key_principal_and_account() {
    let (agent, seen) = everything();
    for spec in ALL.iter().filter(|spec| spec.mutating) {
        let tool = spec.name;
        let mut asked = request(spec, "acme", "");
        // A key is honoured where the schema declares none, too.
        asked["idempotency_key"] = format!("key-0123456789-{tool}").into();
        let (first, calls) = counted(&agent, &seen, "acme", tool, &asked).await;
        assert!(!first.failed && calls == 1, "{tool}: {:?}", first.body);
        assert!(!first.body.contains_key("replayed"), "{tool}");

        let mut repeated = asked.clone();
        repeated["context"] = json!({ "attempt": 2 });
        let (mut second, calls) = counted(&agent, &seen, "acme", tool, &repeated).await;
        assert_eq!(calls, 0, "{tool} ran twice");
        assert_eq!(second.body.remove("replayed"), Some(true.into()), "{tool}");
        assert_eq!(second.body.remove("context"), Some(json!({ "attempt": 2 })), "{tool}");
        assert_eq!(second.body, first.body, "{tool}");

        let mut other = asked.clone();
        other["ext"] = json!({ "changed": { "by": "one field" } });
        let (conflict, calls) = counted(&agent, &seen, "acme", tool, &other).await;
        assert_refused(tool, &conflict, "IDEMPOTENCY_CONFLICT");
        assert_eq!(calls, 0, "{tool}");

        let mut of_another = asked.clone();
        if of_another.get("account").is_some() {
            of_another["account"]["account_id"] = "umbrella".into();
        }
        let (stranger, calls) = counted(&agent, &seen, "umbrella", tool, &of_another).await;
        assert!(!stranger.failed && calls == 1, "{tool}: {:?}", stranger.body);
        assert!(!stranger.body.contains_key("replayed"), "{tool} showed one principal the answer to another");

        if spec.account != Presence::Absent {
            let mut elsewhere = asked.clone();
            elsewhere["account"]["account_id"] = "acme-2".into();
            let (elsewhere, calls) = counted(&agent, &seen, "acme", tool, &elsewhere).await;
            assert!(!elsewhere.failed && calls == 1, "{tool}: {:?}", elsewhere.body);
            assert!(
                !elsewhere.body.contains_key("replayed"),
                "{tool} showed one account the answer on another"
            );
        }
    }
}

#[tokio::test]
async fn every_read_tolerates_a_key_and_is_never_replayed() {
    let (agent, seen) = everything();
    for spec in ALL.iter().filter(|spec| !spec.mutating && !is_own(spec)) {
        let mut asked = request(spec, "acme", "");
        asked["idempotency_key"] = "key-0123456789abcdef".into();
        for _ in 0..2 {
            let (reply, calls) = counted(&agent, &seen, "acme", spec.name, &asked).await;
            assert!(!reply.failed && calls == 1, "{}: {:?}", spec.name, reply.body);
            assert!(!reply.body.contains_key("replayed"), "{}", spec.name);
        }
    }
}

#[tokio::test]
async fn an_account_of_somebody_else_reads_as_absent_in_every_tool() {
    let (agent, seen) = everything();
    let tools = ALL.iter().filter(|spec| spec.account != Presence::Absent && !is_own(spec));
    // In lists of accounts the field narrows; the controller has its own word for it.
    for spec in tools.filter(|spec| !["list_accounts", "comply_test_controller"].contains(&spec.name)) {
        let ask = async |account: &str| {
            let mut asked = request(spec, "acme", &format!("key-0123456789-{account}"));
            asked["account"] = json!({ "account_id": account });
            call(&agent, "acme", spec.name, asked).await
        };
        let (foreign, absent) = (ask("umbrella").await, ask("nobody").await);
        assert_refused(spec.name, &foreign, "ACCOUNT_NOT_FOUND");
        assert_eq!(foreign.body, absent.body, "{} tells a foreign account from an absent one", spec.name);
    }
    assert_eq!(seen.take(), []);
}

/// A few levels of any JSON.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e12f64..1e12).prop_map(Value::from),
        "[a-z0-9_ \u{0}é]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,12}", inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Any value under the names that tools look at.
fn any_arguments() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 16] = [
        "account",
        "adcp_version",
        "adcp_major_version",
        "brand",
        "brief",
        "buying_mode",
        "context",
        "ext",
        "filters",
        "idempotency_key",
        "media_buy_id",
        "packages",
        "pagination",
        "push_notification_config",
        "sort",
        "task_id",
    ];
    prop::collection::btree_map(prop::sample::select(&NAMES[..]), any_json(), 0..8).prop_map(|fields| {
        Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_sent_gets_a_whole_answer(arguments in any_arguments(), pick in any::<prop::sample::Index>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (agent, _) = everything();
            let tool = agent.tools()[pick.index(agent.tools().len())].name;
            let reply = agent.call(Call::new(tool, object(arguments)).by(buyer("acme"))).await;
            prop_assert!(reply.body["status"].is_string());
            prop_assert_eq!(&reply.body["adcp_version"], adcp_types::ADCP_RELEASE);
            prop_assert_eq!(reply.failed, reply.body.contains_key("adcp_error"));
            prop_assert_ne!(code(&reply), "SERVICE_UNAVAILABLE");
            Ok(())
        })?;
    }
}
