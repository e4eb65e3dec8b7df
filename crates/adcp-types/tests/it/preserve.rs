//! Nothing unknown is lost.

use adcp_types::core::Product;
use adcp_types::enums::DeliveryType;
use adcp_types::media_buy::{CreateMediaBuySuccess, GetProductsResponse, PackageUpdate};
use adcp_types::{FromJson, ToJson};
use serde_json::{Value, json};

fn product() -> Value {
    json!({
        "product_id": "p1",
        "name": "Morning audio",
        "description": "Spots between six and nine",
        "publisher_properties": [{ "publisher_domain": "radio.example", "selection_type": "all" }],
        "delivery_type": "guaranteed",
        "format_ids": [{ "agent_url": "https://formats.example", "id": "audio_30s" }],
        "pricing_options": [
            { "pricing_option_id": "cpm", "pricing_model": "cpm", "currency": "EUR", "fixed_price": 12.5 },
            { "pricing_option_id": "new", "pricing_model": "per_smile", "currency": "EUR" }
        ],
        "reporting_capabilities": {
            "available_reporting_frequencies": ["daily"],
            "expected_delay_minutes": 60,
            "timezone": "UTC",
            "supports_webhooks": false,
            "available_metrics": ["impressions"],
            "date_range_support": "date_range"
        },
        "from_a_newer_version": { "kept": [1, null] }
    })
}

#[test]
fn unknown_fields_values_and_arms_come_back() {
    let mut sent = product();
    sent["delivery_type"] = json!("best_effort");
    let read = Product::from_json(sent.clone()).expect("a product");
    assert_eq!(read.delivery_type, DeliveryType::Unrecognized("best_effort".to_owned()));
    assert_eq!(read.pricing_options[1].arm(), "Unrecognized");
    assert_eq!(read.extra["from_a_newer_version"], json!({ "kept": [1, null] }));
    assert_eq!(read.to_json(), sent);
}

#[test]
fn serde_goes_the_same_way() {
    let sent = json!({ "products": [product()] });
    let read: GetProductsResponse = serde_json::from_value(sent.clone()).expect("an answer");
    assert_eq!(serde_json::to_value(&read).expect("JSON"), sent);
    assert_eq!(read.clone(), read);
}

#[test]
fn the_envelope_of_a_whole_message_comes_back() {
    let sent = json!({
        "status": "completed", "adcp_version": "3.1-rc.9", "context": { "a": 1 },
        "media_buy_id": "mb1", "confirmed_at": null, "revision": 1, "packages": []
    });
    let read = CreateMediaBuySuccess::from_json(sent.clone()).expect("a booked order");
    assert_eq!(read.confirmed_at, None);
    assert_eq!(read.extra["status"], "completed");
    assert_eq!(read.to_json(), sent);
}

#[test]
fn numbers_keep_their_value() {
    for (sent, back) in
        [(json!(25.0), json!(25)), (json!(0.1), json!(0.1)), (json!(1e15), json!(1_000_000_000_000_000_i64))]
    {
        let read = PackageUpdate::from_json(json!({ "package_id": "x", "budget": sent })).expect("a change");
        assert_eq!(read.to_json()["budget"], back);
    }
}

#[test]
fn a_constant_of_another_value_is_kept() {
    let sent = json!({ "pricing_option_id": "a", "pricing_model": "cpm_plus", "currency": "EUR" });
    let read = adcp_types::pricing_options::CpmOption::from_json(sent.clone()).expect("an option");
    assert_eq!(read.to_json(), sent);
}

#[test]
fn what_is_secret_is_not_printed() {
    use adcp_types::core::PushNotificationConfig;
    let config = PushNotificationConfig::from_json(serde_json::json!({
        "url": "https://buyer.example/hook", "operation_id": "op", "token": "a-token-of-the-buyer",
        "authentication": { "schemes": ["Bearer"], "credentials": "c0ffee".repeat(8) },
        "nested": [{ "auth_token": "abc", "tokens_left": 3 }],
    }));
    let config = config.unwrap();
    let printed = format!("{config:?} {config:#?}");
    for secret in ["a-token-of-the-buyer", "c0ffee", "abc"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    for shown in ["https://buyer.example/hook", "Bearer", "tokens_left"] {
        assert!(printed.contains(shown), "{printed}");
    }
    assert_eq!(config.to_json()["token"], "a-token-of-the-buyer", "the wire has it");
}
