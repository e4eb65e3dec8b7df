//! The generator on small schemas, with the expected Rust beside them; the expected Rust is part of this very binary.
//!
//! After a change that is meant, write it anew:
//! `cargo xtask codegen --schemas xtask/tests/codegen/golden/schemas --out DIR`, then copy `DIR/src/generated/core` over
//! `golden/core`.

#![allow(
    dead_code,
    missing_docs,
    unfulfilled_lint_expectations,
    unused_imports,
    reason = "only a part of the runtime is used here"
)]

use std::path::Path;

#[path = "../../../crates/adcp-types/src/json/mod.rs"]
mod json;

#[rustfmt::skip]
#[path = "golden/core/mod.rs"]
mod core;

use json::{FromJson, ToJson};
use serde_json::json;

#[test]
fn the_generator_writes_what_is_expected() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/codegen/golden");
    let made = xtask::codegen::files(&golden.join("schemas")).expect("the schemas are fine");
    let mut compared = 0;
    for (path, text) in made.iter().filter(|(path, _)| path.starts_with("core/")) {
        let expected = std::fs::read_to_string(golden.join(path)).unwrap_or_default();
        assert_eq!(&expected, text, "{path}");
        compared += 1;
    }
    assert_eq!(compared, 5);
}

#[test]
fn what_is_expected_works() {
    let sent = json!({
        "kind": "order", "order_id": "o", "paid_at": null, "note": null, "revision": 3, "labels": { "a": "b" }, "new": 1,
        "lines": [{ "amount": 2.5, "type": "gift" }],
        "payment": { "method": "card", "token": { "number": "4", "expires": "2030-01-01" } }
    });
    let order = core::Order::from_json(sent.clone()).expect("an order");
    assert_eq!(order.to_json(), sent);
    assert_eq!(order.note, Some(json::Nullable::Null));
    let Some(core::Payment::Card(card)) = order.payment else { panic!("no card") };
    assert_eq!(card.token.arm(), "Number");
    let built = core::Order::new("o", None, vec![core::order::Line::new(1.0)]).with_revision(1);
    assert_eq!(
        built.to_json(),
        json!({ "kind": "order", "order_id": "o", "paid_at": null, "lines": [{ "amount": 1 }], "revision": 1 })
    );
}

#[test]
fn what_the_generator_does_not_know_stops_it() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("unknown-keyword/core");
    std::fs::create_dir_all(&dir).expect("a folder");
    std::fs::write(dir.join("odd.json"), r#"{"type": "object", "unevaluatedItems": false}"#).expect("a file");
    let told =
        xtask::codegen::files(dir.parent().expect("a folder")).expect_err("an unknown keyword").to_string();
    assert!(told.contains("core/odd.json#") && told.contains("`unevaluatedItems`"), "{told}");
}
