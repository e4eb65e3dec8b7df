//! No JSON makes a decoder panic, and what decodes comes back.

use adcp_types::by_schema;
use proptest::prelude::*;
use serde_json::{Map, Value};

/// Names that schemas use often, so that random objects get past the first field.
const KEYS: [&str; 16] = [
    "type",
    "status",
    "errors",
    "task_id",
    "products",
    "packages",
    "media_buy_id",
    "account",
    "brand",
    "assets",
    "pricing_model",
    "creatives",
    "scope",
    "kind",
    "asset_type",
    "zz_unknown",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z_]{0,9}".prop_map(Value::from),
        prop::sample::select(vec!["cpm", "image", "submitted", "product", "all"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(KEYS.to_vec()), inner), 0..6).prop_map(|entries| {
                entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>().into()
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_decoder_panics(value in any_json()) {
        for path in by_schema::PATHS {
            if let Some(Ok(back)) = by_schema::round_trip(path, value.clone()) {
                // What was written is read again, and written the same.
                prop_assert_eq!(by_schema::round_trip(path, back.clone()), Some(Ok(back)), "{}", path);
            }
            by_schema::arm(path, &value);
        }
    }
}

#[test]
fn every_path_has_a_type() {
    assert!(by_schema::PATHS.len() > 600);
    assert!(by_schema::PATHS.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(by_schema::round_trip("no/such.json", Value::Null).is_none());
}
