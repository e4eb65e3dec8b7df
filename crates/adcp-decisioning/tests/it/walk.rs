//! Every listed tool through the same checks, so that a new one is covered the day it is mounted.

use std::sync::atomic::Ordering;

use adcp_decisioning::Call;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::seller::{Mode, agent, buyer, call, code, object};

#[tokio::test]
async fn every_tool_refuses_alike() {
    let (agent, shared) = agent(Mode::Book);
    for tool in agent.tools() {
        let context = json!({ "correlation_id": tool.name });
        let ask = |extra: Value| {
            let mut ask = extra;
            ask["context"] = context.clone();
            ask
        };
        let stranger = agent.call(Call::new(tool.name, object(ask(json!({}))))).await;
        let expected = if agent.is_public(tool.name) { "none" } else { "AUTH_MISSING" };
        assert_eq!(code(&stranger), expected, "{}", tool.name);

        let mut replies = vec![(stranger, expected)];
        for (extra, want) in [
            (json!({ "adcp_version": "99.0" }), "VERSION_UNSUPPORTED"),
            (json!({ "adcp_major_version": 99 }), "VERSION_UNSUPPORTED"),
            (json!({ "adcp_version": 7 }), "INVALID_REQUEST"),
        ] {
            let reply = call(&agent, "acme", tool.name, ask(extra)).await;
            assert_eq!(code(&reply), want, "{}", tool.name);
            replies.push((reply, want));
        }
        for (reply, want) in replies {
            assert_eq!(reply.body["context"], context, "{}", tool.name);
            assert_eq!(reply.body["adcp_version"], adcp_types::ADCP_RELEASE, "{}", tool.name);
            assert_eq!(reply.failed, want != "none", "{}", tool.name);
            if reply.failed {
                assert_eq!(reply.body["status"], "failed");
                assert_eq!(reply.body["errors"][0], reply.body["adcp_error"]);
                assert!(!reply.body["adcp_error"]["recovery"].as_str().unwrap().is_empty());
            }
        }
    }
    assert_eq!(shared.calls.load(Ordering::SeqCst), 0, "an adopter was asked about a refused call");
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
            let (agent, _) = agent(Mode::Book);
            let tool = agent.tools()[pick.index(agent.tools().len())].name;
            let reply = agent.call(Call::new(tool, object(arguments)).by(buyer("acme"))).await;
            prop_assert!(reply.body["status"].is_string());
            prop_assert_eq!(&reply.body["adcp_version"], adcp_types::ADCP_RELEASE);
            prop_assert_eq!(reply.failed, reply.body.contains_key("adcp_error"));
            prop_assert_ne!(code(&reply), if tool == "get_media_buy_delivery" { "" } else { "SERVICE_UNAVAILABLE" });
            Ok(())
        })?;
    }
}
