//! `fields`: a buyer who asks for parts of products gets those, and the ledger keeps the whole.

use adcp_types::json::JsonObject;
use serde_json::Value;

use crate::hook::Made;
use crate::proposal::text;

/// What a product is nothing without.
///
/// Spec: `core/product.json`, `required`.
const REQUIRED: [&str; 7] = [
    "product_id",
    "name",
    "description",
    "publisher_properties",
    "delivery_type",
    "pricing_options",
    "reporting_capabilities",
];

/// What a buyer can ask for, beyond what is always there. Fields of the seller's own are never left out.
///
/// Spec: `media-buy/get-products-request.json`, `fields`.
const OPTIONAL: [&str; 31] = [
    "channels",
    "video_placement_types",
    "sponsored_placement_types",
    "social_placement_surfaces",
    "format_ids",
    "format_options",
    "placements",
    "exclusivity",
    "forecast",
    "outcome_measurement",
    "delivery_measurement",
    "creative_policy",
    "catalog_types",
    "metric_optimization",
    "conversion_tracking",
    "data_provider_signals",
    "included_signals",
    "signal_targeting_allowed",
    "signal_targeting_options",
    "signal_targeting_rules",
    "max_optimization_goals",
    "catalog_match",
    "collections",
    "collection_targeting_allowed",
    "installments",
    "brief_relevance",
    "expires_at",
    "product_card",
    "product_card_detailed",
    "enforced_policies",
    "trusted_match",
];

/// Leaves out of each product what was not asked for. What a proposal needs of it goes behind the answer first.
pub(super) fn trim(request: &Value, made: &mut Made) {
    let Some(asked) = request.get("fields").and_then(Value::as_array) else { return };
    let asked: Vec<&str> = asked.iter().filter_map(Value::as_str).collect();
    let offers = made.body.get("proposals").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    let Some(Value::Array(products)) = made.body.get_mut("products") else { return };
    for product in products.iter_mut().filter_map(Value::as_object_mut) {
        if let Some(id) = text(product, "product_id").filter(|_| offers) {
            let id = id.to_owned();
            made.backing.products.entry(id).or_insert_with(|| product.clone());
        }
        trim_one(product, &asked);
    }
}

fn trim_one(product: &mut JsonObject, asked: &[&str]) {
    let formats = ["format_ids", "format_options"];
    // A product states its formats in one way at least.
    let stated = formats.iter().any(|name| asked.contains(name) && product.contains_key(*name));
    let targets = ["signal_targeting_options", "signal_targeting_rules"];
    product.retain(|name, _| {
        let name = name.as_str();
        asked.contains(&name)
            || REQUIRED.contains(&name)
            || !OPTIONAL.contains(&name)
            || (formats.contains(&name) && !stated)
            // Neither list stands without the word that allows it.
            || (name == "signal_targeting_allowed" && targets.iter().any(|name| asked.contains(name)))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use adcp_types::media_buy::get_products_request::Field;
    use serde_json::json;

    #[test]
    fn every_field_of_the_schema_is_known_here() {
        let mut known: Vec<&str> = REQUIRED.into_iter().chain(OPTIONAL).collect();
        let mut stated: Vec<&str> = Field::VALUES.to_vec();
        known.sort_unstable();
        stated.sort_unstable();
        assert_eq!(known, stated);
    }

    #[test]
    fn a_trimmed_product_keeps_what_it_needs() {
        let whole = json!({
            "product_id": "p", "name": "n", "channels": ["ctv"], "format_ids": [], "format_options": [],
            "forecast": {}, "signal_targeting_options": [], "signal_targeting_allowed": true, "x_own": 1,
        });
        let cases = [
            (
                vec!["channels"],
                vec!["channels", "format_ids", "format_options", "name", "product_id", "x_own"],
            ),
            (vec!["format_ids"], vec!["format_ids", "name", "product_id", "x_own"]),
            (
                vec!["signal_targeting_options", "format_options"],
                vec![
                    "format_options",
                    "name",
                    "product_id",
                    "signal_targeting_allowed",
                    "signal_targeting_options",
                    "x_own",
                ],
            ),
        ];
        for (asked, want) in cases {
            let mut product = whole.as_object().unwrap().clone();
            trim_one(&mut product, &asked);
            let mut names: Vec<&str> = product.keys().map(String::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, want, "{asked:?}");
        }
    }
}
