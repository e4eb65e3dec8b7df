//! Delivery reports.

use serde_json::{Value, json};

use crate::market::{Market, account, banner, buy, display, package, with};

fn dressed(package: Value) -> Value {
    with(package, json!({ "creatives": [banner("c1")] }))
}

async fn report(market: &Market, request: Value) -> Value {
    market.ok("get_media_buy_delivery", with(json!({ "account": account() }), request)).await
}

#[tokio::test]
async fn half_the_flight_serves_half_the_budget() {
    let market = Market::open();
    let bought =
        market.ok("create_media_buy", buy(json!([dressed(display(600.0)), dressed(display(1200.0))]))).await;
    market.pass(6);
    let report = report(&market, json!({ "media_buy_ids": [bought["media_buy_id"]] })).await;
    let row = &report["media_buy_deliveries"][0];
    assert_eq!((&row["status"], &report["currency"]), (&json!("active"), &json!("USD")));
    let (first, second) = (&row["by_package"][0], &row["by_package"][1]);
    assert_eq!((&first["impressions"], &first["spend"]), (&json!(50_000), &json!(300)));
    assert_eq!((&first["clicks"], &first["ctr"], &first["cpm"]), (&json!(90), &json!(0.0018), &json!(6)));
    assert_eq!((&first["rate"], &first["pricing_model"]), (&json!(6), &json!("cpm")));
    assert_eq!((&first["pacing_index"], &first["delivery_status"]), (&json!(1), &json!("delivering")));
    assert_eq!(second["spend"], 600);
    assert_eq!((&row["totals"]["impressions"], &row["totals"]["spend"]), (&json!(150_000), &json!(900)));
    assert_eq!(report["aggregated_totals"]["spend"], 900);
    assert_eq!(report["reporting_period"]["end"], "2027-01-07T00:00:00Z");
    market.pass(60);
    let whole = self::report(&market, json!({})).await;
    assert_eq!(whole["media_buy_deliveries"][0]["totals"]["spend"], 1800);
    assert_eq!(whole["media_buy_deliveries"][0]["status"], "completed");
}

#[tokio::test]
async fn dates_cut_a_report_and_days_add_up() {
    let market = Market::open();
    market.ok("create_media_buy", buy(json!([dressed(display(600.0))]))).await;
    market.pass(20);
    let request = json!({ "start_date": "2027-01-04", "end_date": "2027-01-05", "include_package_daily_breakdown": true });
    let cut = report(&market, request).await;
    assert_eq!(
        cut["reporting_period"],
        json!({ "start": "2027-01-04T00:00:00Z", "end": "2027-01-06T00:00:00Z" })
    );
    let row = &cut["media_buy_deliveries"][0]["by_package"][0];
    assert_eq!(row["spend"], 120);
    let days = row["daily_breakdown"].as_array().unwrap();
    assert_eq!(days.len(), 2);
    assert_eq!((&days[0]["date"], &days[0]["spend"]), (&json!("2027-01-04"), &json!(60)));
    let open = report(&market, json!({ "start_date": "2027-01-11" })).await;
    assert_eq!(
        open["reporting_period"],
        json!({ "start": "2027-01-11T00:00:00Z", "end": "2027-01-21T00:00:00Z" })
    );
    assert_eq!(open["aggregated_totals"]["spend"], 60, "the last day of ten");
    let reversed = json!({ "account": account(), "start_date": "2027-01-04", "end_date": "2027-01-03" });
    market.refused("get_media_buy_delivery", reversed, "INVALID_REQUEST", "end_date").await;
    let windows = json!({ "account": account(), "time_granularity": "hourly" });
    market.refused("get_media_buy_delivery", windows, "UNSUPPORTED_GRANULARITY", "time_granularity").await;
}

#[tokio::test]
async fn every_price_model_reports() {
    let market = Market::open();
    for (product, price, budget, key, expected) in [
        ("harbor_native_feed", "cpc_usd_fixed", 850.0, "clicks", 1000),
        ("pulse_video_preroll", "cpcv_usd_fixed", 400.0, "completed_views", 10_000),
        ("harbor_homepage_takeover", "flat_usd", 25_000.0, "impressions", 25_000_000),
        ("harbor_open_display", "cpm_usd_auction", 280.0, "clicks", 61),
    ] {
        let market = Market::of(crate::market::config().without_review());
        let wanted = dressed(package(product, price, budget));
        market.ok("create_media_buy", buy(json!([wanted]))).await;
        market.pass(30);
        let report = report(&market, json!({})).await;
        let row = &report["media_buy_deliveries"][0]["by_package"][0];
        assert_eq!(row[key], expected, "{product}: {row:#}");
        assert!(row["spend"].as_f64().unwrap() <= budget);
    }
    assert_eq!(report(&market, json!({})).await["media_buy_deliveries"], json!([]));
}

#[tokio::test]
async fn unknown_ids_are_named_and_currencies_are_not_mixed() {
    let market = Market::open();
    market.ok("create_media_buy", buy(json!([display(600.0)]))).await;
    market.ok("create_media_buy", buy(json!([package("harbor_native_feed", "cpc_eur_fixed", 100.0)]))).await;
    let both = report(&market, json!({})).await;
    assert_eq!(both["media_buy_deliveries"].as_array().unwrap().len(), 2);
    assert!(both.get("aggregated_totals").is_none());
    let unknown = report(&market, json!({ "media_buy_ids": ["nope"] })).await;
    assert_eq!(unknown["errors"][0]["code"], "MEDIA_BUY_NOT_FOUND");
    assert_eq!(unknown["status"], "completed");
}
