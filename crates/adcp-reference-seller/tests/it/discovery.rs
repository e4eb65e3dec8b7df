//! Finding products and formats.

use serde_json::{Value, json};

use crate::market::{Market, URL, ids};

async fn products(market: &Market, request: Value) -> Vec<String> {
    ids(&market.ok("get_products", request).await["products"], "product_id")
}

#[tokio::test]
async fn wholesale_lists_everything_that_is_listed() {
    let market = Market::open();
    let answer = market.ok("get_products", json!({ "buying_mode": "wholesale" })).await;
    assert_eq!(answer["products"].as_array().unwrap().len(), 10);
    assert_eq!(answer["cache_scope"], "public");
    assert_eq!(answer["pagination"], json!({ "has_more": false }));
}

#[tokio::test]
async fn a_brief_finds_what_it_describes() {
    let market = Market::open();
    let found =
        products(&market, json!({ "buying_mode": "brief", "brief": "Premium connected TV for families" }))
            .await;
    assert_eq!(found[0], "northwind_ctv_premium");
    assert!(found.len() < 10);
}

#[tokio::test]
async fn filters_narrow_and_prune() {
    let market = Market::open();
    let wholesale = |filters: Value| json!({ "buying_mode": "wholesale", "filters": filters });
    for (filters, expected) in [
        (json!({ "channels": ["ctv"] }), vec!["northwind_ctv_premium", "northwind_ctv_open"]),
        (json!({ "channels": ["ctv"], "delivery_type": "guaranteed" }), vec!["northwind_ctv_premium"]),
        (json!({ "channels": ["ctv"], "is_fixed_price": false }), vec!["northwind_ctv_open"]),
        (json!({ "countries": ["MX"] }), vec!["pulse_video_preroll"]),
        (json!({ "regions": ["NL-NH"] }), vec!["metro_station_screens"]),
        (json!({ "exclusivity": "exclusive" }), vec!["harbor_homepage_takeover"]),
        (
            json!({ "format_ids": [{ "agent_url": URL, "id": "native_feed_card" }] }),
            vec!["harbor_native_feed"],
        ),
        (
            json!({ "format_ids": [{ "agent_url": "https://other.example", "id": "native_feed_card" }] }),
            vec![],
        ),
        (json!({ "min_exposures": 100_000_000 }), vec!["harbor_open_display"]),
        (
            json!({ "budget_range": { "max": 500, "currency": "EUR" } }),
            vec!["harbor_open_display", "harbor_native_feed"],
        ),
        (json!({ "required_metrics": ["foot_traffic"] }), vec![]),
        (json!({ "required_vendor_metrics": [{ "metric_id": "attention" }] }), vec![]),
    ] {
        assert_eq!(products(&market, wholesale(filters.clone())).await, expected, "{filters}");
    }
    let answer = market.ok("get_products", wholesale(json!({ "pricing_currencies": ["GBP"] }))).await;
    for product in answer["products"].as_array().unwrap() {
        for price in product["pricing_options"].as_array().unwrap() {
            assert_eq!(price["currency"], "GBP", "{product:#}");
        }
    }
}

#[tokio::test]
async fn pages_cover_everything_once() {
    let market = Market::open();
    let (mut cursor, mut seen) = (Value::Null, Vec::new());
    loop {
        let mut pagination = json!({ "max_results": 4 });
        if cursor.is_string() {
            pagination["cursor"] = cursor;
        }
        let answer =
            market.ok("get_products", json!({ "buying_mode": "wholesale", "pagination": pagination })).await;
        seen.extend(ids(&answer["products"], "product_id"));
        cursor = answer["pagination"]["cursor"].clone();
        if answer["pagination"]["has_more"] == false {
            assert!(cursor.is_null());
            break;
        }
    }
    assert_eq!(seen, products(&market, json!({ "buying_mode": "wholesale" })).await);
    let wrong = json!({ "buying_mode": "wholesale", "pagination": { "cursor": "?" } });
    market.refused("get_products", wrong, "INVALID_REQUEST", "pagination.cursor").await;
}

#[tokio::test]
async fn fields_leave_out_what_was_not_asked_for() {
    let market = Market::open();
    let request = json!({ "buying_mode": "wholesale", "fields": ["product_id", "name"] });
    let answer = market.ok("get_products", request).await;
    assert!(answer["products"][0].get("channels").is_none());
    assert!(answer["products"][0].get("pricing_options").is_some());
}

#[tokio::test]
async fn refinement_puts_in_and_takes_out() {
    let market = Market::open();
    let request = json!({ "buying_mode": "refine", "refine": [
        { "scope": "product", "product_id": "northwind_ctv_open", "action": "more_like_this" },
        { "scope": "product", "product_id": "northwind_ctv_premium", "action": "omit" },
        { "scope": "product", "product_id": "harbor_open_display" },
        { "scope": "product", "product_id": "nope" },
        { "scope": "request", "ask": "more video" }
    ]});
    let answer = market.ok("get_products", request).await;
    let found = ids(&answer["products"], "product_id");
    assert!(
        found.contains(&"northwind_ctv_open".to_owned()) && found.contains(&"harbor_open_display".to_owned())
    );
    assert!(!found.contains(&"northwind_ctv_premium".to_owned()));
    let statuses = ids(&answer["refinement_applied"], "status");
    assert_eq!(statuses, ["applied", "applied", "applied", "unable", "applied"]);
    let finalize = json!({ "buying_mode": "refine", "refine": [
        { "scope": "proposal", "proposal_id": "p1", "action": "finalize" }
    ]});
    market.refused("get_products", finalize, "PROPOSAL_NOT_FOUND", "refine[0].proposal_id").await;
}

#[tokio::test]
async fn formats_are_found_by_id_and_name() {
    let market = Market::open();
    let all = market.ok("list_creative_formats", json!({})).await;
    assert_eq!(all["formats"].as_array().unwrap().len(), 10);
    for (request, expected) in [
        (json!({ "format_ids": [{ "agent_url": URL, "id": "video_30s" }] }), vec!["Video, 30 seconds"]),
        (json!({ "format_ids": [{ "agent_url": "https://other.example", "id": "video_30s" }] }), vec![]),
        (json!({ "name_search": "BILLBOARD" }), vec!["Billboard"]),
        (json!({ "asset_types": ["audio"] }), vec!["Audio spot, 30 seconds"]),
        (json!({ "min_height": 1000, "max_width": 1080 }), vec!["Station screen"]),
        (json!({ "publisher_domain": "bluecart.example" }), vec!["Sponsored product tile"]),
    ] {
        let answer = market.ok("list_creative_formats", request.clone()).await;
        assert_eq!(ids(&answer["formats"], "name"), expected, "{request}");
    }
    let first = market.ok("list_creative_formats", json!({ "pagination": { "max_results": 1 } })).await;
    assert_eq!(first["pagination"]["has_more"], true);
}

#[tokio::test]
async fn the_seller_declares_what_it_does() {
    let sandbox = adcp_reference_seller::agent(
        crate::market::config(),
        std::sync::Arc::new(adcp_registry_memory::MemoryRegistry::volatile()),
        adcp_decisioning::Tokens::new(),
    );
    let call = adcp_decisioning::Call::new("get_adcp_capabilities", serde_json::Map::new());
    let reply = sandbox.unwrap().call(call).await;
    let body = Value::Object(reply.body);
    assert!(!reply.failed, "{body:#}");
    assert_eq!(body["media_buy"]["supports_proposals"], false);
    assert_eq!(body["account"]["sandbox"], true);
    assert_eq!(body["creative"]["has_creative_library"], true);
}
