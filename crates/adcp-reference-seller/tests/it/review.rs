//! Orders that wait for a reviewer.

use std::time::Duration;

use serde_json::{Value, json};

use crate::market::{Market, account, buy, package, with};

fn ctv(budget: f64) -> Value {
    buy(json!([package("northwind_ctv_premium", "cpm_usd_guaranteed", budget)]))
}

async fn task(market: &Market, id: &Value) -> Value {
    let request = json!({ "account": account(), "task_id": id, "include_result": true });
    market.ok("get_task_status", request).await
}

#[tokio::test(start_paused = true)]
async fn promised_volume_for_much_money_becomes_a_task() {
    let market = Market::open();
    let submitted = market.ok("create_media_buy", ctv(20_000.0)).await;
    assert_eq!(submitted["status"], "submitted");
    assert!(submitted.get("media_buy_id").is_none() && submitted.get("packages").is_none());
    let open = task(&market, &submitted["task_id"]).await;
    assert!(open["status"] == "submitted" || open["status"] == "working", "{open:#}");
    let listed = json!({ "account": account(), "status_filter": ["pending_creatives"] });
    assert_eq!(market.ok("get_media_buys", listed.clone()).await["media_buys"], json!([]));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let done = task(&market, &submitted["task_id"]).await;
    assert_eq!(done["status"], "completed", "{done:#}");
    assert_eq!(done["result"]["media_buy_status"], "pending_creatives");
    let booked = market.ok("get_media_buys", listed).await;
    assert_eq!(booked["media_buys"][0]["media_buy_id"], done["result"]["media_buy_id"]);
}

#[tokio::test]
async fn everything_else_is_decided_at_once() {
    let market = Market::open();
    assert_eq!(market.ok("create_media_buy", ctv(19_999.0)).await["status"], "completed");
    let much = buy(json!([package("harbor_news_display", "cpm_usd_fixed", 900_000.0)]));
    assert_eq!(market.ok("create_media_buy", much).await["status"], "completed");
    let unreviewed = Market::of(crate::market::config().without_review());
    assert_eq!(unreviewed.ok("create_media_buy", ctv(90_000.0)).await["status"], "completed");
}

#[tokio::test]
async fn a_reviewer_sees_only_what_can_be_booked() {
    let market = Market::open();
    let wrong = with(ctv(50_000.0), json!({ "end_time": "2027-01-01T12:00:00Z" }));
    market.refused("create_media_buy", wrong, "INVALID_REQUEST", "end_time").await;
}

#[tokio::test(start_paused = true)]
async fn raising_a_budget_past_the_threshold_is_reviewed_too() {
    let market = Market::open();
    let booked = market.ok("create_media_buy", ctv(10_000.0)).await;
    let raise = json!({
        "account": account(), "media_buy_id": booked["media_buy_id"],
        "packages": [{ "package_id": booked["packages"][0]["package_id"], "budget": 900_000.0 }],
    });
    let submitted = market.ok("update_media_buy", raise).await;
    assert_eq!(submitted["status"], "submitted", "{submitted:#}");
    let read = json!({ "account": account(), "media_buy_ids": [booked["media_buy_id"]] });
    assert_eq!(market.ok("get_media_buys", read.clone()).await["media_buys"][0]["total_budget"], 10_000);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(task(&market, &submitted["task_id"]).await["status"], "completed");
    assert_eq!(market.ok("get_media_buys", read).await["media_buys"][0]["total_budget"], 900_000);
}

#[tokio::test]
async fn lists_are_bounded() {
    let market = Market::open();
    let one = package("harbor_news_display", "cpm_usd_fixed", 1000.0);
    let many = buy(Value::Array(vec![one.clone(); 501]));
    market.refused("create_media_buy", many, "INVALID_REQUEST", "packages").await;
    let assignments: Vec<Value> = (0..501).map(|i| json!({ "creative_id": format!("c{i}") })).collect();
    let crowded = buy(json!([with(one, json!({ "creative_assignments": assignments }))]));
    let field = "packages[0].creative_assignments";
    market.refused("create_media_buy", crowded, "INVALID_REQUEST", field).await;
    let ids: Vec<String> = (0..1001).map(|i| format!("mb{i}")).collect();
    let read = json!({ "account": account(), "media_buy_ids": ids });
    market.refused("get_media_buys", read, "INVALID_REQUEST", "media_buy_ids").await;
}
