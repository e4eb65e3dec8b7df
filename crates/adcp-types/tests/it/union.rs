//! Arms are chosen by what tells them apart.

use adcp_types::FromJson;
use adcp_types::core::{AccountRef, PricingOption, StartTiming};
use adcp_types::media_buy::CreateMediaBuyResponse;
use serde_json::json;

#[test]
fn by_tag() {
    for model in ["cpm", "cpc", "flat_rate", "cpa", "vcpm"] {
        let option = json!({
            "pricing_option_id": "a", "pricing_model": model, "currency": "EUR", "fixed_price": 1, "event_type": "purchase"
        });
        let arm = PricingOption::from_json(option).expect("an option").arm();
        assert_eq!(arm.to_lowercase(), model.replace('_', ""), "{model}");
    }
}

#[test]
fn by_keys() {
    assert_eq!(AccountRef::from_json(json!({ "account_id": "a" })).expect("an account").arm(), "AccountId");
    assert_eq!(
        AccountRef::from_json(json!({ "brand": { "domain": "b.example" }, "operator": "o.example" }))
            .expect("an account")
            .arm(),
        "Brand"
    );
    assert_eq!(AccountRef::from_json(json!({ "iban": "x" })).expect("something").arm(), "Unrecognized");
}

#[test]
fn by_status_then_keys() {
    for (sent, arm) in [
        (json!({ "status": "submitted", "task_id": "t" }), "Submitted"),
        (json!({ "errors": [{ "code": "X", "message": "y" }] }), "Error"),
        (json!({ "media_buy_id": "m", "confirmed_at": null, "revision": 1, "packages": [] }), "Success"),
        (json!({ "anything": "else" }), "Unrecognized"),
    ] {
        assert_eq!(CreateMediaBuyResponse::from_json(sent).expect("an answer").arm(), arm);
    }
}

#[test]
fn by_vocabulary() {
    assert!(matches!(StartTiming::from("asap"), StartTiming::Asap));
    assert_eq!(StartTiming::from("2026-12-01T00:00:00Z").as_str(), "2026-12-01T00:00:00Z");
}
