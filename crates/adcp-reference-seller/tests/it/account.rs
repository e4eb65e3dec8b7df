//! Accounts.

use serde_json::{Value, json};

use crate::market::{Market, account, buy, config, display, ids, with};

fn entry(changes: Value) -> Value {
    with(with(account(), json!({ "billing": "operator" })), changes)
}

#[tokio::test]
async fn entries_open_and_change_accounts() {
    let market = Market::open();
    let sync = async |entries: Value| {
        market.ok("sync_accounts", json!({ "accounts": entries })).await["accounts"].clone()
    };
    let opened = sync(json!([entry(json!({}))])).await;
    assert_eq!((&opened[0]["action"], &opened[0]["status"]), (&json!("created"), &json!("active")));
    assert_eq!(sync(json!([entry(json!({}))])).await[0]["action"], "unchanged");
    assert_eq!(
        sync(json!([entry(json!({ "payment_terms": "net_30" }))])).await[0]["payment_terms"],
        "net_30"
    );
    let refused = sync(json!([entry(json!({ "billing": "advertiser" }))])).await;
    assert_eq!((&refused[0]["action"], &refused[0]["status"]), (&json!("failed"), &json!("rejected")));
    assert_eq!(refused[0]["errors"][0]["code"], "BILLING_NOT_SUPPORTED");
    let bought = market
        .ok(
            "create_media_buy",
            with(
                buy(json!([display(600.0)])),
                json!({
        "account": { "account_id": opened[0]["account_id"] } }),
            ),
        )
        .await;
    let by_key = json!({ "account": account(), "media_buy_ids": [bought["media_buy_id"]] });
    assert_eq!(market.ok("get_media_buys", by_key).await["media_buys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn subscribers_are_kept_replaced_and_checked() {
    let market = Market::open();
    let subscriber = |id: &str, event: &str| {
        json!({ "subscriber_id": id, "url": "https://hooks.example/x",
        "event_types": [event], "active": false,
        "authentication": { "schemes": ["HMAC-SHA256"], "credentials": "0123456789abcdef0123456789abcdef" } })
    };
    let sync = async |configs: Value| {
        let entry = entry(json!({ "notification_configs": configs }));
        market.ok("sync_accounts", json!({ "accounts": [entry] })).await["accounts"][0].clone()
    };
    let stored = sync(json!([subscriber("s1", "creative.status_changed")])).await;
    assert_eq!(stored["notification_configs"][0]["subscriber_id"], "s1");
    assert!(stored["notification_configs"][0]["authentication"].get("credentials").is_none(), "write-only");
    for (configs, field) in [
        (
            json!([subscriber("s1", "creative.purged"), subscriber("s1", "creative.purged")]),
            "notification_configs[1].subscriber_id",
        ),
        (json!([subscriber("s1", "scheduled")]), "notification_configs[0].event_types[0]"),
    ] {
        let refused = sync(configs).await;
        assert_eq!(refused["errors"][0]["field"], field);
    }
    let by_id = json!({ "account": { "account_id": stored["account_id"] }, "notification_configs": [] });
    let cleared = market.ok("sync_accounts", json!({ "accounts": [by_id] })).await["accounts"][0].clone();
    assert_eq!((&cleared["notification_configs"], &cleared["action"]), (&json!([]), &json!("updated")));
}

#[tokio::test]
async fn the_list_is_filtered_and_paged() {
    let market = Market::open();
    let brand = |name: &str, sandbox: bool| entry(json!({ "brand": { "domain": name }, "sandbox": sandbox }));
    let entries = json!([brand("a.example", true), brand("b.example", false), brand("c.example", true)]);
    market.ok("sync_accounts", json!({ "accounts": entries })).await;
    let list = async |request: Value| market.ok("list_accounts", request).await;
    assert_eq!(list(json!({ "sandbox": true })).await["accounts"].as_array().unwrap().len(), 2);
    assert_eq!(list(json!({ "status": "suspended" })).await["accounts"], json!([]));
    let first = list(json!({ "pagination": { "max_results": 2 } })).await;
    assert_eq!(first["pagination"]["has_more"], true);
    let rest = list(json!({ "pagination": { "cursor": first["pagination"]["cursor"] } })).await;
    assert_eq!(rest["accounts"][0]["brand"]["domain"], "c.example");
    let exact = list(json!({ "account": { "account_id": first["accounts"][1]["account_id"] } })).await;
    assert_eq!(exact["accounts"][0]["brand"]["domain"], "b.example");
    let unknown = list(json!({ "account": { "account_id": "nobody" } })).await;
    assert_eq!(unknown["accounts"], json!([]), "looking does not open");
    let keep = json!({ "accounts": [brand("a.example", true)], "delete_missing": true });
    market.ok("sync_accounts", keep).await;
    assert_eq!(list(json!({})).await["accounts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_live_seller_knows_only_accounts_that_were_set_up() {
    let market = Market::of(config().with_sandbox(false));
    let request = buy(json!([display(600.0)]));
    market.refused("create_media_buy", request.clone(), "ACCOUNT_NOT_FOUND", "account").await;
    let by_id = with(request, json!({ "account": { "account_id": "acct_1" } }));
    market.refused("create_media_buy", by_id, "ACCOUNT_NOT_FOUND", "account").await;
}

#[tokio::test]
async fn a_sandbox_opens_accounts_on_first_use() {
    let market = Market::open();
    let by_id = with(buy(json!([display(600.0)])), json!({ "account": { "account_id": "acct_1" } }));
    market.ok("create_media_buy", by_id).await;
    market.ok("create_media_buy", buy(json!([display(600.0)]))).await;
    let accounts = market.ok("list_accounts", json!({})).await;
    assert_eq!(ids(&accounts["accounts"], "account_id").len(), 2);
    let unsynced = json!({ "account": { "account_id": "acct_1" }, "filters": { "accounts": [{ "account_id": "acct_2" }] } });
    assert_eq!(market.ok("list_creatives", unsynced).await["creatives"], json!([]));
}
