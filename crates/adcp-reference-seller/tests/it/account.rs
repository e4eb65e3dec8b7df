//! Accounts.

use serde_json::{Value, json};

use crate::hook::Hook;
use crate::market::{Market, URL, account, buy, config, display, ids, with};

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

fn subscriber(id: &str, url: &str, event: &str) -> Value {
    json!({ "subscriber_id": id, "url": url, "event_types": [event],
        "authentication": { "schemes": ["HMAC-SHA256"], "credentials": "0123456789abcdef0123456789abcdef" } })
}

async fn sync_configs(market: &Market, configs: Value) -> Value {
    let entry = entry(json!({ "notification_configs": configs }));
    market.ok("sync_accounts", json!({ "accounts": [entry] })).await["accounts"][0].clone()
}

#[tokio::test]
async fn a_seller_that_sends_nothing_takes_no_subscribers() {
    let market = Market::open();
    let idle =
        with(subscriber("s1", "https://hooks.example/x", "creative.purged"), json!({ "active": false }));
    let refused = sync_configs(&market, json!([idle])).await;
    assert_eq!((&refused["action"], &refused["status"]), (&json!("failed"), &json!("rejected")));
    assert_eq!(refused["errors"][0]["code"], "UNSUPPORTED_FEATURE");
    assert_eq!(refused["errors"][0]["field"], "accounts[0].notification_configs");
    assert_eq!(market.ok("list_accounts", json!({})).await["accounts"], json!([]), "nothing was opened");
    assert_eq!(sync_configs(&market, json!([])).await["action"], "created");
}

#[tokio::test]
async fn subscribers_are_asked_kept_replaced_and_checked() {
    let hook = Hook::open().await;
    let market = Market::notifying(config());
    let stored = sync_configs(&market, json!([subscriber("s1", &hook.url, "creative.status_changed")])).await;
    assert_eq!(stored["action"], "created", "{stored:#}");
    assert_eq!(stored["notification_configs"][0]["subscriber_id"], "s1");
    assert!(stored["notification_configs"][0]["authentication"].get("credentials").is_none(), "write-only");
    let asked = hook.asked().pop().unwrap();
    assert_eq!((&asked["type"], &asked["subscriber_id"]), (&json!("webhook.challenge"), &json!("s1")));
    assert_eq!(asked["account_id"], stored["account_id"]);
    assert_eq!(asked["seller_agent_url"], URL);
    let same = sync_configs(&market, json!([subscriber("s1", &hook.url, "creative.status_changed")])).await;
    assert_eq!(
        (&same["action"], hook.asked().len()),
        (&json!("unchanged"), 1),
        "who consented is not asked again"
    );
    let shown = market.ok("list_accounts", json!({})).await["accounts"][0]["notification_configs"].clone();
    assert_eq!(shown, stored["notification_configs"]);

    hook.consents(false);
    let purged = |id: &str| subscriber(id, &hook.url, "creative.purged");
    for (configs, fields) in [
        (json!([purged("s1"), purged("s1")]), vec!["notification_configs[1].subscriber_id"]),
        (json!([subscriber("s1", &hook.url, "scheduled")]), vec!["notification_configs[0].event_types[0]"]),
        (
            json!([subscriber("s2", "https://10.0.0.1/", "creative.purged"), purged("s2")]),
            vec!["notification_configs[0].url", "notification_configs[1].subscriber_id"],
        ),
        (json!([purged("s3")]), vec!["notification_configs[0].url"]),
    ] {
        let refused = sync_configs(&market, configs).await;
        assert_eq!(refused["action"], "failed");
        let errors = refused["errors"].as_array().unwrap();
        let found: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
        let want: Vec<_> = fields.iter().map(|field| format!("accounts[0].{field}")).collect();
        assert_eq!(found, want, "{refused:#}");
        assert!(errors.iter().all(|error| error["code"] == "VALIDATION_ERROR"), "{refused:#}");
    }
    let shown = market.ok("list_accounts", json!({})).await["accounts"][0]["notification_configs"].clone();
    assert_eq!(shown, stored["notification_configs"], "a refusal leaves everything as it was");

    // Somebody who does not consent opens no account either, and a dry run asks nobody.
    let before = hook.asked().len();
    let elsewhere = json!({ "brand": { "domain": "other.example" }, "notification_configs": [purged("s1")] });
    let dry = json!({ "accounts": [entry(elsewhere.clone())], "dry_run": true });
    assert_eq!(market.ok("sync_accounts", dry).await["accounts"][0]["action"], "created");
    assert_eq!(hook.asked().len(), before);
    let refused = market.ok("sync_accounts", json!({ "accounts": [entry(elsewhere)] })).await;
    assert_eq!(refused["accounts"][0]["action"], "failed");
    assert_eq!(market.ok("list_accounts", json!({})).await["accounts"].as_array().unwrap().len(), 1);

    let by_id = json!({ "account": { "account_id": stored["account_id"] }, "notification_configs": [] });
    let cleared = market.ok("sync_accounts", json!({ "accounts": [by_id] })).await["accounts"][0].clone();
    assert_eq!((&cleared["notification_configs"], &cleared["action"]), (&json!([]), &json!("updated")));
}

#[tokio::test]
async fn one_call_asks_a_few_addresses_and_no_more() {
    let hook = Hook::open().await;
    let market = Market::notifying(config());
    let one = |name: usize| json!({ "subscriber_id": format!("s{name}"), "url": hook.url, "event_types": ["creative.purged"] });
    let new = |brand: usize| {
        let configs: Vec<Value> = (0..10).map(one).collect();
        entry(json!({ "brand": { "domain": format!("b{brand}.example") }, "notification_configs": configs }))
    };
    let all = json!({ "accounts": (0..5).map(new).collect::<Vec<_>>() });
    let actions = |answer: Value| -> Vec<String> {
        let entries = answer["accounts"].as_array().unwrap().iter();
        entries.map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
    };
    let answer = market.ok("sync_accounts", all.clone()).await;
    assert_eq!(answer["accounts"][3]["errors"][0]["field"], "accounts[3].notification_configs");
    assert_eq!(actions(answer), ["created", "created", "created", "failed", "failed"]);
    assert_eq!(hook.asked().len(), 30);
    // Who said yes is not asked again, so the rest gets its turn.
    let again = actions(market.ok("sync_accounts", all).await);
    assert_eq!(again, ["unchanged", "unchanged", "unchanged", "created", "created"]);
    assert_eq!(hook.asked().len(), 50);
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
