//! The compliance controller: whom it obeys and what it plays, decided before the seller is asked.

use adcp_types::tools;
use serde_json::{Value, json};

use crate::everything::{everything, request};
use crate::seller::call;

const TOOL: &str = "comply_test_controller";

async fn ask(change: impl FnOnce(&mut Value)) -> (Value, usize) {
    let (agent, seen) = everything();
    let mut asked = request(&tools::COMPLY_TEST_CONTROLLER, "acme", "key-0123456789abcdef");
    change(&mut asked);
    let reply = call(&agent, "acme", TOOL, asked).await;
    (Value::Object(reply.body), seen.take().len())
}

#[tokio::test]
async fn only_a_sandbox_by_the_sellers_record_is_played_with() {
    for account in ["acme-live", "umbrella", "nobody"] {
        let (body, calls) = ask(|asked| asked["account"]["account_id"] = account.into()).await;
        assert_eq!((&body["success"], &body["error"]), (&json!(false), &json!("FORBIDDEN")), "{body}");
        assert_eq!(body["status"], "completed", "a controller's refusal is an answer");
        assert!(body.get("adcp_error").is_none(), "{body}");
        assert_eq!(calls, 0);
    }
    let (body, calls) = ask(|_| {}).await;
    assert_eq!((&body["success"], calls), (&json!(true), 1), "{body}");
}

#[tokio::test]
async fn scenarios_that_are_not_declared_are_unknown_and_the_list_is_what_was_declared() {
    for scenario in ["force_creative_status", "force_the_moon"] {
        let (body, calls) = ask(|asked| {
            asked["scenario"] = scenario.into();
            asked["params"] = json!({ "creative_id": "c", "status": "approved" });
        })
        .await;
        assert_eq!((&body["success"], &body["error"]), (&json!(false), &json!("UNKNOWN_SCENARIO")), "{body}");
        assert_eq!(calls, 0);
    }
    let (body, calls) = ask(|asked| asked["scenario"] = "list_scenarios".into()).await;
    assert_eq!((&body["success"], &body["scenarios"]), (&json!(true), &json!(["seed_product"])), "{body}");
    assert_eq!(calls, 0);
}
