//! Validators and what they say.

use std::sync::Arc;
use std::thread;

use adcp_schemas::{Bundle, MAX_VIOLATIONS, Part, SchemaError, tool_validator, validator};
use serde_json::{Value, json};

/// A bundle of one schema.
fn one(schema: &Value) -> Bundle {
    Bundle::from_files([("s.json".to_owned(), schema.to_string())])
}

/// `(pointer, keyword, expected)` of every violation.
fn complaints(schema: &Value, instance: &Value) -> Vec<(String, String, String)> {
    let validator = one(schema).validator("s.json").expect("the schema is fine");
    let violations = validator.validate(instance).expect_err("the instance is not");
    let list = violations.iter();
    list.map(|v| (v.pointer().to_owned(), v.keyword().to_owned(), v.expected().to_owned())).collect()
}

fn purchase(start: &str) -> Value {
    json!({
        "idempotency_key": "key-0123456789abcdef",
        "account": { "account_id": "acc_1" },
        "brand": { "domain": "example.com" },
        "packages": [{ "product_id": "p", "pricing_option_id": "cpm", "budget": 100.0 }],
        "start_time": start,
        "end_time": "2026-12-31T00:00:00Z"
    })
}

#[test]
fn formats_are_asserted_so_that_asap_is_legal() {
    let request = tool_validator("create_media_buy", Part::Request).unwrap();
    assert_eq!(request.validate(&purchase("asap")), Ok(()));
    assert_eq!(request.validate(&purchase("2026-12-01T00:00:00Z")), Ok(()));
    let violations = request.validate(&purchase("soon")).unwrap_err();
    let first = violations.iter().next().unwrap();
    assert_eq!(first.pointer(), "/start_time");
    assert_eq!(first.expected(), "\"asap\" or a date and time with offset (RFC 3339)");
}

#[test]
fn validators_are_compiled_once_and_shared() {
    let threads: Vec<_> =
        (0..4).map(|_| thread::spawn(|| validator("core/account-ref.json").unwrap())).collect();
    let validators: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(validators.windows(2).all(|pair| Arc::ptr_eq(&pair[0], &pair[1])));
}

#[test]
fn what_is_not_there_is_an_error() {
    let unknown = SchemaError::UnknownSchema("no/such.json".to_owned());
    assert_eq!(validator("no/such.json").unwrap_err(), unknown);
    let broken = one(&json!({ "$ref": "gone.json" })).validator("s.json").unwrap_err();
    assert!(matches!(broken, SchemaError::Unusable { .. }), "{broken}");
}

#[test]
fn a_path_may_point_into_a_file() {
    let text = json!({ "type": "string" });
    let bundle = one(&json!({ "definitions": { "a": text }, "patternProperties": { "^[a-z 0-9]+$": text } }));
    for path in ["s.json#/definitions/a", "s.json#/patternProperties/^[a-z 0-9]+$"] {
        let inner = bundle.validator(path).unwrap();
        assert!(inner.is_valid(&json!("text")));
        assert!(!inner.is_valid(&json!({})));
    }
}

#[test]
fn violations_say_where_and_what() {
    let schema = json!({
        "type": "object",
        "properties": {
            "n": { "type": "integer", "minimum": 1 },
            "s": { "type": "string", "pattern": "^a", "maxLength": 3 },
            "e": { "enum": ["x", "y"] },
            "l": { "type": "array", "uniqueItems": true, "items": { "type": "string" } },
            "a/b": { "type": "boolean" }
        },
        "required": ["n", "gone"],
        "additionalProperties": false
    });
    let instance = json!({ "n": 0, "s": "bbbb", "e": "z", "l": ["q", "q", 3], "a/b": 1, "more": 1 });
    let said = complaints(&schema, &instance);
    let expected = [
        ("", "required", "the field `gone`"),
        ("/a~1b", "type", "true or false"),
        ("/e", "enum", "one of \"x\", \"y\""),
        ("/l", "uniqueItems", "items that all differ"),
        ("/l/2", "type", "a string"),
        ("/more", "additionalProperties", "no such field"),
        ("/n", "minimum", "at least 1"),
        ("/s", "maxLength", "at most 3 characters"),
        ("/s", "pattern", "text that matches `^a`"),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect();
    assert_eq!(said, expected);
}

#[test]
fn a_union_is_explained_by_the_arm_that_comes_closest() {
    let arm = |kind: &str, field: &str| {
        json!({ "type": "object",
                "properties": { "kind": { "const": kind }, field: { "type": "number" } },
                "required": ["kind", field] })
    };
    let schema = json!({ "oneOf": [arm("a", "x"), arm("b", "y")] });
    let said = |instance| complaints(&schema, &instance);
    let triple = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(said(json!({ "kind": "b" })), [triple("", "required", "the field `y`")]);
    assert_eq!(said(json!({ "kind": "b", "y": "1" })), [triple("/y", "type", "a number")]);
    assert_eq!(said(json!({ "kind": "c" })), [triple("/kind", "const", "one of \"a\", \"b\"")]);
    assert_eq!(said(json!(3)), [triple("", "oneOf", "an object")]);
}

#[test]
fn a_union_of_required_fields_names_them() {
    let schema = json!({ "anyOf": [{ "required": ["a"] }, { "required": ["b", "c"] }] });
    assert_eq!(
        complaints(&schema, &json!({ "b": 1 })),
        [(String::new(), "anyOf".to_owned(), "one of the fields `a`, `b` and `c`".to_owned())]
    );
    let schema = json!({ "oneOf": [{ "required": ["a"] }, { "required": ["b"] }] });
    assert_eq!(
        complaints(&schema, &json!({ "a": 1, "b": 1 })),
        [(String::new(), "oneOf".to_owned(), "only one of `a`, `b`".to_owned())]
    );
}

#[test]
fn conditions_and_negations_are_explained() {
    let schema = json!({
        "if": { "properties": { "a": { "const": 1 } }, "required": ["a"] },
        "then": { "required": ["b"] }, "else": { "not": { "required": ["c"] } },
        "dependencies": { "d": ["e"] }
    });
    let said = |instance| complaints(&schema, &instance)[0].2.clone();
    assert_eq!(said(json!({ "a": 1 })), "the field `b`");
    assert_eq!(said(json!({ "c": 1 })), "no `c` here");
    assert_eq!(said(json!({ "d": 1 })), "the field `e` beside `d`");
}

#[test]
fn violations_are_bounded() {
    let schema = json!({ "type": "array", "items": { "type": "string" } });
    let instance = Value::Array((0..100_000).map(Value::from).collect());
    let violations = one(&schema).validator("s.json").unwrap().validate(&instance).unwrap_err();
    assert_eq!(violations.iter().len(), MAX_VIOLATIONS);
    assert!(violations.truncated());
    assert!(violations.to_string().ends_with("; and more"));
}

#[test]
fn a_value_is_never_repeated() {
    let schema = json!({ "properties": {
        "a": { "const": "x" }, "b": { "format": "uri" }, "c": { "pattern": "^x$" }, "d": { "type": "number" },
        "e": { "enum": ["x"] }, "f": { "maxLength": 2 }, "g": { "oneOf": [{ "const": "x" }, { "type": "number" }] }
    } });
    let fields = ["a", "b", "c", "d", "e", "f", "g"];
    let instance: Value = fields.iter().map(|name| ((*name).to_owned(), json!("sw0rdfish"))).collect();
    let violations = one(&schema).validator("s.json").unwrap().validate(&instance).unwrap_err();
    assert_eq!(violations.iter().len(), fields.len());
    assert!(!format!("{violations} {violations:?}").contains("sw0rdfish"));
}

#[test]
fn every_embedded_schema_compiles() {
    for path in Bundle::embedded().paths().filter(|path| *path != adcp_schemas::MANIFEST) {
        validator(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}
