//! The schemas an MCP `tools/list` shows.

use adcp_schemas::{Bundle, SchemaError, input_schema};
use serde_json::{Value, json};

/// Calls `see` with every `$ref` in a schema.
fn references(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                see(reference);
            }
            object.values().for_each(|value| references(value, see));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, see)),
        _ => {}
    }
}

#[test]
fn every_tool_has_one_that_stands_alone() {
    let mut total = 0;
    for tool in Bundle::embedded().tools() {
        let schema = input_schema(tool).unwrap();
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#", "{tool}");
        assert_eq!(schema["type"], "object", "{tool}");
        assert_ne!(schema.get("additionalProperties"), Some(&json!(false)), "{tool}");
        for combinator in ["allOf", "anyOf", "oneOf", "if", "not"] {
            assert!(!schema.contains_key(combinator), "{tool} has {combinator} at its root");
        }
        let whole = Value::Object((*schema).clone());
        references(&whole, &mut |reference| {
            let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{tool}: {reference}"));
            assert!(whole.pointer(pointer).is_some(), "{tool}: {reference}");
        });
        total += whole.to_string().len();
    }
    assert!(total < 1 << 20, "all input schemas together are {total} bytes");
}

#[test]
fn it_compiles_and_judges_like_the_request_schema() {
    let schema = Value::Object((*input_schema("get_media_buys").unwrap()).clone());
    let files = [("request.json".to_owned(), schema.to_string())];
    let validator = Bundle::from_files(files).validator("request.json").unwrap();
    assert!(validator.is_valid(&json!({ "media_buy_ids": ["mb_1"], "context": { "any": 1 } })));
    assert!(!validator.is_valid(&json!({ "media_buy_ids": "mb_1" })));
}

#[test]
fn all_of_them_compile() {
    let bundle = Bundle::embedded();
    let files: Vec<_> = bundle
        .tools()
        .map(|tool| (tool.to_owned(), Value::Object((*input_schema(tool).unwrap()).clone()).to_string()))
        .collect();
    let inputs = Bundle::from_files(files);
    for tool in bundle.tools() {
        inputs.validator(tool).unwrap_or_else(|error| panic!("{tool}: {error}"));
    }
}

#[test]
fn properties_of_the_envelope_and_of_arms_are_there() {
    let schema = input_schema("create_media_buy").unwrap();
    for name in ["idempotency_key", "account", "packages", "adcp_version", "adcp_major_version"] {
        assert!(schema["properties"].get(name).is_some(), "{name}");
    }
    let claim = input_schema("verify_brand_claim").unwrap();
    assert!(claim["properties"].get("claim_type").is_some());
}

#[test]
fn an_unknown_tool_has_none() {
    assert_eq!(input_schema("no_such_tool"), Err(SchemaError::UnknownTool("no_such_tool".to_owned())));
}
