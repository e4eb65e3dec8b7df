//! Every tool that only reads answers a bare request, and one with all that a request may carry.

use adcp_types::tools;
use serde_json::{Value, json};

use crate::market::{Market, account, buy, display};

#[tokio::test]
async fn reads_answer_bare_and_laden_requests() {
    let market = Market::open();
    market.ok("create_media_buy", buy(json!([display(600.0)]))).await;
    for tool in market.agent.tools().iter().filter(|tool| !tool.mutating) {
        let spec = tools::find(tool.name).unwrap();
        // Tasks need an id, and there is none.
        if spec.name == tools::GET_TASK_STATUS.name {
            continue;
        }
        let mut bare = json!({});
        if spec.name == tools::GET_PRODUCTS.name {
            bare["buying_mode"] = json!("wholesale");
        }
        let mut laden = bare.clone();
        laden["context"] = json!({ "correlation_id": "c-2" });
        laden["ext"] = json!({ "vendor": { "x": 1 } });
        laden["idempotency_key"] = json!("a-key-on-a-reading-tool");
        laden["unheard_of"] = json!(true);
        if spec.account != tools::Presence::Absent {
            laden["account"] = account();
        }
        market.ok(tool.name, bare).await;
        let answer = market.ok(tool.name, laden).await;
        assert_eq!(answer["context"]["correlation_id"], "c-2", "{}", tool.name);
    }
}

#[tokio::test]
async fn media_buys_are_paged_newest_first() {
    let market = Market::open();
    for budget in [100.0, 200.0, 300.0] {
        market.ok("create_media_buy", buy(json!([display(budget)]))).await;
    }
    let page = async |cursor: Value| {
        let mut pagination = json!({ "max_results": 2 });
        if cursor.is_string() {
            pagination["cursor"] = cursor;
        }
        let request =
            json!({ "account": account(), "status_filter": ["pending_creatives"], "pagination": pagination });
        market.ok("get_media_buys", request).await
    };
    let first = page(Value::Null).await;
    market.ok("create_media_buy", buy(json!([display(400.0)]))).await;
    let second = page(first["pagination"]["cursor"].clone()).await;
    let budgets = |page: &Value| {
        page["media_buys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|buy| buy["total_budget"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!((budgets(&first), budgets(&second)), (vec![300, 200], vec![100]));
    assert_eq!(second["pagination"], json!({ "has_more": false }));
    let active = market.ok("get_media_buys", json!({ "account": account() })).await;
    assert_eq!(active["media_buys"], json!([]), "without ids only active ones are shown");
    let snapshot = json!({ "media_buy_ids": [first["media_buys"][0]["media_buy_id"], "nope"], "include_snapshot": true });
    let read = market.ok("get_media_buys", snapshot).await;
    assert_eq!(read["media_buys"][0]["packages"][0]["snapshot"]["delivery_status"], "not_delivering");
    assert_eq!(read["errors"][0]["field"], "media_buy_ids[1]");
}
