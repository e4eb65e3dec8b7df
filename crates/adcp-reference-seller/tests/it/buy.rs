//! Booking and changing media buys.

use serde_json::{Value, json};

use crate::market::{Market, account, banner, buy, display, package, with};

async fn booked(market: &Market) -> Value {
    market.ok("create_media_buy", buy(json!([display(600.0), display(700.0)]))).await
}

fn update(bought: &Value, changes: Value) -> Value {
    with(json!({ "account": account(), "media_buy_id": bought["media_buy_id"] }), changes)
}

async fn read(market: &Market, bought: &Value) -> Value {
    let request = json!({ "account": account(), "media_buy_ids": [bought["media_buy_id"]] });
    market.ok("get_media_buys", request).await["media_buys"][0].clone()
}

#[tokio::test]
async fn an_order_without_promises_is_confirmed_at_once() {
    let market = Market::open();
    let wanted = with(
        display(600.0),
        json!({
            "context": { "buyer_ref": "line-1" }, "pacing": "front_loaded",
            "targeting_overlay": { "geo_countries": ["US"], "property_list": {
                "agent_url": "https://lists.example", "list_id": "allow_1" } }
        }),
    );
    let bought = market.ok("create_media_buy", buy(json!([wanted]))).await;
    assert_eq!(bought["status"], "completed");
    assert_eq!(bought["media_buy_status"], "pending_creatives");
    assert_eq!((&bought["revision"], &bought["total_budget"]), (&json!(1), &json!(600)));
    assert_eq!(bought["confirmed_at"], "2027-01-01T00:00:00Z");
    assert_eq!(bought["sandbox"], true);
    assert_eq!(bought["account"]["status"], "active");
    let package = &bought["packages"][0];
    assert_eq!(package["product_id"], "harbor_news_display");
    assert_eq!(package["context"]["buyer_ref"], "line-1");
    assert_eq!(package["targeting_overlay"]["property_list"]["list_id"], "allow_1");
    assert_eq!(package["pacing"], "front_loaded");
    assert_eq!(package["format_ids_to_provide"].as_array().unwrap().len(), 3);
    let read = read(&market, &bought).await;
    assert_eq!(read["context"], json!({ "correlation_id": "c-1" }));
    assert_eq!(read["packages"][0]["context"]["buyer_ref"], "line-1");
    assert_eq!(read["packages"][0]["targeting_overlay"]["geo_countries"], json!(["US"]));
    assert_eq!((&read["status"], &read["currency"]), (&json!("pending_creatives"), &json!("USD")));
}

#[tokio::test]
async fn creatives_that_come_along_start_the_order() {
    let market = Market::open();
    let wanted = with(display(600.0), json!({ "creatives": [banner("inline_1")] }));
    let bought = market.ok("create_media_buy", buy(json!([wanted]))).await;
    assert_eq!(bought["media_buy_status"], "pending_start");
    assert_eq!(bought["packages"][0]["creative_assignments"][0]["creative_id"], "inline_1");
    let asap = with(
        buy(json!([with(
            display(600.0),
            json!({ "creative_assignments": [{ "creative_id": "inline_1" }] })
        )])),
        json!({ "start_time": "asap" }),
    );
    assert_eq!(market.ok("create_media_buy", asap).await["media_buy_status"], "active");
    market.pass(2);
    let read = read(&market, &bought).await;
    assert_eq!(read["status"], "active");
    assert_eq!(read["packages"][0]["creative_approvals"][0]["creative_id"], "inline_1");
    assert_eq!(read["account"]["sandbox"], true);
}

#[tokio::test]
async fn refusals_say_where_and_book_nothing() {
    let market = Market::open();
    let second = |package: Value| buy(json!([display(600.0), package]));
    for (request, code, field) in [
        (second(package("nope", "x", 600.0)), "PRODUCT_NOT_FOUND", "packages[1].product_id"),
        (
            second(package("harbor_news_display", "nope", 600.0)),
            "INVALID_REQUEST",
            "packages[1].pricing_option_id",
        ),
        (second(display(99.0)), "BUDGET_TOO_LOW", "packages[1].budget"),
        (second(display(0.0)), "BUDGET_TOO_LOW", "packages[1].budget"),
        (second(display(1e40)), "INVALID_REQUEST", "packages[1].budget"),
        (
            second(package("harbor_news_display", "cpm_gbp_fixed", 600.0)),
            "INVALID_REQUEST",
            "packages[1].pricing_option_id",
        ),
        (
            second(with(package("harbor_open_display", "cpm_usd_auction", 600.0), json!({ "bid_price": 1 }))),
            "INVALID_REQUEST",
            "packages[1].bid_price",
        ),
        (
            second(with(
                display(600.0),
                json!({ "format_ids": [
                { "agent_url": crate::market::URL, "id": "display_300x250" },
                { "agent_url": crate::market::URL, "id": "video_30s" }] }),
            )),
            "UNSUPPORTED_FEATURE",
            "packages[1].format_ids[1]",
        ),
        (
            second(with(display(600.0), json!({ "format_kind": "image" }))),
            "UNSUPPORTED_FEATURE",
            "packages[1].format_kind",
        ),
        (
            second(with(display(600.0), json!({ "creative_assignments": [{ "creative_id": "nope" }] }))),
            "CREATIVE_NOT_FOUND",
            "packages[1].creative_assignments[0].creative_id",
        ),
        (
            second(with(
                display(600.0),
                json!({ "measurement_terms": { "billing_measurement": {
                "vendor": { "domain": "meter.example" }, "max_variance_percent": 1 } } }),
            )),
            "TERMS_REJECTED",
            "packages[1].measurement_terms.billing_measurement.max_variance_percent",
        ),
        (
            with(buy(json!([display(600.0)])), json!({ "end_time": "2027-01-01T12:00:00Z" })),
            "INVALID_REQUEST",
            "end_time",
        ),
        (
            with(
                buy(Value::Null),
                json!({ "proposal_id": "p", "packages": [display(1.0)],
                "total_budget": { "amount": 1, "currency": "USD" } }),
            ),
            "PROPOSAL_NOT_FOUND",
            "proposal_id",
        ),
    ] {
        market.refused("create_media_buy", request, code, field).await;
    }
    let none = market
        .ok("get_media_buys", json!({ "account": account(), "status_filter": "pending_creatives" }))
        .await;
    assert_eq!(none["media_buys"], json!([]));
    let negative = market.call("acme", "create_media_buy", buy(json!([display(-5.0)]))).await;
    assert!(negative.failed);
}

#[tokio::test]
async fn a_refused_order_leaves_no_creatives_behind() {
    let market = Market::open();
    let wanted = with(display(1.0), json!({ "creatives": [banner("inline_1")] }));
    market.refused("create_media_buy", buy(json!([wanted])), "BUDGET_TOO_LOW", "packages[0].budget").await;
    assert_eq!(market.ok("list_creatives", json!({})).await["creatives"], json!([]));
}

#[tokio::test]
async fn a_kind_with_its_size_names_a_format() {
    let market = Market::open();
    let wanted =
        with(display(600.0), json!({ "format_kind": "image", "params": { "width": 300, "height": 250 } }));
    let bought = market.ok("create_media_buy", buy(json!([wanted]))).await;
    assert_eq!(bought["packages"][0]["format_ids"][0]["id"], "display_300x250");
}

#[tokio::test]
async fn past_starts_are_moved_in_a_sandbox_and_refused_elsewhere() {
    let past = with(buy(json!([display(600.0)])), json!({ "start_time": "2026-12-01T00:00:00Z" }));
    let bought = Market::open().ok("create_media_buy", past.clone()).await;
    assert_eq!(bought["packages"][0]["start_time"], "2027-01-01T00:00:00Z");
    let live = Market::of(crate::market::config().with_sandbox(false));
    let entry = with(account(), json!({ "billing": "operator" }));
    live.ok("sync_accounts", json!({ "accounts": [entry] })).await;
    live.refused("create_media_buy", past, "INVALID_REQUEST", "start_time").await;
}

#[tokio::test]
async fn pause_resume_and_cancel() {
    let market = Market::open();
    let wanted = with(display(600.0), json!({ "creatives": [banner("c1")] }));
    let bought = market.ok("create_media_buy", buy(json!([wanted]))).await;
    market.pass(2);
    let paused =
        market.ok("update_media_buy", update(&bought, json!({ "paused": true, "revision": 1 }))).await;
    assert_eq!((&paused["media_buy_status"], &paused["revision"]), (&json!("paused"), &json!(2)));
    assert_eq!(paused["affected_packages"][0]["package_id"], bought["packages"][0]["package_id"]);
    assert!(paused["valid_actions"].as_array().unwrap().contains(&json!("resume")));
    let resumed = market.ok("update_media_buy", update(&bought, json!({ "paused": false }))).await;
    assert_eq!(resumed["media_buy_status"], "active");
    let cancel = json!({ "canceled": true, "cancellation_reason": "season is over" });
    let among_others = with(cancel.clone(), json!({ "new_packages": [display(1.0)], "paused": true }));
    let canceled = market.ok("update_media_buy", update(&bought, among_others)).await;
    assert_eq!(canceled["media_buy_status"], "canceled");
    assert_eq!(canceled["valid_actions"], json!([]));
    market.refused("update_media_buy", update(&bought, cancel), "NOT_CANCELLABLE", "canceled").await;
    market
        .refused(
            "update_media_buy",
            update(&bought, json!({ "paused": true })),
            "INVALID_STATE",
            "media_buy_id",
        )
        .await;
    let read = read(&market, &bought).await;
    assert_eq!(read["cancellation"]["reason"], "season is over");
    let library = market.ok("list_creatives", json!({ "account": account() })).await;
    assert_eq!(library["creatives"][0]["assignments"]["assignment_count"], 0, "released, and kept");
}

#[tokio::test]
async fn budgets_and_dates_change_together_or_not_at_all() {
    let market = Market::open();
    let bought = booked(&market).await;
    let ids: Vec<&Value> =
        bought["packages"].as_array().unwrap().iter().map(|package| &package["package_id"]).collect();
    let change =
        json!({ "end_time": "2027-02-01T00:00:00Z", "packages": [{ "package_id": ids[0], "budget": 900 }] });
    let changed = market.ok("update_media_buy", update(&bought, change)).await;
    assert_eq!((&changed["revision"], &changed["total_budget"]), (&json!(2), &json!(1600)));
    assert_eq!(changed["affected_packages"].as_array().unwrap().len(), 2);
    assert_eq!(changed["affected_packages"][1]["end_time"], "2027-02-01T00:00:00Z");
    for (change, code, field) in [
        (json!({ "revision": 1, "paused": true }), "CONFLICT", "revision"),
        (
            json!({ "packages": [{ "package_id": ids[0], "budget": 950 }, { "package_id": "nope", "budget": 1 }] }),
            "PACKAGE_NOT_FOUND",
            "packages[1].package_id",
        ),
        (
            json!({ "packages": [{ "package_id": ids[1], "budget": 1 }] }),
            "BUDGET_TOO_LOW",
            "packages[0].budget",
        ),
        (json!({ "end_time": "2027-01-01T12:00:00Z" }), "INVALID_REQUEST", "end_time"),
        (json!({ "new_packages": [display(500.0)] }), "UNSUPPORTED_FEATURE", "new_packages"),
    ] {
        market.refused("update_media_buy", update(&bought, change), code, field).await;
    }
    let unknown = json!({ "account": account(), "media_buy_id": "nope", "paused": true });
    market.refused("update_media_buy", unknown, "MEDIA_BUY_NOT_FOUND", "media_buy_id").await;
    let after = read(&market, &bought).await;
    assert_eq!((&after["revision"], &after["total_budget"]), (&json!(2), &json!(1600)));
}

#[tokio::test]
async fn assignments_and_targeting_are_replaced() {
    let market = Market::open();
    let wanted = with(
        display(600.0),
        json!({
            "creatives": [banner("c1")], "targeting_overlay": { "geo_countries": ["US"] }, "context": { "r": 1 }
        }),
    );
    let bought = market.ok("create_media_buy", buy(json!([wanted]))).await;
    let id = &bought["packages"][0]["package_id"];
    let change = json!({ "packages": [{ "package_id": id, "creatives": [banner("c2")],
        "targeting_overlay": { "geo_countries": ["CA"] } }] });
    market.ok("update_media_buy", update(&bought, change)).await;
    let read = read(&market, &bought).await;
    let package = &read["packages"][0];
    assert_eq!(package["creative_approvals"].as_array().unwrap().len(), 1);
    assert_eq!(package["creative_approvals"][0]["creative_id"], "c2");
    assert_eq!(package["targeting_overlay"], json!({ "geo_countries": ["CA"] }));
    assert_eq!(package["context"], json!({ "r": 1 }));
}

#[tokio::test]
async fn feedback_needs_an_order_and_leaves_a_trace() {
    let market = Market::open();
    let bought = booked(&market).await;
    let feedback = |id: &Value| {
        json!({ "media_buy_id": id, "performance_index": 1.2, "measurement_period": {
        "start": "2027-01-01T00:00:00Z", "end": "2027-01-02T00:00:00Z" } })
    };
    let thanks = market.ok("provide_performance_feedback", feedback(&bought["media_buy_id"])).await;
    assert_eq!(thanks["success"], true);
    let nope = feedback(&json!("nope"));
    market.refused("provide_performance_feedback", nope, "MEDIA_BUY_NOT_FOUND", "media_buy_id").await;
    let request = json!({ "media_buy_ids": [bought["media_buy_id"]], "include_history": 10 });
    let read = market.ok("get_media_buys", request).await;
    assert_eq!(read["media_buys"][0]["history"][1]["summary"], "performance index 1.2");
}
