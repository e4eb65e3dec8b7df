//! Random JSON never panics a decoder; random valid instances come back as they were.

use adcp_types::by_schema::{PATHS, round_trip};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::json::{SAMPLES, check, no_complaints, spoilt, spread};

/// Any JSON, with field names that schemas like to use.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(Value::from),
        "(active|cpm|submitted|image|https://example.com|2026-01-01T00:00:00Z)".prop_map(Value::from),
    ];
    let key = prop_oneof![
        ".{0,6}",
        "(status|type|kind|errors|packages|products|task_id|account|pricing_model|asset_type|success|ext)",
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_json_panics_a_decoder(json in any_json()) {
        for path in PATHS {
            let _either_way = round_trip(path, json.clone());
        }
    }
}

#[test]
fn spoilt_instances_do_not_panic_a_decoder() {
    for (path, made) in SAMPLES.iter() {
        for spoilt in spoilt(&made.samples, 6) {
            let _either_way = round_trip(path, spoilt);
        }
    }
}

/// Checks some random instances of each schema.
fn random_instances(per_schema: u64) -> usize {
    let results = spread(PATHS, |sampler, path| {
        let made = (0..per_schema).filter_map(|seed| sampler.random(path, 1 + seed * 7919));
        let made: Vec<Value> = made.collect();
        let complaints: Vec<String> =
            made.iter().filter_map(|instance| check(path, instance).err()).collect();
        Some((made.len(), complaints))
    });
    let checked = results.iter().map(|(count, _)| count).sum();
    no_complaints(results.into_iter().flat_map(|(_, complaints)| complaints));
    checked
}

#[test]
fn random_valid_instances_come_back() {
    let checked = random_instances(2);
    assert!(checked > 1_000, "only {checked} instances were checked");
}

#[test]
#[ignore = "minutes; run by `cargo xtask sample --deep`"]
fn many_random_valid_instances_come_back() {
    let checked = random_instances(40);
    assert!(checked > 20_000, "only {checked} instances were checked");
}
