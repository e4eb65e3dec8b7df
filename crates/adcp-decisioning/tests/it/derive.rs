//! Packages from allocations, and what recipes let a buyer choose.

use adcp_core::{Overlap, ProposalState};
use adcp_decisioning::Offer;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::market::{Market, Stand, field, from, narrow, product, purchase, terms};
use crate::seller::code;

/// A market whose only proposal has these allocations of one product in one currency.
async fn selling(percentages: &[f64], currency: &str) -> Stand {
    let allocations: Vec<Value> = percentages
        .iter()
        .map(|percentage| json!({ "product_id": "tv", "allocation_percentage": percentage }))
        .collect();
    let answer = json!({
        "products": [product("tv", &[("tv_cpm", "cpm", currency)])], "cache_scope": "account",
        "proposals": [{
            "proposal_id": "p1", "name": "spring", "allocations": allocations,
            "proposal_status": "committed", "expires_at": "2026-06-01T00:00:00Z",
        }],
    });
    let market = Market::new().finding(move |_, _| {
        let answer = answer.clone();
        async move { Ok(Offer::new(from(answer)).into()) }
    });
    let stand = market.open(terms());
    let reply = stand.brief().await;
    assert_eq!(code(&reply), "none", "{:?}", reply.body);
    stand
}

fn order(amount: &Value, currency: &str) -> Value {
    let mut ask = purchase("one", "p1");
    ask["total_budget"] = json!({ "amount": amount, "currency": currency });
    ask
}

fn budgets(stand: &Stand) -> Vec<f64> {
    let seen = stand.seen();
    seen["packages"].as_array().unwrap().iter().map(|package| package["budget"].as_f64().unwrap()).collect()
}

#[tokio::test]
async fn budgets_follow_the_percentages_in_whole_minor_units() {
    let cases: [(&[f64], &str, Value, &[f64]); 6] = [
        (&[60.0, 40.0], "USD", json!(1000), &[600.0, 400.0]),
        (&[33.3, 33.3, 33.4], "USD", json!(100), &[33.3, 33.3, 33.4]),
        (&[33.3, 33.3, 33.3], "USD", json!(100), &[33.34, 33.33, 33.33]),
        (&[33.3, 33.3, 33.4], "JPY", json!(100), &[33.0, 33.0, 34.0]),
        (&[50.0, 50.0], "KWD", json!(0.001), &[0.001, 0.0]),
        (&[12.5, 87.5], "EUR", json!(0.1), &[0.01, 0.09]),
    ];
    for (percentages, currency, amount, want) in cases {
        let stand = selling(percentages, currency).await;
        let reply = stand.ask("create_media_buy", order(&amount, currency)).await;
        assert_eq!(code(&reply), "none", "{:?}", reply.body);
        assert_eq!(budgets(&stand), want, "{percentages:?} of {amount} {currency}");
    }
}

#[tokio::test]
async fn a_budget_that_cannot_be_split_gives_the_proposal_back() {
    let cases = [
        (json!(10.001), "USD", "total_budget.amount"),
        // An amount is first read in its own currency.
        (json!(10.5), "JPY", "total_budget.amount"),
        (json!(1e18), "USD", "total_budget.amount"),
        (json!(10), "EUR", "total_budget.currency"),
        (json!(10), "usd", "total_budget.currency"),
    ];
    for (amount, currency, at) in cases {
        let stand = selling(&[60.0, 40.0], "USD").await;
        let reply = stand.ask("create_media_buy", order(&amount, currency)).await;
        assert_eq!((code(&reply), field(&reply)), ("INVALID_REQUEST", at), "{amount} {currency}");
        assert_eq!(stand.state("p1").await, Some(ProposalState::Committed));
    }
    let stand = selling(&[100.0], "USD").await;
    let mut ask = purchase("one", "p1");
    ask.as_object_mut().unwrap().remove("total_budget");
    let reply = stand.ask("create_media_buy", ask).await;
    assert_eq!((code(&reply), field(&reply)), ("INVALID_REQUEST", "total_budget"));
}

#[tokio::test]
async fn packages_of_the_buyer_are_left_as_they_are() {
    let stand = selling(&[60.0, 40.0], "USD").await;
    let mut ask = order(&json!(1000), "USD");
    ask["packages"] = json!([{ "product_id": "tv", "pricing_option_id": "tv_cpm", "budget": 5 }]);
    assert_eq!(code(&stand.ask("create_media_buy", ask).await), "none");
    assert_eq!(budgets(&stand), [5.0]);

    let market = Market::new().open(terms().without_derived_packages()).committed().await;
    assert_eq!(code(&market.buy("one", "p1").await), "none");
    assert!(market.seen().get("packages").is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the shares: the budgets add up to the total, and each is within a minor unit of its exact share.
    #[test]
    fn budgets_add_up_and_are_within_a_minor_unit(
        cuts in proptest::collection::vec(1_u32..10_000, 0..12),
        cents in 0_u64..10_000_000_000,
    ) {
        let mut cuts = cuts;
        cuts.extend([0, 10_000]);
        cuts.sort_unstable();
        let hundredths: Vec<u32> = cuts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let percentages: Vec<f64> = hundredths.iter().map(|share| f64::from(*share) / 100.0).collect();
        let amount = cents as f64 / 100.0;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let budgets = runtime.block_on(async {
            let stand = selling(&percentages, "USD").await;
            let reply = stand.ask("create_media_buy", order(&json!(amount), "USD")).await;
            assert_eq!(code(&reply), "none", "{:?}", reply.body);
            budgets(&stand)
        });
        let units: Vec<i128> = budgets.iter().map(|budget| (budget * 100.0).round() as i128).collect();
        prop_assert_eq!(units.iter().sum::<i128>(), i128::from(cents));
        for (unit, share) in units.iter().zip(&hundredths) {
            let exact = i128::from(cents) * i128::from(*share);
            prop_assert!((unit * 10_000 - exact).abs() < 10_000, "{unit} for {share} of {cents}");
        }
    }
}

/// A committed proposal whose television may only be bought as the recipe allows.
async fn narrowed(overlap: Overlap) -> Stand {
    let market = Market::new().finding(move |_, request| {
        let offer = crate::market::plain_find(&request).with_recipe("tv", narrow(overlap.clone()));
        async move { Ok(offer.into()) }
    });
    market.open(terms()).committed().await
}

#[tokio::test]
async fn an_order_chooses_only_what_its_recipes_allow() {
    let package = |extra: Value| {
        let mut package = json!({ "product_id": "tv", "pricing_option_id": "tv_cpm", "budget": 10 });
        for (name, value) in extra.as_object().unwrap() {
            package[name] = value.clone();
        }
        package
    };
    let signals = |kind: &str| json!({ "signal_type": kind, "targeting_overlay": {} });
    let any = Overlap::unlimited;
    let cases = [
        (any().with_pricing_models(["cpm"]), package(json!({})), "none"),
        (
            any().with_pricing_models(["cpm"]),
            package(json!({ "pricing_option_id": "tv_flat" })),
            "packages[0].pricing_option_id",
        ),
        (
            any().with_pricing_models(["cpm"]),
            package(json!({ "pricing_option_id": "nowhere" })),
            "packages[0].pricing_option_id",
        ),
        (any().with_pricing_models([""; 0]), package(json!({})), "packages[0].pricing_option_id"),
        (
            any().with_targeting_dimensions(["geo_countries"]),
            package(json!({ "targeting_overlay": { "geo_countries": ["DE"] } })),
            "none",
        ),
        (
            any().with_targeting_dimensions(["geo_countries"]),
            package(json!({ "targeting_overlay": { "geo_countries": ["DE"], "language": ["de"] } })),
            "packages[0].targeting_overlay",
        ),
        (any().with_delivery_types(["guaranteed"]), package(json!({})), "none"),
        (any().with_delivery_types([""; 0]), package(json!({})), "packages[0].delivery_type"),
        (any().with_signal_types(["owned"]), package(signals("owned")), "none"),
        (any().with_signal_types(["owned"]), package(signals("marketplace")), "packages[0].signal_type"),
        // The site's recipe limits nothing.
        (
            any().with_pricing_models([""; 0]),
            package(json!({ "product_id": "web", "pricing_option_id": "web_cpm" })),
            "none",
        ),
    ];
    for (overlap, package, at) in cases {
        let stand = narrowed(overlap.clone()).await;
        let mut ask = purchase("one", "p1");
        ask["packages"] = json!([package]);
        let reply = stand.ask("create_media_buy", ask).await;
        assert_eq!(field(&reply), at, "{overlap:?} {package}: {:?}", reply.body);
        if at != "none" {
            assert_eq!(
                (code(&reply), &reply.body["adcp_error"]["recovery"]),
                ("INVALID_REQUEST", &json!("correctable"))
            );
            assert_eq!(stand.state("p1").await, Some(ProposalState::Committed));
        }
    }
}

#[tokio::test]
async fn an_update_keeps_to_the_recipes_by_the_packages_of_the_order() {
    let overlap =
        Overlap::unlimited().with_targeting_dimensions(["geo_countries"]).with_pricing_models(["cpm"]);
    let stand = narrowed(overlap).await;
    assert_eq!(code(&stand.buy("one", "p1").await), "none");
    let change = |at: usize, list: &str, package: Value| {
        json!({
            "idempotency_key": format!("change-{at}-0123456789"), "account": { "account_id": "acme" },
            "media_buy_id": "mb_1", list: [package],
        })
    };
    let by_language = json!({ "language": ["de"] });
    let cases = [
        // Package 0 is television, package 1 the site.
        (
            "packages",
            json!({ "package_id": "pkg_0", "targeting_overlay": by_language }),
            "packages[0].targeting_overlay",
        ),
        ("packages", json!({ "package_id": "pkg_1", "targeting_overlay": by_language }), "none"),
        ("packages", json!({ "package_id": "pkg_0", "budget": 5 }), "none"),
        // Keywords are targeting, too, wherever an update adds them.
        (
            "packages",
            json!({ "package_id": "pkg_0", "keyword_targets_add": [{ "keyword": "tea", "match_type": "broad" }] }),
            "packages[0].keyword_targets_add",
        ),
        (
            "packages",
            json!({ "package_id": "pkg_0", "negative_keywords_add": [{ "keyword": "tea", "match_type": "broad" }] }),
            "packages[0].negative_keywords_add",
        ),
        (
            "new_packages",
            json!({ "product_id": "tv", "pricing_option_id": "tv_flat", "budget": 5 }),
            "new_packages[0].pricing_option_id",
        ),
    ];
    for (at, (list, package, want)) in cases.into_iter().enumerate() {
        let reply = stand.ask("update_media_buy", change(at, list, package.clone())).await;
        assert_eq!(field(&reply), want, "{list} {package}: {:?}", reply.body);
    }
}

#[tokio::test]
async fn a_signal_with_two_names_is_both_that_they_mean() {
    let listed = |id: &str, kind: &str| {
        json!({
            "signal_ref": { "scope": "product", "signal_id": id }, "signal_agent_segment_id": format!("seg_{id}"),
            "name": id, "description": id, "signal_type": kind, "value_type": "binary", "data_provider": "news",
        })
    };
    let options = json!([listed("own", "owned"), listed("bought", "marketplace")]);
    let targets = |name: &str, segment: Option<&str>| {
        let mut signal = json!({ "signal_ref": { "scope": "product", "signal_id": name }, "value_type": "binary", "value": true });
        if let Some(segment) = segment {
            signal["signal_agent_segment_id"] = segment.into();
        }
        json!({ "signal_targeting_groups": { "operator": "all", "groups": [
            { "operator": "any", "signals": [signal] },
        ] } })
    };
    let cases = [
        (targets("own", None), "none"),
        (targets("own", Some("seg_own")), "none"),
        (targets("bought", None), "packages[0].targeting_overlay"),
        (targets("own", Some("seg_bought")), "packages[0].targeting_overlay"),
        (targets("unlisted", None), "packages[0].targeting_overlay"),
    ];
    for (overlay, at) in cases {
        let options = options.clone();
        let market = Market::new().finding(move |_, request| {
            let options = options.clone();
            async move {
                let mut offer = crate::market::plain_find(&request)
                    .with_recipe("tv", narrow(Overlap::unlimited().with_signal_types(["owned"])));
                for product in offer.response.products.iter_mut().flatten() {
                    product.extra.insert("signal_targeting_allowed".into(), true.into());
                    product.extra.insert("signal_targeting_options".into(), options.clone());
                }
                Ok(offer.into())
            }
        });
        let stand = market.open(terms()).committed().await;
        let mut ask = purchase("one", "p1");
        ask["packages"] = json!([{
            "product_id": "tv", "pricing_option_id": "tv_cpm", "budget": 10, "targeting_overlay": overlay,
        }]);
        let reply = stand.ask("create_media_buy", ask).await;
        assert_eq!(field(&reply), at, "{overlay}: {:?}", reply.body);
    }
}
