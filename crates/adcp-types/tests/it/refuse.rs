//! What is refused, and how it is said.

use adcp_types::FromJson;
use adcp_types::media_buy::{CreateMediaBuyRequest, GetProductsRequest};
use serde_json::json;

#[test]
fn a_wrong_type_names_its_place() {
    let error = GetProductsRequest::from_json(json!({
        "buying_mode": "brief",
        "filters": { "format_ids": [{ "agent_url": "https://a.example", "id": "x" }, { "agent_url": 7, "id": "y" }] }
    }))
    .expect_err("7 is no address");
    assert_eq!(error.pointer(), "/filters/format_ids/1/agent_url");
    assert_eq!(error.expected(), "a string");
    assert_eq!(error.to_string(), "at /filters/format_ids/1/agent_url: expected a string, found a number");
}

#[test]
fn a_missing_required_field_is_named() {
    let error = CreateMediaBuyRequest::from_json(json!({})).expect_err("nothing is there");
    assert_eq!(error.pointer(), "");
    assert!(error.expected().starts_with("the required field `"), "{error}");
}

#[test]
fn pointers_are_escaped() {
    let map = std::collections::BTreeMap::<String, String>::from_json(json!({ "a/b~c": 1 }))
        .expect_err("1 is no string");
    assert_eq!(map.pointer(), "/a~1b~0c");
}
