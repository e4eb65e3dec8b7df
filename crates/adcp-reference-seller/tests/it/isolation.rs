//! Nobody sees anybody else's things, and unknown looks like foreign.

use serde_json::{Value, json};

use crate::market::{Market, account, banner, buy, display, with};

#[tokio::test]
async fn another_agent_sees_nothing_and_learns_nothing() {
    let market = Market::open();
    let wanted = with(display(600.0), json!({ "creatives": [banner("c1")] }));
    let bought = market.ok("create_media_buy", buy(json!([wanted]))).await;
    let mine = market.ok("list_accounts", json!({})).await["accounts"][0]["account_id"].clone();
    let statuses = json!(["pending_creatives", "pending_start", "active"]);
    for reference in [account(), json!({ "account_id": mine })] {
        let listed = json!({ "account": reference, "status_filter": statuses });
        assert_eq!(market.ok_as("nova", "get_media_buys", listed).await["media_buys"], json!([]));
        let library = json!({ "account": reference });
        assert_eq!(market.ok_as("nova", "list_creatives", library.clone()).await["creatives"], json!([]));
        assert_eq!(
            market.ok_as("nova", "get_media_buy_delivery", library).await["media_buy_deliveries"],
            json!([])
        );
        let ask = async |id: Value| {
            let update = json!({ "account": reference, "media_buy_id": id, "paused": true });
            let mut body = market.call("nova", "update_media_buy", update).await.body;
            body.remove("timestamp");
            body
        };
        assert_eq!(ask(bought["media_buy_id"].clone()).await, ask(json!("mb_unknown")).await);
        let using = with(display(600.0), json!({ "creative_assignments": [{ "creative_id": "c1" }] }));
        let refused = market
            .call("nova", "create_media_buy", with(buy(json!([using])), json!({ "account": reference })))
            .await;
        assert_eq!(refused.body["adcp_error"]["code"], "CREATIVE_NOT_FOUND");
        let assign = json!({ "account": reference, "creatives": [banner("theirs")], "assignments": [
            { "creative_id": "theirs", "package_id": bought["packages"][0]["package_id"] }] });
        let assigned = market.ok_as("nova", "sync_creatives", with(assign, json!({ "dry_run": true }))).await;
        assert!(assigned["creatives"][0].get("assigned_to").is_none());
    }
    let own = market.ok("get_media_buys", json!({ "status_filter": statuses })).await;
    assert_eq!(own["media_buys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn accounts_of_one_agent_are_apart() {
    let market = Market::open();
    let live = with(account(), json!({ "sandbox": false }));
    market.ok("create_media_buy", buy(json!([display(600.0)]))).await;
    market.ok("create_media_buy", with(buy(json!([display(700.0)])), json!({ "account": live }))).await;
    let budgets = async |request: Value| {
        let request = with(request, json!({ "status_filter": "pending_creatives" }));
        let listed = market.ok("get_media_buys", request).await;
        listed["media_buys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|buy| buy["total_budget"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(budgets(json!({ "account": account() })).await, [600]);
    assert_eq!(budgets(json!({ "account": live })).await, [700]);
    assert_eq!(
        budgets(json!({})).await,
        [700, 600],
        "without an account: all of the caller's own, newest first"
    );
}
