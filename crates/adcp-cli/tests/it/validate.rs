//! `adcp validate`: documents against schemas.

use crate::run::{run, run_with};

#[test]
fn documents_are_valid_or_say_where_they_are_not() {
    let valid =
        run_with(&["validate", "get_products:request", "-"], r#"{"buying_mode": "wholesale"}"#).expect(0);
    assert_eq!(valid.out, "");

    let path = "media-buy/get-products-request.json";
    let invalid = run_with(&["validate", path, "-"], r#"{"buying_mode": 7}"#).expect(3);
    assert!(invalid.out.contains("/buying_mode  type: expected"), "{}", invalid.out);

    let broken = run_with(&["validate", path, "-"], "{").expect(2);
    assert!(broken.err.contains("not usable JSON"), "{}", broken.err);
}

#[test]
fn a_schema_that_does_not_exist_brings_its_neighbours() {
    let unknown = run(&["validate", "get_products.json", "-"]).expect(2);
    assert!(unknown.err.contains("media-buy/get-products-request.json"), "{}", unknown.err);
    run(&["validate", "get_products:request", "/no/such/file"]).expect(2);
}
